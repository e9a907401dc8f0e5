"""The gate: whether a candidate may become champion.

Three things must hold: blind votes on prompts that trained neither model prefer it to the champion (the lower end of
the anytime-valid interval lies above one half), its answers to the canary prompts have not broken, and what it forgot
is within the project's limit. What is not known is said, with what would settle it.

Of the canaries: an answer is broken that is empty or goes in circles where the one before was neither. Where people
expect something of an answer and the champion meets it, the candidate must meet it too; and no answer may be one that
more people found worse than the champion's than better. Both are asked of what the two models answered to the same
canaries (`studio.rounds.asking_canaries`); until both have answered all, what broke is told by what the runs measured.
What a run forgot is measured against the model that it began from, so the steps since the champion are added up
(`studio.rounds.measured`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, NamedTuple, Self

from storage.errors import BadInput
from storage.jobs import get_job
from storage.models import get_model
from storage.rows_training import Model, Round
from storage.store import Store
from studio.rounds.canaries import Beside, side_by_side
from studio.rounds.champion import champion
from studio.rounds.expectations import says
from studio.rounds.measured import Way, found_of, way
from studio.rounds.standing import Standing, standing

HOLDS, FAILS, OPEN = "holds", "fails", "open"
_KEY = "gate"
_MANY = 4  # times that the same four words may follow each other before an answer counts as broken


@dataclass(frozen=True)
class Limits:
    """What the gate asks. `forgetting`: how much the loss per token (nats) on earlier rows may rise."""

    forgetting: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.forgetting <= 100:
            raise BadInput(f"The limit of forgetting is a loss per token from 0 to 100, not {self.forgetting:g}.")

    @classmethod
    def of(cls, store: Store) -> Self:
        """The project's limits."""
        said = store.value("select value from meta where key = ?", [_KEY])
        known = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in json.loads(said or "{}").items() if name in known})

    def changed(self, store: Store, values: Mapping[str, float]) -> Self:
        """Change the project's limits; raises BadInput for a limit that is unknown or out of range."""
        unknown = values.keys() - {item.name for item in fields(self)}
        if unknown:
            raise BadInput(f"The gate has no limit {', '.join(sorted(unknown))}; it has forgetting.")
        fresh = replace(self, **values)
        store.execute("insert or replace into meta (key, value) values (?, ?)", [_KEY, json.dumps(asdict(fresh))])
        return fresh


class Check(NamedTuple):
    """One thing that the gate asks. `state`: holds, fails or open; `settles`: what would tell, where it is open."""

    name: str
    state: str
    sentence: str
    settles: str | None = None


