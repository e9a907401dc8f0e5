"""Adapters mixed into one, as a candidate like any other: it gets a round, a study, and is asked what all are asked.

A process of its own mixes and measures (`trainers.blend`). Files first, row last: what fails leaves nothing.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage import blends, tasks
from storage.blends import HOWS, THINNED, NewBlend
from storage.clock import new_id, now
from storage.errors import BadInput, Conflict, RatchetError, Refused
from storage.freezing import freeze_apart
from storage.home import read_json
from storage.models import add_model, base_of, checked_name, get_model
from storage.rows_training import Model, Round, Task
from storage.store import Store
from studio.people.roles import Action, Actor, require
from studio.rounds import ledger
from studio.rounds.champion import champion
from studio.training.wishing import granted
from studio.training.yardsticks import measures

_MOST = 8
_LARGEST_WEIGHT = 10.0


@dataclass(frozen=True)
class Recipe:
    """What is to be mixed into `name`, and how. `weights`: one a model; none: all alike, adding up to 1.

    `density`: the share of weights that ties and dare keep; `seed`: for what dare drops.
    """

    name: str
    models: tuple[str, ...]
    how: str = "cat"
    weights: tuple[float, ...] = ()
    density: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        checked_name(self.name)
        if self.how not in HOWS:
            raise BadInput(f'Models are mixed by {", ".join(HOWS)}, not by "{self.how}".')
        if not 2 <= len(self.models) <= _MOST:
            raise BadInput(f"Name 2 to {_MOST} adapters to mix, not {len(self.models)}.")
        if len(set(self.models)) < len(self.models):
            raise BadInput("Name each adapter once; what shall count more gets more weight.")
        if self.weights and len(self.weights) != len(self.models):
            raise BadInput(f"{len(self.models)} adapters need {len(self.models)} weights, not {len(self.weights)}.")
        for weight in self.weights:
            if weight == 0 or not abs(weight) <= _LARGEST_WEIGHT:
                raise BadInput(f"A weight lies between -{_LARGEST_WEIGHT:g} and {_LARGEST_WEIGHT:g}, not {weight:g}.")
        if not 0 < self.density <= 1:
            raise BadInput(f"The density is the share of weights that is kept, above 0 up to 1, not {self.density:g}.")

    @property
    def shares(self) -> tuple[float, ...]:
        """The weight of each adapter."""
        return self.weights or (1 / len(self.models),) * len(self.models)


@dataclass(frozen=True)
class Mixed:
    """A mixture and its round; `stays`: why it has no round, where it has none."""

    model: Model
    parents: Sequence[str]
    how: str
    rank: int
    evaluation: Mapping[str, Any]
    turn: Round | None
    study: str | None
    stays: str | None

    def to_json(self) -> dict[str, Any]:
        """For the command line and the page."""
        return {
            "model": self.model.name,
            "parents": list(self.parents),
            "how": self.how,
            "rank": self.rank,
            "adapter_sha256": self.model.adapter_sha256,
            "evaluation": dict(self.evaluation),
            "round": self.turn.number if self.turn else None,
            "study": self.study,
            "stays": self.stays,
        }


def mix(store: Store, actor: Actor, recipe: Recipe) -> Mixed:
    """Mix adapters into a new model, measure it, and put it before the gate in a round of its own.

    Raises Forbidden, NotFound, Conflict for a name that is taken, Refused or BadInput with what stands against it.
    """
    require(actor, Action.MANAGE_MODELS)
    parts = mixable(store, recipe)
    target = store.home.model(recipe.name)
    if store.value("select 1 from models where name = ?", [recipe.name]) or target.exists():
        raise Conflict(f'A model named "{recipe.name}" exists already; choose another name.')
    passing = store.home.models / f".mixing-{new_id()}"
    try:
        found = _made(store, recipe, parts, passing)
        passing.rename(target)
        try:
            model = _note(store, actor, recipe, parts, found)
        except RatchetError:  # somebody took the name meanwhile
            shutil.rmtree(target, ignore_errors=True)
            raise
    finally:
        shutil.rmtree(passing, ignore_errors=True)
    turn, study, stays = _proposed(store, model)
    names = [part.name for part in parts]
    return Mixed(model, names, recipe.how, int(found["rank"]), found["evaluation"], turn, study, stays)


def mixable(store: Store, recipe: Recipe) -> list[Model]:
    """The adapters of a recipe, if they can be mixed so; raises NotFound, Refused or BadInput."""
    parts = [get_model(store, name) for name in recipe.models]
    if len({part.id for part in parts}) < len(parts):
        raise BadInput("Name each adapter once; what shall count more gets more weight.")
    for part in parts:
        if part.kind != "adapter":
            raise Refused(f'"{part.name}" is of kind {part.kind}; only adapters can be mixed.')
        if part.gone_at is not None or not part.path:
            raise Refused(f'The weights of "{part.name}" were deleted, so it cannot be mixed.')
        if part.base_id != parts[0].base_id:
            raise Refused(
                f'"{parts[0].name}" lies on {base_of(store, parts[0]).name} and "{part.name}" on '
                f"{base_of(store, part).name}; only adapters on one base can be mixed."
            )
    ranks = {part.name: _rank(part) for part in parts}
    if recipe.how != "cat" and len(set(ranks.values())) > 1:
        told = ", ".join(f"{name} has {rank}" for name, rank in ranks.items())
        raise Refused(f"Mixing by {recipe.how} needs adapters of one rank ({told}); mix them by cat, which is exact.")
    return parts


def _rank(part: Model) -> int:
    """The rank of an adapter; raises Refused for one that is more than a plain LoRA."""
    config = read_json(Path(str(part.path)) / "adapter_config.json") or {}
    if config.get("use_dora"):
        raise Refused(f'"{part.name}" is a DoRA adapter, whose magnitudes cannot be mixed; export it as merged.')
    if config.get("modules_to_save") or config.get("bias", "none") != "none":
        raise Refused(f'"{part.name}" also trains whole layers of its base, which cannot be mixed.')
    return max([int(config.get("r") or 0), *map(int, (config.get("rank_pattern") or {}).values())])


def _made(store: Store, recipe: Recipe, parts: Sequence[Model], out: Path) -> dict[str, Any]:
    """Have the adapters mixed and measured against the champion, where that lies on the same base, else the base."""
    first = champion(store)
    beaten = first if first is not None and base_of(store, first).id == parts[0].base_id else base_of(store, parts[0])
    with tempfile.TemporaryDirectory(prefix=".mixing-", dir=store.home.runs) as yardsticks:
        freeze_apart(Path(yardsticks), measures(store, beaten))
        wish = {
            "name": recipe.name,
            "base": str(base_of(store, parts[0]).path),
            "parts": [
                {"name": part.name, "path": str(part.path), "weight": share}
                for part, share in zip(parts, recipe.shares, strict=True)
            ],
            "how": recipe.how,
            "density": recipe.density,
            "seed": recipe.seed,
            "out": str(out),
            "before": str(beaten.path) if beaten.kind == "adapter" else None,
            "yardsticks": yardsticks,
        }
        return granted("trainers.blend", wish, store.home.logs / "tasks.log")


def _note(store: Store, actor: Actor, recipe: Recipe, parts: Sequence[Model], found: Mapping[str, Any]) -> Model:
    """The rows of the mixture: its model, and what it was mixed from."""
    base = base_of(store, parts[0])
    with store.write():
        model = add_model(
            store, recipe.name, "adapter", base_id=base.id, parent_id=parts[0].id,
            path=str(store.home.model(recipe.name)), base_sha256=base.base_sha256,
            adapter_sha256=found["adapter_sha256"], template_sha256=base.template_sha256,
            probe={"finite": True, "max_logit_difference": found["max_logit_difference"], "at": now()},
        )  # fmt: skip
        went = [blends.Part(part.id, share) for part, share in zip(parts, recipe.shares, strict=True)]
        density = recipe.density if recipe.how in THINNED else None
        blends.add(store, NewBlend(model.id, recipe.how, density, recipe.seed, actor.name, found["evaluation"], went))
    return model


def _proposed(store: Store, model: Model) -> tuple[Round | None, str | None, str | None]:
    """The mixture's round and the study that measures it; or why it has none, which costs nobody the mixture."""
    try:
        turn = ledger.propose(store, model)
    except Conflict as error:
        return None, None, str(error)
    study = store.value("select name from studies where id = ?", [turn.measuring_study_id])
    return turn, str(study), None


def run_mix(store: Store, task: Task) -> dict[str, Any]:
    """The task "mix-models"."""
    said = task.payload
    tasks.advance(store, task.id, 0.1, "Mixing the adapters and measuring what comes out.")
    recipe = Recipe(**{**said["recipe"], "models": tuple(said["recipe"]["models"]),
                       "weights": tuple(said["recipe"].get("weights") or ())})  # fmt: skip
    return mix(store, Actor(said["actor"]["name"], said["actor"]["role"]), recipe).to_json()


def propose(store: Store, actor: Actor, reference: str) -> dict[str, Any]:
    """Put a model before the gate, against today's champion: `model, round, study`.

    Raises Forbidden, NotFound, and Refused or Conflict as `ledger.propose` does.
    """
    require(actor, Action.MANAGE_MODELS)
    model = get_model(store, reference)
    if model.kind != "adapter" and model.kind != "base":
        raise Refused(f'"{model.name}" is of kind {model.kind}; candidates are adapters and bases.')
    turn, study, stays = _proposed(store, model)
    if turn is None:
        raise Conflict(stays or f'"{model.name}" cannot be a candidate now.')
    return {"model": model.name, "round": turn.number, "study": study}
