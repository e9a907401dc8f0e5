"""A model on its way out: as an adapter, merged, for TRL and PEFT, for Ollama, for llama.cpp.

    python -m trainers.export WISH.json      # the result as one JSON object on the last line of stdout

What was written is loaded again and must answer as the tested model does: the same five prompts, greedy, token by
token. Only then does it get its name, so that an export is whole and tested or not there. Merging is done in float32:
in bfloat16 it moved logits by 0.04.
"""

import json
import shutil
import sys
from collections.abc import Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.errors import BadInput
from storage.home import read_json
from storage.leaving import BASE_FILES, FORMS, OF_ADAPTERS
from storage.weights import hash_files, safetensors_files
from trainers.self_test import Expected, SelfTest, compared, compared_texts, tested
from trainers.wished import run_wish

_FEWEST_SAME = 0.9
"""Share of tokens at least alike: bfloat16 turns a near tie now and then, a wrong merge loses them all."""
_FEWEST_SAME_ALONE = 0.5
"""The same where the written model goes its own way after the first other token."""
_SAMPLING = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "repeat_penalty": 1.0}


@dataclass(frozen=True)
class Export:
    """What is to be written. `adapter`: None for a model that is whole by itself; `form`: one of `FORMS`.

    `card`: the model card; None: the one beside the weights. `hub_id`: where others fetch the base from.
    `llama_cpp`: the folder with llama.cpp's converter.
    """

    name: str
    base: str
    adapter: str | None
    form: str
    out: str
    card: str | None = None
    hub_id: str | None = None
    llama_cpp: str | None = None


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
            expected = tested(wish.base, wish.adapter, tokenizer)
            found = _to_gguf(wish, tokenizer, expected, fresh) if wish.form == "gguf" else None
            if found is None:
                _write(wish, tokenizer, fresh)
                found = compared(_written(wish, fresh), tokenizer, expected)
        _refuse_other(wish, found)
        _write_card(wish, fresh)
        if out.is_dir():  # an empty one, as checked
            out.rmdir()
        fresh.replace(out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return {
        "model": wish.name,
        "as": wish.form,
        "path": str(out),
        "bytes": sum(path.stat().st_size for path in out.rglob("*") if path.is_file()),
        "sha256": hash_files(list(out.glob("*.gguf")) or safetensors_files(out)),
        "self_test": found._asdict(),
    }


def _check(wish: Export, out: Path) -> None:
    if wish.form not in FORMS:
        raise BadInput(f'A model is exported as {", ".join(FORMS)}, not as "{wish.form}".')
    if wish.form in OF_ADAPTERS and wish.adapter is None:
        raise BadInput(f'"{wish.name}" is a whole model and no adapter; export it as merged or full.')
    if wish.form == "gguf":
        from trainers.gguf_file import converter

        converter(wish.llama_cpp)  # before minutes of work
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f'"{out}" is there already; name a folder that does not exist.')
    out.parent.mkdir(parents=True, exist_ok=True)


def _refuse_other(wish: Export, found: SelfTest) -> None:
    """Raise BadInput where what was written says something else."""
    least = _FEWEST_SAME_ALONE if wish.form == "gguf" else _FEWEST_SAME
    if found.agreement is not None and found.agreement < least:
        raise BadInput(
            f'What was written of "{wish.name}" does not answer as the model does: {found.agreement:.0%} of '
            f"{found.tokens} tokens are alike. Nothing is kept; export it as an adapter instead."
        )


def _write(wish: Export, tokenizer: Any, folder: Path) -> None:
    """Write the wished form, without paths of this machine, and without a word of code that came with the base."""
    _write_weights(wish, tokenizer, folder)
    for path in (*folder.rglob("config.json"), *folder.rglob("tokenizer_config.json")):
        said = read_json(path) or {}
        if said.pop("auto_map", None) is not None:  # llama.cpp's converter would fetch that code and run it
            path.write_text(json.dumps(said, indent=2), encoding="utf-8")


def _write_weights(wish: Export, tokenizer: Any, folder: Path) -> None:
    """Write weights, tokenizer and what else the form has."""
    from trainers.whole import load_exactly, save_whole

    base = Path(wish.base)
    if wish.form in OF_ADAPTERS:
        _copy_adapter(wish, folder)
        if wish.form == "trl":
            tokenizer.save_pretrained(folder)
            if wish.hub_id is None:
                _copy_base(base, folder / "base")
        return
    model = load_exactly(base, (Path(wish.adapter),) if wish.adapter else ())
    if wish.form == "full":
        model.save_pretrained(folder, safe_serialization=True)
        tokenizer.save_pretrained(folder)
    else:
        save_whole(model, tokenizer, base, folder)
    if wish.form == "ollama":
        _write_modelfile(tokenizer, folder)


