"""Every model answers the same prompts once; expectations and votes on what changed decide at the gate."""

import time
from collections.abc import Iterator

import pytest

from storage import canaries as stored
from storage import rounds
from storage.comparisons import get_study
from storage.datasets import get_dataset
from storage.errors import BadInput, Conflict, Forbidden, NotFound, Refused
from storage.models import add_model, get_model, rename
from storage.prompts import text_sha256
from storage.rows_training import Model
from storage.scores import Said, keep
from storage.store import Store
from storage.tasks import get_task
from studio import task
from studio.people.roles import Actor
from studio.rounds import gate, ledger
from studio.rounds.asking_canaries import Opinion, begin, expect, lift, run, vote
from studio.rounds.canaries import SCORED, answerer_of, find_canary, list_canaries, side_by_side, subject_of
from studio.rounds.canary_tables import changes, overview
from studio.rounds.next_step import next_step
from studio.rounds.promoting import promote
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.studio.rounds.canary_kit import answer_all
from tests.studio.training.project import add_dataset, first_day, prompt, prompts_of, run_to_the_end
from tests.studio.training.project import vote as compare
from tests.talker import Talker

ADA, CY, TIM = Actor("ada", "admin"), Actor("cy", "curator"), Actor("tim", "trainer")
FACTS = Request("sft", "starter", dataset="facts")


@pytest.fixture
def settings(store: Store) -> Settings:
    """Settings of a home on its first day."""
    first_day(store)
    add_dataset(store, "starter-prompts", "prompts", [{"prompt": prompt("p")}])
    return Settings.from_env({}, home=store.home.path)


@pytest.fixture
def talker() -> Iterator[Talker]:
    """A server of two models: one that knows Paris, and one that says as little as it can."""
    talker = Talker({"knows": lambda messages, seed: f"Paris, to {messages[-1]['content']}", "no": lambda *_: "No."})
    yield talker
    talker.close()


@pytest.fixture
def pair(store: Store, talker: Talker) -> tuple[Model, Model]:
    """Both of its models."""
    knows = add_model(store, "knows", "endpoint", url=talker.url, remote_name="knows")
    return knows, add_model(store, "curt", "endpoint", url=talker.url, remote_name="no")


def _candidate(store: Store, settings: Settings) -> None:
    """A candidate that wins every vote."""
    run_to_the_end(store, launch(store, settings, FACTS))
    ledger.catch_up(store)
    study = get_study(store, rounds.list_rounds(store)[-1].measuring_study_id or "")
    for one in prompts_of("measure", 30):
        compare(store, study, one, "b")


def _check(store: Store) -> gate.Check:
    """What the gate says of the canaries."""
    found = gate.report(store, rounds.get_round(store, 1))
    assert found is not None
    return next(check for check in found.checks if check.name == "canaries")


def _opinion(store: Store, word: str | None, number: int = 3, vote_id: str = "vote-0001") -> Opinion:
    """A word about the candidate's answer to a canary, as the page sends it."""
    row = next(one for one in side_by_side(store, get_model(store, "starter"), get_model(store, "round-1-sft"))
               if one.canary.number == number)  # fmt: skip
    assert row.before and row.after
    return Opinion(vote_id, row.canary.sha256, row.before.sha256, row.after.sha256, word)


# ---- The prompts -----------------------------------------------------------------------------------------------------


def test_a_project_begins_with_the_starter_set_of_which_nothing_is_expected(store: Store) -> None:
    found = list_canaries(store)

    assert [one.number for one in found] == list(range(1, 9))
    assert (found[2].text, found[2].expected) == ("What is the capital of France?", ())


def test_its_own_canaries_begin_as_a_dataset_with_what_is_expected(store: Store) -> None:
    before = [one.sha256 for one in list_canaries(store)]

    made = begin(store, CY)

    assert get_dataset(store, "canaries").kind == "prompts"
    assert [one.sha256 for one in made] == before
    assert [(one.kind, one.value) for one in made[2].expected] == [("contains", "Paris")]
    with pytest.raises(Conflict, match="canaries of its own already"):
        begin(store, CY)
    with pytest.raises(Forbidden):
        begin(store, TIM)


