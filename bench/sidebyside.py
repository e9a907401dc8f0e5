"""Answers of a base and two adapters: one mixed batch against switching adapters in turn and against merged copies.

    python -m bench.sidebyside [--small]     # --small: a toy model and few tokens, to see that it works

A random model of about 90M weights in bfloat16 with two r16 adapters on all linear layers writes three answers of
64 tokens. Ours is the engine's lane, all three at once. The baselines: transformers and PEFT alone, one `generate`
after another with the adapter switched in between, and the same with three models in memory, an adapter merged into
each but the first. Each is a process of its own, because memory is compared too (what it holds beyond its imports,
after it has answered); they answer in turns, and the best of each counts.

A fourth process asks what an adapter that is not merged costs where it answers alone: our lane with the adapter, and
our lane with the same adapter merged into its base.
"""

import json
import queue
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.figures import ratio, report

ROOT = Path(__file__).resolve().parent.parent
BASELINES = ROOT / "bench" / "baselines"
PROMPT = [5 + at % 300 for at in range(40)]
GOAL_SPEED, GOAL_LAST_BEGINS, GOAL_MEMORY = 1.3, 0.25, 0.6
# Below this a merged copy for whoever answers alone would be worth its memory.
GOAL_ALONE = 0.85


class Size(NamedTuple):
    """How large the model is and how long is measured."""

    hidden: int
    layers: int
    words: int
    tokens: int
    rounds: int


FULL = Size(640, 12, 32768, 64, 6)
SMALL = Size(64, 2, 2048, 8, 2)


def run(words: Sequence[str] = ()) -> dict[str, Any]:
    """Measure in turns; the shape of every bench."""
    from trainers.engine.device import default_threads

    size = SMALL if "--small" in words else FULL
    with tempfile.TemporaryDirectory() as folder, ExitStack() as open_until_end:
        _make_models(Path(folder), size)
        settings = {"prompt": PROMPT, "tokens": size.tokens, "threads": default_threads()}
        base, *adapters = (str(Path(folder) / name) for name in ("base", "a", "b"))
        asked = [base, *adapters, json.dumps(settings)]
        ours = [sys.executable, "-m", "bench.sidebyside"]
        answerers = {
            "ours": open_until_end.enter_context(_answerer([*ours, "--answer", *asked])),
            "switching": open_until_end.enter_context(_answerer([sys.executable, str(_switching()), *asked])),
            "merged": open_until_end.enter_context(_answerer([sys.executable, str(_merged()), *asked])),
            "alone": open_until_end.enter_context(
                _answerer([*ours, "--alone", base, adapters[0], f"{adapters[0]}-merged", json.dumps(settings)])
            ),
        }
        told: dict[str, list[dict[str, float]]] = {name: [] for name in answerers}
        for _ in range(size.rounds):
            for name, answer in answerers.items():
                told[name].append(answer())
    return _told({name: _best(turns) for name, turns in told.items()}, size, settings["threads"])


def _switching() -> Path:
    return BASELINES / "switched_adapters.py"


def _merged() -> Path:
    return BASELINES / "merged_copies.py"


def _told(best: dict[str, dict[str, float]], size: Size, threads: int) -> dict[str, Any]:
    ours, switching, merged, alone = (best[name] for name in ("ours", "switching", "merged", "alone"))
    ratios = [
        ratio("switching adapters, tokens/s", switching["seconds"] / ours["seconds"], GOAL_SPEED, "higher"),
        ratio("switching adapters, the last answer begins", ours["last_begins"] / switching["last_begins"],
              GOAL_LAST_BEGINS),
        ratio("three merged copies, memory", ours["mb"] / merged["mb"], GOAL_MEMORY),
        ratio("three merged copies, tokens/s", merged["seconds"] / ours["seconds"], None, "higher"),
        ratio("a merged copy where one model answers alone, tokens/s", alone["merged"] / alone["adapter"], GOAL_ALONE,
              "higher"),
    ]  # fmt: skip
    speed = {name: {"tokens_per_second": round(3 * size.tokens / one["seconds"], 1)} for name, one in best.items()
             if "seconds" in one}  # fmt: skip
    rounded = {name: {key: round(value, 3) for key, value in one.items()} for name, one in best.items()}
    return report(
        "sidebyside",
        {**speed["ours"], **rounded["ours"], "one_alone": {key: round(size.tokens / value, 1) for key, value in
                                                           alone.items()}},
        {name: {**speed[name], **rounded[name]} for name in ("switching", "merged")},
        ratios,
        model=f"{size.layers} layers of {size.hidden}, {size.words} words",
        threads=threads,
    )  # fmt: skip


def _best(turns: list[dict[str, float]]) -> dict[str, float]:
    """The least of each time, what other processes disturbed least; of memory the last, after all answers."""
    return {key: turns[-1][key] if key == "mb" else min(turn[key] for turn in turns) for key in turns[0]}


@contextmanager
def _answerer(argv: list[str]) -> Iterator[Any]:
    """A process that has loaded its models; calling it has it answer once and returns what it told."""
    process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    given, said = process.stdin, process.stdout

    def heard() -> dict[str, float]:
        line = said.readline()
        if not line:
            raise RuntimeError(f"{argv[1:3]} has ended with {process.wait()}.")
        value: dict[str, float] = json.loads(line)
        return value

    def answer() -> dict[str, float]:
        given.write("answer\n")
        given.flush()
        return heard()

    try:
        heard()
        yield answer
    finally:
        given.close()
        process.wait(timeout=60)


