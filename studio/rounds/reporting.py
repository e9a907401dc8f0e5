"""A round told to people who were not there: what it learnt from, how it was judged, what it broke, what it is made of.

Everything is read from the store and the frozen run, so the same report can be made again at any time; figures of votes
are of the moment. Annotators are counted and not named. The examples are drawn by the hash of their prompt, some won,
some lost, some neither: nobody has picked them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from storage import rounds
from storage.clock import now
from storage.comparisons import get_comparison, get_study
from storage.jobs import get_job
from storage.models import base_of, get_model
from storage.rows_training import Job, Round
from storage.specs.run import RunSpec
from storage.store import Store
from storage.versions import get_version
from studio.feedback.agreement import agreement
from studio.rounds.gate import evaluation_of
from studio.rounds.ledger import catch_up
from studio.rounds.standing import Judged, counted_votes
from studio.rounds.timeline import card

_SHOWN = {"won": 3, "lost": 3, "neither": 2}
_LONGEST = 4000
_TOLD = ("items", "annotators", "labels", "percent", "krippendorff_alpha", "low", "high")

Json = dict[str, Any]


@dataclass(frozen=True)
class RoundReport:
    """All that the report says.

    `card`: as in the film. `recipe`: the frozen run, without data. `people`: how many voted. `agreement`: None where
    nobody voted. `examples`: prompt, both answers, how the votes fell. `found`: what was measured after the run.
    `hashes`: what was used and made, each with its SHA-256.
    """

    card: Json
    recipe: Json | None
    people: int
    agreement: Json | None
    examples: Sequence[Json]
    found: Json
    hashes: Sequence[Json]
    made_at: float

    def to_json(self) -> Json:
        """The keys of `ratchet report --json`."""
        return {
            **self.card,
            "recipe": self.recipe,
            "people": self.people,
            "agreement": self.agreement,
            "examples": list(self.examples),
            "evaluation": self.found,
            "hashes": list(self.hashes),
            "made_at": self.made_at,
        }


def report(store: Store, number: int) -> RoundReport:
    """Tell a round by number; raises NotFound."""
    catch_up(store)
    turn = rounds.get_round(store, number)
    job = get_job(store, turn.job_id) if turn.job_id else None
    spec = _spec(store, job)
    counted = counted_votes(store, turn)
    votes = counted.votes if counted else []
    return RoundReport(
        card=card(store, turn).to_json(),
        recipe=_recipe(store, job, spec),
        people=len({vote.annotator for vote in votes}),
        agreement=_agreement(store, turn) if votes else None,
        examples=_examples(store, turn, votes),
        found=dict(evaluation_of(store, turn) or {}),
        hashes=[one._asdict() for one in _hashes(store, turn, spec)],
        made_at=now(),
    )


def _spec(store: Store, job: Job | None) -> RunSpec | None:
    """The frozen run; None where its folder is gone."""
    if job is None or not (store.home.run(job.id) / "spec.json").is_file():
        return None
    return RunSpec.read(store.home.run(job.id))


def _recipe(store: Store, job: Job | None, spec: RunSpec | None) -> Json | None:
    """How the round was trained."""
    if job is None:
        return None
    told: Json = {"method": job.method, "job": job.number, "name": job.name, "base": get_model(store, job.base_id).name,
                  "policy": job.policy, "device": job.device}  # fmt: skip
    if spec is not None:
        told |= {"start": spec.start, "reference": spec.reference, "seed": spec.seed, "rows": spec.rows,
                 "options": spec.options, "libraries": spec.libraries, "threads": spec.threads,
                 "dtype": spec.dtype}  # fmt: skip
    return told


def _agreement(store: Store, turn: Round) -> Json:
    """How well the judges of the measuring study agree."""
    study = get_study(store, turn.measuring_study_id or "")
    said = agreement(store, study.name).to_json()
    return {name: said.get(name) for name in _TOLD}


def _examples(store: Store, turn: Round, votes: Iterable[Judged]) -> list[Json]:
    """Some comparisons of each outcome, in the order of their prompts' hashes."""
    by_comparison: dict[str, list[Judged]] = {}
    for vote in votes:
        by_comparison.setdefault(vote.comparison, []).append(vote)
    left = dict(_SHOWN)
    shown = []
    for given in sorted(by_comparison.values(), key=lambda given: (given[0].asked, given[0].comparison)):
        outcome = _outcome(given)
        if left[outcome]:
            left[outcome] -= 1
            shown.append(_example(store, turn, given, outcome))
    return shown


def _outcome(given: Sequence[Judged]) -> str:
    lead = sum(vote.value - 0.5 for vote in given)
    return "won" if lead > 0 else "lost" if lead < 0 else "neither"


def _example(store: Store, turn: Round, given: Sequence[Judged], outcome: str) -> Json:
    whole = get_comparison(store, given[0].comparison)
    texts = {answer.model_id: answer.text or "" for answer in whole.answers}
    return {
        "number": whole.comparison.number,
        "prompt": [{"role": str(said.get("role")), "text": _text(said.get("content"))}
                   for said in whole.comparison.prompt],
        "new": cut(texts.get(turn.model_id, "")),
        "old": cut(texts.get(turn.against_id or turn.parent_id, "")),
        "outcome": outcome,
        "votes_new": sum(vote.value == 1 for vote in given),
        "votes_old": sum(vote.value == 0 for vote in given),
        "votes_neither": sum(vote.value == 0.5 for vote in given),
    }  # fmt: skip


def _text(content: Any) -> str:
    """The words of a message; of parts, their texts."""
    if isinstance(content, list):
        return cut("\n".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping)))
    return cut(str(content or ""))


def cut(text: str, most: int = _LONGEST) -> str:
    """A text that fits on a page."""
    return text if len(text) <= most else f"{text[:most]} …"


class Hash(NamedTuple):
    """A thing that the round used or made, and the SHA-256 by which it is known."""

    what: str
    name: str
    sha256: str


def _hashes(store: Store, turn: Round, spec: RunSpec | None) -> list[Hash]:
    """Weights, template and data, as far as their hashes are known."""
    found: list[tuple[str, str, str | None]] = []
    if turn.version_id:
        version = get_version(store, turn.version_id)
        found.append(("dataset version", f"version {version.number}, {version.rows} rows", version.sha256))
    if spec is not None:
        found.append(("rows of the run", f"{spec.rows} rows", spec.data_sha256))
        found += [("further rows", name, sha256) for name, sha256 in sorted(spec.extras.items())]
    if turn.model_id:
        model = get_model(store, turn.model_id)
        base = base_of(store, model)
        found += [("adapter", model.name, model.adapter_sha256), ("base", base.name, base.base_sha256),
                  ("chat template", base.name, base.template_sha256)]  # fmt: skip
    return [Hash(what, name, sha256) for what, name, sha256 in found if sha256]
