"""A vote is stored once, the newest of a person counts, an undo withdraws it."""

from dataclasses import replace

from storage import comparisons, models, votes
from storage.clock import now
from storage.comparisons import NewComparison
from storage.rows import Comparison, Vote
from storage.store import Store


def _comparison(store: Store, name: str = "round-1") -> Comparison:
    if not models.list_models(store):
        models.add_model(store, "starter", "base")
    base = models.get_model(store, "starter")
    known = {study.name: study for study in comparisons.list_studies(store)}
    study = known.get(name) or comparisons.create_study(store, name, [base, base], None)
    new = NewComparison(
        [{"role": "user", "content": "hi"}], [(base.id, "starter"), (base.id, "starter")], texts=["yes", "no"]
    )
    return comparisons.add_comparison(store, study, new)


def _vote(comparison: Comparison, vote_id: str, choice: str, annotator: str = "ann") -> Vote:
    return Vote(
        id=vote_id, comparison_id=comparison.id, study_id=comparison.study_id, annotator=annotator, choice=choice,
        ranking=None, strength=None, criteria=None, rationale=None, edited=None, shown_order=[1, 0],
        shown_sha256=["x", "y"], seconds=1.5, source="browser", supersedes=None, created_at=now(),
    )  # fmt: skip


def test_the_same_vote_sent_twice_is_stored_once_as_it_was_first(store: Store) -> None:
    comparison = _comparison(store)
    first = votes.cast(store, _vote(comparison, "v1", "a"))
    again = votes.cast(store, _vote(comparison, "v1", "b"))

    assert (first.new, again.new) == (True, False)
    assert again.vote == first.vote
    assert [vote.choice for vote in votes.current_votes(store, comparison.study_id)] == ["a"]


def test_the_newest_vote_of_a_person_counts_and_others_keep_theirs(store: Store) -> None:
    comparison = _comparison(store)
    votes.cast(store, _vote(comparison, "v1", "a"))
    votes.cast(store, _vote(comparison, "v2", "tie", annotator="bob"))
    votes.cast(store, replace(_vote(comparison, "v3", "b"), supersedes="v1"))

    counted = [(vote.annotator, vote.choice) for vote in votes.current_votes(store, comparison.study_id)]

    assert counted == [("bob", "tie"), ("ann", "b")]


def test_an_undo_leaves_no_vote_but_keeps_the_rows(store: Store) -> None:
    comparison = _comparison(store)
    votes.cast(store, _vote(comparison, "v1", "a"))
    votes.cast(store, replace(_vote(comparison, "v2", "undo"), supersedes="v1"))

    assert votes.current_votes(store, comparison.study_id) == []
    assert votes.current_vote(store, comparison.id, "ann") is None
    assert store.value("select count(*) from votes") == 2


def test_votes_of_one_study_are_not_seen_in_another(store: Store) -> None:
    mine, other = _comparison(store, "mine"), _comparison(store, "other")
    votes.cast(store, _vote(mine, "v1", "a"))
    votes.cast(store, _vote(other, "v2", "b"))

    assert [vote.id for vote in votes.current_votes(store, mine.study_id)] == ["v1"]
    newest = votes.newest_vote(store, other.study_id, "ann")
    assert newest is not None
    assert newest.id == "v2"


def test_a_comparison_waits_is_claimed_once_and_becomes_ready(store: Store) -> None:
    models.add_model(store, "starter", "base")
    base = models.get_model(store, "starter")
    study = comparisons.create_study(store, "s", [base, base], None)
    new = NewComparison([{"role": "user", "content": "hi"}], [(base.id, "starter"), (base.id, "starter")])
    made = comparisons.add_comparison(store, study, new)

    claimed = comparisons.claim_waiting(store)
    assert claimed is not None
    assert (claimed.id, comparisons.claim_waiting(store)) == (made.id, None)
    for answer in comparisons.answers_of(store, made.id):
        comparisons.fill_answer(store, answer.id, f"text {answer.position}", {"seed": 1}, 3, 0.5)
    comparisons.mark(store, made.id, "ready")

    whole = comparisons.get_comparison(store, made.id)
    assert whole.comparison.state == "ready"
    assert [(answer.text, answer.stamp, answer.tokens) for answer in whole.answers] == [
        ("text 0", {"seed": 1}, 3),
        ("text 1", {"seed": 1}, 3),
    ]


def test_what_a_crash_left_half_answered_waits_again_without_text(store: Store) -> None:
    models.add_model(store, "starter", "base")
    base = models.get_model(store, "starter")
    study = comparisons.create_study(store, "s", [base, base], None)
    new = NewComparison([{"role": "user", "content": "hi"}], [(base.id, "starter"), (base.id, "starter")])
    made = comparisons.add_comparison(store, study, new)
    comparisons.claim_waiting(store)
    comparisons.fill_answer(store, comparisons.answers_of(store, made.id)[0].id, "half", {}, 1, 0.1)

    assert comparisons.release(store) == 1
    whole = comparisons.get_comparison(store, made.id)
    assert (whole.comparison.state, [answer.text for answer in whole.answers]) == ("waiting", [None, None])
