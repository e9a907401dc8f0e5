"""The teacher of a distillation: loaded beside the student, asked every prompt once, its answers kept in the run.

The answers are written whole or not at all (`answers.jsonl`), so a run that is resumed learns from the same ones.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from storage.errors import BadInput, Refused
from trainers.asking import encoded, padding_of
from trainers.checkpoints import sync
from trainers.data import Conversation, Messages, Prepared, encode_completion, encode_prompt
from trainers.models import Loaded, load_base, merged
from trainers.run import Run

_AT_ONCE = 32
_ANSWERS = "answers.jsonl"


class Question(NamedTuple):
    """A prompt to be answered."""

    id: str
    prompt: Messages


def read_questions(rows: Sequence[dict[str, Any]]) -> list[Question]:
    """Questions from the frozen table; raises BadInput with the row's id for one that asks nothing."""
    found = []
    for row in rows:
        prompt = json.loads(row["prompt"]) if isinstance(row.get("prompt"), str) else row.get("prompt")
        if not isinstance(prompt, list) or not prompt:
            raise BadInput(f'Row "{row.get("id")}" asks nothing; every row needs a prompt.')
        found.append(Question(str(row.get("id")), prompt))
    return found


def load_teacher(run: Run) -> Loaded:
    """The run's teacher, for answering; an adapter is merged into its base.

    Raises BadInput where the run names none.
    """
    told = run.spec.teacher
    if not told:
        raise BadInput("Distillation needs a teacher; name the model to learn from (--teacher).")
    adapter = told.get("adapter_path")
    spec = replace(run.spec, base_path=told["base_path"], adapter_path=None, options={})
    loaded = load_base(spec, exact=bool(adapter))
    model = merged(loaded.model, Path(adapter)) if adapter else loaded.model
    model = model.to(loaded.placement.device).eval().requires_grad_(False)
    run.say(f'The teacher is "{told["name"]}": {loaded.parameters / 1e6:.1f} million weights.')
    return loaded._replace(model=model)


def check_vocabularies(student: Loaded, teacher: Loaded) -> None:
    """Raise Refused where the two models do not mean the same words by the same numbers."""
    same = student.tokenizer.get_vocab() == teacher.tokenizer.get_vocab()
    sizes = (student.model.config.vocab_size, teacher.model.config.vocab_size)
    if not same or sizes[0] != sizes[1]:
        raise Refused(
            f"Student and teacher have different vocabularies ({sizes[0]} and {sizes[1]} words), so their logits "
            "cannot be compared; distil by answers (by=answers), or choose a teacher of the same family."
        )


def answers_of(run: Run, teacher: Loaded, questions: Sequence[Question], options: Any) -> dict[str, str]:
    """The teacher's answer by the question's id; made at the first start of the run, read at every other."""
    path = run.folder / _ANSWERS
    if not path.exists():
        said = _ask_all(run, teacher, questions, options)
        fresh = path.with_suffix(".new")
        lines = [json.dumps({"id": one, "answer": text}, ensure_ascii=True) for one, text in said.items()]
        fresh.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        sync(fresh)
        fresh.replace(path)
    kept = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    left_out = len(questions) - len(kept)
    if left_out:
        run.warn(
            f"{left_out} of {len(questions)} prompts were left out: the teacher said nothing, or more than "
            f"{options.answer_tokens} tokens (answer_tokens)."
        )
    return {line["id"]: line["answer"] for line in kept}


def _ask_all(run: Run, teacher: Loaded, questions: Sequence[Question], options: Any) -> dict[str, str]:
    """Answers that came to their end, batch by batch, prompts of like length together."""
    import torch

    torch.manual_seed(options.seed)
    by_length = sorted(questions, key=lambda one: (len(json.dumps(one.prompt)), one.id))
    said: dict[str, str] = {}
    for start in range(0, len(by_length), _AT_ONCE):
        run.phase("answering", start, len(by_length))
        batch = by_length[start : start + _AT_ONCE]
        for question, text in zip(batch, _ask(teacher, [one.prompt for one in batch], options), strict=True):
            if text:
                said[question.id] = text
    return {one.id: said[one.id] for one in questions if one.id in said}


def _ask(teacher: Loaded, prompts: Sequence[Messages], options: Any) -> list[str | None]:
    """The answers to a few prompts; None for one that was cut short or empty."""
    import torch

    tokenizer = teacher.tokenizer
    inputs = encoded(tokenizer, prompts).to(teacher.model.device)
    warm = {"do_sample": True, "temperature": options.sampling, "top_k": 0, "top_p": 1.0}
    with torch.no_grad():
        made = teacher.model.generate(
            **inputs,
            max_new_tokens=options.answer_tokens + 1,  # an answer of the longest length still has room for its end
            use_cache=True,
            pad_token_id=padding_of(tokenizer),
            **(warm if options.sampling else {"do_sample": False}),
        )
    ends = teacher.model.generation_config.eos_token_id
    known = {tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])}
    rows = made[:, inputs["input_ids"].shape[1] :].tolist()
    return [_text(tokenizer, row) if known & set(row) else None for row in rows]


def _text(tokenizer: Any, tokens: list[int]) -> str | None:
    return tokenizer.decode(tokens, skip_special_tokens=True).strip() or None


def prepare_answers(
    tokenizer: Any, questions: Sequence[Question], answers: dict[str, str], max_length: int
) -> Prepared:
    """`input_ids` and `labels` of every answered question, the answer learnt; rows that are too long are left out."""
    kept: list[dict[str, Any]] = []
    dropped = longest = 0
    for question in questions:
        if question.id not in answers:
            continue
        said = [{"role": "assistant", "content": answers[question.id]}]
        ids, labels = encode_completion(
            tokenizer, Conversation(question.id, question.prompt + said, None), question.prompt
        )
        if len(ids) > max_length:
            dropped += 1
            continue
        kept.append({"input_ids": ids, "labels": labels})
        longest = max(longest, len(ids))
    return Prepared(kept, 0, dropped, 0, longest)


def prepare_prompts(tokenizer: Any, questions: Sequence[Question], answer_tokens: int, max_length: int) -> Prepared:
    """Prompts for a student that answers itself; those that leave no room for `answer_tokens` are left out."""
    kept: list[dict[str, Any]] = []
    dropped = longest = 0
    for question in questions:
        tokens = len(encode_prompt(tokenizer, Conversation(question.id, question.prompt, None))) + answer_tokens
        if tokens > max_length:
            dropped += 1
            continue
        # Arrow would give every message every key that any message has, which some templates print.
        kept.append({"prompt": [{"role": turn["role"], "content": turn.get("content")} for turn in question.prompt]})
        longest = max(longest, tokens)
    return Prepared(kept, 0, dropped, 0, longest)
