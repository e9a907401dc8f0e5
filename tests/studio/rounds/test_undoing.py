"""Bad training data is traced to every model that it touched, and left out when the line is trained again."""

import pytest

from storage import exclusions
from storage.comparisons import get_study
from storage.errors import BadInput, Conflict, Forbidden, NotFound, Refused
from storage.jobs import get_job
from storage.models import get_model, rename
from storage.store import Store
from storage.versions import freeze
from studio.feedback.exclusions import exclude
from studio.feedback.preferences import preferences
from studio.people.roles import Actor
from studio.rounds import ledger
from studio.rounds.promoting import promote, rollback
from studio.rounds.undoing import Blame, clean_start, retrain, touched
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request, request_of
from tests.studio.training.project import (
    add_dataset,
    add_examples,
    conversation,
    first_day,
    prompt,
    prompts_of,
    run_to_the_end,
    vote,
)

TIM = Actor("tim", "admin")
NOISY = Blame("annotator", study="round-1", value="noisy")
FACTS = Blame("version", dataset="facts", number=1)


@pytest.fixture
def settings(store: Store) -> Settings:
    """Two rounds: SFT on facts, then DPO on the votes of two people, both kept; a third one is open."""
    first_day(store)
    add_dataset(store, "starter-prompts", "prompts", [{"prompt": prompt("p")}])
    settings = Settings.from_env({}, home=store.home.path)
    _round(store, settings, Request("sft", "starter", dataset="facts", options={"epochs": 2}))
    study = get_study(store, "round-1")
    for person, choice, word in (("me", "b", "mine"), ("noisy", "a", "noise")):
        for asked in prompts_of("train", 10, word):
            vote(store, study, asked, choice, person)
    _round(store, settings, Request("dpo", "round-1-sft", study="round-1"))
    _round(store, settings, Request("sft", "starter", dataset="facts", name="aside"), keep=False)
    return settings


def _round(store: Store, settings: Settings, request: Request, keep: bool = True) -> None:
    run_to_the_end(store, launch(store, settings, request))
    ledger.catch_up(store)
    if keep:
        promote(store, TIM, overrule=True, reason="For the test.")


def _said(store: Store, blame: Blame) -> dict[str, str]:
    return {one.model.name: one.how for one in touched(store, blame)}


def test_votes_are_traced_to_what_trained_on_them(store: Store, settings: Settings) -> None:
    assert _said(store, NOISY) == {"round-2-dpo": 'learnt from the votes of the annotator "noisy" in round-1'}
    assert _said(store, Blame("source", study="round-1", value="web")) == {
        "round-2-dpo": 'learnt from the votes of the source "web" in round-1'
    }
    assert _said(store, Blame("annotator", study="round-1", value="nobody")) == {}
    assert _said(store, Blame("annotator", study="round-2", value="noisy")) == {}


def test_a_version_is_traced_to_its_models_and_to_what_goes_on_from_them(store: Store, settings: Settings) -> None:
    assert _said(store, FACTS) == {
        "round-1-sft": "learnt from version 1 of facts",
        "round-2-dpo": "goes on from round-1-sft",
        "aside": "learnt from version 1 of facts",
    }


def test_votes_that_were_excluded_before_the_training_touched_nothing(store: Store, settings: Settings) -> None:
    exclude(store, "round-1", "annotator", "noisy", "Random.", TIM)
    _round(store, settings, Request("dpo", "round-1-sft", study="round-1", name="clean"), keep=False)

    assert list(_said(store, NOISY)) == ["round-2-dpo"]


def test_the_way_back_begins_at_the_newest_untouched_model(store: Store, settings: Settings) -> None:
    assert clean_start(store, NOISY).name == "round-1-sft"
    assert clean_start(store, FACTS).name == "starter"
    assert clean_start(store, Blame("annotator", study="round-1", value="nobody")).name == "round-2-dpo"


def test_a_version_that_was_mixed_in_is_traced_by_its_number_and_is_not_mixed_in_again(
    store: Store, settings: Settings
) -> None:
    closes = add_dataset(store, "closes", "sft", [conversation("bye", "farewell")])
    _round(store, settings, Request("sft", "round-2-dpo", dataset="facts", replay="closes", name="with-first"))
    add_examples(store, closes, [conversation("good night", "sleep well")])
    _round(store, settings, Request("sft", "starter", dataset="facts", replay="closes", name="with-second"), keep=False)

    first, second = (Blame("version", dataset="closes", number=number) for number in (1, 2))
    assert _said(store, first) == {"with-first": "learnt from version 1 of closes"}
    assert _said(store, second) == {"with-second": "learnt from version 2 of closes"}
    done = retrain(store, settings, TIM, first, "Wrong.")
    (number,) = done["jobs"]
    again = request_of(get_job(store, str(number)))
    assert (done["start"], again.dataset, again.replay) == ("round-2-dpo", "facts", None)


def test_a_job_that_did_not_note_which_version_it_mixed_in_may_have_had_any(store: Store, settings: Settings) -> None:
    closes = add_dataset(store, "closes", "sft", [conversation("bye", "farewell")])
    _round(store, settings, Request("sft", "starter", dataset="facts", replay="closes", name="old"), keep=False)
    freeze(store, add_examples(store, closes, [conversation("good night", "sleep well")]))
    store.execute("update jobs set request = json_remove(request, '$.replay_version')")

    for number in (1, 2):
        blame = Blame("version", dataset="closes", number=number)
        assert _said(store, blame) == {"old": f"learnt from version {number} of closes"}


