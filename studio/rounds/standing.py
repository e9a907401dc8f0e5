"""How a round's model stands against the champion of its day: blind votes on prompts that trained neither.

The rate is over prompts (`studio.feedback.intervals`), turns of one conversation being one: a win counts 1, a tie or
both bad one half, a loss 0. A ranking of several answers says which of the two it puts first.
Votes on prompts that either model has trained on are left out, whatever their split, and so are votes that somebody
excluded (`studio.feedback.exclusions`) and those on comparisons with a known answer.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any, NamedTuple

from storage.lessons import taught
from storage.rows import RANKED
from storage.rows_training import Round
from storage.store import Store
from studio.feedback.intervals import WinRate, votes_needed, win_rate
from studio.feedback.kept_votes import kept
from studio.feedback.outcomes import ranks

# Votes of a study that say something of both models, with where each stood. A conversation that went on is a row of
# comparisons; its first prompt is what all its votes have in common.
_VOTES = """
with recursive talks (id, prompt) as (
    select id, prompt_sha256 from comparisons where study_id = :study and parent_id is null
    union all
    select c.id, talks.prompt from comparisons c join talks on c.parent_id = talks.id
)
select v.comparison_id, v.annotator, v.source, v.created_at, v.choice, v.ranking,
       c.prompt_sha256 as asked, talks.prompt as talk, a.position as new_at, b.position as old_at
from votes v
join comparisons c on c.id = v.comparison_id
join talks on talks.id = c.id
join answers a on a.comparison_id = c.id and a.model_id = :new
join answers b on b.comparison_id = c.id and b.model_id = :old
where v.study_id = :study and v.choice in ('a', 'b', 'tie', 'both_bad', 'ranking')
  and not exists (select 1 from gold g where g.comparison_id = v.comparison_id and g.lifted_at is null)
  and v.rowid = (select max(w.rowid) from votes w
                 where w.comparison_id = v.comparison_id and w.annotator = v.annotator)
"""


class Judged(NamedTuple):
    """A vote as the new model sees it: by whom, whence and when; 1 for a win, one half for neither, 0 for a loss.

    `asked`: the prompt that was answered; `talk`: the first prompt of its conversation, the same where it has one turn.
    """

    comparison: str
    annotator: str
    source: str
    created_at: float
    asked: str
    talk: str
    value: float


@dataclass(frozen=True)
class Standing:
    """The new model's win rate over the champion. `votes`: those that count; `left_out`: on trained prompts."""

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
    counted = counted_votes(store, turn)
    if counted is None:
        return None
    clean, left_out = counted
    units = _units(clean)
    return Standing(
        votes=len(clean),
        left_out=left_out,
        wins=sum(vote.value == 1 for vote in clean),
        losses=sum(vote.value == 0 for vote in clean),
        ties=sum(vote.value == 0.5 for vote in clean),
        rate=win_rate(units),
        needed=votes_needed(units, len(clean)),
    )


class Counted(NamedTuple):
    """The votes that say how a round's model stands, and how many were left out because a model trained on them."""

    votes: list[Judged]
    left_out: int


def counted_votes(store: Store, turn: Round) -> Counted | None:
    """The votes behind a round's standing; None while it has no model or nobody can compare it."""
    before = turn.against_id or turn.parent_id
    if not turn.model_id or not before or not turn.measuring_study_id:
        return None
    trained = taught(store, [turn.model_id, before])
    judged = _judged(store, turn.measuring_study_id, turn.model_id, before)
    clean = [vote for vote in judged if not {vote.asked, vote.talk} & trained]
    return Counted(clean, len(judged) - len(clean))


def _judged(store: Store, study_id: str, model_id: str, parent_id: str) -> list[Judged]:
    """The votes of a study between these two models, in any order; those that somebody excluded do not count."""
    given = [
        Judged(
            row["comparison_id"],
            row["annotator"],
            row["source"],
            row["created_at"],
            row["asked"],
            row["talk"],
            _value(row),
        )
        for row in store.rows(_VOTES, {"study": study_id, "new": model_id, "old": parent_id})
    ]
    return list(kept(store, study_id, given).votes)


def _value(row: Mapping[str, Any]) -> float:
    """What a vote is worth to the new model: by the choice between two, or by both places in a ranking."""
    if row["choice"] == RANKED:
        places = ranks(json.loads(row["ranking"]))
        lead = places[row["old_at"]] - places[row["new_at"]]
        return 1.0 if lead > 0 else 0.0 if lead < 0 else 0.5
    if row["choice"] not in ("a", "b"):
        return 0.5
    return 1.0 if "ab".index(row["choice"]) == row["new_at"] else 0.0


def _units(votes: list[Judged]) -> list[float]:
    """One value a prompt, or a conversation: votes on one are alike, so they are averaged."""
    by_prompt = defaultdict(list)
    for vote in votes:
        by_prompt[vote.talk].append(vote.value)
    return [fmean(values) for values in by_prompt.values()]
