"""The card of a model that leaves: what it is, what made it, what people and measurements said, under which licence.

Above it stands the YAML that the Hub reads, written by the Hub's own class. The text is that of the card beside the
weights (written when it was trained or mixed), with what only the store knows. Nobody is named, and no path is told.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from storage import promotions, rounds
from storage.blends import blend_of, parts_of
from storage.comparisons import get_study
from storage.datasets import get_dataset
from storage.errors import BadInput
from storage.jobs import get_job
from storage.leaving import OF_ADAPTERS
from storage.models import base_of, get_model, lineage
from storage.rows_training import Job, Model, Round
from storage.store import Store
from storage.versions import get_version
from studio.curation.export_card import plain, table
from studio.curation.export_facts import facts_of
from studio.curation.export_sources import Source
from studio.curation.exporting import Wish
from studio.feedback.agreement import agreement
from studio.feedback.counting import count_votes
from studio.rounds import gate
from studio.rounds.standing import Standing, standing

_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}")
_FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def model_card(store: Store, model: Model, form: str, licence: str = "") -> str:
    """The card as Markdown with the Hub's YAML above it; raises BadInput for a licence that is no identifier."""
    if licence and not _LICENCE.fullmatch(licence):
        raise BadInput(f'"{licence}" is no licence as the Hub names them; write for example apache-2.0 or cc-by-4.0.')
    turn = _turn_of(store, model)
    now = standing(store, turn) if turn else None
    parts = [
        _body(model),
        _origin(store, model),
        _data(store, model),
        _verdict(store, model, turn, now),
        _agreement(store, turn, now),
        _measured(store, model),
        _licence(licence),
    ]
    text = "\n\n".join(part.strip() for part in parts if part)
    card = f"---\n{header(store, model, form, licence, now)}---\n\n{text}\n"
    return card.encode("utf-8", "replace").decode()  # half characters, which no file holds


def header(store: Store, model: Model, form: str, licence: str = "", now: Standing | None = None) -> str:
    """The YAML that the Hub reads. A base is named only by an id of the Hub: anything else is refused there."""
    from huggingface_hub import EvalResult, ModelCardData

    adapter = form in OF_ADAPTERS
    job = get_job(store, model.job_id) if model.job_id else None
    tags = [*(["lora"] if adapter else []), *([job.method, "trl"] if job else []),
            *(["merge"] if blend_of(store, model.id) else []), "ratchet"]  # fmt: skip
    results = None
    if now is not None and now.votes and now.rate.rate is not None:
        results = [
            EvalResult(
                task_type="text-generation", dataset_type="blind-votes", dataset_name="Blind votes on held-out prompts",
                metric_type="win_rate", metric_name="Win rate over the champion of its day",
                metric_value=round(float(now.rate.rate), 4),
            )
        ]  # fmt: skip
    data = ModelCardData(
        base_model=base_of(store, model).hub_id, library_name="peft" if adapter else "transformers",
        pipeline_tag="text-generation", license=licence or "unknown", tags=tags,
        model_name=model.name if results else None, eval_results=results,
    )  # fmt: skip
    return f"{data.to_yaml(line_break=None)}\n"


