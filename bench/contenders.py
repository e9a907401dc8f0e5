"""Who trains in `bench.train`: our own script on a run folder, and plain scripts, each in a process of its own.

    python -m bench.contenders METHOD RUNFOLDER    # internal: our own script, with a clock around its steps

Also what they train on: a random model, talks and pairs of random words.
"""

import itertools
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BASELINES = Path(__file__).resolve().parent / "baselines"
SEED = 0


class Size(NamedTuple):
    """How large the model is and how long is measured."""

    hidden: int
    layers: int
    words: int
    steps: int
    mixed_rows: int
    looked_rows: int


FULL = Size(640, 12, 32768, 8, 128, 1800)
SMALL = Size(64, 2, 2048, 5, 64, 96)


class Work(NamedTuple):
    """What is to be done. `adapter`: the one that training goes on from; `rate`: its step size."""

    base: Path
    rows: Path
    batch: int
    length: int
    steps: int
    adapter: Path | None = None
    rate: float = 2e-4


class Turn(NamedTuple):
    """One run: the seconds of each step, its losses, its peak of memory in bytes, and what else was told."""

    seconds: list[float]
    losses: list[float]
    peak: int
    more: dict[str, Any]


def plain(script: str, work: Work) -> Turn:
    """A script that uses nothing of the project."""
    settings = {"batch_size": work.batch, "max_length": work.length, "steps": work.steps, "learning_rate": work.rate,
                "seed": SEED, "threads": threads(), "output": str(work.rows.parent / "output"),
                "adapter": str(work.adapter) if work.adapter else None}  # fmt: skip
    said = _process([sys.executable, str(BASELINES / script), str(work.base), str(work.rows), json.dumps(settings)])
    told = json.loads(said.splitlines()[-1])
    return Turn(_steps(told["at"]), told["losses"], told["peak"], {})


def ours(method: str, work: Work, **own: Any) -> Turn:
    """The product's own script on a run folder; only a clock around its steps is added (see `_clocked`)."""
    from storage.runs import freeze_rows, read_events
    from storage.specs.run import RunSpec

    with tempfile.TemporaryDirectory(dir=work.rows.parent) as name:
        folder = Path(name)
        lines = [json.loads(line) for line in work.rows.read_text(encoding="utf-8").splitlines()]
        frozen = freeze_rows(folder / "data.parquet", [
            {"id": f"row-{at}", **{key: json.dumps(value) for key, value in line.items()}}
            for at, line in enumerate(lines)
        ])  # fmt: skip
        options = {"batch_size": work.batch, "max_length": work.length, "max_steps": work.steps,
                   "learning_rate": work.rate, "scheduler": "constant", "warmup": 0.0, "seed": SEED, "held_out": 0.0,
                   **own}  # fmt: skip
        RunSpec("bench", method, "bench", str(work.base), options=options, data_sha256=frozen.sha256, rows=frozen.rows,
                adapter_path=str(work.adapter) if work.adapter else None,
                reference="previous" if work.adapter else "base", threads=threads(),
                device="cpu").write(folder)  # fmt: skip
        began = time.perf_counter()
        _process([sys.executable, "-m", "bench.contenders", method, str(folder)])
        whole = time.perf_counter() - began
        losses = [event["loss"] for event in read_events(folder).events
                  if event["kind"] == "metric" and "loss" in event]  # fmt: skip
        clock = json.loads((folder / "clock.json").read_text(encoding="utf-8"))
    phase = clock["end"] - clock["at"][0]
    around = {"seconds_before_and_after": round(whole - phase, 1), "whole_seconds": round(whole, 1)}
    spent = {name: clock["spent"].get(name, 0.0) / phase for name in ("stepping", "looking", "asking")}
    more = {"beside": 1 - spent["stepping"], **spent, "around": around}
    return Turn(_steps(clock["at"]), losses, clock["peak"], more)


def _clocked(method: str, folder: str) -> None:
    """In a process of its own: the method's script, with a clock around its trainer's steps and looks."""
    import importlib

    from trainers.run import perform

    script = importlib.import_module(f"trainers.{method}")
    at: list[float] = []
    spent: dict[str, float] = {}  # and under "end" the moment when training was over, the last look included
    code = perform(method, _with_clock(script.train, at, spent), [folder])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    clock = {"at": at, "end": spent.pop("end"), "spent": spent, "peak": peak}
    (Path(folder) / "clock.json").write_text(json.dumps(clock), encoding="utf-8")
    sys.exit(code)