def test_a_teacher_is_traced_under_the_name_that_it_had_then(store: Store, settings: Settings) -> None:
    asked = Request("distill", "starter", dataset="starter-prompts", teacher="round-2-dpo", name="taught")
    _round(store, settings, asked, keep=False)
    rename(store, get_model(store, "round-2-dpo"), "loud")
    add_dataset(store, "closes", "sft", [conversation("bye", "farewell")])
    _round(store, settings, Request("sft", "starter", dataset="closes", name="later"), keep=False)
    rename(store, get_model(store, "later"), "round-2-dpo")

    assert _said(store, NOISY)["taught"] == "learnt with the help of loud"
    assert list(_said(store, Blame("version", dataset="closes", number=1))) == ["round-2-dpo"]


def test_nothing_is_taught_again_by_a_model_that_is_touched_itself(store: Store, settings: Settings) -> None:
    rollback(store, TIM, "For the test.")
    asked = Request("distill", "starter", dataset="starter-prompts", teacher="round-2-dpo", name="taught")
    _round(store, settings, asked, keep=False)

    with pytest.raises(Refused, match='learnt with the help of "round-2-dpo", which learnt from the votes of'):
        retrain(store, settings, TIM, NOISY, "Votes at random.")

    assert exclusions.standing(store, get_study(store, "round-1").id) == []


def test_a_touched_candidate_is_trained_again_where_the_champion_is_clean(store: Store, settings: Settings) -> None:
    rollback(store, TIM, "For the test.")
    _round(store, settings, Request("dpo", "round-1-sft", study="round-1", name="noisy-too"), keep=False)

    done = retrain(store, settings, TIM, NOISY, "Votes at random.")

    (number,) = done["jobs"]
    job = get_job(store, str(number))
    assert (done["start"], job.method, get_model(store, job.base_id).name) == ("round-1-sft", "dpo", "round-1-sft")
    assert len(exclusions.standing(store, get_study(store, "round-1").id)) == 1


def test_votes_that_neither_champion_nor_candidate_learnt_from_stay(store: Store, settings: Settings) -> None:
    rollback(store, TIM, "For the test.")

    with pytest.raises(Conflict, match="Only round-2-dpo learnt from the votes of the annotator"):
        retrain(store, settings, TIM, NOISY, "Votes at random.")

    assert exclusions.standing(store, get_study(store, "round-1").id) == []


def test_where_nothing_is_left_to_learn_from_all_is_as_before(store: Store, settings: Settings) -> None:
    jobs = store.value("select count(*) from jobs")

    with pytest.raises(BadInput, match=r"Phase 1: .* Nothing was queued"):
        retrain(store, settings, TIM, Blame("source", study="round-1", value="web"), "All of them.")

    assert exclusions.standing(store, get_study(store, "round-1").id) == []
    assert store.value("select count(*) from jobs") == jobs


def test_training_again_excludes_the_votes_and_queues_the_line_from_the_clean_model(
    store: Store, settings: Settings
) -> None:
    before = len(preferences(store, "round-1", "majority").pairs)

    done = retrain(store, settings, TIM, NOISY, "Votes at random.")

    assert (done["start"], [one["model"] for one in done["touched"]]) == ("round-1-sft", ["round-2-dpo"])
    (number,) = done["jobs"]
    job = get_job(store, str(number))
    assert (job.method, get_model(store, job.base_id).name, job.plan_id) == ("dpo", "round-1-sft", done["plan"])
    assert request_of(job).study == "round-1"
    (said,) = exclusions.standing(store, get_study(store, "round-1").id)
    assert (said.kind, said.value, said.reason, said.author) == ("annotator", "noisy", "Votes at random.", "tim")
    assert (before, len(preferences(store, "round-1", "majority").pairs)) == (20, 10)


def test_a_dry_run_tells_and_does_nothing(store: Store, settings: Settings) -> None:
    jobs = store.value("select count(*) from jobs")

    said = retrain(store, settings, TIM, NOISY, "", dry_run=True)

    assert [phase["method"] for phase in said["phases"]] == ["dpo"]
    assert (said["plan"], said["jobs"], store.value("select count(*) from jobs")) == (None, [], jobs)
    assert exclusions.standing(store, get_study(store, "round-1").id) == []


def test_what_learnt_from_the_version_itself_is_left_out_of_the_line(store: Store, settings: Settings) -> None:
    done = retrain(store, settings, TIM, FACTS, "Wrong facts.")

    assert (done["start"], [phase["method"] for phase in done["phases"]]) == ("starter", ["dpo"])
    (number,) = done["jobs"]
    assert get_model(store, get_job(store, str(number)).base_id).name == "starter"


def test_what_touched_nothing_needs_nothing(store: Store, settings: Settings) -> None:
    with pytest.raises(Conflict, match="so nothing needs to be trained again"):
        retrain(store, settings, TIM, Blame("annotator", study="round-1", value="nobody"), "x")


def test_unknown_things_and_people_without_the_right_are_refused(store: Store, settings: Settings) -> None:
    with pytest.raises(NotFound):
        touched(store, Blame("annotator", study="nowhere", value="x"))
    with pytest.raises(NotFound):
        touched(store, Blame("version", dataset="facts", number=9))
    with pytest.raises(BadInput, match="Blamed is one of"):
        Blame("mood", study="round-1", value="x")
    with pytest.raises(BadInput, match="Name the study and the annotator"):
        Blame("annotator", study="round-1")
    with pytest.raises(Forbidden):
        retrain(store, settings, Actor("anna", "annotator"), NOISY, "x")