def _body(model: Model) -> str:
    """The card beside the weights without its own YAML, or a title."""
    beside = Path(str(model.path)) / "README.md"
    if (model.kind == "adapter" or model.job_id) and beside.is_file():
        return _FRONT.sub("", beside.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n"))
    return f"# {plain(model.name)}\n\nA model from Ratchet."


def _origin(store: Store, model: Model) -> str:
    """What the weights came from, newest first."""
    rows = [(one.name, one.kind, _made(store, one), (one.adapter_sha256 or one.base_sha256 or "unknown")[:16])
            for one in lineage(store, model)]  # fmt: skip
    return "\n".join(["## Where it comes from", "", *table(("Model", "Kind", "Made by", "SHA-256"), rows)])


def _made(store: Store, model: Model) -> str:
    """How a model came to be."""
    if model.job_id:
        job = get_job(store, model.job_id)
        return f"job {job.number} ({job.method})"
    if mixed := blend_of(store, model.id):
        went = ", ".join(f"{part.weight:g} of {get_model(store, part.model_id).name}" for part in
                         parts_of(store, model.id))  # fmt: skip
        return f"mixing by {mixed.how}: {went}"
    return f"its makers ({model.hub_id})" if model.hub_id else "its makers"


def _data(store: Store, model: Model) -> str:
    """What each training of its line learnt from: the versions with their sources and licences, the votes."""
    made = [get_job(store, one.job_id) for one in lineage(store, model) if one.job_id]
    if not made:
        return ""
    lines = ["## What it learnt from", "", *table(("Job", "Method", "Data"), [_learnt(store, job) for job in made])]
    names = dict.fromkeys(_dataset(store, job) for job in made)
    origins = [origin for name in names if name for origin in
               facts_of(store, Wish.of(Source(name), "messages"), {}, {}, {}).origins]  # fmt: skip
    if origins:
        rows = [(one.name, f"{one.rows:,}", one.day, one.licence or "not stated") for one in origins]
        lines += ["", "Sources of these data:", "", *table(("Source", "Rows at first", "Imported", "Licence"), rows)]
    return "\n".join(lines)


def _learnt(store: Store, job: Job) -> tuple[str, str, str]:
    if job.study_id:
        votes = count_votes(store, get_study(store, job.study_id).id)
        return str(job.number), job.method, f"votes of a study ({votes:,} in all; policy {job.policy or 'majority'})"
    if job.version_id:
        version = get_version(store, job.version_id)
        name = get_dataset(store, version.dataset_id).name
        return str(job.number), job.method, f"{name}, version {version.number}: {version.rows:,} rows, {version.sha256}"
    return str(job.number), job.method, "not known any more"


def _dataset(store: Store, job: Job) -> str | None:
    """The dataset that a job learnt from by itself, if it was one."""
    if job.study_id or not job.version_id:
        return None
    return get_dataset(store, get_version(store, job.version_id).dataset_id).name


def _turn_of(store: Store, model: Model) -> Round | None:
    """The round whose candidate it was."""
    return next((turn for turn in reversed(rounds.list_rounds(store)) if turn.model_id == model.id), None)


def _verdict(store: Store, model: Model, turn: Round | None, now: Standing | None) -> str:
    """Blind votes against the champion of its day, and what the gate said."""
    if turn is None:
        return ""
    lines = ["## Against the champion of its day", ""]
    if now is None or not now.votes or now.rate.rate is None:
        lines += ["Nobody has voted on it yet."]
    else:
        lines += [_won(now)]
    made = [one for one in promotions.list_promotions(store)
            if one.model_id == model.id and one.kind != promotions.ROLLED_BACK]  # fmt: skip
    said = (made[-1].evidence if made else None) or (turn.verdict or {}).get("gate")
    if said is None and (found := gate.report(store, turn)) is not None:
        said = found.to_json()
    checks = [(str(one["name"]), str(one["state"]), str(one["sentence"])) for one in (said or {}).get("checks", [])]
    if checks:
        lines += ["", *table(("Check", "State", "What was found"), checks)]
    if made and made[-1].kind == promotions.OVERRULED:
        lines += ["", "It was made champion by overruling the gate."]
    return "\n".join(lines)


def _won(now: Standing) -> str:
    return (
        f"It wins {now.rate.rate:.0%} of {now.rate.units:,} prompts that trained neither model, by {now.votes:,} blind "
        f"votes. The 95 % interval holds at every look: {now.rate.low:.0%} to {now.rate.high:.0%}."
    )


def _agreement(store: Store, turn: Round | None, now: Standing | None) -> str:
    """How well those who judged it agreed."""
    if turn is None or turn.measuring_study_id is None or now is None or not now.votes:
        return ""
    found = agreement(store, get_study(store, turn.measuring_study_id).name)
    alpha, low, high = (found.coefficients.get(name) for name in ("krippendorff_alpha", "low", "high"))
    people = f"{found.annotators} {'person' if found.annotators == 1 else 'people'} judged {found.items:,} comparisons"
    if alpha is None:
        return f"## Agreement\n\n{people}. These votes do not determine Krippendorff's alpha."
    within = f" (95 %: {low:.2f} to {high:.2f})" if low is not None and high is not None else ""
    return f"## Agreement\n\n{people}. Krippendorff's alpha is {alpha:.2f}{within}."


def _measured(store: Store, model: Model) -> str:
    """What was measured of a mixture; a trained model's own card says it already."""
    mixed = blend_of(store, model.id)
    if mixed is None or not mixed.evaluation:
        return ""
    lines: list[str] = []
    changes = {name: one for name, one in (mixed.evaluation.get("forgetting") or {}).items() if one}
    if changes:
        rows = [(name, f"{one['before']} before, {one['after']} after") for name, one in changes.items()]
        lines += ["## Forgetting (loss per token)", "", *table(("On", "Loss"), rows), ""]
    canaries: Sequence[Mapping[str, Any]] = mixed.evaluation.get("canaries") or []
    if canaries:
        said = [(str(one["prompt"]), f"before: {one['before']} / after: {one['after']}") for one in canaries]
        lines += ["## Canary prompts", "", *table(("Prompt", "Answers"), said)]
    return "\n".join(lines)


def _licence(licence: str) -> str:
    said = licence or "Nobody has stated a licence for these weights. Ask before you use them; the base's holds too."
    return f"## Licence\n\n{said}"
