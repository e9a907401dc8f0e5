"""How a round's model stands against the one that it came from: blind votes on prompts that trained neither.

The rate is over prompts (`studio.feedback.intervals`): a win counts 1, a tie or both bad one half, a loss 0.
Votes on prompts that either model has trained on are left out, whatever their split, and so are votes that somebody
excluded (`studio.feedback.exclusions`) and those on comparisons with a known answer.
"""

from collections import defaultdict
from dataclasses import dataclass
from statistics import fmean
from typing import Any, NamedTuple

from storage.jobs import trained_prompts
from storage.models import get_model, lineage
from storage.rows_training import Round
from storage.store import Store
from studio.feedback.intervals import WinRate, votes_needed, win_rate
from studio.feedback.kept_votes import kept

# Votes of a study that count, with who stood where.
_VOTES = """
select v.annotator, v.source, v.created_at, v.choice, c.prompt_sha256, a.model_id as first_id,
       b.model_id as second_id
from votes v
join comparisons c on c.id = v.comparison_id
join answers a on a.comparison_id = c.id and a.position = 0
join answers b on b.comparison_id = c.id and b.position = 1
where v.study_id = :study and v.choice in ('a', 'b', 'tie', 'both_bad')
  and not exists (select 1 from gold g where g.comparison_id = v.comparison_id and g.lifted_at is null)
  and v.rowid = (select max(w.rowid) from votes w
                 where w.comparison_id = v.comparison_id and w.annotator = v.annotator)
"""


class _Given(NamedTuple):
    """A vote as it was given: by whom, whence and when, and between which models."""

    annotator: str
    source: str
    created_at: float
    choice: str
    prompt: str
    models: tuple[str, str]


class _Judged(NamedTuple):
    """A vote as the new model sees it: which prompt, and 1 for a win, one half for neither, 0 for a loss."""

    prompt: str
    value: float


@dataclass(frozen=True)
class Standing:
    """The new model's win rate over its parent. `votes`: those that count; `left_out`: on trained prompts."""

    votes: int
    left_out: int
    wins: int
    losses: int
    ties: int
    rate: WinRate
    needed: int | None

    @property
    def word(self) -> str:
        """better, worse or open."""
        return {"a better": "better", "b better": "worse"}.get(self.rate.verdict, "open")

    def to_json(self) -> dict[str, Any]:
        """The standing for the timeline and as a round's verdict."""
        return {
            "votes": self.votes,
            "left_out": self.left_out,
            "wins": self.wins,
            "losses": self.losses,
            "ties": self.ties,
            "win_rate": self.rate.rate,
            "low": self.rate.low,
            "high": self.rate.high,
            "needed": self.needed,
            "word": self.word,
        }


def standing(store: Store, turn: Round) -> Standing | None:
    """How the model of a round stands now; None while it has no model or nobody can compare it."""
    if not turn.model_id or not turn.parent_id or not turn.measuring_study_id:
        return None
    trained = _trained(store, turn.model_id, turn.parent_id)
    judged = _judged(store, turn.measuring_study_id, turn.model_id, turn.parent_id)
    clean = [vote for vote in judged if vote.prompt not in trained]
    units = _units(clean)
    return Standing(
        votes=len(clean),
        left_out=len(judged) - len(clean),
        wins=sum(vote.value == 1 for vote in clean),
        losses=sum(vote.value == 0 for vote in clean),
        ties=sum(vote.value == 0.5 for vote in clean),
        rate=win_rate(units),
        needed=votes_needed(units, len(clean)),
    )


def _trained(store: Store, *model_ids: str) -> set[str]:
    """Prompts that any of these models or their ancestors trained on."""
    family = [model for model_id in model_ids for model in lineage(store, get_model(store, model_id))]
    return trained_prompts(store, sorted({model.job_id for model in family if model.job_id}))


def _judged(store: Store, study_id: str, model_id: str, parent_id: str) -> list[_Judged]:
    """The votes of a study between these two models, in either order; those that somebody excluded do not count."""
    given = [
        _Given(row["annotator"], row["source"], row["created_at"], row["choice"], row["prompt_sha256"],
               (row["first_id"], row["second_id"]))
        for row in store.rows(_VOTES, {"study": study_id})
    ]  # fmt: skip
    return [
        _Judged(vote.prompt, _value(vote.choice, vote.models.index(model_id)))
        for vote in kept(store, study_id, given).votes
        if set(vote.models) == {model_id, parent_id}
    ]


def _value(choice: str, position: int) -> float:
    """What a choice is worth to the answer at this position."""
    if choice not in ("a", "b"):
        return 0.5
    return 1.0 if "ab".index(choice) == position else 0.0


def _units(votes: list[_Judged]) -> list[float]:
    """One value a prompt: votes on one prompt are alike, so they are averaged."""
    by_prompt = defaultdict(list)
    for vote in votes:
        by_prompt[vote.prompt].append(vote.value)
    return [fmean(values) for values in by_prompt.values()]
