"""The model card: what was made from what and how, and what was found of it, beside the weights as README.md."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storage.specs.options import option_fields
from storage.specs.registry import method_named
from storage.specs.run import RunSpec
from trainers.tunings import ADAPTER, artefact_of, tuning_of


def write_card(
    folder: Path,
    spec: RunSpec,
    metrics: Mapping[str, float],
    rows: int,
    evaluation: Mapping[str, Any] | None = None,
) -> Path:
    """Write README.md; `metrics`: as of the last step, `rows`: trained on after those left out."""
    path = folder / "README.md"
    fresh = path.with_suffix(".new")
    fresh.write_text(card(spec, metrics, rows, evaluation), encoding="utf-8")
    return fresh.replace(path)


def card(spec: RunSpec, metrics: Mapping[str, float], rows: int, evaluation: Mapping[str, Any] | None = None) -> str:
    """The card as Markdown with the front matter that model hubs read."""
    base = Path(spec.base_path).name
    parent = Path(spec.adapter_path).name if spec.adapter_path else "none: a fresh adapter"
    title = method_named(spec.method).title
    adapter = artefact_of(spec) == ADAPTER
    front = {
        "library_name": "peft" if adapter else "transformers",
        "base_model": base,
        "tags": [*(["lora"] if adapter else []), "trl", spec.method, "ratchet"],
    }
    lines = [
        "---",
        *(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in front.items()),
        "---",
        "",
        f"# {spec.name}",
        "",
        f"{'A LoRA adapter on' if adapter else 'A model from'} {base}, made with {title} by Ratchet.",
        "",
        *table("What", "Value", _facts(spec, parent, rows)),
        "",
        "## Options",
        "",
        *table("Option", "Value", _options(spec)),
        "",
        "## Metrics of the last step",
        "",
        *table("Metric", "Value", metrics),
        "",
        *_findings(evaluation or {}),
    ]
    return "\n".join(lines)


def _options(spec: RunSpec) -> dict[str, Any]:
    """Every option of the run, those left at their defaults too: the whole recipe."""
    known = {item.name: item.default for item in option_fields(method_named(spec.method).options)}
    return {**known, **spec.options}


def _findings(evaluation: Mapping[str, Any]) -> list[str]:
    """Sections with what was measured after the run."""
    lines: list[str] = []
    if held := evaluation.get("held_out"):
        lines += ["## Held-out rows", "", *table("Measure", "Value", held), ""]
    for kind, groups in (evaluation.get("by") or {}).items():
        if groups:
            values = {f"{group['name']} ({group['rows']} rows)": group["loss"] for group in groups}
            lines += [f"## Held-out loss by {kind}", "", *table(kind.capitalize(), "Loss", values), ""]
    changes = {name: value for name, value in (evaluation.get("forgetting") or {}).items() if value}
    if changes:
        values = {name: f"{value['before']} before, {value['after']} after" for name, value in changes.items()}
        lines += ["## Forgetting (loss per token)", "", *table("On", "Loss", values), ""]
    if canaries := evaluation.get("canaries"):
        said = {one["prompt"]: f"before: {one['before']} / after: {one['after']}" for one in canaries}
        lines += ["## Canary prompts", "", *table("Prompt", "Answers", said), ""]
    return lines


def _facts(spec: RunSpec, parent: str, rows: int) -> dict[str, Any]:
    reference = {} if spec.method == "sft" else {"Reference": "the adapter before" if spec.adapter_path else "the base"}
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(spec.libraries.items()))
    return {
        "Method": spec.method,
        "Base": Path(spec.base_path).name,
        "Base SHA-256": spec.base_sha256 or "unknown",
        "Adapter continued": parent,
        "Start": spec.start if spec.adapter_path else "fresh",
        "Tuning": tuning_of(spec),
        **reference,
        "Rows trained on": rows,
        "Data SHA-256": spec.data_sha256 or "unknown",
        **{f"Rows to {name} SHA-256": sha256 for name, sha256 in sorted(spec.extras.items())},
        **({"Teacher": spec.teacher.get("name")} if spec.teacher else {}),
        **({"Reward models": ", ".join(str(one.get("name")) for one in spec.rewards)} if spec.rewards else {}),
        "Seed": spec.seed,
        "Job": spec.job,
        "Libraries": libraries or "unknown",
    }


def table(left: str, right: str, values: Mapping[str, Any]) -> list[str]:
    """Names and values as a table in Markdown; no value can break out of its cell."""
    rows = [f"| {_cell(name)} | {_cell(value)} |" for name, value in values.items()]
    return [f"| {left} | {right} |", "|---|---|", *rows]


def _cell(value: Any) -> str:
    """A value that cannot break out of its cell or be read as HTML."""
    text = str(value).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
    return " ".join(text.split())
