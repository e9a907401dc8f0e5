"""From the end of a run to the first token of its model in Compare; and what streams notice of loading.

    python -m bench.reload [--small]

Ours: `ratchet serve` with all its processes and the starter model. The clock starts when the run has written that it is
done, and stops when both sides of a question asked in Compare (the base and the new model) have begun to answer, all of
it over HTTP: the worker sees the end, checks and registers the adapter and has the engine load it and prove that it
acts. The baseline, in turns with it, is a script that loads base and adapter afresh with transformers and PEFT and
answers one token: what somebody without a studio starts. Goal: 1 second.

Beside that, three rows stream from a random model of about 90M weights in bfloat16 while adapters are loaded and
unloaded one after another: the largest gap between two tokens of a row against the largest without loading, in turns.
"""

import argparse
import json
import queue
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from bench.button import STARTER, Site, asked, events, spoken, studio, wait_for
from bench.figures import ratio, report
from bench.loop import first_tokens

BASELINE = Path(__file__).parent / "baselines" / "load_afresh.py"
QUESTION = "What is the capital of Italy?"
GOAL = 1.0
GOAL_GAP = 3.0  # times the largest gap without loading


class Size(NamedTuple):
    """How often, and on what model streams are watched."""

    turns: int
    steps: int
    hidden: int
    layers: int
    words: int
    tokens: int
    rounds: int


FULL = Size(turns=5, steps=10, hidden=640, layers=12, words=32768, tokens=120, rounds=3)
SMALL = Size(turns=1, steps=2, hidden=64, layers=2, words=2048, tokens=20, rounds=1)


class Turn(NamedTuple):
    """Seconds from the run's end: until the job was done and its model stood in the list, until both sides answered."""

    listed: float
    answered: float


class Gaps(NamedTuple):
    """Milliseconds between two tokens of a row."""

    middle: float
    largest: float
    loads: int


def run(size: Size = FULL) -> dict[str, Any]:
    """Measure in turns; the shape of every bench."""
    ours, afresh = [], []
    with tempfile.TemporaryDirectory() as folder, studio(Path(folder)) as site:
        _trained(site, size)  # the first one imports what the web loads on demand
        for _ in range(size.turns):
            turn, adapter = _trained(site, size)
            ours.append(turn)
            afresh.append(_script(adapter))
    mine = Turn(*(statistics.median(values) for values in zip(*ours, strict=True)))
    theirs = statistics.median(afresh)
    still, loading = _streams(size)
    ratios = [
        ratio("goal, seconds", mine.answered, GOAL),
        ratio("base and adapter loaded afresh", mine.answered / theirs, 0.5),
        ratio("the largest gap between tokens without loading", loading.largest / still.largest, GOAL_GAP),
    ]
    return report(
        "reload",
        {"seconds": round(mine.answered, 3), "listed": round(mine.listed, 3),
         "turns": [{name: round(value, 3) for name, value in one._asdict().items()} for one in ours],
         "gaps_while_loading_ms": loading._asdict()},
        {"loaded afresh": {"seconds": round(theirs, 3), "turns": [round(one, 3) for one in afresh]},
         "gaps without loading, ms": still._asdict()},
        ratios,
    )  # fmt: skip


def _trained(site: Site, size: Size) -> tuple[Turn, Path]:
    """Train a few steps, ask the new model, and tell when; and where its adapter lies."""
    request = {"method": "sft", "base": "starter", "dataset": "starter", "options": {"max_steps": size.steps}}
    job = str(asked(site.http.post("/api/jobs", json=request))["job"])
    wait_for(lambda: _ended(site.home, job), "the end of the run")
    status = wait_for(lambda: _settled(site, job), "the end of the job")
    listed = time.time()
    if status["status"] != "done":
        raise RuntimeError(f"The training is {status['status']}: {status['error']}")
    question = {"study": status["compare"], "prompt": QUESTION}
    pair = asked(site.http.post("/api/compare/prompt", json=question))["pair"]
    answered = first_tokens(site, pair["comparison"])
    ended = _ended(site.home, job)
    return Turn(listed - ended, answered - ended), site.home / "runs" / job / "adapter"


def _ended(home: Path, job: str) -> float:
    """When the run said that it is done; 0 where it has not."""
    return next((float(one["t"]) for one in events(home, job) if one["kind"] in ("done", "failed")), 0.0)


def _settled(site: Site, job: str) -> dict[str, Any] | None:
    told = asked(site.http.get(f"/api/jobs/{job}"))
    return told if told["status"] in ("done", "failed", "stopped") else None


def _script(adapter: Path) -> float:
    """Seconds from starting the baseline to its first token."""
    begun = time.time()
    told = json.loads(spoken([str(BASELINE), str(STARTER / "model"), str(adapter), QUESTION]))
    return float(told["answered"]) - begun


