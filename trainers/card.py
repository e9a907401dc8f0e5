"""The model card of an adapter: what it was made from and how, beside its weights as README.md."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storage.specs.registry import method_named
from storage.specs.run import RunSpec


def write_card(folder: Path, spec: RunSpec, metrics: Mapping[str, float], rows: int) -> Path:
    """Write README.md; `metrics`: as of the last step, `rows`: trained on after those left out."""
    path = folder / "README.md"
    path.write_text(card(spec, metrics, rows), encoding="utf-8")
    return path


def card(spec: RunSpec, metrics: Mapping[str, float], rows: int) -> str:
    """The card as Markdown with the front matter that model hubs read."""
    base = Path(spec.base_path).name
    parent = Path(spec.adapter_path).name if spec.adapter_path else "none: a fresh adapter"
    title = method_named(spec.method).title
    front = {"library_name": "peft", "base_model": base, "tags": ["lora", "trl", spec.method, "ratchet"]}
    lines = [
        "---",
        *(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in front.items()),
        "---",
        "",
        f"# {spec.name}",
        "",
        f"A LoRA adapter on {base}, made with {title} by Ratchet.",
        "",
        *_table("What", "Value", _facts(spec, parent, rows)),
        "",
        "## Options",
        "",
        *_table("Option", "Value", spec.options),
        "",
        "## Metrics of the last step",
        "",
        *_table("Metric", "Value", metrics),
        "",
    ]
    return "\n".join(lines)


def _facts(spec: RunSpec, parent: str, rows: int) -> dict[str, Any]:
    reference = {} if spec.method == "sft" else {"Reference": "the adapter before" if spec.adapter_path else "the base"}
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(spec.libraries.items()))
    return {
        "Method": spec.method,
        "Base": Path(spec.base_path).name,
        "Base SHA-256": spec.base_sha256 or "unknown",
        "Adapter continued": parent,
        **reference,
        "Rows trained on": rows,
        "Data SHA-256": spec.data_sha256 or "unknown",
        "Seed": spec.seed,
        "Job": spec.job,
        "Libraries": libraries or "unknown",
    }


def _table(left: str, right: str, values: Mapping[str, Any]) -> list[str]:
    rows = [f"| {_cell(name)} | {_cell(value)} |" for name, value in values.items()]
    return [f"| {left} | {right} |", "|---|---|", *rows]


def _cell(value: Any) -> str:
    """A value that cannot break out of its cell or be read as HTML."""
    text = str(value).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
    return " ".join(text.split())
