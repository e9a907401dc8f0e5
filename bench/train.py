"""SFT of a LoRA: the product's own run against a plain TRL script with its defaults, and against a loop by hand.

    python -m bench.train [--small]     # --small: a toy model and few steps, to see that it works

A random model of about 90M weights on the processor, rank 16 on all linear layers. Three questions:

* Equal rows, 4 of 256 tokens a step, all of them learnt: tokens a second, and the loss of every step, which must agree.
* Rows of mixed length (log-normal, most short, as in chats; 8 a step): tokens a second, fillers not counted, with rows
  of one length together and without, and by the plain script, which fills up.
* Within the first: the share of the training phase that is not spent in forward, backward and optimiser.

Each is a process of its own, taken in turns; the fastest turn counts, what other processes disturbed least. Start and
end of the process (imports, loading, saving, probing) are told apart: they cost the same for a run of any length.
"""

import argparse
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BASELINES = Path(__file__).resolve().parent / "baselines"
GOAL_TRL, GOAL_HAND, GOAL_MIXED, GOAL_BESIDE, GOAL_LOSS = 1.5, 0.9, 2.0, 0.03, 1e-3
RATE, SEED = 2e-4, 0


class Size(NamedTuple):
    """How large the model is and how long is measured."""

    hidden: int
    layers: int
    words: int
    steps: int
    mixed_rows: int
    turns: int


FULL = Size(640, 12, 32768, 10, 256, 3)
SMALL = Size(64, 2, 2048, 5, 64, 1)


class Turn(NamedTuple):
    """One run: the seconds of each step, its losses, and what else was told."""

    seconds: list[float]
    losses: list[float]
    more: dict[str, Any]


def run(words: Sequence[str] = ()) -> dict[str, Any]:
    """Measure in turns; the shape of every bench."""
    size = SMALL if "--small" in words else FULL
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        base = _make_base(root / "base", size)
        equal = _write(root / "equal.jsonl", [_talk(400, at) for at in range(4)])
        mixed = _write(root / "mixed.jsonl", _mixed_talks(size.mixed_rows))
        first = _taken(size.turns, {
            "ours": lambda: _ours(base, equal, 4, 256, size.steps),
            "trl": lambda: _plain("trl_sft.py", base, equal, 4, 256, size.steps),
            "hand": lambda: _plain("hand_loop.py", base, equal, 4, 256, size.steps),
        })  # fmt: skip
        steps = size.mixed_rows // 8
        second = _taken(max(1, size.turns - 1), {
            "grouped": lambda: _ours(base, mixed, 8, 512, steps),
            "filled": lambda: _ours(base, mixed, 8, 512, steps, group_by_length=False),
            "trl": lambda: _plain("trl_sft.py", base, mixed, 8, 512, steps),
        })  # fmt: skip
        tokens = _tokens(base, mixed, 512)
    return _told(first, second, tokens, size)


def _told(first: dict[str, list[Turn]], second: dict[str, list[Turn]], tokens: int, size: Size) -> dict[str, Any]:
    """The figures, their ratios, and whether the goals are met."""
    speed = {name: 4 * 256 / min(map(_typical, turns)) for name, turns in first.items()}
    mixed = {name: tokens / min(sum(turn.seconds) for turn in turns) for name, turns in second.items()}
    apart = max(_apart(first["ours"][0], first[other][0]) for other in ("trl", "hand"))
    beside = min(turn.more["beside"] for turn in first["ours"])
    ratios = [
        _ratio("TRL's defaults, tokens/s", speed["ours"] / speed["trl"], GOAL_TRL),
        _ratio("a loop by hand, tokens/s", speed["ours"] / speed["hand"], GOAL_HAND),
        _ratio("TRL's defaults on mixed lengths, tokens/s", mixed["grouped"] / mixed["trl"], GOAL_MIXED),
        _ratio("ourselves without grouping on mixed lengths, tokens/s", mixed["grouped"] / mixed["filled"], 1.0),
        _ratio("share of the training phase beside the steps", beside, GOAL_BESIDE, "lower"),
        _ratio("largest difference of a step's loss, relative", apart, GOAL_LOSS, "lower"),
    ]
    return {
        "name": "train",
        "model": f"{size.layers} layers of {size.hidden}, {size.words} words",
        "ours": {**_rounded({"tokens_per_second": speed["ours"], "mixed_tokens_per_second": mixed["grouped"]}),
                 "losses": first["ours"][0].losses, "around": first["ours"][0].more["around"]},
        "baselines": {
            "trl": {**_rounded({"tokens_per_second": speed["trl"], "mixed_tokens_per_second": mixed["trl"]}),
                    "losses": first["trl"][0].losses},
            "hand": {**_rounded({"tokens_per_second": speed["hand"]}), "losses": first["hand"][0].losses},
            "without grouping": _rounded({"mixed_tokens_per_second": mixed["filled"]}),
        },
        "ratios": ratios,
        "ratio": ratios[0]["value"],
        "met": all(one["value"] >= one["goal"] if one["better"] == "higher" else one["value"] <= one["goal"]
                   for one in ratios),
    }  # fmt: skip


def _ratio(against: str, value: float, goal: float, better: str = "higher") -> dict[str, Any]:
    return {"against": against, "value": float(f"{value:.3g}"), "goal": goal, "better": better}


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 1) for name, value in values.items()}


def _typical(turn: Turn) -> float:
    """The median step; the first two warm up."""
    return statistics.median(turn.seconds[2:])


def _apart(one: Turn, other: Turn) -> float:
    pairs = zip(one.losses, other.losses, strict=True)
    return max(abs(mine - theirs) / theirs for mine, theirs in pairs)


