"""Several adapters on one base mixed into one, by PEFT's `add_weighted_adapter`, and measured before it counts.

    python -m trainers.blend WISH.json      # the result as one JSON object on the last line of stdout

- linear: the weighted sum of the factors (rough where the adapters differ much).
- cat: the weighted sum of the products, exactly; its rank is the sum of all ranks.
- ties: small weights dropped, signs put to a vote, what agrees is added (https://arxiv.org/abs/2306.01708).
- dare_linear, dare_ties: weights dropped at random and the rest scaled up first (https://arxiv.org/abs/2311.03099);
  `seed` makes them come out alike.

What was written is read again, and that is what is measured: canary prompts and what was forgotten, in the shape of a
run's `evaluation.json`, so that the gate asks the same of a mixture as of anything that was trained.
"""

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from storage.blends import HOWS, THINNED
from storage.errors import BadInput
from storage.weights import hash_files
from trainers.wished import run_wish

_MIXED, _SAVED, _BEFORE = "mixed", "saved", "before"
_ANSWER_TOKENS = 32
_MOST_EARLIER, _LONGEST = 32, 1024
_NOISE = 1e-5  # of the largest logit: what float32 leaves of two products that cancel out


class Part(NamedTuple):
    """An adapter that goes in: the model's name, its folder, the weight that it gets."""

    name: str
    path: str
    weight: float


@dataclass(frozen=True)
class Mixture:
    """What is to be mixed. `out`: a folder that does not exist yet. `before`: the adapter that the mixture is measured
    against (the champion's), None for the base itself. `yardsticks`: a folder with `canaries.parquet` (else the
    built-in ones) and `earlier.parquet`, rows that must not be forgotten.
    """

    name: str
    base: str
    parts: tuple[Part, ...]
    how: str
    density: float
    seed: int
    out: str
    before: str | None
    yardsticks: str

    @classmethod
    def of(cls, said: dict[str, Any]) -> "Mixture":
        """A mixture from JSON."""
        return cls(**{**said, "parts": tuple(Part(**part) for part in said["parts"])})


