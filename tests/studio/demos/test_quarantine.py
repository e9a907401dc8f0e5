"""Votes of visitors are in no study until a curator accepts them; then they count as any other; all can be undone."""

from typing import Any

import pytest

from storage import comparisons, demo_talk, votes
from storage.errors import BadInput, Conflict, Forbidden, NotFound
from storage.store import Store
from studio.cli import main
from studio.demos import judging, making, quarantine
from studio.demos.talking import Question
from studio.feedback.counting import count_votes
from studio.feedback.leaderboard import leaderboard
from studio.feedback.preferences import preferences
from studio.people.roles import Actor
from tests.studio.demos.conftest import NAMES, OWNER, Stage

CURATOR = Actor("cy", "curator")


def _everything(store: Store) -> dict[str, int]:
    """How many rows studies have."""
    return {table: store.value(f"select count(*) from {table}") for table in ("studies", "comparisons", "votes")}


def test_what_waits_is_in_no_study(stage: Stage) -> None:
    demo = stage.demo()
    before = _everything(stage.store)

    for choice in ("up", "a", "tie"):
        stage.voted(demo, choice)

    assert stage.tally(demo) == {"pending": 3, "accepted": 0, "refused": 0}
    assert _everything(stage.store) == before


def test_the_last_word_of_a_visitor_counts_and_can_be_taken_back(stage: Stage) -> None:
    demo = stage.demo()
    answers = stage.voted(demo, "up")

    judging.vote(stage.store, demo, "vera", answers, "down")
    assert [one.choice for one in demo_talk.thoughts(stage.store, demo.id)] == ["down"]

    assert judging.vote(stage.store, demo, "vera", answers, None) == {"kept": False}
    assert stage.tally(demo)["pending"] == 0


def test_names_are_told_after_the_vote_where_the_demo_shows_them_and_else_never(stage: Stage) -> None:
    shown, hidden = stage.demo("shown", names=True), stage.demo("hidden")

    told = [judging.vote(stage.store, demo, "vera", stage.answered(demo, Question("Hi", pair=True)), "tie")
            for demo in (shown, hidden)]  # fmt: skip

    assert sorted(told[0]["models"]) == sorted(NAMES)
    assert told[1] == {"kept": True}


def test_two_answers_have_one_vote_of_a_visitor_whichever_is_named_first(stage: Stage) -> None:
    demo = stage.demo()
    left, right = stage.voted(demo, "a")

    judging.vote(stage.store, demo, "vera", [right, left], "tie")

    assert [(one.answers, one.choice) for one in demo_talk.thoughts(stage.store, demo.id)] == [([right, left], "tie")]
    quarantine.accept(stage.store, CURATOR, "fair")
    with pytest.raises(Conflict, match="has been taken in already"):
        judging.vote(stage.store, demo, "vera", [left, right], "b")
    assert stage.tally(demo) == {"pending": 0, "accepted": 1, "refused": 0}


def test_a_blind_vote_stands_once_the_names_were_told_for_it(stage: Stage) -> None:
    demo = stage.demo(names=True)
    answers = stage.answered(demo, Question("Hi", pair=True))

    def vote(chosen: list[str], choice: str | None) -> dict[str, Any]:
        return judging.vote(stage.store, demo, "vera", chosen, choice)

    assert vote(answers, None) == {"kept": False}  # nothing is told to who has not judged
    assert vote(answers[:1], "up") == {"kept": True}
    first = vote(answers, "a")
    assert set(first) == {"kept", "models"}
    for other, choice in ((answers, "b"), (answers, None), (answers[::-1], "a")):
        with pytest.raises(Conflict, match="The names were told for your vote, so it stays as it is"):
            vote(other, choice)
    assert vote(answers, "a") == first  # the same again, where an answer of ours was lost on the way
    assert [(one.answers, one.choice) for one in demo_talk.thoughts(stage.store, demo.id)] == [
        (answers, "a"), (answers[:1], "up"),
    ]  # fmt: skip


def test_accepted_votes_count_from_the_source_demo_in_a_closed_study_of_their_own(stage: Stage) -> None:
    demo = stage.demo()
    left = stage.voted(demo, "a", "What is 1 plus 1?")
    said = demo_talk.answer(stage.store, demo.id, left[0])
    assert said is not None

    done = quarantine.accept(stage.store, CURATOR, "fair")

    assert (done["accepted"], done["study"]) == (1, "demo-fair")
    study = comparisons.get_study(stage.store, "demo-fair")
    assert study.state == "closed"
    (vote,) = votes.current_votes(stage.store, study.id)
    whole = comparisons.get_comparison(stage.store, vote.comparison_id)
    assert (vote.source, vote.annotator, vote.choice, vote.shown_order) == ("demo", "visitor vera", "a", [0, 1])
    assert [answer.sha256 for answer in whole.answers] == vote.shown_sha256
    assert (whole.answers[0].text, whole.answers[0].stamp) == (said.text, said.stamp)
    assert (whole.comparison.source, whole.comparison.state) == ("demo", "ready")
    board = leaderboard(stage.store, study.name).to_json()
    assert {one["name"] for one in board["models"]} == set(NAMES)
    assert max(board["models"], key=lambda one: one["strength"])["name"] == said.model_name


