"""Active choice: what tells most comes first in the queue, near-identical answers last; random orders nothing."""

from collections import Counter

from storage.comparisons import NewComparison, add_comparison, answers_of, create_study, get_comparison, get_study
from storage.models import add_model
from storage.priorities import priorities
from storage.prompts import as_messages
from storage.rows import Study
from storage.rows_training import Model
from storage.store import Store
from studio.feedback import running
from studio.feedback.choosing import LAST, Chooser, prioritise, telling_line_ups
from studio.feedback.replaying import saved
from studio.feedback.study_settings import change_settings
from studio.people.roles import Actor
from tests.studio.feedback.conftest import Bench

ADA = Actor("ada", "curator")


def _three(store: Store) -> tuple[Study, list[Model]]:
    models = [add_model(store, name, "endpoint", url="http://127.0.0.1:9/v1") for name in ("ant", "bee", "cow")]
    study = create_study(store, "three", models, None, {"choice": "active"}, seed=3)
    return study, models


def _ask(store: Store, study: Study, models: list[Model], prompt: str, *texts: str) -> str:
    new = NewComparison(as_messages(prompt), [(one.id, one.name) for one in models], texts=list(texts))
    return add_comparison(store, study, new).id


def _told(store: Store, study: Study, models: list[Model], prompts: int) -> None:
    """The first always wins."""
    bench = Bench(store, study, (models[0], models[1]))
    for number in range(prompts):
        identity = _ask(store, study, models, f"told {number}", "yes", "no")
        bench.vote(get_comparison(store, identity), "a")


def test_open_pairs_come_before_told_ones_and_near_identical_answers_last(store: Store) -> None:
    study, (ant, bee, cow) = _three(store)
    _told(store, study, [ant, bee], 12)
    told = _ask(store, study, [ant, bee], "again", "yes", "no")
    new = _ask(store, study, [bee, cow], "new", "yes", "no")
    alike = _ask(store, study, [bee, cow], "alike", "The shop is open.", "the shop is open")

    wanted = prioritise(store, study)

    assert wanted[new] > wanted[told] > 0 > wanted[alike] == LAST
    assert priorities(store, study.id) == wanted


def test_the_queue_gives_the_most_telling_first(store: Store) -> None:
    from studio.feedback.queue import deal

    study, (ant, bee, cow) = _three(store)
    _told(store, study, [ant, bee], 12)
    alike = _ask(store, study, [bee, cow], "alike", "same", "same")
    told = _ask(store, study, [ant, bee], "again", "yes", "no")
    new = _ask(store, study, [bee, cow], "new", "yes", "no")
    prioritise(store, study)

    assert [lease.comparison_id for lease in deal(store, study, "bob", 15)] == [new, told, alike]


def test_random_choice_gives_no_priorities_and_turning_back_to_it_takes_them(store: Store) -> None:
    study, (ant, bee, _) = _three(store)
    identity = _ask(store, study, [ant, bee], "new", "yes", "no")
    prioritise(store, study)
    assert list(priorities(store, study.id)) == [identity]

    running.change(store, ADA, study.name, {"choice": "random"})

    assert priorities(store, study.id) == {}
    assert Chooser(store).refresh(get_study(store, study.id)) is False


def test_the_chooser_looks_again_only_after_something_changed(store: Store) -> None:
    study, (ant, bee, _) = _three(store)
    _ask(store, study, [ant, bee], "new", "yes", "no")
    chooser = Chooser(store)

    assert chooser.refresh(study) is True
    assert chooser.refresh(study) is False


def test_contestants_that_are_told_apart_are_asked_less(store: Store) -> None:
    study, (ant, bee, _) = _three(store)
    _told(store, study, [ant, bee], 20)

    line_ups = telling_line_ups(store, study, ["ant", "bee", "cow"], 2)
    met = Counter(next(line_ups) for _ in range(20))

    assert met["ant", "bee"] < min(met["ant", "cow"], met["bee", "cow"])


def test_the_next_comparisons_of_an_active_study_ask_the_open_pair(store: Store) -> None:
    from studio.feedback.comparing import add_free

    study, (ant, bee, _) = _three(store)
    _told(store, study, [ant, bee], 20)

    asked = add_free(store, study.name, "Which one?")

    assert {one.model_name for one in answers_of(store, asked.id)} != {"ant", "bee"}


def test_what_choice_saved_is_read_from_the_votes_of_a_study(bench: Bench) -> None:
    for number in range(30):
        bench.vote(bench.compare(f"prompt {number}", ("yes", "no")), "a")
    bench.vote(bench.compare("alike", ("the same words", "The same words")), "tie")
    change_settings(bench.store, bench.study, {"choice": "active"})

    found = saved(bench.store, bench.study.name, shuffles=4).to_json()

    assert (found["votes"], found["replayed"], found["near_identical"], found["choice"]) == (31, 31, 1, "active")
    assert found["verdicts"] == ["grand-walrus and nimble-otter"]
    assert found["until_verdicts"]["saved"] is None
    assert "does not score answers" in found["margin"]
