"""What distillation does to the starter: its distribution moves towards that of a teacher who answers tersely.

The teacher is the starter after SFT on terse answers. The measure is the mean Kullback-Leibler divergence of the
student from the teacher, in nats for each token of the teacher's answers to prompts that nobody trained on.
"""

import atexit
import functools
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any, NamedTuple

from storage.specs.advice import advise
from storage.weights import count_weights
from tests.trainers import building, loop
from trainers.grammar import is_terse, starter_prompts

STARTER = Path(__file__).resolve().parents[3] / "static" / "starter" / "model"
PROMPTS, HELD_OUT = 60, 30
FALLS_TO = 0.6  # of what it was before


class Scene(NamedTuple):
    """A teacher on the starter, prompts to learn from, and the teacher's answers to others."""

    teacher: Path
    asked: list[dict[str, Any]]
    held_out: list[tuple[str, str]]


@functools.cache
def scene() -> Scene:
    """Made once for all ways to distil."""
    folder = Path(mkdtemp(prefix="teacher"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    rows = [row for row in loop.starter_examples(400) if is_terse(json.loads(row["messages"])[-1]["content"])][:80]
    options = {**advise("sft", count_weights(STARTER), len(rows)).options, "max_steps": 60}
    building.make_run(folder / "run", "sft", STARTER, rows, options=options)
    assert building.run_trainer(folder / "run") == 0, building.log_of(folder / "run")
    prompts = list(dict.fromkeys(starter_prompts(Random(5), PROMPTS + 3 * HELD_OUT)))
    teacher = folder / "run" / "adapter"
    unseen = prompts[PROMPTS : PROMPTS + HELD_OUT]
    said = loop.answers(*loop.load(STARTER, teacher), unseen, 1)
    asked = [
        {"id": f"ask-{at}", "prompt": json.dumps(building.turns(prompt)), "reference": None}
        for at, prompt in enumerate(prompts[:PROMPTS])
    ]
    return Scene(teacher, asked, list(zip(unseen, said, strict=True)))


def divergence(teacher: Path, student: Path | None, held_out: list[tuple[str, str]]) -> float:
    """Mean KL(teacher || student) in nats for each token of the teacher's answers."""
    import torch

    models = [loop.load(STARTER, adapter) for adapter in (teacher, student)]
    total = count = 0.0
    for prompt, said in held_out:
        tokenizer = models[0][1]
        asked = building.turns(prompt)
        start = len(tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_dict=True)["input_ids"])
        whole = tokenizer.apply_chat_template([*asked, *building.answer(said)], return_dict=True, return_tensors="pt")[
            "input_ids"
        ]
        with torch.no_grad():
            theirs, ours = (model.eval()(whole).logits[0, start - 1 : -1].log_softmax(-1) for model, _ in models)
        each = (theirs.exp() * (theirs - ours)).sum(-1)
        total, count = total + float(each.sum()), count + len(each)
    return total / count


def distilled(folder: Path, by: str, **own: Any) -> dict[str, Any]:
    """Distil with the advised options; the divergence from the teacher before and after."""
    stage = scene()
    options = {**advise("distill", count_weights(STARTER), len(stage.asked)).options, "by": by, **own}
    teacher = {"name": "terse", "kind": "adapter", "base_path": str(STARTER), "adapter_path": str(stage.teacher)}
    building.make_run(folder, "distill", STARTER, stage.asked, options=options, teacher=teacher)
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    before = divergence(stage.teacher, None, stage.held_out)
    after = divergence(stage.teacher, folder / "adapter", stage.held_out)
    return {
        "measure": "divergence from the teacher on held-out prompts, nats for each token",
        "better": "lower",
        "before": round(before, 4),
        "after": round(after, 4),
        "met": after < FALLS_TO * before,
    }


def _effect(by: str) -> Callable[[Path], dict[str, Any]]:
    return lambda folder: distilled(folder / "run", by)


EFFECTS: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    f"distill/{by}": _effect(by) for by in ("logits", "answers", "on_policy")
}
