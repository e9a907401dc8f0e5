"""The votes of a study that count, as lines of a file: with what was judged, so that they stand alone."""

from collections.abc import Iterator, Sequence

from storage.judgements import wholes
from storage.rows import Answer, Comparison, Study, Vote
from storage.store import Store
from storage.votes import current_votes
from studio.feedback.vote_lines import SKIP, VoteLine


def vote_lines(store: Store, study: Study, with_skips: bool = False) -> Iterator[VoteLine]:
    """One line a vote, oldest first; skips are no votes, and come only where they are asked for."""
    found = wholes(store, study.id)
    for vote in current_votes(store, study.id):
        if with_skips or vote.choice != SKIP:
            yield _line(vote, *found[vote.comparison_id])


def _line(vote: Vote, comparison: Comparison, answers: Sequence[Answer]) -> VoteLine:
    texts = [answer.text for answer in answers]
    return VoteLine(
        id=vote.id,
        prompt=comparison.prompt,
        models=[answer.model_name for answer in answers],
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
        rating=vote.rating,
        chips=vote.chips,
        reason=vote.reason,
        edited_position=vote.edited_position,
        histories=[answer.history for answer in answers],
    )