@dataclass(frozen=True)
class Report:
    """What the gate says of a candidate at one moment."""

    candidate: str
    champion: str
    checks: tuple[Check, ...]

    @property
    def passes(self) -> bool:
        """Whether everything holds."""
        return all(check.state == HOLDS for check in self.checks)

    @property
    def state(self) -> str:
        """holds, fails (something does), or open."""
        states = {check.state for check in self.checks}
        return FAILS if FAILS in states else OPEN if OPEN in states else HOLDS

    @property
    def reason(self) -> str:
        """Why it passes, or what stands in the way, in whole sentences."""
        telling = [check for check in self.checks if check.state == self.state]
        return " ".join(check.sentence for check in telling)

    @property
    def settles(self) -> str | None:
        """What would settle it."""
        if self.state == FAILS:
            return None
        return next((check.settles for check in self.checks if check.settles), None)

    def to_json(self) -> dict[str, Any]:
        """The report for pages, the command line and a promotion's evidence."""
        return {
            "candidate": self.candidate,
            "champion": self.champion,
            "passes": self.passes,
            "state": self.state,
            "reason": self.reason,
            "settles": self.settles,
            "checks": [check._asdict() for check in self.checks],
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """A report as it was kept, in a round's verdict or as a promotion's evidence."""
        return cls(said["candidate"], said["champion"], tuple(Check(**check) for check in said["checks"]))


def report(store: Store, turn: Round) -> Report | None:
    """What the gate says of a round's candidate now; None while the round has none, or it is the champion itself."""
    first = champion(store)
    if turn.model_id is None or first is None or turn.model_id == first.id:
        return None
    candidate = get_model(store, turn.model_id)
    since = way(store, candidate, first)
    canaries = _canaries(since, side_by_side(store, first, candidate), f"{candidate.name} {first.name}")
    checks = (_votes(store, turn, candidate, first), canaries, _forgetting(since, first, Limits.of(store)))
    return Report(candidate.name, first.name, checks)


def stands_against(turn: Round, first: Model) -> bool:
    """Whether a round's votes judge its candidate against this champion; not where that changed since it began."""
    return turn.measuring_study_id is not None and (turn.against_id or turn.parent_id) == first.id


def evaluation_of(store: Store, turn: Round) -> Mapping[str, Any] | None:
    """What was measured of a round's candidate at the end of its training, or when it was mixed; None: nothing."""
    if turn.job_id is not None:
        return get_job(store, turn.job_id).evaluation
    return found_of(store, get_model(store, turn.model_id)) if turn.model_id else None


def _votes(store: Store, turn: Round, candidate: Model, first: Model) -> Check:
    """Do blind votes prefer the candidate to the champion?"""
    now = standing(store, turn)
    if not stands_against(turn, first) or now is None:
        return Check(
            "votes", OPEN, f"No study has set {candidate.name} against the champion {first.name}.",
            f"Set it against {first.name} in a round of its own: ratchet propose {candidate.name}.",
        )  # fmt: skip
    if not now.votes or now.rate.rate is None:
        none = _in_vain(now) or "There are no blind votes on it yet."
        return Check("votes", OPEN, none, f"Vote on its answers{_on_others(now)}.")
    said = f"It wins {now.rate.rate:.0%} of {_prompts(now)} ({now.rate.low:.0%} to {now.rate.high:.0%})"
    if now.word == "better":
        return Check("votes", HOLDS, f"{said}: better than {first.name}, and no accident.")
    if now.word == "worse":
        return Check("votes", FAILS, f"{said}: worse than {first.name}.")
    return Check("votes", OPEN, f"{said}, too few to tell. {_in_vain(now)}".strip(), _more(now))


def _in_vain(now: Standing) -> str:
    """How many votes do not count, because the models have learnt from what they judge."""
    if not now.left_out:
        return ""
    those = "1 vote is on a prompt" if now.left_out == 1 else f"{now.left_out} votes are on prompts"
    return f"{those} that trained one of the two, so {'it does' if now.left_out == 1 else 'they do'} not count."


def _on_others(now: Standing) -> str:
    """On which prompts: where most have trained, more votes on those would tell nothing, however many."""
    if now.left_out <= now.votes:
        return ""
    return " on prompts that trained neither (ratchet compare asks those of any dataset)"


def _prompts(now: Standing) -> str:
    return f"{now.rate.units} {'prompt' if now.rate.units == 1 else 'prompts'}"


def _more(now: Standing) -> str:
    if not now.needed:
        return "More votes may tell; it is close to even."
    return f"About {now.needed} more {'vote' if now.needed == 1 else 'votes'} would tell{_on_others(now)}."


def _canaries(since: Way, both: Sequence[Beside], names: str) -> Check:
    """Is every canary prompt still answered, as it is expected to be, and no worse in people's eyes?

    `both`: what champion and candidate answered; `names`: the two as a command names them.
    """
    said = _said(since, both)
    broken = [one for one in said if _broken(one.get("after")) and not _broken(one.get("before"))]
    if broken:
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        told = f"Its answer to the canary prompt {_quoted(broken[0].get('prompt'))}{more} is empty or goes in circles."
        return Check("canaries", FAILS, told)
    if fault := _fault(both):
        return Check("canaries", FAILS, fault)
    ask = f"Let both answer them: ratchet canaries run {names}."
    if not said:
        unknown = "Its answers to the canary prompts are not known."
        return Check("canaries", OPEN, unknown, f"{ask} Overrule if you know them.")
    if any(one.unknown for one in both):
        return Check("canaries", OPEN, "Whether it answers the canaries as expected is not known.", ask)
    changed = sum(not one.get("same") for one in said)
    expected = sum(len(one.canary.expected) for one in both)
    kept = f" Of {_count(expected, 'expectation')}, it meets every one that the champion meets." if expected else ""
    asked = "The canary prompt is answered" if len(said) == 1 else f"All {len(said)} canary prompts are answered"
    told = f"{asked}; {_count(changed, 'answer')} {'has' if changed == 1 else 'have'} changed.{kept}"
    return Check("canaries", HOLDS, told)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _said(since: Way, both: Sequence[Beside]) -> Sequence[Mapping[str, Any]]:
    """What was said before and after: as champion and candidate answered, else as the runs on the way measured it."""
    if not both or not all(one.before and one.after for one in both):
        return since.canaries
    return [{"prompt": one.canary.text, "before": one.before.text, "after": one.after.text, "same": one.same}
            for one in both if one.before and one.after]  # fmt: skip


def _fault(both: Sequence[Beside]) -> str | None:
    """The first expectation that is met no longer, or the first answer that people found worse; None without any."""
    lost = [(one, expectation) for one in both for expectation in one.lost]
    if lost:
        one, expectation = lost[0]
        more = f", and {len(lost) - 1} more" if len(lost) > 1 else ""
        return (
            f"Its answer to the canary prompt {_quoted(one.canary.text)} is no longer as expected "
            f"({says(expectation)}){more}; the champion's is."
        )
    worse = [one for one in both if one.votes.worse > one.votes.better]
    if worse:
        more = f" and {len(worse) - 1} more" if len(worse) > 1 else ""
        return f"People found its answer to the canary prompt {_quoted(worse[0].canary.text)}{more} worse."
    return None


def _quoted(prompt: Any) -> str:
    return f'"{str(prompt)[:80]}"'


def _broken(text: Any) -> bool:
    """Empty, or the same few words again and again."""
    words = str(text or "").split()
    if not words:
        return True
    fours = [tuple(words[at : at + 4]) for at in range(len(words) - 3)]
    return any(fours.count(four) > _MANY for four in set(fours))


def _forgetting(since: Way, first: Model, limits: Limits) -> Check:
    """Has the loss on what earlier training taught, or on what the base said, risen too much since the champion?"""
    rise = since.forgotten
    if rise is None:
        return _unmeasured(since, first)
    steps = f" in {len(since.steps)} steps" if len(since.steps) > 1 else ""
    origin = f" since {since.origin.name}" if since.origin and (steps or since.origin.id != first.id) else ""
    word = "rose" if rise.loss > 0 else "changed"
    said = f"The loss on {rise.of} {word} by {rise.loss:.2f}{steps}{origin} (limit {limits.forgetting:g})."
    return Check("forgetting", HOLDS if rise.loss <= limits.forgetting else FAILS, said)


def _unmeasured(since: Way, first: Model) -> Check:
    """What was forgotten is not known: by the candidate itself, or by a model that it goes on from."""
    missing = since.unmeasured
    if missing is None or missing.id == since.steps[-1].model.id:
        return Check("forgetting", OPEN, "What it forgot was not measured.", "Overrule if you accept that.")
    return Check(
        "forgetting", OPEN, f"What {missing.name} forgot, which it goes on from, was not measured.",
        f"Train from {first.name} instead, or overrule if you accept that.",
    )  # fmt: skip