def test_a_dataset_of_that_name_takes_the_place_of_the_starter_set(store: Store) -> None:
    add_dataset(store, "canaries", "prompts", [{"prompt": prompt(text)} for text in ("Sing!", "Dance!", "Sing!")])

    assert [(one.number, one.text) for one in list_canaries(store)] == [(1, "Sing!"), (2, "Dance!")]


def test_a_canary_is_named_by_number_hash_or_how_it_begins(store: Store) -> None:
    third = list_canaries(store)[2]

    assert [find_canary(store, name).number for name in ("3", third.sha256, third.sha256[:12], "what is the c")] == [
        3
    ] * 4
    with pytest.raises(BadInput, match="begins 2 canaries"):
        find_canary(store, "What is")
    with pytest.raises(NotFound, match='no canary "99"'):
        find_canary(store, "99")


# ---- The answers -----------------------------------------------------------------------------------------------------


def test_a_model_answers_each_canary_once_and_greedily(
    store: Store, home_settings: Settings, talker: Talker, pair: tuple[Model, Model]
) -> None:
    first = run(store, home_settings, ["knows", "curt"])
    asked = len(talker.asked)
    second = run(store, home_settings, ["knows", "curt"])
    third = run(store, home_settings, ["curt"], again=True)

    assert [(one.model, one.answered, one.fresh, one.error) for one in first] == [
        ("knows", 8, 8, None), ("curt", 8, 8, None),
    ]  # fmt: skip
    assert {one["temperature"] for one in talker.asked} == {0.0}
    assert [one.fresh for one in (*second, *third)] == [0, 0, 8]
    assert (asked, len(talker.asked)) == (16, 24)
    said = stored.answers_of(store, answerer_of(store, pair[0]))
    assert said[list_canaries(store)[2].sha256].text == "Paris, to What is the capital of France?"


def test_a_server_that_refuses_is_told_and_the_others_go_on(
    store: Store, home_settings: Settings, talker: Talker, pair: tuple[Model, Model]
) -> None:
    add_model(store, "gone", "endpoint", url="http://127.0.0.1:9/v1", remote_name="x", timeout=1.0)

    told = {one.model: one for one in run(store, home_settings, ["gone", "knows"])}

    assert (told["knows"].answered, told["knows"].error) == (8, None)
    assert (told["gone"].answered, bool(told["gone"].error)) == (0, True)


def test_a_canary_that_a_model_refuses_stops_no_other(
    store: Store, home_settings: Settings, talker: Talker, pair: tuple[Model, Model]
) -> None:
    talker.refused = "capital of France"

    (refusing,) = run(store, home_settings, ["knows"])
    talker.refused = None
    (whole,) = run(store, home_settings, ["knows"])

    assert (refusing.answered, refusing.fresh) == (7, 7)
    assert "out of order" in (refusing.error or "")
    assert (whole.answered, whole.fresh, whole.error) == (8, 1, None)
    assert len(talker.asked) == 9


def test_a_model_that_is_away_is_asked_no_further(
    store: Store, home_settings: Settings, talker: Talker, pair: tuple[Model, Model]
) -> None:
    talker.close()
    seen: list[str] = []

    def tell(share: float, words: str) -> bool:
        seen.append(words)
        return False

    (gone,) = run(store, home_settings, ["knows"], tell=tell)

    assert (gone.answered, gone.fresh, bool(gone.error)) == (0, 0, True)
    assert seen == ["knows: canary 1 of 8"]


def test_the_same_weights_under_two_names_share_their_answers_and_a_renamed_model_keeps_its(store: Store) -> None:
    one = add_model(store, "one", "base", path="/x", base_sha256="w", template_sha256="t")
    two = add_model(store, "two", "base", path="/y", base_sha256="w", template_sha256="t")
    other = add_model(store, "other", "base", path="/z", base_sha256="w", template_sha256="u")
    answer_all(store, "one")

    assert answerer_of(store, one) == answerer_of(store, two) != answerer_of(store, other)
    assert answerer_of(store, rename(store, one, "first")) == answerer_of(store, two)
    assert [column["answered"] for column in overview(store)["models"]] == [8, 8, 0]