def _copy_adapter(wish: Export, folder: Path) -> None:
    """The adapter's files; what names its base is its Hub id, else its folder's name, or where it lies beside."""
    adapter = Path(wish.adapter or "")
    folder.mkdir(parents=True)
    for path in safetensors_files(adapter):
        shutil.copyfile(path, folder / path.name)
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    beside = "base" if wish.form == "trl" else Path(wish.base).name
    config["base_model_name_or_path"] = wish.hub_id or beside
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")


def _copy_base(base: Path, folder: Path) -> None:
    """The base's own files, none that could run code."""
    folder.mkdir()
    for path in sorted({path for pattern in BASE_FILES for path in base.glob(pattern) if path.is_file()}):
        shutil.copyfile(path, folder / path.name)


def _write_modelfile(tokenizer: Any, folder: Path) -> None:
    """Ollama's Modelfile beside the merged weights."""
    from trainers.modelfile import marks_of, modelfile

    said = read_json(folder / "generation_config.json") or {}
    config = read_json(folder / "config.json") or {}
    marks = marks_of(_render(tokenizer))
    stops = [str(tokenizer.eos_token or ""), *([marks.assistant.after.strip()] if marks else [])]
    sampling = {name: float(said.get(name, usual)) for name, usual in _SAMPLING.items()}
    context = config.get("max_position_embeddings")
    (folder / "Modelfile").write_text(modelfile(marks, stops, sampling, context), encoding="utf-8")


def _render(tokenizer: Any) -> Any:
    """The chat template as a function; the mark of the beginning is left out where Ollama puts it there by itself."""
    begins = tokenizer.bos_token if tokenizer("x")["input_ids"][:1] == [tokenizer.bos_token_id] else None

    def render(messages: Any, opened: bool) -> str:
        text: str = tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=opened)
        return text.removeprefix(begins) if begins else text

    return render


def _to_gguf(wish: Export, tokenizer: Any, expected: Expected, folder: Path) -> SelfTest:
    """Merge, have it converted, read the file back and ask it."""
    from trainers.gguf_file import answers, convert, read_back

    folder.mkdir(parents=True)
    passing, target = folder / "merged", folder / f"{wish.name}.gguf"
    _write(Export(wish.name, wish.base, wish.adapter, "merged", wish.out), tokenizer, passing)
    convert(wish.llama_cpp, passing, target)
    found = read_back(target, passing)
    shutil.rmtree(passing)
    said = answers(target, expected.prompts, expected.most_tokens)
    return compared_texts(said, tokenizer, expected)._replace(tensors=found.tensors)


def _written(wish: Export, folder: Path) -> Any:
    """What was written, loaded as whoever gets it will load it, computed in float32."""
    import torch
    from peft import AutoPeftModelForCausalLM, PeftModel

    from trainers.whole import load_exactly

    if wish.form == "trl" and wish.hub_id is None:
        with chdir(folder):  # `base` beside the adapter is named by where it lies
            return AutoPeftModelForCausalLM.from_pretrained(".", dtype=torch.float32, trust_remote_code=False).eval()
    if wish.form in OF_ADAPTERS:
        return PeftModel.from_pretrained(load_exactly(Path(wish.base)), str(folder), torch_device="cpu").eval()
    return load_exactly(folder).eval()


def _write_card(wish: Export, folder: Path) -> None:
    """The model card, with how it left and how it is read."""
    beside = Path(wish.adapter or wish.base) / "README.md"
    said = wish.card or (beside.read_text(encoding="utf-8") if beside.is_file() else "")
    if said:
        text = f"{said.rstrip()}\n\n## Export\n\n{_told(wish)}\n"
        (folder / "README.md").write_text(text, encoding="utf-8")


def _told(wish: Export) -> str:
    """How what lies there is to be read."""
    base = wish.hub_id or Path(wish.base).name
    if wish.form == "adapter":
        return f"A LoRA adapter for {base}."
    if wish.form == "trl":
        where = "anywhere" if wish.hub_id else "within this folder (the base lies in `base/`)"
        return (
            f"An adapter with its tokenizer, read {where}:\n\n```python\nfrom peft import AutoPeftModelForCausalLM\n"
            'model = AutoPeftModelForCausalLM.from_pretrained(".", is_trainable=True)  # for SFTTrainer(model=model, …)'
            "\n```"
        )
    if wish.form == "ollama":
        return f"Merged in float32, with a Modelfile: `ollama create {wish.name.lower()} -f Modelfile`."
    if wish.form == "gguf":
        return "Merged in float32 and converted by llama.cpp's own script."
    return f"Weights of the base with the adapter merged in float32, written as {wish.form}."


def main(argv: Sequence[str] | None = None) -> int:
    """Export what a file wishes for; the last line of stdout is the result or `{"error": sentence}`."""
    return run_wish("trainers.export", argv, lambda said: export(Export(**said)))


if __name__ == "__main__":
    sys.exit(main())