def test_accepted_pairs_and_thumbs_make_training_data(stage: Stage) -> None:
    demo = stage.demo()
    for number, choice in enumerate(("a", "b", "up", "down")):
        stage.voted(demo, choice, f"What is {number} plus 1?")
    quarantine.accept(stage.store, CURATOR, "fair")

    made = preferences(stage.store, "demo-fair")

    measured = made.dropped.get("measure prompt", 0)
    assert len(made.pairs) + len(made.thumbs) + measured == 4
    assert {one.desirable for one in made.thumbs} <= {True, False}
    assert count_votes(stage.store, comparisons.get_study(stage.store, "demo-fair").id) == 4


def test_a_thumb_up_is_a_good_answer_and_a_thumb_down_a_bad_one(stage: Stage) -> None:
    demo = stage.demo()
    stage.voted(demo, "up", visitor="ups")
    stage.voted(demo, "down", visitor="downs")
    quarantine.accept(stage.store, CURATOR, "fair")

    found = votes.current_votes(stage.store, comparisons.get_study(stage.store, "demo-fair").id)

    assert {(vote.annotator, vote.choice, vote.rating) for vote in found} == {
        ("visitor ups", "rating", 2.0), ("visitor downs", "rating", 1.0),
    }  # fmt: skip


def test_an_acceptance_is_taken_back_as_a_whole_and_can_be_given_again(stage: Stage) -> None:
    demo = stage.demo()
    stage.voted(demo, "a", visitor="one")
    stage.voted(demo, "b", visitor="two")
    quarantine.accept(stage.store, CURATOR, "fair")
    study = comparisons.get_study(stage.store, "demo-fair")

    assert quarantine.take_back(stage.store, CURATOR, "fair") == {"demo": "fair", "taken_back": 2}

    assert stage.tally(demo) == {"pending": 2, "accepted": 0, "refused": 0}
    assert votes.current_votes(stage.store, study.id) == []
    assert count_votes(stage.store, study.id) == 0
    assert quarantine.accept(stage.store, CURATOR, "fair")["study"] == "demo-fair"
    assert len(votes.current_votes(stage.store, study.id)) == 2


def test_some_are_accepted_and_others_refused_and_each_decision_goes_back_by_itself(stage: Stage) -> None:
    demo = stage.demo()
    for number in range(3):
        stage.voted(demo, "up", visitor=f"v{number}")
    first, *others = quarantine.waiting(stage.store, CURATOR, "fair")

    accepted = quarantine.accept(stage.store, CURATOR, "fair", [first["id"]])
    refused = quarantine.refuse(stage.store, CURATOR, "fair")

    assert (accepted["accepted"], refused["refused"]) == (1, 2)
    assert stage.tally(demo) == {"pending": 0, "accepted": 1, "refused": 2}
    quarantine.take_back(stage.store, CURATOR, "fair", accepted["decision"])
    assert stage.tally(demo) == {"pending": 1, "accepted": 0, "refused": 2}
    quarantine.take_back(stage.store, CURATOR, "fair")
    assert stage.tally(demo) == {"pending": 3, "accepted": 0, "refused": 0}
    with pytest.raises(NotFound, match="Nothing is decided"):
        quarantine.take_back(stage.store, CURATOR, "fair")
    assert {one["id"] for one in others} < {one["id"] for one in quarantine.waiting(stage.store, CURATOR, "fair")}


def test_the_last_decision_that_two_curators_saw_is_taken_back_once(stage: Stage) -> None:
    demo = stage.demo()
    decisions = []
    for visitor in ("one", "two"):
        stage.voted(demo, "up", visitor=visitor)
        decisions.append(quarantine.accept(stage.store, CURATOR, "fair")["decision"])
    (seen,) = making.listed(stage.store, CURATOR)
    assert seen["decided"] == decisions[1]

    quarantine.take_back(stage.store, CURATOR, "fair", seen["decided"])
    with pytest.raises(NotFound, match="Nothing is decided"):
        quarantine.take_back(stage.store, OWNER, "fair", seen["decided"])

    assert stage.tally(demo) == {"pending": 1, "accepted": 1, "refused": 0}
    assert making.listed(stage.store, CURATOR)[0]["decided"] == decisions[0]