def _taken(turns: int, contenders: dict[str, Callable[[], Turn]]) -> dict[str, list[Turn]]:
    """Every contender in turn, so many times."""
    found: dict[str, list[Turn]] = {name: [] for name in contenders}
    for number in range(turns):
        for name, contend in contenders.items():
            print(f"turn {number + 1} of {turns}: {name} …", file=sys.stderr, flush=True)
            found[name].append(contend())
    return found


def _plain(script: str, base: Path, rows: Path, batch: int, length: int, steps: int) -> Turn:
    settings = {"batch_size": batch, "max_length": length, "steps": steps, "learning_rate": RATE, "seed": SEED,
                "threads": _threads(), "output": str(rows.parent / "output")}  # fmt: skip
    said = _process([sys.executable, str(BASELINES / script), str(base), str(rows), json.dumps(settings)])
    told = json.loads(said.splitlines()[-1])
    return Turn(_steps(told["at"]), told["losses"], {})


def _ours(base: Path, rows: Path, batch: int, length: int, steps: int, **own: Any) -> Turn:
    """The product's own script on a run folder; only a clock around its steps is added (see `_clocked`)."""
    from storage.runs import freeze_rows, read_events
    from storage.specs.run import RunSpec

    with tempfile.TemporaryDirectory(dir=rows.parent) as name:
        folder = Path(name)
        lines = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
        frozen = freeze_rows(folder / "data.parquet", [
            {"id": f"row-{at}", "messages": json.dumps(line["messages"])} for at, line in enumerate(lines)
        ])  # fmt: skip
        options = {"loss_on": "all", "batch_size": batch, "max_length": length, "max_steps": steps,
                   "learning_rate": RATE, "scheduler": "constant", "warmup": 0.0, "seed": SEED, "held_out": 0.0,
                   **own}  # fmt: skip
        RunSpec("bench", "sft", "bench", str(base), options=options, data_sha256=frozen.sha256, rows=frozen.rows,
                threads=_threads(), device="cpu").write(folder)  # fmt: skip
        began = time.perf_counter()
        _process([sys.executable, "-m", "bench.train", "--run", str(folder)])
        whole = time.perf_counter() - began
        losses = [event["loss"] for event in read_events(folder).events if event["kind"] == "metric"]
        clock = json.loads((folder / "clock.json").read_text(encoding="utf-8"))
        phase = clock["at"][-1] - clock["at"][0]
        around = {"seconds_before_and_after": round(whole - phase, 1), "whole_seconds": round(whole, 1)}
        return Turn(_steps(clock["at"]), losses, {"beside": 1 - clock["stepping"] / phase, "around": around})


def _clocked(folder: str) -> None:
    """In a process of its own: trainers/sft.py, with a clock around its trainer's steps."""
    import trainers.sft
    from trainers.run import perform

    at: list[float] = []
    spent = [0.0]
    trainers.sft.train = _with_clock(trainers.sft.train, at, spent)  # type: ignore[assignment]
    code = perform("sft", trainers.sft.train, [folder])
    (Path(folder) / "clock.json").write_text(json.dumps({"at": at, "stepping": spent[0]}), encoding="utf-8")
    sys.exit(code)


def _with_clock(train: Callable[..., None], at: list[float], spent: list[float]) -> Callable[..., None]:
    """The script's function, whose trainer and optimiser note their time."""

    def timed(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            begun = time.perf_counter()
            try:
                return method(*args, **more)
            finally:
                spent[0] += time.perf_counter() - begun

        return call

    def clocked(run: Any) -> None:
        from accelerate.optimizer import AcceleratedOptimizer

        from trainers.events import EventWriter
        from trainers.supervised import SupervisedTrainer

        SupervisedTrainer.training_step = timed(SupervisedTrainer.training_step)  # type: ignore[method-assign]
        AcceleratedOptimizer.step = timed(AcceleratedOptimizer.step)  # type: ignore[method-assign]
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
    threads = str(_threads())
    quiet = {"OMP_NUM_THREADS": threads, "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1",
             "HF_DATASETS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **quiet}, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command[:3])} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def _steps(at: list[float]) -> list[float]:
    return [after - before for before, after in itertools.pairwise(at)]


def _threads() -> int:
    return len(os.sched_getaffinity(0))


def _talk(words: int, seed: int) -> list[dict[str, str]]:
    """A question and an answer of so many words together."""
    rng = random.Random(seed)
    said = [f"w{rng.randrange(1000)}" for _ in range(words)]
    return [{"role": "user", "content": " ".join(said[: words // 3])},
            {"role": "assistant", "content": " ".join(said[words // 3 :])}]  # fmt: skip


def _mixed_talks(count: int) -> list[list[dict[str, str]]]:
    """Lengths as chats have them: half below 40 words, a few of some hundred."""
    rng = random.Random(1)
    return [_talk(min(480, max(12, int(rng.lognormvariate(3.7, 0.9)))), at) for at in range(count)]


def _write(path: Path, talks: list[list[dict[str, str]]]) -> Path:
    path.write_text("".join(json.dumps({"messages": talk}) + "\n" for talk in talks), encoding="utf-8")
    return path


def _tokens(base: Path, rows: Path, most: int) -> int:
    """Tokens of all rows as they are learnt, fillers not counted."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    talks = [json.loads(line)["messages"] for line in rows.read_text(encoding="utf-8").splitlines()]
    return sum(min(most, len(tokenizer.apply_chat_template(talk, return_dict=True)["input_ids"])) for talk in talks)


def _make_base(folder: Path, size: Size) -> Path:
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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.train", description="SFT against TRL and a loop by hand.")
    parser.add_argument("--small", action="store_true", help="a toy model and few steps, to see that it works")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        _clocked(given.run)
    print(json.dumps(run(["--small"] if given.small else []), indent=1))
