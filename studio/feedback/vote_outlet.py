"""The votes of a study that count, as lines of a file: with what was judged, so that they stand alone."""

from collections.abc import Iterator

from storage.comparisons import Whole, get_comparison
from storage.rows import Study, Vote
from storage.store import Store
from storage.votes import current_votes
from studio.feedback.vote_lines import VoteLine


def vote_lines(store: Store, study: Study) -> Iterator[VoteLine]:
    """One line a vote, oldest first; skips are no votes."""
    for vote in current_votes(store, study.id):
        if vote.choice != "skip":
            yield _line(vote, get_comparison(store, vote.comparison_id))


def _line(vote: Vote, whole: Whole) -> VoteLine:
    texts = [answer.text for answer in whole.answers]
    return VoteLine(
        id=vote.id,
        prompt=whole.comparison.prompt,
        models=[answer.model_name for answer in whole.answers],
        answers=[text for text in texts if text is not None] if None not in texts else [],
        annotator=vote.annotator,
        choice=vote.choice,
        ranking=vote.ranking,
        strength=vote.strength,
        criteria=vote.criteria,
        rationale=vote.rationale,
        edited=vote.edited,
        shown_order=vote.shown_order,
        seconds=vote.seconds,
        created_at=vote.created_at,
    )
