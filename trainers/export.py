"""A model on its way out: the adapter, the adapter merged into its base, or the full weights in float32.

    python -m trainers.export WISH.json      # the result as one JSON object on the last line of stdout

What was written is loaded again and must answer as the tested model does: the same five prompts, greedy, token by
token. Only then does it get its name, so that an export is whole and tested or not there. Merging is done in float32:
in bfloat16 it moved logits by 0.04.
"""

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from storage.errors import BadInput
from storage.weights import hash_files, safetensors_files
from trainers.wished import run_wish

FORMS = ("adapter", "merged", "full")
_ANSWER_TOKENS = 32
_FEWEST_SAME = 0.9
"""Share of tokens at least alike: bfloat16 turns a near tie now and then, a wrong merge loses them all."""


@dataclass(frozen=True)
class Export:
    """What is to be written. `adapter`: None for a model that is whole by itself; `form`: one of `FORMS`."""

    name: str
    base: str
    adapter: str | None
    form: str
    out: str


class SelfTest(NamedTuple):
    """How the written model answered beside the tested one. `agreement`: share of tokens that are alike."""

    prompts: int
    same_answers: int
    tokens: int
    agreement: float


def export(wish: Export) -> dict[str, Any]:
    """Write and test; raises BadInput where the form does not fit, the folder is taken, or the test fails."""
    import torch
    from transformers import AutoTokenizer

    out = Path(wish.out)
    _check(wish, out)
    fresh = out.with_name(f".{out.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    tokenizer = AutoTokenizer.from_pretrained(wish.base, trust_remote_code=False, local_files_only=True)
    try:
        with torch.no_grad():
            expected = _tested(wish, tokenizer)
            _write(wish, tokenizer, fresh)
            found = _compared(_written(wish, fresh), tokenizer, expected)
        if found.agreement < _FEWEST_SAME:
            raise BadInput(
                f'What was written of "{wish.name}" does not answer as the model does: {found.agreement:.0%} of '
                f"{found.tokens} tokens are alike. Nothing is kept; export it as an adapter instead."
            )
        if out.is_dir():  # an empty one, as checked
            out.rmdir()
        fresh.replace(out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    files = safetensors_files(out)
    return {
        "model": wish.name,
        "as": wish.form,
        "path": str(out),
        "bytes": sum(path.stat().st_size for path in out.rglob("*") if path.is_file()),
        "sha256": hash_files(files),
        "self_test": found._asdict(),
    }


def _check(wish: Export, out: Path) -> None:
    if wish.form not in FORMS:
        raise BadInput(f'A model is exported as {", ".join(FORMS)}, not as "{wish.form}".')
    if wish.form == "adapter" and wish.adapter is None:
        raise BadInput(f'"{wish.name}" is a whole model and no adapter; export it as merged or full.')
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f'"{out}" is there already; name a folder that does not exist.')
    out.parent.mkdir(parents=True, exist_ok=True)


class _Expected(NamedTuple):
    """Prompts with the tested model's answers as token ids; the answers begin at `start`."""

    ids: Any
    mask: Any
    start: int
    answers: list[str]


def _tested(wish: Export, tokenizer: Any) -> _Expected:
    """What the tested model answers: the adapter beside its base, not merged, as the engine answers."""
    from peft import PeftModel

    from trainers.asking import encoded
    from trainers.whole import load_exactly

    model = load_exactly(Path(wish.base))
    if wish.adapter:
        model = PeftModel.from_pretrained(model, wish.adapter, torch_device="cpu")
    inputs = encoded(tokenizer, _prompts())
    ids = _generate(model.eval(), inputs, tokenizer)
    start = inputs["input_ids"].shape[1]
    return _Expected(ids, inputs["attention_mask"], start, _texts(ids, start, tokenizer))


def _prompts() -> list[list[dict[str, Any]]]:
    from trainers.canaries import BUILT_IN

    return [[{"role": "user", "content": text}] for text in BUILT_IN[:5]]


def _generate(model: Any, inputs: Any, tokenizer: Any) -> Any:
    return model.generate(
        **inputs, max_new_tokens=_ANSWER_TOKENS, do_sample=False, use_cache=True, pad_token_id=tokenizer.pad_token_id
    )


def _texts(ids: Any, start: int, tokenizer: Any) -> list[str]:
    texts: list[str] = tokenizer.batch_decode(ids[:, start:], skip_special_tokens=True)
    return texts


def _write(wish: Export, tokenizer: Any, folder: Path) -> None:
    """Write the wished form with the model card, without paths of this machine."""
    from trainers.whole import load_exactly, save_whole

    base = Path(wish.base)
    if wish.form == "adapter":
        _copy_adapter(Path(wish.adapter or ""), base, folder)
        return
    model = load_exactly(base, (Path(wish.adapter),) if wish.adapter else ())
    if wish.form == "merged":
        save_whole(model, tokenizer, base, folder)
    else:
        model.save_pretrained(folder, safe_serialization=True)
        tokenizer.save_pretrained(folder)
    card = Path(wish.adapter or wish.base) / "README.md"
    if card.is_file():
        said = f"\n## Export\n\nWeights of the base with the adapter merged in float32, written as {wish.form}.\n"
        (folder / "README.md").write_text(card.read_text(encoding="utf-8") + said, encoding="utf-8")


def _copy_adapter(adapter: Path, base: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    for path in (*safetensors_files(adapter), adapter / "README.md"):
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = base.name
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")


def _written(wish: Export, folder: Path) -> Any:
    """What was written, loaded as whoever gets it will load it, computed in float32."""
    from peft import PeftModel

    from trainers.whole import load_exactly

    if wish.form != "adapter":
        return load_exactly(folder).eval()
    return PeftModel.from_pretrained(load_exactly(Path(wish.base)), str(folder), torch_device="cpu").eval()


def _compared(model: Any, tokenizer: Any, expected: _Expected) -> SelfTest:
    """The written model reads the tested one's answers and says at each place what it would say itself."""
    import torch

    ids, start = expected.ids, expected.start
    answers = ids[:, start:]
    said = (answers != tokenizer.pad_token_id).long()
    said[:, 0] = 1
    mask = torch.cat([expected.mask, torch.ones_like(answers)], dim=1)
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    guesses = model(input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False).logits[
        :, start - 1 : -1
    ]
    alike = ((guesses.argmax(dim=-1) == answers) & said.bool()).sum()
    inputs = {"input_ids": ids[:, :start], "attention_mask": expected.mask}
    own = _texts(_generate(model, inputs, tokenizer), start, tokenizer)
    same = sum(one == other for one, other in zip(own, expected.answers, strict=True))
    tokens = int(said.sum())
    return SelfTest(len(own), same, tokens, round(int(alike) / tokens, 4))


def main(argv: Sequence[str] | None = None) -> int:
    """Export what a file wishes for; the last line of stdout is the result or `{"error": sentence}`."""
    return run_wish("trainers.export", argv, lambda said: export(Export(**said)))


if __name__ == "__main__":
    sys.exit(main())
