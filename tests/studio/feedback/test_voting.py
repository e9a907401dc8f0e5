"""Votes are blind, stored once, refused when stale, and can be taken back."""

import pytest

from storage import votes, workdays
from storage.comparisons import create_study, fill_answer, get_comparison
from storage.errors import BadInput, Conflict, NotReady
from studio.feedback.ballots import Ballot
from studio.feedback.queue import upcoming
from studio.feedback.showing import show, shown_order
from studio.feedback.voting import cast, undo
from tests.studio.feedback.conftest import Bench


def _hashes(bench: Bench, comparison_id: str) -> list[str]:
    shown = show(bench.study, get_comparison(bench.store, comparison_id), "ann")
    return [answer.sha256 or "" for answer in shown.answers]


def test_what_is_shown_holds_texts_and_nothing_about_who_wrote_them(bench: Bench) -> None:
    whole = bench.compare(texts=("Paris.", "It is Paris."))

    shown = show(bench.study, whole, "ann").to_json()

    assert shown == {
        "comparison": whole.comparison.id,
        "state": "ready",
        "source": "prompts",
        "layout": "pair",
        "prompt": [{"role": "user", "content": "What is 1 plus 1?"}],
        "error": None,
        "sides": [
            {"text": whole.answers[position].text, "sha256": whole.answers[position].sha256, "history": None}
            for position in shown_order(3, whole.comparison.id, "ann", 2)
        ],
        "names_a_model": False,
        "lease_until": None,
    }


def test_sides_stay_after_a_refresh_and_are_drawn_anew_for_each_pair_and_person(bench: Bench) -> None:
    ids = [f"comparison-{n}" for n in range(400)]
    orders = [shown_order(3, comparison, "ann", 2) for comparison in ids]

    assert orders == [shown_order(3, comparison, "ann", 2) for comparison in ids]
    assert 160 < sum(order == [0, 1] for order in orders) < 240
    agree = sum(a == shown_order(3, comparison, "bob", 2) for a, comparison in zip(orders, ids, strict=True))
    assert 160 < agree < 240


def test_a_vote_for_the_left_is_a_vote_for_whoever_stood_left(bench: Bench) -> None:
    for number in range(8):
        whole = bench.compare(prompt=f"question {number}")
        comparison = whole.comparison.id
        vote = cast(
            bench.store, bench.study, "ann", Ballot(f"vote-{number:04}", comparison, "left", _hashes(bench, comparison))
        )
        order = shown_order(3, comparison, "ann", 2)

        assert vote.vote.choice == "ab"[order[0]]
        assert vote.vote.shown_order == order
        assert vote.vote.shown_sha256 == [answer.sha256 for answer in whole.answers]
        assert vote.reveal == [whole.answers[position].model_name for position in order]


def test_a_vote_sent_twice_counts_once(bench: Bench) -> None:
    comparison = bench.compare().comparison.id
    ballot = Ballot("vote-0001", comparison, "left", _hashes(bench, comparison))

    first, again = cast(bench.store, bench.study, "ann", ballot), cast(bench.store, bench.study, "ann", ballot)

    assert (first.new, again.new) == (True, False)
    assert again.vote == first.vote
    assert workdays.work(bench.store, bench.study.id, "ann").mine == 1


def test_a_vote_on_texts_that_have_changed_is_refused_and_nothing_is_stored(bench: Bench) -> None:
    whole = bench.compare()
    hashes = _hashes(bench, whole.comparison.id)
    fill_answer(bench.store, whole.answers[0].id, "another text", {}, 2, 0.1)

    with pytest.raises(Conflict, match="have changed since they were shown"):
        cast(bench.store, bench.study, "ann", Ballot("vote-0001", whole.comparison.id, "left", hashes))

    assert votes.current_votes(bench.store, bench.study.id) == []


def test_an_answer_that_is_still_being_written_cannot_be_judged(bench: Bench) -> None:
    whole = bench.compare()
    bench.store.execute("update comparisons set state = 'answering' where id = ?", [whole.comparison.id])

    with pytest.raises(NotReady, match="not complete yet"):
        bench.vote(whole, "a")