def _with_clock(train: Callable[..., None], at: list[float], spent: dict[str, float]) -> Callable[..., None]:
    """The script's function, whose trainer and optimiser note their time."""

    def timed(method: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            begun = time.perf_counter()
            try:
                return method(*args, **more)
            finally:
                ended = time.perf_counter()
                spent[name] = ended if name == "end" else spent.get(name, 0.0) + ended - begun

        return call

    def clocked(run: Any) -> None:
        from accelerate.optimizer import AcceleratedOptimizer
        from transformers import Trainer

        from trainers import watch
        from trainers.events import EventWriter

        for where, method, spending in (
            (watch, "ask", "asking"),
            (Trainer, "training_step", "stepping"),
            (AcceleratedOptimizer, "step", "stepping"),
            (Trainer, "evaluate", "looking"),
            (Trainer, "train", "end"),
        ):
            setattr(where, method, timed(getattr(where, method), spending))
        for name in ("on_train_begin", "on_log"):
            setattr(EventWriter, name, _noting(getattr(EventWriter, name), at))
        train(run)

    return clocked


def _noting(method: Callable[..., Any], at: list[float]) -> Callable[..., Any]:
    def call(*args: Any, **more: Any) -> Any:
        result = method(*args, **more)
        if "logs" not in more or "loss" in more["logs"]:
            at.append(time.perf_counter())
        return result

    return call


def _process(command: list[str]) -> str:
    """Run a contender; its words where it fails."""
    quiet = {"OMP_NUM_THREADS": str(threads()), "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1",
             "HF_DATASETS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **quiet}, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command[:3])} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def _steps(at: list[float]) -> list[float]:
    return [after - before for before, after in itertools.pairwise(at)]


def threads() -> int:
    """Cores that we may use."""
    return len(os.sched_getaffinity(0))


def words(count: int, seed: int) -> str:
    """So many words, each of them a token."""
    rng = random.Random(seed)
    return " ".join(f"w{rng.randrange(1000)}" for _ in range(count))


def talk(count: int, seed: int) -> list[dict[str, str]]:
    """A question and an answer of so many words together."""
    return [{"role": "user", "content": words(count // 3, seed)},
            {"role": "assistant", "content": words(count - count // 3, seed + 100_000)}]  # fmt: skip


def mixed_talks(count: int) -> list[list[dict[str, str]]]:
    """Lengths as chats have them: half below 40 words, a few of some hundred."""
    rng = random.Random(1)
    return [talk(min(480, max(12, int(rng.lognormvariate(3.7, 0.9)))), at) for at in range(count)]


def pairs(count: int, prompt: int, answer: int) -> list[dict[str, Any]]:
    """Questions of so many words with a better and a worse answer."""
    return [
        {"prompt": [{"role": "user", "content": words(prompt, at)}],
         **{side: [{"role": "assistant", "content": words(answer, 10_000 * turn + at)}]
            for turn, side in ((1, "chosen"), (2, "rejected"))}}
        for at in range(count)
    ]  # fmt: skip


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    """Rows as JSON lines."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def tokens_in(base: Path, rows: Path, most: int) -> int:
    """Tokens of all talks as they are learnt, fillers not counted."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    talks = [json.loads(line)["messages"] for line in rows.read_text(encoding="utf-8").splitlines()]
    return sum(min(most, len(tokenizer.apply_chat_template(one, return_dict=True)["input_ids"])) for one in talks)


def make_base(folder: Path, size: Size) -> Path:
    """A random Llama whose tokenizer has a token for each word."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    known = {"</s>": 0, "<pad>": 1, "<user>": 2, "<assistant>": 3, **{f"w{at}": at + 4 for at in range(1000)}}
    raw = Tokenizer(models.WordLevel(known, unk_token="<pad>"))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    raw.add_special_tokens(["</s>", "<pad>", "<user>", "<assistant>"])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="</s>", pad_token="<pad>")
    tokenizer.chat_template = (
        "{% for message in messages %}<{{ message['role'] }}> {{ message['content'] }}</s>{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=size.words, hidden_size=size.hidden, intermediate_size=27 * size.hidden // 10,
        num_hidden_layers=size.layers, num_attention_heads=size.hidden // 64, num_key_value_heads=size.hidden // 64,
        eos_token_id=0, bos_token_id=None, pad_token_id=1,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def make_adapter(folder: Path, base: Path) -> Path:
    """An adapter of a round before: rank 16 on all linear layers, its weights random and small."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), lora)
    torch.manual_seed(1)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if ".lora_B." in name:
                weight.normal_(std=0.005)
    model.save_pretrained(folder)
    return folder


if __name__ == "__main__":
    _clocked(*sys.argv[1:])