def blend(wish: Mixture) -> dict[str, Any]:
    """Mix, write, read again and measure: `path, adapter_sha256, rank, max_logit_difference, evaluation`.

    Raises BadInput for adapters that cannot be mixed so, or where what comes out is broken; nothing is left then.
    """
    import torch
    from transformers import AutoTokenizer

    _check(wish)
    out = Path(wish.out)
    fresh = out.with_name(f".{out.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    tokenizer = AutoTokenizer.from_pretrained(wish.base, trust_remote_code=False, local_files_only=True)
    try:
        with torch.no_grad():
            model = _mixed(wish)
            rank = _write(model, wish, fresh)
            sides = _Sides(model, tokenizer, wish, fresh)
            difference = sides.difference()
            found = _evaluation(sides, Path(wish.yardsticks))
        fresh.replace(out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return {
        "path": str(out),
        "adapter_sha256": hash_files([out / "adapter_model.safetensors"]),
        "rank": rank,
        "max_logit_difference": difference,
        "evaluation": found,
    }


def _check(wish: Mixture) -> None:
    if wish.how not in HOWS:
        raise BadInput(f'Models are mixed by {", ".join(HOWS)}, not by "{wish.how}".')
    if len(wish.parts) < 2:
        raise BadInput("Name at least two adapters to mix.")
    if Path(wish.out).exists():
        raise BadInput(f'"{wish.out}" is there already; choose another name.')


def _mixed(wish: Mixture) -> Any:
    """The base in float32 with all parts on it, and the mixture as one more adapter."""
    import torch
    from peft import PeftModel

    from trainers.whole import load_exactly

    names = [f"part-{place}" for place in range(len(wish.parts))]
    model = PeftModel.from_pretrained(
        load_exactly(Path(wish.base)), wish.parts[0].path, adapter_name=names[0], torch_device="cpu"
    )
    for name, part in zip(names[1:], wish.parts[1:], strict=True):
        model.load_adapter(part.path, adapter_name=name, torch_device="cpu")
    torch.manual_seed(wish.seed)
    thinned = {"density": wish.density} if wish.how in THINNED else {}
    model.add_weighted_adapter(
        names, [part.weight for part in wish.parts], _MIXED, combination_type=wish.how, **thinned
    )
    # Each part's scale is in its factors by now, and alpha is the rank; only the square root of rsLoRA, which PEFT
    # takes over from the first part, would scale it once more.
    model.peft_config[_MIXED].use_rslora = False
    return model.eval()


def _write(model: Any, wish: Mixture, folder: Path) -> int:
    """Weights, configuration and card; returns the rank. Raises BadInput where a number is not finite."""
    config = model.peft_config[_MIXED]
    passing = folder.with_name(f"{folder.name}-parts")
    shutil.rmtree(passing, ignore_errors=True)
    try:
        model.save_pretrained(passing, selected_adapters=[_MIXED], safe_serialization=True)
        (passing / _MIXED).replace(folder)
    finally:
        shutil.rmtree(passing, ignore_errors=True)
    _refuse_ruined(folder / "adapter_model.safetensors", wish)
    (folder / "README.md").write_text(card(wish, int(config.r)), encoding="utf-8")
    return int(config.r)


def _refuse_ruined(weights: Path, wish: Mixture) -> None:
    from safetensors.torch import load_file

    for name, tensor in load_file(weights).items():
        if not bool(tensor.isfinite().all()):
            raise BadInput(
                f'"{wish.name}" would be ruined: {name} holds numbers that are not finite. Mix with smaller weights.'
            )


def card(wish: Mixture, rank: int) -> str:
    """The model card: what was mixed, and how."""
    from trainers.card import table

    base = Path(wish.base).name
    thinned = {"Density": wish.density} if wish.how in THINNED else {}
    seeded = {"Seed": wish.seed} if wish.how.startswith("dare") else {}
    facts = {"Base": base, "Mixed by": wish.how, **thinned, **seeded, "Rank": rank}
    lines = [
        "---",
        f"library_name: {json.dumps('peft')}",
        f"base_model: {json.dumps(base, ensure_ascii=False)}",
        f"tags: {json.dumps(['lora', 'merge', 'ratchet'])}",
        "---",
        "",
        f"# {wish.name}",
        "",
        f"A LoRA adapter on {base}, mixed from {len(wish.parts)} others by Ratchet.",
        "",
        *table("What", "Value", facts),
        "",
        "## Parts",
        "",
        *table("Model", "Weight", {part.name: f"{part.weight:g}" for part in wish.parts}),
        "",
    ]
    return "\n".join(lines)


class _Sides:
    """The mixture as it was written, and what it is measured against, on one base in memory."""

    def __init__(self, model: Any, tokenizer: Any, wish: Mixture, folder: Path) -> None:
        self.model, self.tokenizer, self._wish = model, tokenizer, wish
        model.load_adapter(str(folder), adapter_name=_SAVED, torch_device="cpu")
        if wish.before:
            model.load_adapter(wish.before, adapter_name=_BEFORE, torch_device="cpu")
        model.set_adapter(_SAVED)
        model.eval()

    @contextmanager
    def before(self) -> Iterator[Any]:
        """What the mixture is measured against."""
        if self._wish.before is None:
            with self.model.disable_adapter():
                yield self.model
            return
        self.model.set_adapter(_BEFORE)
        try:
            yield self.model
        finally:
            self.model.set_adapter(_SAVED)

    def difference(self) -> float:
        """The largest difference of logits from the base; raises BadInput where there is none, or no number."""
        import torch

        from trainers.asking import encoded

        inputs = encoded(self.tokenizer, [[{"role": "user", "content": "Hello, who are you?"}]])
        mine = self.model(**inputs, use_cache=False).logits
        with self.model.disable_adapter():
            plain = self.model(**inputs, use_cache=False).logits
        if not bool(torch.isfinite(mine).all()):
            raise BadInput(f'"{self._wish.name}" would compute numbers that are not finite. Mix with smaller weights.')
        found = float((mine - plain).abs().max())
        if found <= _NOISE * (1 + float(plain.abs().max())):
            raise BadInput(f'"{self._wish.name}" would answer exactly as its base: the weights cancel out.')
        return round(found, 6)


def _evaluation(sides: _Sides, yardsticks: Path) -> dict[str, Any]:
    """What the gate asks: canaries, and the loss on what must not be forgotten, before and after."""
    from trainers.asking import ask
    from trainers.canaries import Canaries, canary_prompts
    from trainers.references import Reference, references

    prompts = canary_prompts(yardsticks)
    after = ask(sides.model, sides.tokenizer, prompts, _ANSWER_TOKENS)
    with sides.before() as model:
        before = ask(model, sides.tokenizer, prompts, _ANSWER_TOKENS)
    with sides.model.disable_adapter():
        base = ask(sides.model, sides.tokenizer, prompts, _ANSWER_TOKENS)
    own = [
        Reference(str(at), prompt, [{"role": "assistant", "content": text}])
        for at, (prompt, text) in enumerate(zip(prompts, base, strict=True))
        if text.strip()
    ]
    earlier = references(_earlier(yardsticks))
    return {
        "held_out": None,
        "by": {},
        "canaries": Canaries(prompts, before, after, base).to_json(),
        "forgetting": {"earlier": _change(sides, earlier), "base_answers": _change(sides, own)},
        "best": None,
        "stopped_early": False,
    }


def _earlier(folder: Path) -> list[dict[str, Any]]:
    """An even sample of the rows that must not be forgotten."""
    from storage.runs import thaw_rows

    path = folder / "earlier.parquet"
    rows = thaw_rows(path) if path.is_file() else []
    return rows[:: max(1, len(rows) // _MOST_EARLIER)][:_MOST_EARLIER]


def _change(sides: _Sides, wanted: Sequence[Any]) -> dict[str, Any] | None:
    """The loss per token on answers, before and after; None where there is nothing to ask."""
    from trainers.references import likelihoods, mean_loss

    if not wanted:
        return None
    after = mean_loss(likelihoods(sides.model, sides.tokenizer, wanted, _LONGEST))
    with sides.before() as model:
        before = mean_loss(likelihoods(model, sides.tokenizer, wanted, _LONGEST))
    return None if after is None or before is None else {"before": before, "after": after, "rows": len(wanted)}


def main(argv: Sequence[str] | None = None) -> int:
    """Mix what a file wishes for; the last line of stdout is the result or `{"error": sentence}`."""
    return run_wish("trainers.blend", argv, lambda said: blend(Mixture.of(said)))


if __name__ == "__main__":
    sys.exit(main())
