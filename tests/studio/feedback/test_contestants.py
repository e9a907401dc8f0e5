"""Contestants: models with system prompts and sampling of their own, and who is asked together next."""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations, islice
from typing import Any

import pytest

from storage.comparisons import answers_of, create_study, get_study
from storage.errors import BadInput, Conflict, NotFound
from storage.home import Home
from storage.models import add_model
from storage.prompts import text_sha256
from storage.rows import Answer
from storage.store import Store
from studio.feedback.comparing import add_free, make_comparisons
from studio.feedback.contestants import contestants_of, line_ups, named, question, read_contestant
from studio.feedback.sampling import Sampling
from studio.feedback.study_settings import Contestant, read_settings, settings_of
from studio.settings import Settings
from tests.studio.feedback.test_answering import PROMPTS
from tests.talker import Talker

BRIEF = "Answer in one word."


@pytest.fixture
def talker() -> Iterator[Talker]:
    talker = Talker({"o": lambda messages, seed: f"{messages[0]['content']} {seed}"})
    yield talker
    talker.close()


@pytest.fixture
def asked(store: Store, talker: Talker) -> Store:
    """A store with one model and a few prompts."""
    from storage.batches import open_batch, publish
    from storage.datasets import create_dataset
    from storage.examples import Draft, add_examples

    add_model(store, "nimble-otter", "endpoint", url=talker.url, remote_name="o")
    dataset = create_dataset(store, "questions", "prompts")
    batch = open_batch(store, dataset.id, "import", "me")
    add_examples(store, batch, [Draft({"prompt": [{"role": "user", "content": text}]}, text) for text in PROMPTS])
    publish(store, batch)
    return store


def _made(store: Store, home: Home, study: str, contestants: list[dict[str, Any]], **settings: Any) -> list[Answer]:
    """The answers of one comparison of a new study, by position."""
    place = Settings.from_env({}, home=home.path)
    made = make_comparisons(store, place, study, [], "questions", 1, contestants, settings)
    assert (made.comparisons, made.failed) == (1, 0)
    found = store.one("select id from comparisons where study_id = ?", [get_study(store, study).id])
    return answers_of(store, (found or {})["id"])


def _first(count: int, names: list[str], sides: int, **met: int) -> list[tuple[str, ...]]:
    known = Counter({tuple(line_up): times for line_up, times in met.items()})
    return list(islice(line_ups(names, sides, known, seed=3), count))


@pytest.mark.heavy
def test_one_model_competes_with_itself_under_two_prompts(asked: Store, home: Home, talker: Talker) -> None:
    brief, warm = _made(
        asked,
        home,
        "prompts",
        [
            {"model": "nimble-otter", "name": "brief", "system": BRIEF, "temperature": 0.2},
            {"model": "nimble-otter", "name": "warm", "top_p": 0.5, "max_tokens": 9},
        ],
    )

    assert (brief.model_name, warm.model_name) == ("brief", "warm")
    assert (brief.text or "").startswith(BRIEF)
    assert (warm.text or "").startswith("question")
    sent = {len(one["messages"]): one for one in talker.asked}
    assert [turn["role"] for turn in sent[2]["messages"]] == ["system", "user"]
    assert (sent[2]["temperature"], sent[2]["top_p"], sent[2]["max_tokens"]) == (0.2, 1.0, 256)
    assert (sent[1]["temperature"], sent[1]["top_p"], sent[1]["max_tokens"]) == (1.0, 0.5, 9)
    assert brief.stamp is not None
    assert brief.stamp["system_sha256"] == text_sha256(BRIEF)
    assert brief.stamp["sampling"] == {"max_tokens": 256, "temperature": 0.2, "top_p": 1.0}
    assert warm.stamp is not None
    assert (warm.stamp["contestant"], warm.stamp["system_sha256"]) == ("warm", None)


@pytest.mark.heavy
@pytest.mark.parametrize(("layout", "sides"), [("rate", 1), ("rank", 3), ("rank", 8)])
def test_a_comparison_has_as_many_answers_as_its_layout_shows(
    asked: Store, home: Home, layout: str, sides: int
) -> None:
    contestants = [{"model": "nimble-otter", "temperature": 0.1 * number} for number in range(1, 4)]

    answers = _made(asked, home, "many", contestants, layout=layout, sides=sides)

    assert [answer.position for answer in answers] == list(range(sides))
    assert all(answer.text for answer in answers)


@pytest.mark.heavy
def test_a_study_refuses_other_contestants_than_it_began_with(asked: Store, home: Home) -> None:
    first = {"model": "nimble-otter", "system": BRIEF}
    _made(asked, home, "prompts", [first, {"model": "nimble-otter"}])
    place = Settings.from_env({}, home=home.path)

    assert make_comparisons(asked, place, "prompts", [], "questions", 1, [first, first | {"system": ""}]).failed == 0
    with pytest.raises(Conflict, match="compares other models"):
        make_comparisons(asked, place, "prompts", [], "questions", 1, [first, {"model": "nimble-otter", "top_p": 0.5}])
    with pytest.raises(Conflict, match='stands with another "overlap"'):
        make_comparisons(asked, place, "prompts", [], "questions", 1, wishes={"overlap": 3})
    assert settings_of(get_study(asked, "prompts")).overlap == 1