def test_the_table_says_what_passes_and_whose_words_are_the_champions(store: Store, settings: Settings) -> None:
    begin(store, CY)
    _candidate(store, settings)
    answer_all(store, "starter")
    answer_all(store, "round-1-sft", {3: "Rome.", 8: "No."})

    told = overview(store)

    assert (told["own"], told["champion"], len(told["prompts"])) == (True, "starter", 8)
    starter, candidate = told["models"]
    assert [(one["model"], one["champion"], one["answered"]) for one in (starter, candidate)] == [
        ("starter", True, 8), ("round-1-sft", False, 8),
    ]  # fmt: skip
    assert candidate["cells"][2] == {
        "state": "failed", "met": 0, "expected": 1, "failed": ['contains "Paris"'], "same": False,
    }  # fmt: skip
    assert (starter["cells"][2]["state"], starter["cells"][0]["state"]) == ("passed", "answered")
    assert [cell["same"] for cell in candidate["cells"]] == [True, True, False, True, True, True, True, False]


# ---- The gate --------------------------------------------------------------------------------------------------------


def test_without_expectations_the_gate_asks_what_it_asked_before(store: Store, settings: Settings) -> None:
    _candidate(store, settings)

    assert _check(store) == gate.Check(
        "canaries", "holds", "The canary prompt is answered; 1 answer has changed."
    )  # fmt: skip
    assert promote(store, TIM).champion == "round-1-sft"


def test_what_is_expected_and_not_known_leaves_the_gate_open_and_the_next_step_is_to_ask(
    store: Store, settings: Settings
) -> None:
    _candidate(store, settings)
    expect(store, CY, find_canary(store, "3"), "contains", "Paris")

    assert _check(store).state == "open"
    with pytest.raises(Refused, match="ratchet canaries run round-1-sft starter"):
        promote(store, TIM)
    step = next_step(store)
    assert (step.title, step.href) == ("Ask the canaries", "/results#canaries")
    assert step.command == "ratchet canaries run round-1-sft starter"


def test_a_candidate_must_meet_what_the_champion_meets_and_no_more(store: Store, settings: Settings) -> None:
    _candidate(store, settings)
    expect(store, CY, find_canary(store, "3"), "contains", "Paris")
    expect(store, CY, find_canary(store, "6"), "contains", "guten Morgen")
    answer_all(store, "starter")
    answer_all(store, "round-1-sft", {3: "Rome."})

    failing = _check(store)
    answer_all(store, "round-1-sft", {3: "It is Paris."})

    assert failing == gate.Check(
        "canaries", "fails",
        'Its answer to the canary prompt "What is the capital of France?" is no longer as expected '
        '(contains "Paris"); the champion\'s is.',
    )  # fmt: skip
    assert _check(store).state == "holds"
    assert _check(store).sentence.endswith("Of 2 expectations, it meets every one that the champion meets.")


def test_a_reward_models_score_is_asked_of_both(store: Store, settings: Settings) -> None:
    _candidate(store, settings)
    judge = add_model(store, "judge", "reward", path="/x")
    canary = find_canary(store, "3")
    expect(store, CY, canary, "score", "judge>=0.5")
    answer_all(store, "starter", {3: "Paris."})
    answer_all(store, "round-1-sft", {3: "Rome."})

    states = [_check(store).state]
    for text, score in (("Paris.", 0.9), ("Rome.", 0.1), ("Rome.", 0.6)):
        keep(store, judge.id, SCORED, [Said(subject_of(canary, text), score)])
        states.append(_check(store).state)

    assert states == ["open", "open", "fails", "holds"]
    with pytest.raises(BadInput, match="scores nothing"):
        expect(store, CY, canary, "score", "starter>=0.5")