def test_what_a_curator_sees_is_what_the_visitor_saw(stage: Stage) -> None:
    demo = stage.demo()
    answers = stage.voted(demo, "b", "Which?")
    said = [demo_talk.answer(stage.store, demo.id, one) for one in answers]

    (seen,) = quarantine.waiting(stage.store, CURATOR, "fair")

    assert (seen["choice"], seen["prompt"]) == ("b", [{"role": "user", "content": "Which?"}])
    assert seen["answers"] == [{"model": one.model_name, "text": one.text} for one in said if one]


def test_a_visitor_cannot_change_what_was_decided(stage: Stage) -> None:
    demo = stage.demo()
    answers = stage.voted(demo, "up")
    quarantine.refuse(stage.store, CURATOR, "fair")

    with pytest.raises(Conflict, match="has been taken in already"):
        judging.vote(stage.store, demo, "vera", answers, "down")
    assert [one.choice for one in demo_talk.thoughts(stage.store, demo.id)] == ["up"]


def test_what_no_vote_can_say_is_refused(stage: Stage) -> None:
    demo = stage.demo()
    one, two = stage.answered(demo, Question("Hi", pair=True))
    (alone,) = stage.answered(demo, "Something else")

    def vote(answers: list[str], choice: str, visitor: str = "vera") -> Any:
        return judging.vote(stage.store, demo, visitor, answers, choice)

    with pytest.raises(BadInput, match="about one answer, or about two"):
        vote([one, one], "a")
    with pytest.raises(BadInput, match="about one answer, or about two"):
        vote([], "up")
    with pytest.raises(BadInput, match="one of up, down"):
        vote([alone], "a")
    with pytest.raises(BadInput, match="one of a, b, tie, both_bad"):
        vote([one, two], "up")
    for other in (alone, *stage.answered(demo, "Hi"), *stage.answered(demo, Question("Hi", pair=True))):
        with pytest.raises(BadInput, match="compared where they were given side by side"):
            vote([one, other], "a")
    with pytest.raises(NotFound, match="not here any more"):
        vote([alone], "up", "eve")
    assert stage.tally(demo)["pending"] == 0


def test_votes_are_decided_by_those_who_run_studies_and_only_while_they_wait(stage: Stage) -> None:
    demo = stage.demo()
    stage.voted(demo, "up")
    trainer = Actor("tr", "trainer")
    for decide in (quarantine.accept, quarantine.refuse, quarantine.take_back):
        with pytest.raises(Forbidden):
            decide(stage.store, trainer, "fair")
    with pytest.raises(Forbidden):
        quarantine.waiting(stage.store, Actor("ann", "annotator"), "fair")
    with pytest.raises(Conflict, match="do not wait any more"):
        quarantine.accept(stage.store, OWNER, "fair", ["no-such-vote"])
    quarantine.accept(stage.store, OWNER, "fair")

    with pytest.raises(Conflict, match="No vote waits here"):
        quarantine.refuse(stage.store, OWNER, "fair")
    assert stage.tally(demo) == {"pending": 0, "accepted": 1, "refused": 0}


def test_accepting_is_whole_or_nothing(stage: Stage) -> None:
    demo = stage.demo()
    stage.voted(demo, "up")
    before = _everything(stage.store)
    waits = quarantine.waiting(stage.store, OWNER, "fair")

    with pytest.raises(Conflict):
        quarantine.accept(stage.store, OWNER, "fair", [waits[0]["id"], "no-such-vote"])

    assert _everything(stage.store) == before
    assert stage.tally(demo)["pending"] == 1


def test_hundreds_of_votes_are_one_decision_though_they_are_written_in_parts(stage: Stage) -> None:
    demo = stage.demo(rate=600, rate_all=6000)
    (answer,) = stage.answered(demo, "Hi", "v0")
    for number in range(203):
        stage.store.execute("update demo_answers set visitor = ?", [f"v{number}"])
        judging.vote(stage.store, demo, f"v{number}", [answer], "up")

    accepted = quarantine.accept(stage.store, CURATOR, "fair")

    study = comparisons.get_study(stage.store, "demo-fair")
    assert accepted["accepted"] == len(votes.current_votes(stage.store, study.id)) == 203
    assert quarantine.take_back(stage.store, CURATOR, "fair", accepted["decision"])["taken_back"] == 203
    assert stage.tally(demo) == {"pending": 203, "accepted": 0, "refused": 0}
    assert count_votes(stage.store, study.id) == 0


def test_the_command_line_tells_one_vote_as_one(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.voted(stage.demo(), "a")
    said = []

    for action in ("refuse", "take-back", "accept"):
        assert main(["demo", action, "fair", "--home", str(stage.store.home.path)]) == 0
        said.append(capsys.readouterr().out)

    assert said[:2] == ["1 vote refused.\n", "1 vote waits again.\n"]
    assert said[2].startswith("1 vote accepted into ")
