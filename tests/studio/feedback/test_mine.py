"""One's own votes, newest first, as they were seen and said; never those of others."""

from typing import Any

from storage.comparisons import NewComparison, Whole, add_comparison, get_comparison
from storage.prompts import as_messages
from studio.feedback.ballots import Ballot, Edit
from studio.feedback.mine import my_votes
from studio.feedback.showing import show
from studio.feedback.study_settings import change_settings
from studio.feedback.voting import cast, undo
from tests.studio.feedback.conftest import Bench


def _say(bench: Bench, whole: Whole, choice: str, identity: str, **details: Any) -> None:
    hashes = [answer.sha256 or "" for answer in show(bench.study, whole, "ann").answers]
    cast(bench.store, bench.study, "ann", Ballot(identity, whole.comparison.id, choice, hashes, **details))


def test_a_vote_comes_back_as_it_was_seen_and_said(bench: Bench) -> None:
    criteria = [{"key": "kind", "label": "Kind"}]
    bench = bench._replace(study=change_settings(bench.store, bench.study, {"criteria": criteria, "chips": ["Short"]}))
    for number in range(8):  # both orders occur
        whole = bench.compare(prompt=f"question {number}", texts=(f"yes {number}", f"no {number}"))
        shown = show(bench.study, whole, "ann")
        _say(
            bench, whole, "left", f"vote-{number:04}", strength=1, criteria={"kind": [5, 2]}, chips=["Short"],
            rationale="Because.", edited=Edit(1, "Maybe."),
        )  # fmt: skip

        (mine,) = my_votes(bench.store, bench.study, "ann", limit=1).votes

        assert mine.to_json(names=False) == {
            "vote": f"vote-{number:04}",
            "comparison": whole.comparison.id,
            "created_at": mine.vote.created_at,
            "choice": "left",
            "ranking": None,
            "rating": None,
            "strength": 1,
            "criteria": {"kind": [5, 2]},
            "chips": ["Short"],
            "rationale": "Because.",
            "edited": {"side": 1, "text": "Maybe."},
            "reason": None,
            "pair": shown.to_json(),
        }
        assert mine.to_json(names=True)["reveal"] == [answer.model_name for answer in shown.answers]


def test_who_wrote_what_was_skipped_is_told_to_nobody(bench: Bench) -> None:
    _say(bench, bench.compare(), "skip", "vote-0001")

    (mine,) = my_votes(bench.store, bench.study, "ann").votes

    told = mine.to_json(names=True)
    assert told["choice"] == "skip"
    assert [model.name for model in bench.models if model.name in str(told)] == []


def test_a_ranking_comes_back_by_side(bench: Bench) -> None:
    contestants = [(bench.models[0].id, f"model-{n}") for n in range(4)]
    new = NewComparison(as_messages("one"), contestants, texts=[f"answer {n}" for n in range(4)])
    whole = get_comparison(bench.store, add_comparison(bench.store, bench.study, new).id)
    _say(bench, whole, "ranking", "vote-0001", ranking=[[2], [0, 3], [1]])

    (mine,) = my_votes(bench.store, bench.study, "ann").votes

    assert mine.to_json(names=False)["ranking"] == [[2], [0, 3], [1]]
    assert mine.to_json(names=False)["choice"] == "ranking"


def test_pages_go_back_in_time_and_hold_only_what_counts_of_oneself(bench: Bench) -> None:
    wholes = [bench.compare(prompt=f"question {n}") for n in range(5)]
    for n, whole in enumerate(wholes):
        bench.vote(whole, "skip" if n == 2 else "a", vote_id=f"vote-000{n}")
        bench.vote(whole, "b", annotator="bob")
    undo(bench.store, bench.study, "ann", "undo-0001", wholes[1].comparison.id)
    bench.vote(wholes[0], "tie", vote_id="vote-0009")

    first = my_votes(bench.store, bench.study, "ann", limit=2)
    second = my_votes(bench.store, bench.study, "ann", before=first.votes[-1].vote.id, limit=2)

    assert [(one.vote.id, one.vote.choice) for one in first.votes] == [("vote-0009", "tie"), ("vote-0004", "a")]
    assert [(one.vote.id, one.vote.choice) for one in second.votes] == [("vote-0003", "a"), ("vote-0002", "skip")]
    assert (first.more, second.more) == (True, False)