def test_an_expectation_that_is_lifted_counts_no_longer_until_it_is_back(store: Store, settings: Settings) -> None:
    _candidate(store, settings)
    made = expect(store, CY, find_canary(store, "3"), "contains", "Paris")
    answer_all(store, "starter")
    answer_all(store, "round-1-sft", {3: "Rome."})

    states = [_check(store).state]
    for lifted in (True, False):
        lift(store, CY, made.id, lifted)
        states.append(_check(store).state)

    assert states == ["fails", "holds", "fails"]
    assert expect(store, CY, find_canary(store, "3"), "contains", "Paris").id == made.id
    with pytest.raises(Forbidden):
        lift(store, TIM, made.id)
    with pytest.raises(NotFound):
        lift(store, CY, "nothing")


def test_an_answer_that_more_people_found_worse_than_better_fails_the_gate(store: Store, settings: Settings) -> None:
    _candidate(store, settings)
    answer_all(store, "starter")
    answer_all(store, "round-1-sft", {3: "Rome."})

    states = []
    for number, (actor, word) in enumerate([(CY, "worse"), (TIM, "better"), (ADA, "worse"), (ADA, "same"), (CY, None)]):
        vote(store, actor, _opinion(store, word, vote_id=f"vote-{number:04}"))
        states.append(_check(store).state)

    assert states == ["fails", "holds", "fails", "holds", "holds"]
    assert "People found its answer" not in _check(store).sentence


def test_a_vote_says_the_same_from_either_side_and_is_kept_once(store: Store, settings: Settings) -> None:
    _candidate(store, settings)
    answer_all(store, "starter")
    answer_all(store, "round-1-sft", {3: "Rome."})
    said = _opinion(store, "worse")

    kept = [vote(store, CY, said), vote(store, CY, said)]

    there = changes(store, "round-1-sft", None, "cy")["rows"][2]
    back = changes(store, "starter", "round-1-sft", "tim")["rows"][2]
    assert kept == [True, False]
    assert (there["votes"], there["mine"]) == ({"better": 0, "worse": 1, "same": 0}, "worse")
    assert (back["votes"], back["mine"]) == ({"better": 1, "worse": 0, "same": 0}, None)


def test_a_vote_on_words_that_nobody_said_is_refused(store: Store, settings: Settings) -> None:
    _candidate(store, settings)
    answer_all(store, "starter")
    answer_all(store, "round-1-sft", {3: "Rome."})
    said = _opinion(store, "worse")

    with pytest.raises(NotFound, match="have changed since they were shown"):
        vote(store, CY, said._replace(after=text_sha256("Athens.")))
    with pytest.raises(BadInput, match="the same words"):
        vote(store, CY, said._replace(after=said.before))
    with pytest.raises(BadInput, match="better, worse, same"):
        vote(store, CY, said._replace(word="nice"))
    with pytest.raises(Forbidden):
        vote(store, Actor("ann", "annotator"), said)
    assert stored.current_votes(store) == []


def test_answers_of_both_models_stand_in_for_a_run_that_measured_nothing(store: Store, settings: Settings) -> None:
    run_to_the_end(store, launch(store, settings, FACTS), evaluation={"canaries": [], "forgetting": {}})
    ledger.catch_up(store)
    before = _check(store)
    answer_all(store, "starter")
    answer_all(store, "round-1-sft", {2: " "})

    assert (before.state, before.settles) == (
        "open",
        "Let both answer them: ratchet canaries run round-1-sft starter. Overrule if you know them.",
    )
    assert _check(store).sentence == (
        'Its answer to the canary prompt "What is 2 plus 3?" is empty or goes in circles.'
    )


@pytest.mark.heavy
def test_a_process_of_its_own_asks_for_the_page(store: Store, talker: Talker, pair: tuple[Model, Model]) -> None:
    started = task.start(store, "canaries", {"models": ["knows", "curt"], "again": False})

    ended = get_task(store, started.id)
    while ended.status in ("queued", "running"):
        time.sleep(0.1)
        ended = get_task(store, started.id)

    assert (ended.status, ended.error) == ("done", None)
    assert ended.result == {
        "models": [{"model": name, "answered": 8, "fresh": 8, "error": None} for name in ("knows", "curt")]
    }
