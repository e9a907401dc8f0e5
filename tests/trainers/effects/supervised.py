"""What SFT and continued pretraining do to the starter, and that replay holds off forgetting on the same seeds."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any

from storage.runs import freeze_rows
from storage.specs.advice import advise
from storage.weights import count_weights
from tests.trainers import building, loop
from trainers.grammar.language import invented

STARTER = Path(__file__).resolve().parents[3] / "static" / "starter" / "model"
Row = dict[str, Any]


def taught(folder: Path, seed: int = 0) -> dict[str, Any]:
    """Sixty examples of facts that nobody knows: share of held-out wordings that are answered word for word."""
    facts = loop.badges(seed)
    before = loop.exact_match(*loop.load(STARTER), facts.held_out)
    adapter = _train(folder / "run", "sft", facts.rows, {"seed": seed})
    after = loop.exact_match(*loop.load(STARTER, adapter), facts.held_out)
    met = before < 0.1 and after > 0.6
    return {"before": before, "after": after, "measure": "new facts known", "better": "higher", "met": met}


def read_texts(folder: Path, seed: int = 0) -> dict[str, Any]:
    """A chronicle of 120 sentences: loss on sentences of it that nobody trained on, and how little replay costs."""
    found = forgot_texts(folder, seed)
    before, after = found["new"]["before"], found["new"]["with"]
    met = after < 0.6 * before
    return {"before": before, "after": after, "measure": "loss on unseen texts", "better": "lower", "met": met}


def forgot_texts(folder: Path, seed: int = 0) -> dict[str, Any]:
    """How much the loss on the starter's own conversations rises by pretraining, without and with replay."""
    sentences = chronicle(160, seed)
    rows = [{"id": f"text-{at}", "text": text} for at, text in enumerate(sentences[:120])]
    talks = loop.starter_examples(400)
    old = talks[300:360]
    new = [{"id": f"held-{at}", "text": text} for at, text in enumerate(sentences[120:])]
    replay = [{"id": row["id"], "text": None, "messages": row["messages"]} for row in talks[:300]]
    runs = {
        "without": _train(folder / "without", "pretrain", rows, {"seed": seed}),
        "with": _train(folder / "with", "pretrain", rows, {"seed": seed, "replay_share": 0.3}, replay),
    }
    losses = {name: {when: loss_of(one, kind) for when, one in {"before": None, **runs}.items()}
              for name, kind in (("old", old), ("new", new))}  # fmt: skip
    return {**_forgot(losses["old"]), **losses}


def forgot_talks(folder: Path, seed: int = 0) -> dict[str, Any]:
    """How much the loss on the starter's own conversations rises by SFT on other facts, without and with replay."""
    facts = loop.badges(seed)
    talks = loop.starter_examples(400)
    old = talks[300:360]
    options = {"seed": seed, "epochs": 20, "learning_rate": 1e-3}
    runs = {
        "without": _train(folder / "without", "sft", facts.rows, options),
        "with": _train(folder / "with", "sft", facts.rows, {**options, "replay_share": 0.5}, talks[:300]),
    }
    losses = {when: loss_of(one, old) for when, one in {"before": None, **runs}.items()}
    known = loop.exact_match(*loop.load(STARTER, runs["with"]), facts.held_out)
    return {**_forgot(losses, 0.7), "old": losses, "known": known}


def _forgot(losses: Mapping[str, float], most: float = 0.5) -> dict[str, Any]:
    """Forgetting as the rise of the loss on what was known; replay must bring it below `most` of what it was."""
    without, with_replay = (losses[name] - losses["before"] for name in ("without", "with"))
    met = without > 0.02 and with_replay < most * without
    return {
        "before": without,
        "after": with_replay,
        "measure": "loss gained on earlier data",
        "better": "lower",
        "met": met,
    }


def _train(
    folder: Path, method: str, rows: Sequence[Row], options: Mapping[str, Any], replay: Sequence[Row] = ()
) -> Path:
    """A run with the advised options and those given; returns its adapter."""
    advised = advise(method, count_weights(STARTER), len(rows)).options
    building.make_run(folder, method, STARTER, rows, options={**advised, "held_out": 0.0, **options})
    if replay:
        freeze_rows(folder / "replay.parquet", replay)
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    return folder / "adapter"


def chronicle(count: int, seed: int) -> list[str]:
    """Sentences of a world that the starter never read of."""
    rng = Random(seed)
    names = [invented(rng).capitalize() for _ in range(12)]
    things = ("salt", "silk", "copper", "honey", "amber", "cedar")
    return [
        f"In the year {rng.randint(200, 900)} captain {rng.choice(names)} sailed from {rng.choice(names)} to "
        f"{rng.choice(names)} and sold {rng.randint(2, 90)} barrels of {rng.choice(things)} to the old king."
        for _ in range(count)
    ]


def loss_of(adapter: Path | None, rows: Sequence[Row]) -> float:
    """Mean loss in nats: on the tokens of texts, on the assistant's tokens of conversations."""
    import torch

    from trainers.data import prepare_conversations, read_conversations
    from trainers.data_texts import prepare_texts, read_texts

    model, tokenizer = loop.load(STARTER, adapter)
    if "text" in rows[0]:
        prepared = prepare_texts(tokenizer, read_texts(rows), 512).rows
    else:
        prepared = prepare_conversations(tokenizer, read_conversations(rows), "assistant", 512).rows
    model.eval()
    total = count = 0.0
    with torch.no_grad():
        for row in prepared:
            learnt = sum(label != -100 for label in row["labels"][1:])
            total += learnt * float(model(**{name: torch.tensor([ids]) for name, ids in row.items()}).loss)
            count += learnt
    return total / count


EFFECTS: Mapping[str, Callable[[Path], dict[str, Any]]] = MappingProxyType(
    {"sft": taught, "sft/replay": forgot_talks, "pretrain": read_texts, "pretrain/replay": forgot_texts}
)
