"""What a classifier's run keeps: features that were read, the head, its card, and what it gets right."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from storage.clock import now
from storage.home import write_json
from storage.weights import hash_files
from trainers.adapter import sync_folder
from trainers.checkpoints import sync
from trainers.failures import RunFailed
from trainers.features import Reader, read
from trainers.heads import WEIGHTS, Head, Labelled, Training, by_label, judge, load_head, measure, save_head
from trainers.run import Run, Stopped

if TYPE_CHECKING:
    from torch import Tensor

_FEATURES = "features.safetensors"
_SAMPLES = 3


class Outcome(NamedTuple):
    """The end of a training: its last state, the rows with their features, and when the first step was done."""

    state: Training
    learnt: Labelled
    held: Labelled
    mine: "Tensor"
    theirs: "Tensor"
    first_step_at: float | None


def features_of(run: Run, reader: Reader, texts: list[str]) -> "Tensor":
    """Features of the run's texts: read once, then kept whole or not at all."""
    from safetensors.torch import load_file, save_file

    path = run.folder / _FEATURES
    if not path.exists():
        options = run.options
        found = read(
            reader, texts, options.max_length, options.pooling, lambda done, of: run.phase("reading", done, of)
        )
        fresh = path.with_suffix(".new")
        save_file({"features": found}, fresh)
        sync(fresh)
        fresh.replace(path)
    kept: Tensor = load_file(path)["features"]
    return kept


def finish_head(run: Run, outcome: Outcome) -> None:
    """Save the head, measure it, load it anew, and end the run where it says what it was trained to say."""
    state = outcome.state
    run.phase("saving", state.step, state.steps)
    found = _evaluation(outcome)
    _save(run, state.head, found)
    if run.stop_requested:
        raise Stopped
    write_json(run.folder / "evaluation.json", found)
    run.event("evaluation", **found)
    run.phase("probing", state.step, state.steps)
    probe = _probe(run, outcome)
    held = {f"held_out_{name}": value for name, value in found["held_out"].items()} if found["held_out"] else {}
    began = outcome.first_step_at
    run.done(
        seconds_to_first_step=round(began - run.started, 3) if began else None,
        metrics={"loss": state.loss, **held},
        probe=probe,
        adapter_sha256=hash_files([run.adapter / WEIGHTS]),
        labels=state.head.labels,
    )


def _evaluation(outcome: Outcome) -> dict[str, Any]:
    head, held = outcome.state.head, outcome.held
    if not held.texts:
        return {"held_out": None, "by": {}}
    labels = {"label": by_label(head, outcome.theirs, held)} if head.labels else {}
    return {"held_out": {**measure(head, outcome.theirs, held), "rows": len(held.texts)}, "by": labels}


def _save(run: Run, head: Head, found: dict[str, Any]) -> None:
    """The head's folder, whole or not at all."""
    import shutil

    options = run.options
    fresh = run.folder / "adapter.new"
    shutil.rmtree(fresh, ignore_errors=True)
    settings = {"label": options.label, "pooling": options.pooling, "max_length": options.max_length,
                "on_adapter": run.spec.adapter_path is not None}  # fmt: skip
    save_head(fresh, head, settings)
    (fresh / "README.md").write_text(_card(run, head, found), encoding="utf-8")
    sync_folder(fresh)
    shutil.rmtree(run.adapter, ignore_errors=True)
    fresh.replace(run.adapter)


def _card(run: Run, head: Head, found: dict[str, Any]) -> str:
    """The model card, with the whole recipe."""
    what = f"one of {', '.join(head.labels)}" if head.labels else "a number"
    return "\n".join(
        [
            "---", f"base_model: {json.dumps(Path(run.spec.base_path).name)}", "tags: [classifier, ratchet]", "---", "",
            f"# {run.spec.name}", "",
            f"A linear head on the frozen {Path(run.spec.base_path).name}: says of a text {what}.", "",
            "## Held-out rows", "", "```json", json.dumps(found, indent=1, ensure_ascii=False), "```", "",
            "## Recipe", "", "```json", run.spec.to_json(), "```", "", f"Made at {now():.0f} (seconds since 1970).", "",
        ]
    )  # fmt: skip


def _probe(run: Run, outcome: Outcome) -> dict[str, Any]:
    """The saved head says the same as the trained one; raises RunFailed where it does not."""
    import torch

    saved, _ = load_head(run.adapter)
    head, rows = outcome.state.head, outcome.learnt
    if not bool(torch.isfinite(saved.weight).all()):
        raise RunFailed(
            "not-finite", "The finished head computes numbers that are not finite.",
            "Start the job again with a lower learning_rate.",
        )  # fmt: skip
    if judge(saved, outcome.mine) != judge(head, outcome.mine):
        raise RunFailed(
            "not-saved",
            "The saved head does not say what the trained one says.",
            "Check the disk; start the job again.",
        )
    for text, verdict in zip(rows.texts[:_SAMPLES], judge(saved, outcome.mine[:_SAMPLES]), strict=True):
        run.event("sample", prompt=text, text=f"{verdict.label or ''} {verdict.score:.3f}".strip())
    return {"finite": True}
