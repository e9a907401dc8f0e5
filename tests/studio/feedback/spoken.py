"""Comparisons of any number of answers, and votes that say anything, for tests of numbers."""

from typing import Any

from storage.comparisons import NewComparison, Whole, add_comparison, get_comparison
from storage.prompts import as_messages
from storage.rows import Vote
from storage.votes import cast
from tests.studio.feedback.conftest import Bench


def many(bench: Bench, *texts: str, prompt: str = "Which?", names: tuple[str, ...] = ()) -> Whole:
    """A comparison of these texts; contestants are called "model 0" and so on unless they have names."""
    contestants = [(None, names[number] if names else f"model {number}") for number in range(len(texts))]
    new = NewComparison(as_messages(prompt), contestants, texts=list(texts))
    return get_comparison(bench.store, add_comparison(bench.store, bench.study, new).id)


def say(bench: Bench, whole: Whole, annotator: str, choice: str, **said: Any) -> Vote:
    """Store a vote as it is, by position; answers stand in their own order unless `shown_order` says another."""
    plain = dict.fromkeys(("ranking", "strength", "criteria", "rationale", "edited", "seconds", "supersedes"))
    vote = Vote(**(plain | {
        "id": f"{annotator}-{whole.comparison.id}", "comparison_id": whole.comparison.id, "study_id": bench.study.id,
        "annotator": annotator, "choice": choice, "shown_order": list(range(len(whole.answers))), "shown_sha256": [],
        "source": "studio", "created_at": 0.0, **said,
    }))  # fmt: skip
    return cast(bench.store, vote).vote