def test_an_undo_brings_the_comparison_back_and_works_once(bench: Bench) -> None:
    first, second = bench.compare(prompt="one"), bench.compare(prompt="two")
    bench.vote(first, "a")
    bench.vote(second, "b")

    undone = undo(bench.store, bench.study, "ann", "undo-0001")
    again = undo(bench.store, bench.study, "ann", "undo-0001")

    assert undone is not None
    assert (undone.comparison_id, again) == (second.comparison.id, None)
    assert [shown.whole.comparison.id for shown in upcoming(bench.store, bench.study, "ann")] == [second.comparison.id]
    assert [vote.comparison_id for vote in votes.current_votes(bench.store, bench.study.id)] == [first.comparison.id]


def test_a_vote_in_another_study_is_not_taken_back(bench: Bench) -> None:
    other = create_study(bench.store, "second-look", bench.models, None)
    whole = bench.compare()
    bench.vote(whole, "a")

    taken = undo(bench.store, other, "ann", "undo-0001", whole.comparison.id)

    assert taken is None
    assert [vote.choice for vote in votes.current_votes(bench.store, bench.study.id)] == ["a"]
    assert upcoming(bench.store, other, "ann") == []


def test_what_was_taken_back_comes_before_all_others_also_after_a_refresh(bench: Bench) -> None:
    wholes = [bench.compare(prompt=f"question {n}") for n in range(3)]
    bench.vote(wholes[2], "a")

    undo(bench.store, bench.study, "ann", "undo-0001")

    order = [shown.whole.comparison.id for shown in upcoming(bench.store, bench.study, "ann")]
    assert order == [wholes[n].comparison.id for n in (2, 0, 1)]


def test_undo_takes_back_one_vote_after_the_other_until_none_is_left(bench: Bench) -> None:
    wholes = [bench.compare(prompt=f"question {n}") for n in range(3)]
    for whole in wholes:
        bench.vote(whole, "a")

    taken = [undo(bench.store, bench.study, "ann", f"undo-{n:04}") for n in range(4)]

    assert [vote and vote.comparison_id for vote in taken] == [*(w.comparison.id for w in reversed(wholes)), None]


def test_a_second_vote_supersedes_the_first(bench: Bench) -> None:
    whole = bench.compare()
    first = bench.vote(whole, "a", vote_id="vote-0001")
    bench.vote(whole, "b", vote_id="vote-0002")

    (vote,) = votes.current_votes(bench.store, bench.study.id)

    assert (vote.choice, vote.supersedes) == ("b", first)


def test_a_skipped_pair_is_not_shown_again_and_is_no_vote(bench: Bench) -> None:
    whole = bench.compare()
    bench.vote(whole, "skip")

    assert upcoming(bench.store, bench.study, "ann") == []
    assert workdays.work(bench.store, bench.study.id, "ann").mine == 0
    assert [one.id for one in upcoming(bench.store, bench.study, "bob")] == [whole.comparison.id]


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        ("I am ChatGPT, a large language model.", True),
        ("My name is grand-walrus.", True),
        ("As nimble-otter I would say so.", True),
        ("The grand walrus is a fine animal; claudel wrote plays.", False),
        ("An otter swims.", False),
    ],
)
def test_an_answer_that_names_a_model_is_flagged_without_saying_whose_name_it_is(
    bench: Bench, text: str, flagged: bool
) -> None:
    whole = bench.compare(texts=("Fine.", text))

    assert show(bench.study, whole, "ann").to_json()["names_a_model"] is flagged


@pytest.mark.parametrize(
    ("ballot", "sentence"),
    [
        (
            Ballot("vote-0001", "x", "first", []),
            'A vote is one of left, right, tie, both_bad, skip, ranking, rating, not "first".',
        ),
        (Ballot("../etc", "x", "left", []), "A vote needs an id of 8 to 64 letters, digits, dashes and underscores."),
    ],
)
def test_a_ballot_that_cannot_be_is_refused(bench: Bench, ballot: Ballot, sentence: str) -> None:
    with pytest.raises(BadInput) as caught:
        cast(bench.store, bench.study, "ann", ballot)

    assert str(caught.value) == sentence
