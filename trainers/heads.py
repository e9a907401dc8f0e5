"""A linear head on frozen features: its labels, its training, its files.

Features are standardised while the head is trained; mean and spread are then folded into its weights, so that a saved
head is one matrix. Weights start at zero and rows are shuffled by the run's seed: the same run gives the same head.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from storage.errors import BadInput
from storage.home import read_json, write_json
from storage.specs.classify import NOT, ONE_TAG, TAGS
from trainers.failures import RunFailed

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS, SETTINGS = "head.safetensors", "classifier.json"
_FEW = 10  # so many different numbers may still be names of classes


class Labelled(NamedTuple):
    """Rows that have a label. `wanted`: the label's place or the number of each; `labels`: none for numbers."""

    ids: list[str]
    texts: list[str]
    wanted: list[float]
    labels: list[str]
    left_out: int


class Head(NamedTuple):
    """A matrix from features to one number for each label, or to one number. `shift`, `factor`: back to its scale."""

    weight: "Tensor"
    bias: "Tensor"
    labels: list[str]
    shift: float = 0.0
    factor: float = 1.0


class Verdict(NamedTuple):
    """What a head says of a text: a label with its probability, or no label and a number."""

    label: str | None
    score: float


def read_labelled(rows: Sequence[Mapping[str, Any]], options: Any, labels: list[str] | None = None) -> Labelled:
    """The rows that have a label; `labels`: those that are known already, others are left out.

    Raises RunFailed where there is nothing to tell apart.
    """
    found = [(str(row["id"]), str(row["text"]), _label_of(json.loads(row["told"]), options)) for row in rows]
    kept = [(name, text, value) for name, text, value in found if value is not None]
    if labels is None:
        labels = _names([value for _, _, value in kept], options)
    if labels:
        places = {label: float(at) for at, label in enumerate(labels)}
        kept = [(name, text, places[str(value)]) for name, text, value in kept if str(value) in places]
    wanted = [float(value) for _, _, value in kept]
    return Labelled([one[0] for one in kept], [one[1] for one in kept], wanted, labels, len(rows) - len(kept))


def _label_of(told: Mapping[str, Any], options: Any) -> Any:
    """A row's label as it stands in its tags or metadata; None where it has none, or several."""
    tags = [str(tag) for tag in told["tags"]]
    among = [word.strip() for word in options.among.split(",") if word.strip()]
    if options.label.startswith(ONE_TAG):
        name = options.label.removeprefix(ONE_TAG).strip()
        return name if name in tags else f"{NOT}{name}"
    if options.label == TAGS:
        counted = [tag for tag in tags if not among or tag in among]
        return counted[0] if len(counted) == 1 else None
    value: Any = told["metadata"]
    for part in options.label.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        value = str(value).lower()
    if not isinstance(value, str | int | float):
        return None
    return value if not among or str(value) in among else None


def _names(values: Sequence[Any], options: Any) -> list[str]:
    """The labels in alphabetical order; none where a number is learnt."""
    if not values:
        raise RunFailed(
            "no-rows",
            f'No row has a label in "{options.label}".',
            "Set label to tags, to tag:NAME, or to the name of a metadata field that these rows have.",
        )
    different = Counter(map(str, values))
    numbers = all(isinstance(value, int | float) and math.isfinite(value) for value in values)
    if options.target == "number" and not numbers:
        raise BadInput(f'"{options.label}" holds words such as "{values[0]}", so no number can be learnt from it.')
    if len(different) < 2:
        raise RunFailed(
            "no-difference",
            f'All {len(values)} rows have the same label, "{values[0]}", so there is nothing to tell apart.',
            "Add rows with another label.",
        )
    if options.target == "number" or (options.target == "auto" and numbers and len(different) > _FEW):
        return []
    return sorted(different)


class Training(NamedTuple):
    """The state of a head's training after a step. `loss`: of the step; `head`: as it is now."""

    step: int
    steps: int
    loss: float
    head: Head