class _Engine:
    """The engine's lanes without its HTTP."""

    def __init__(self, settings: dict[str, Any], folder: Path) -> None:
        from trainers.engine.bases import Bases
        from trainers.engine.device import choose_device
        from trainers.engine.hashes import Hashes

        self.settings = settings
        device = choose_device(folder / "tuning.json", "bfloat16", settings["threads"])
        self.bases = Bases(device, Hashes(folder / "hashes.json"))

    def answer(self, names: Sequence[str]) -> dict[str, float]:
        """Ask all of them at once; seconds until the last began, and until all had ended."""
        from trainers.engine.row import Finished

        start = time.perf_counter()
        heard: queue.Queue[tuple[Any, float]] = queue.Queue()
        for name in names:
            self._submit(name, heard)
        begun: dict[str, float] = {}
        ended: list[float] = []
        while len(ended) < len(names):
            (name, event), at = heard.get()
            begun.setdefault(name, at - start)
            if isinstance(event, Finished):
                ended.append(at - start)
        return {"last_begins": max(begun.values()), "seconds": max(ended)}

    def _submit(self, name: str, heard: "queue.Queue[tuple[Any, float]]") -> None:
        from trainers.engine.row import Row
        from trainers.engine.sampling import Sampling

        target = self.bases.find(name)
        row = Row(
            prompt=self.settings["prompt"],
            sampling=Sampling(self.settings["tokens"], 0.0, 1.0, 0),
            adapter=target.adapter.key if target.adapter else None,
            ends=frozenset(),
            tokenizer=_Letters(),
            tell=lambda event: heard.put(((name, event), time.perf_counter())),
        )
        target.lane.submit(row)


class _Letters:
    """A tokenizer that says a letter for each token: what is measured is the model."""

    def decode(self, ids: list[int], **_: Any) -> str:
        return "x" * len(ids)


def _serve_answers(base: str, *rest: str) -> None:
    """Ours as a process: the base and its adapters, all at once, for every line on stdin."""
    adapters, settings = [Path(path) for path in rest[:-1]], json.loads(rest[-1])
    with tempfile.TemporaryDirectory() as folder:
        _import_all()
        imports = _resident()
        engine = _Engine(settings, Path(folder))
        engine.bases.load_base("base", Path(base))
        for adapter in adapters:
            engine.bases.load_adapter(adapter.name, adapter, "base")
        names = ["base", *(adapter.name for adapter in adapters)]
        _answer_lines(lambda: {**engine.answer(names), "mb": _resident() - imports})
        engine.bases.stop()


def _serve_alone(base: str, adapter: str, merged: str, settings: str) -> None:
    """One model answers, its adapter beside the base's weights and merged into a copy of them, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        engine = _Engine(json.loads(settings), Path(folder))
        engine.bases.load_base("base", Path(base))
        engine.bases.load_adapter("adapter", Path(adapter), "base")
        engine.bases.load_base("merged", Path(merged))
        names = ("base", "adapter", "merged")
        _answer_lines(lambda: {name: engine.answer([name])["seconds"] for name in names})
        engine.bases.stop()


def _answer_lines(answer: Any) -> None:
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(answer()), flush=True)


def _import_all() -> None:
    import peft
    import transformers

    _ = (peft.PeftModel, transformers.AutoModelForCausalLM, transformers.AutoTokenizer, transformers.DynamicCache)


def _resident() -> float:
    """MB of memory that this process holds."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _make_models(root: Path, size: Size) -> None:
    """A random base, two adapters, and the base with the first of them merged into it, saved as folders."""
    import torch
    from peft import LoraConfig, PeftModel, get_peft_model
    from tokenizers import Tokenizer, models
    from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    config = LlamaConfig(
        vocab_size=size.words, hidden_size=size.hidden, intermediate_size=size.hidden * 27 // 10,
        num_hidden_layers=size.layers, num_attention_heads=size.hidden // 64, num_key_value_heads=size.hidden // 64,
        eos_token_id=0, bos_token_id=None,
    )  # fmt: skip
    model = LlamaForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(root / "base")
    vocabulary = {"</s>": 0, "?": 1}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="?"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="</s>", unk_token="?")
    tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    tokenizer.save_pretrained(root / "base")
    for name in ("a", "b"):
        lora = LoraConfig(r=16, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
        wrapped = get_peft_model(model, lora)
        wrapped.save_pretrained(root / name)
        model = wrapped.unload()
    fresh = AutoModelForCausalLM.from_pretrained(root / "base", dtype=torch.float32)
    merged = PeftModel.from_pretrained(fresh, root / "a").merge_and_unload()
    merged.to(torch.bfloat16).save_pretrained(root / "a-merged")
    tokenizer.save_pretrained(root / "a-merged")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--answer", *paths]:
            _serve_answers(*paths)
        case ["--alone", *paths]:
            _serve_alone(*paths)
        case words:
            print(json.dumps(run(words), indent=1))
