"""All that is known of one model: recipe, lineage, votes, the gate, what was measured, card, hashes, what needs it."""

import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

from storage import promotions
from storage.blends import Blend, blend_of
from storage.models import base_of, get_model, list_models
from storage.rows_training import Job, Model
from storage.specs.options import option_fields
from storage.specs.registry import METHODS
from storage.specs.run import RunSpec
from storage.store import Store
from storage.versions import get_version
from studio.rounds import gate
from studio.training.disk import size
from studio.training.model_keeping import dependants, elsewhere, in_use
from studio.training.request import command_line, request_of
from studio.training.tree import Leaf, leaf, parent_of

_LONGEST_CARD = 200_000  # bytes; a card is read by people

# Votes on answers of a model that count, by study, in the studies that compare it.
_VOTES = """
select s.name as study, s.state, count(*) as votes
from studies s join votes v on v.study_id = s.id
where exists (select 1 from json_each(s.models) m where m.value = :model)
  and exists (select 1 from answers a where a.comparison_id = v.comparison_id and a.model_id = :model)
  and v.choice not in ('undo', 'skip')
  and v.rowid = (select max(w.rowid) from votes w
                 where w.comparison_id = v.comparison_id and w.annotator = v.annotator)
group by s.id order by s.created_at desc, s.id desc
"""


def facts(store: Store, reference: str, loaded: Collection[str] = ()) -> dict[str, Any]:
    """What is known of a model, with the keys of its leaf and more; raises NotFound."""
    model = get_model(store, reference)
    shown = leaf(store, model, loaded)
    job, blend = shown.job, blend_of(store, model.id)
    return {
        **shown.to_json(),
        "base": base_of(store, model).name if model.base_id else None,
        "lineage": [one.name for one in _line(store, model)],
        "children": [one.name for one in list_models(store, retired=True) if parent_of(one) == model.id],
        "labels": model.labels,
        "author": _author(job, blend),
        "how": blend.how if blend else None,
        "path": model.path,
        "url": model.url,
        "remote_name": model.remote_name,
        "bytes": size(Path(model.path)) if model.path and model.gone_at is None else None,
        "hashes": {"base": model.base_sha256, "adapter": model.adapter_sha256, "template": model.template_sha256},
        "probe": _finite(model.probe),
        "archived_at": model.retired_at,
        "gone_at": model.gone_at,
        "recipe": recipe(store, job) if job else None,
        "data_sha256": get_version(store, job.version_id).sha256 if job and job.version_id else None,
        "evaluation": _finite(job.evaluation if job else blend.evaluation if blend else None),
        "votes": store.rows(_VOTES, {"model": model.id}),
        "gate": _gate(store, shown),
        "promotions": _promotions(store, model),
        "elsewhere": elsewhere(store, model),
        "needed": [] if model.gone_at else [*in_use(store, model), *dependants(store, model)],
        "card": card_of(model),
    }


def recipe(store: Store, job: Job) -> dict[str, Any]:
    """How a model was made; `options`: those that differ from what the method does by itself."""
    folder = store.home.run(job.id)
    spec = RunSpec.read(folder) if (folder / "spec.json").is_file() else None
    method = METHODS.get(job.method)
    usual = {item.name: item.default for item in option_fields(method.options)} if method else {}
    options = dict(spec.options if spec else job.request.get("options") or {})
    return {
        "job": job.id,
        "number": job.number,
        "name": job.name,
        "method": job.method,
        "title": method.title if method else job.method,
        "start": get_model(store, job.base_id).name,
        "how": spec.start if spec and spec.adapter_path else None,
        "policy": job.policy,
        "options": _finite({name: value for name, value in sorted(options.items()) if usual.get(name) != value}),
        "seed": spec.seed if spec else None,
        "rows": spec.rows if spec else None,
        "libraries": spec.libraries if spec else {},
        "replay": job.request.get("replay"),
        "teacher": job.request.get("teacher"),
        "rewards": list(job.request.get("rewards") or ()),
        "seconds": round(job.finished_at - job.started_at, 1) if job.finished_at and job.started_at else None,
        "command": command_line(request_of(job)),
    }


def card_of(model: Model) -> str | None:
    """The model card that lies beside the weights, or None where there is none."""
    if model.path is None or model.gone_at is not None:
        return None
    try:
        with (Path(model.path) / "README.md").open("rb") as file:
            return file.read(_LONGEST_CARD).decode("utf-8", errors="replace")
    except OSError:
        return None


def _line(store: Store, model: Model) -> list[Model]:
    """The model and what it goes on from, newest first, down to the base: the line that the tree draws."""
    line = [model]
    while line[-1].parent_id:
        line.append(get_model(store, line[-1].parent_id))
    return line


def _author(job: Job | None, blend: Blend | None) -> str | None:
    """Who asked for the training or the mixture, where that was noted."""
    if blend is not None:
        return blend.author
    said = job.request.get("author") if job else None
    return str(said) if said else None


def _gate(store: Store, shown: Leaf) -> dict[str, Any] | None:
    """What the gate says of it now; None for the champion, and for what is no round's candidate."""
    found = gate.report(store, shown.turn) if shown.turn else None
    return found.to_json() if found else None


def _promotions(store: Store, model: Model) -> list[dict[str, Any]]:
    """When it became champion, how, and whether that still stands."""
    stands = {one.id for one in promotions.standing(store)}
    return [
        {"kind": one.kind, "author": one.author, "reason": one.reason, "at": one.created_at, "stands": one.id in stands}
        for one in promotions.list_promotions(store)
        if one.model_id == model.id
    ]


def _finite(value: Any) -> Any:
    """The same without numbers that JSON cannot write: a loss that is no number is unknown."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