def _streams(size: Size) -> tuple[Gaps, Gaps]:
    """The gaps without loading and with it, each the best of the rounds, which take turns."""
    still, loading = [], []
    with tempfile.TemporaryDirectory() as folder, _engine(Path(folder), size) as bases:
        _stream(bases, size)  # the first pass of a model is slower
        for _ in range(size.rounds):
            still.append(Gaps(*_gaps(_stream(bases, size)), 0))
            with _loading(bases, Path(folder) / "guest") as loads:
                times = _stream(bases, size)
            loading.append(Gaps(*_gaps(times), len(loads)))
    return min(still, key=lambda one: one.largest), min(loading, key=lambda one: one.largest)


@contextmanager
def _engine(folder: Path, size: Size) -> Iterator[Any]:
    """A random base with two adapters in the engine, without its HTTP."""
    from trainers.engine.bases import Bases
    from trainers.engine.device import choose_device
    from trainers.engine.hashes import Hashes

    _make_models(folder, size)
    bases = Bases(choose_device(folder / "tuning.json", "bfloat16"), Hashes(folder / "hashes.json"))
    bases.load_base("base", folder / "base")
    for name in ("a", "b"):
        bases.load_adapter(name, folder / name, "base")
    yield bases
    bases.stop()


def _stream(bases: Any, size: Size) -> list[list[float]]:
    """The base and two adapters answer at once; when each token of each row came."""
    from trainers.engine.row import Finished, Row
    from trainers.engine.sampling import Sampling

    came: list[list[float]] = [[], [], []]
    ended: queue.Queue[int] = queue.Queue()

    def tell(at: int, event: Any) -> None:
        came[at].append(time.perf_counter())
        if isinstance(event, Finished):
            ended.put(at)

    for at, name in enumerate(("base", "a", "b")):
        target = bases.find(name)
        target.lane.submit(Row(
            prompt=list(range(5, 45)), sampling=Sampling(size.tokens, 0.0, 1.0, 0),
            adapter=target.adapter.key if target.adapter else None, ends=frozenset(), tokenizer=_Letters(),
            tell=lambda event, at=at: tell(at, event),
        ))  # fmt: skip
    for _ in came:
        ended.get(timeout=300)
    return came


class _Letters:
    """A tokenizer that says a letter for each token: what is measured is the model."""

    def decode(self, ids: list[int], **_: Any) -> str:
        return "x" * len(ids)


def _gaps(came: list[list[float]]) -> tuple[float, float]:
    """Milliseconds: the middle gap and the largest, from the moment on when all rows had begun."""
    begun = max(row[0] for row in came)
    pairs = [pair for row in came for pair in pairwise(row) if pair[0] >= begun]
    between = [(after - before) * 1000 for before, after in pairs]
    return round(statistics.median(between), 1), round(max(between), 1)


@contextmanager
def _loading(bases: Any, guest: Path) -> Iterator[list[float]]:
    """Within it an adapter is loaded and unloaded without a pause; when each had been loaded."""
    done, loads = threading.Event(), list[float]()

    def load() -> None:
        while not done.is_set():
            bases.load_adapter("guest", guest, "base")
            loads.append(time.perf_counter())
            bases.unload_adapter("guest")

    thread = threading.Thread(target=load)
    thread.start()
    try:
        yield loads
    finally:
        done.set()
        thread.join()


def _make_models(root: Path, size: Size) -> None:
    """A random base and three adapters on all its layers, saved as folders."""
    import torch
    from peft import LoraConfig, get_peft_model
    from tokenizers import Tokenizer, models
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    heads = size.hidden // 64
    model: Any = LlamaForCausalLM(LlamaConfig(
        vocab_size=size.words, hidden_size=size.hidden, intermediate_size=size.hidden * 27 // 10, eos_token_id=0,
        num_hidden_layers=size.layers, num_attention_heads=heads, num_key_value_heads=heads, bos_token_id=None,
    )).to(torch.bfloat16)  # fmt: skip
    model.save_pretrained(root / "base")
    words = Tokenizer(models.WordLevel({"</s>": 0, "?": 1}, unk_token="?"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="</s>", unk_token="?")
    tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    tokenizer.save_pretrained(root / "base")
    for name in ("a", "b", "guest"):
        lora = LoraConfig(r=16, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
        wrapped = get_peft_model(model, lora)
        wrapped.save_pretrained(root / name)
        model = wrapped.unload()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.reload", description="From the run's end to an answer.")
    parser.add_argument("--small", action="store_true", help="one turn and a toy model, to see that it works")
    print(json.dumps(run(SMALL if parser.parse_args().small else FULL), indent=1))