def train_head(features: "Tensor", rows: Labelled, options: Any) -> Iterator[Training]:
    """Train by AdamW with a cosine schedule, one step at each turn; the last turn's head is the result."""
    import torch

    mean, spread = features.mean(0), features.std(0).clamp(min=1e-6)
    inputs = (features - mean) / spread
    wanted = torch.tensor(rows.wanted)
    shift, factor = (0.0, 1.0) if rows.labels else (float(wanted.mean()), float(wanted.std().clamp(min=1e-9)))
    width = len(rows.labels) or 1
    weight = torch.zeros(width, inputs.shape[1], requires_grad=True)
    bias = torch.zeros(width, requires_grad=True)
    groups = [{"params": [weight], "weight_decay": options.weight_decay}, {"params": [bias], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=options.learning_rate)
    per_epoch = math.ceil(len(wanted) / options.batch_size)
    steps = options.max_steps or max(1, math.ceil(options.epochs * per_epoch))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    shuffled = torch.Generator().manual_seed(options.seed)
    for step in range(steps):
        if step % per_epoch == 0:
            order = torch.randperm(len(wanted), generator=shuffled)
        batch = order[(step % per_epoch) * options.batch_size :][: options.batch_size]
        loss = _loss(inputs[batch] @ weight.T + bias, (wanted[batch] - shift) / factor, bool(rows.labels))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        folded = (weight / spread).detach()
        head = Head(folded, (bias - folded @ mean).detach(), rows.labels, shift, factor)
        yield Training(step + 1, steps, float(loss.detach()), head)


def _loss(given: "Tensor", wanted: "Tensor", classes: bool) -> "Tensor":
    from torch.nn.functional import cross_entropy, mse_loss

    return cross_entropy(given, wanted.long()) if classes else mse_loss(given[:, 0], wanted)


def judge(head: Head, features: "Tensor") -> list[Verdict]:
    """What the head says of each row of features."""
    given = features @ head.weight.T + head.bias
    if not head.labels:
        return [Verdict(None, value * head.factor + head.shift) for value in given[:, 0].tolist()]
    best = given.softmax(-1).max(-1)
    pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return [Verdict(head.labels[at], probability) for at, probability in pairs]


def measure(head: Head, features: "Tensor", rows: Labelled) -> dict[str, float]:
    """Loss, and the share of right labels (with what the commonest label alone would get), or the mean error."""
    import torch

    wanted = torch.tensor(rows.wanted)
    given = features @ head.weight.T + head.bias
    loss = float(_loss(given, (wanted - head.shift) / head.factor, bool(head.labels)))
    said = judge(head, features)
    if head.labels:
        right = [head.labels.index(str(one.label)) == int(value) for one, value in zip(said, rows.wanted, strict=True)]
        commonest = max(Counter(rows.wanted).values())
        return {"loss": loss, "accuracy": sum(right) / len(right), "commonest": commonest / len(right)}
    errors = [abs(one.score - value) for one, value in zip(said, rows.wanted, strict=True)]
    usual = [abs(head.shift - value) for value in rows.wanted]
    return {"loss": loss, "mean_error": sum(errors) / len(errors), "mean_error_of_the_mean": sum(usual) / len(usual)}


def by_label(head: Head, features: "Tensor", rows: Labelled) -> list[dict[str, Any]]:
    """For each label how many rows have it, how many of them are found, and how many of those named so are right."""
    said = [one.label for one in judge(head, features)]
    true = [head.labels[int(value)] for value in rows.wanted]
    lines = []
    for label in head.labels:
        right = sum(one == other == label for one, other in zip(said, true, strict=True))
        has, named = true.count(label), said.count(label)
        lines.append(
            {"name": label, "rows": has, "recall": right / has if has else None,
             "precision": right / named if named else None}
        )  # fmt: skip
    return lines


def save_head(folder: Path, head: Head, settings: Mapping[str, Any]) -> None:
    """Write the head's files into a folder; `settings`: how texts become features."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file({"weight": head.weight.contiguous(), "bias": head.bias.contiguous()}, folder / WEIGHTS)
    write_json(folder / SETTINGS, {"labels": head.labels, "shift": head.shift, "factor": head.factor, **settings})


def load_head(folder: Path) -> tuple[Head, dict[str, Any]]:
    """A saved head and its settings; raises BadInput where the folder holds none."""
    from safetensors.torch import load_file

    settings = read_json(folder / SETTINGS)
    if settings is None or not (folder / WEIGHTS).is_file():
        raise BadInput(f"{folder} holds no classifier ({WEIGHTS} and {SETTINGS}).")
    weights = load_file(folder / WEIGHTS)
    head = Head(weights["weight"], weights["bias"], settings["labels"], settings["shift"], settings["factor"])
    return head, settings
