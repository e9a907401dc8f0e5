"""Exclusions are named, stand beside the numbers, change all of them alike, and can be lifted."""

import pytest

from storage import rounds
from storage.errors import BadInput, Conflict, NotFound
from studio.feedback.agreement import agreement
from studio.feedback.exclusions import days_and_sources, exclude, include
from studio.feedback.gold import set_gold
from studio.feedback.kept_votes import day_of
from studio.feedback.leaderboard import leaderboard
from studio.feedback.preferences import preferences
from studio.people.roles import Actor
from studio.rounds.timeline import timeline
from studio.training.choices import choices
from tests.studio.feedback.conftest import Bench

PROMPTS = [f"What is {n} plus 1?" for n in range(4)]


@pytest.fixture
def torn(bench: Bench) -> Bench:
    """Ann says a on four prompts, the robot b."""
    for prompt in PROMPTS:
        whole = bench.compare(prompt)
        bench.vote(whole, "a", "ann")
        bench.vote(whole, "b", "robot")
    return bench


def _wins(bench: Bench, with_excluded: bool = False) -> tuple[int, int]:
    (duel,) = leaderboard(bench.store, "first-look", with_excluded=with_excluded).duels
    return duel.wins_a, duel.wins_b


def test_an_excluded_annotator_counts_nowhere_and_the_numbers_say_so(torn: Bench) -> None:
    everybody = preferences(torn.store, "first-look", "each")

    exclude(torn.store, "first-look", "annotator", "robot", "answers within a second", Actor("me", "curator"))

    board = leaderboard(torn.store, "first-look")
    (said,) = board.excluded
    assert _wins(torn) == (4, 0)
    assert (said["kind"], said["value"], said["reason"], said["votes"], said["counted"]) == (
        "annotator", "robot", "answers within a second", 4, False,
    )  # fmt: skip
    found = agreement(torn.store, "first-look")
    assert (found.annotators, found.excluded[0]["votes"]) == (1, 4)
    kept = preferences(torn.store, "first-look", "each")
    assert len(kept.pairs) * 2 == len(everybody.pairs)
    assert kept.dropped["excluded"] == 4


def test_with_excluded_counts_them_and_still_names_them(torn: Bench) -> None:
    exclude(torn.store, "first-look", "annotator", "robot", "a robot", Actor("me", "curator"))

    board = leaderboard(torn.store, "first-look", with_excluded=True)

    assert _wins(torn, with_excluded=True) == (4, 4)
    assert [(one["votes"], one["counted"]) for one in board.excluded] == [(4, True)]
    assert agreement(torn.store, "first-look", with_excluded=True).annotators == 2


def test_a_day_and_a_source_can_be_excluded_and_included_again(torn: Bench) -> None:
    before = leaderboard(torn.store, "first-look")
    today = day_of(torn.store.value("select max(created_at) from votes"))
    for kind, value in (("day", today), ("source", "studio")):
        exclude(torn.store, "first-look", kind, value, "a trial", Actor("me", "curator"))
        assert leaderboard(torn.store, "first-look").duels == []
        include(torn.store, "first-look", kind, value, Actor("me", "curator"))

    assert leaderboard(torn.store, "first-look") == before


def test_exclusions_are_refused_without_reason_twice_or_unknown(torn: Bench) -> None:
    exclude(torn.store, "first-look", "annotator", "robot", "a robot", Actor("me", "curator"))

    with pytest.raises(Conflict):
        exclude(torn.store, "first-look", "annotator", "robot", "again", Actor("me", "curator"))
    with pytest.raises(NotFound):
        include(torn.store, "first-look", "annotator", "ann", Actor("me", "curator"))
    for kind, value, reason in (("annotator", "ann", " "), ("mood", "bad", "why"), ("day", "yesterday", "why")):
        with pytest.raises(BadInput):
            exclude(torn.store, "first-look", kind, value, reason, Actor("me", "curator"))


def test_what_is_kept_is_counted_again_after_the_next_vote_and_after_undo(torn: Bench) -> None:
    from studio.feedback.voting import undo

    assert _wins(torn) == (4, 4)
    torn.store.execute("update meta set value = replace(value, '\"wins_a\": 4', '\"wins_a\": 44')")
    assert _wins(torn) == (44, 4)  # what is kept is what is shown

    torn.vote(torn.compare("What is 9 plus 1?"), "a", "ann")
    assert _wins(torn) == (5, 4)

    undo(torn.store, torn.study, "ann", "undo-0001")
    assert _wins(torn) == (4, 4)


def test_the_train_page_and_the_film_count_what_can_train(torn: Bench) -> None:
    known = torn.compare("known")
    set_gold(torn.store, torn.study, known.comparison.id, {"choice": "a"}, None, Actor("me", "curator"))
    torn.vote(known, "a", "ann")
    torn.vote(torn.compare("passed over"), "skip", "ann")
    turn = rounds.open_round(torn.store, torn.models[0].id)
    rounds.fill_round(torn.store, turn.id, training_study_id=torn.study.id)

    def counts() -> tuple[int, int | None]:
        (study,) = (one for one in choices(torn.store).studies if one["name"] == "first-look")
        material = timeline(torn.store)[-1].material
        assert material is not None
        return study["votes"], material.votes

    assert counts() == (8, 8)
    exclude(torn.store, "first-look", "annotator", "robot", "a robot", Actor("me", "curator"))
    assert counts() == (4, 4)
    include(torn.store, "first-look", "annotator", "robot", Actor("me", "curator"))
    assert counts() == (8, 8)


def test_days_and_sources_are_listed_with_their_votes_and_the_reason(torn: Bench) -> None:
    torn.store.execute("update votes set created_at = 86400 * 2 + 5, source = 'import' where annotator = 'robot'")
    torn.store.execute("update votes set created_at = 86400 where annotator = 'ann'")
    exclude(torn.store, "first-look", "day", "1970-01-03", "a bad day", Actor("me", "curator"))

    assert days_and_sources(torn.store, "first-look") == {
        "days": [
            {"value": "1970-01-02", "votes": 4, "people": 1, "excluded": None},
            {"value": "1970-01-03", "votes": 4, "people": 1, "excluded": "a bad day"},
        ],
        "sources": [
            {"value": "import", "votes": 4, "people": 1, "excluded": None},
            {"value": "studio", "votes": 4, "people": 1, "excluded": None},
        ],
    }