def test_contestants_without_a_name_are_called_after_what_they_are(asked: Store) -> None:
    told = [
        {"model": "nimble-otter"},
        {"model": "nimble-otter", "system": BRIEF},
        '{"model": "nimble-otter", "system": "Be warm.", "temperature": 0.2}',
        {"model": "nimble-otter", "system": "Be kind."},
    ]

    found = named(asked, [read_contestant(asked, one) for one in told])

    names = ["nimble-otter", "nimble-otter +system", "nimble-otter T=0.2 +system", "nimble-otter +system (2)"]
    assert [one.name for one in found] == names
    assert found[2].sampling == Sampling(temperature=0.2)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ("{", "is a JSON object; this is none"),
        ("[]", "A contestant is a JSON object"),
        ({"system": BRIEF}, "names its model"),
        ({"model": "nimble-otter", "temprature": 1}, 'but no "temprature"'),
        ({"model": "nimble-otter", "temperature": 9}, "between 0 and 5"),
        ({"model": "nimble-otter", "temperature": "hot"}, "are numbers"),
        ({"model": "nimble-otter", "system": 3}, 'contestant\'s "system" is a text'),
    ],
)
def test_what_is_no_contestant_is_refused_with_a_sentence(asked: Store, told: Any, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        read_contestant(asked, told)


def test_a_contestant_needs_a_model_and_a_name_of_its_own(asked: Store) -> None:
    with pytest.raises(NotFound, match="quiet-heron"):
        read_contestant(asked, {"model": "quiet-heron"})
    with pytest.raises(BadInput, match='Two contestants are called "same"'):
        named(asked, [read_contestant(asked, {"model": "nimble-otter", "name": "same"})] * 2)


def test_models_alone_are_contestants_as_they_stand(store: Store) -> None:
    models = [add_model(store, name, "endpoint", url="http://127.0.0.1:9/v1") for name in ("nimble-otter", "grand-yak")]
    study = create_study(store, "first-look", models, None)

    assert contestants_of(store, study) == [Contestant(model.name, model.id) for model in models]


def test_a_system_turn_of_the_prompt_follows_the_contestants_own() -> None:
    asking = [{"role": "system", "content": "You sell bread."}, {"role": "user", "content": "Open?"}]
    history = [{"role": "assistant", "content": "Yes."}, {"role": "user", "content": "When?"}]

    sent = question(Contestant("brief", "1", system=BRIEF), asking, history)

    assert sent == [{"role": "system", "content": f"{BRIEF}\n\nYou sell bread."}, *asking[1:], *history]
    assert question(Contestant("plain", "1"), asking) == asking


@pytest.mark.parametrize(("sides", "count"), [(2, 10), (3, 10), (4, 15), (8, 6)])
def test_everybody_meets_everybody_about_equally_often(sides: int, count: int) -> None:
    names = list("abcde") if sides < 5 else list("abcdefghij")

    found = _first(count, names, sides)

    assert all(len(set(line_up)) == sides for line_up in found)
    used = Counter(name for line_up in found for name in line_up)
    met = Counter(frozenset(pair) for line_up in found for pair in combinations(line_up, 2))
    assert max(used.values()) - min(used[name] for name in names) <= 2
    every = [met[frozenset(pair)] for pair in combinations(names, 2)]
    assert max(every) - min(every) <= 2


def test_the_pair_that_met_least_comes_next() -> None:
    assert _first(1, ["a", "b", "c"], 2, ab=4, ac=1, bc=3) == [("a", "c")]


def test_one_answer_at_a_time_goes_round() -> None:
    assert sorted(_first(6, ["a", "b", "c"], 1)) == [("a",), ("a",), ("b",), ("b",), ("c",), ("c",)]


def test_few_contestants_answer_several_times_each() -> None:
    assert _first(1, ["a"], 3) == [("a", "a", "a")]
    used = Counter(name for line_up in _first(4, ["a", "b"], 3) for name in line_up)
    assert used == {"a": 6, "b": 6}
    assert _first(1, ["a", "a"], 2) == [("a", "a")]


def test_a_typed_question_is_asked_of_one_contestant_where_answers_stand_alone(asked: Store) -> None:
    from studio.feedback.studies import ensure_study

    study = ensure_study(asked, "alone", ["nimble-otter"], "questions", settings={"layout": "rate"})

    comparison = add_free(asked, study.name, "Are you there?")

    assert [answer.model_name for answer in answers_of(asked, comparison.id)] == ["nimble-otter"]
    assert settings_of(study).sides == 1


def test_settings_are_read_from_words() -> None:
    words = [("overlap", "3"), ("layout", "rank"), ("chips", "too long, wrong"), ("people", '["Ann"]')]

    assert read_settings(words) == {"overlap": 3, "layout": "rank", "chips": ["too long", "wrong"], "people": ["Ann"]}
    with pytest.raises(BadInput, match='no setting "overlp"; there are: layout, sides'):
        read_settings([("overlp", "3")])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"overlap": "two"}, '"overlap" is a whole number, not "two"'),
        ({"sides": True}, '"sides" is a whole number'),
        ({"criteria": [{"label": "Helpful"}]}, "A criterion is"),
        ({"chips": "wrong"}, '"chips" is a list of texts'),
    ],
)
def test_settings_of_another_kind_are_refused_with_a_sentence(settings: dict[str, Any], sentence: str) -> None:
    from studio.feedback.study_settings import StudySettings

    with pytest.raises(BadInput, match=sentence):
        StudySettings.from_json(settings)
