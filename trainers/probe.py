"""What a run made is asked before it counts: is it finite, does it differ from its parent, what does it say?"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from trainers.adapter import saved_in
from trainers.data import Messages
from trainers.failures import RunFailed
from trainers.run import Run
from trainers.tunings import ADAPTER, artefact_of, merges
from trainers.whole import load_exactly

_SAMPLES = 3
_SAMPLE_TOKENS = 48
_LONGEST_PROMPT = 512  # tokens; a probe need not be dear


class Probe(NamedTuple):
    """What was found. `max_logit_difference`: the largest difference from the parent's logits on the probe prompts."""

    finite: bool
    max_logit_difference: float


def probe_adapter(run: Run, trainer: Any, prompts: Sequence[Messages]) -> Probe:
    """Load the saved files and compare with the parent; a few answers become events.

    Raises RunFailed where the numbers are broken or where it answers exactly as its parent does.
    """
    import torch

    run.phase("probing", trainer.state.global_step, trainer.state.max_steps)
    tokenizer, chosen = trainer.processing_class, list(prompts[:_SAMPLES])
    plain = artefact_of(run.spec) == ADAPTER and not merges(run.spec)
    with torch.no_grad():
        probed = _beside(run, trainer, chosen) if plain else _reloaded(run, trainer, chosen)
        for messages, answer in zip(chosen, probed.answers, strict=True):
            text = tokenizer.decode(answer[probed.start :], skip_special_tokens=True)
            run.event("sample", prompt=messages[-1].get("content"), text=text)
    return _judged(probed.difference)


class _Probed(NamedTuple):
    """Difference of logits, and answers as token ids, which begin at `start`."""

    difference: float
    answers: Any
    start: int


def _beside(run: Run, trainer: Any, prompts: list[Messages]) -> _Probed:
    """The saved adapter as a further one on the trained model, whose base is the parent's."""
    model = trainer.model.eval()
    device = str(model.device)
    model.load_adapter(str(run.adapter), adapter_name="probe", torch_device=device)
    parent = run.spec.adapter_path
    if parent:
        model.load_adapter(str(Path(parent)), adapter_name="parent", torch_device=device)
    inputs = _inputs(trainer.processing_class, prompts).to(model.device)
    difference = _difference(model, inputs, bool(parent))
    model.set_adapter("probe")
    return _Probed(difference, _answers(model, inputs, trainer.processing_class), inputs["input_ids"].shape[1])


def _reloaded(run: Run, trainer: Any, prompts: list[Messages]) -> _Probed:
    """Parent and result from their files: the trained model's own base is no longer the parent's."""
    import torch

    base, parent = Path(run.spec.base_path), run.spec.adapter_path
    device = trainer.model.device
    inputs = _inputs(trainer.processing_class, prompts).to(device)
    before = load_exactly(base, (Path(parent),) if parent else ()).to(device).eval()
    old = before(**inputs, use_cache=False).logits
    del before
    made = saved_in(run)
    after = (load_exactly(base, (made,)) if artefact_of(run.spec) == ADAPTER else load_exactly(made)).to(device).eval()
    new = after(**inputs, use_cache=False).logits
    real = inputs["attention_mask"].bool()
    finite = bool(torch.isfinite(new[real]).all())
    difference = float((new - old)[real].abs().max()) if finite else math.nan
    return _Probed(difference, _answers(after, inputs, trainer.processing_class), inputs["input_ids"].shape[1])


def _answers(model: Any, inputs: Any, tokenizer: Any) -> Any:
    return model.generate(
        **inputs, max_new_tokens=_SAMPLE_TOKENS, do_sample=False, use_cache=True, pad_token_id=tokenizer.pad_token_id
    )


def _inputs(tokenizer: Any, prompts: list[Messages]) -> Any:
    """The prompts as one left-padded batch, as generation wants it."""
    side, cut = tokenizer.padding_side, tokenizer.truncation_side
    tokenizer.padding_side = tokenizer.truncation_side = "left"
    try:
        return tokenizer.apply_chat_template(
            prompts,
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=_LONGEST_PROMPT,
        )
    finally:
        tokenizer.padding_side, tokenizer.truncation_side = side, cut


def _difference(model: Any, inputs: Any, has_parent: bool) -> float:
    """The largest difference of logits at real tokens; not a number where the adapter's own are not finite."""
    import torch

    model.set_adapter("probe")
    mine = model(**inputs, use_cache=False).logits
    if has_parent:
        model.set_adapter("parent")
        before = model(**inputs, use_cache=False).logits
    else:
        with model.disable_adapter():
            before = model(**inputs, use_cache=False).logits
    real = inputs["attention_mask"].bool()
    if not bool(torch.isfinite(mine[real]).all()):
        return math.nan
    return float((mine.float() - before.float())[real].abs().max())


def _judged(difference: float) -> Probe:
    if math.isnan(difference):
        raise RunFailed(
            "not-finite",
            "What was made computes numbers that are not finite, so it cannot answer.",
            "Start the job again with a lower learning_rate.",
        )
    if difference == 0.0:
        raise RunFailed(
            "no-change",
            "What was made answers exactly as the model before it: nothing was learnt.",
            "Start the job again with more steps or a higher learning_rate.",
        )
    return Probe(True, round(difference, 6))
