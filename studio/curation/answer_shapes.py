"""Shapes with several answers to one prompt: two and a verdict, many with scores or ranks, or nothing said of them.

Every better answer is preferred to every worse one (ties make no pair). Answers of which nothing is said are kept
with their prompt, to be judged.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from studio.curation.chat_shapes import messages_from
from studio.curation.examples import Made
from studio.curation.fields import Row, made, number_of, whole
from studio.curation.messages import Message, said_by
from studio.curation.questions import asked, prompt_column
from studio.curation.records import RowError
from studio.curation.shapes import Shape
from studio.curation.table_rows import structured
from studio.curation.verdicts import Two, answers_of, twos_of, verdict_of

_MANY = ("answers", "responses", "completions", "outputs", "candidates", "generations", "replies", "ranked_answers",
         "summaries", "options", "samples")  # fmt: skip
_SAID = ("response", "answer", "completion", "output", "text", "content", "generation", "messages", "candidate")
_SCORES = (
    "score",
    "overall_score",
    "rating",
    "reward",
    "pm_score",
    "quality",
    "votes",
    "upvotes",
    "fine-grained_score",
)
_RANKS = ("rank", "ranking")
_MODELS = ("model", "model_name", "generator", "model_id")
# Fields with a number for each answer; in the last ones the numbers are places, best first.
_BESIDE = ("scores", "ratings", "rewards", "score", "rating")
_RANKED = ("ranks", "rank")
_ORDER = ("ranking", "order", "preference_order")


class Answer(NamedTuple):
    """One of several answers.

    `worth`: the higher the better, None where nothing is said; `score`: as the file has it.
    """

    messages: list[Message]
    worth: float | None
    score: float | None
    model: str | None


# Two answers


def _is_two(row: Row) -> bool:
    two = answers_of(row)
    if two is None:
        return False
    if not all(isinstance(row[name], str | list | Mapping) and row[name] for name in two.fields):
        return False
    return prompt_column(row) is not None or all(isinstance(row[name], list) for name in two.fields)


def _two(row: Row) -> Two:
    two = answers_of(row)
    if two is None:
        raise RowError("", "The row has no two answers.")
    return two


def _make_two(row: Row) -> Made:
    """A preference where a verdict is given, else the prompt with its answers."""
    return _unjudged_two(row) if verdict_of(row, _two(row)) is None else _judged_two(row)


def _judged_two(row: Row) -> Made:
    two = _two(row)
    verdict = verdict_of(row, two)
    if verdict is None:
        raise RowError("", "Nothing in the row says which of the two answers is better.")
    if verdict.better is None:
        raise RowError(verdict.fields[0], "Neither answer is preferred (a tie), so there is no pair.")
    prompt, answers, used = _answers_to_two(row, two)
    content: dict[str, Any] = {
        "prompt": prompt,
        "chosen": answers[verdict.better],
        "rejected": answers[1 - verdict.better],
    }
    if verdict.margin is not None:
        content["margin"] = verdict.margin
    return made("preference", content, row, used)


def _unjudged_two(row: Row) -> Made:
    two = _two(row)
    prompt, answers, used = _answers_to_two(row, two)
    models = next((other for other in twos_of(tuple(row)) if "model" in other.stem and other.marks == two.marks), None)
    named = [row[name] for name in models.fields] if models else [None, None]
    found = [_plain(answer, model) for answer, model in zip(answers, named, strict=True)]
    return made("prompts", {"prompt": prompt, "answers": found}, row, [*used, *(models.fields if models else ())])


def _answers_to_two(row: Row, two: Two) -> tuple[list[Message], list[list[Message]], list[str]]:
    """The prompt of two answers and the answers; whole conversations (as arenas keep them) share their beginning."""
    answers = [messages_from(_first(row[name]), name, "assistant") for name in two.fields]
    if prompt_column(row) is not None:
        prompt, used = asked({key: _first(value) for key, value in row.items()})
        return prompt, answers, [*used, *two.fields]
    alike = 0
    while alike < min(map(len, answers)) - 1 and answers[0][alike] == answers[1][alike]:
        alike += 1
    while alike and not all(answer[alike]["role"] == "assistant" for answer in answers):
        alike -= 1
    prompt = answers[0][:alike]
    if not said_by(prompt, "user"):
        raise RowError(two.first, "The two conversations do not begin with the same prompt.")
    return prompt, [answer[alike:] for answer in answers], [*two.fields]


def _first(value: Any) -> Any:
    """The text of a JSON list of one text, as some arenas write a conversation of one turn."""
    if isinstance(value, str) and value[:2] == '["':
        found = structured(value)
        if isinstance(found, list) and len(found) == 1 and isinstance(found[0], str):
            return found[0]
    return value


# Two in a list, the better one first


def _is_better_first(row: Row) -> bool:
    """LLaMA-Factory's older form: an instruction and two outputs in a list, the better one first."""
    outputs = row.get("output")
    return "instruction" in row and isinstance(outputs, list) and len(outputs) == 2 and all(map(_is_text, outputs))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _make_better_first(row: Row) -> Made:
    prompt, used = asked(row)
    chosen, rejected = ([{"role": "assistant", "content": text}] for text in row["output"])
    return made("preference", {"prompt": prompt, "chosen": chosen, "rejected": rejected}, row, [*used, "output"])


# Many answers


def _many_column(row: Row) -> str | None:
    """The field with several answers."""
    for name in _MANY:
        value = row.get(name)
        if isinstance(value, list) and value and all(_spoken(item) is not None for item in value):
            return name
    return None


def _spoken(item: Any) -> Any:
    """What one of several answers says; None where it is no answer."""
    if isinstance(item, Mapping):
        return next((item[name] for name in _SAID if isinstance(item.get(name), str | list)), None)
    return item if isinstance(item, str) else None


def _is_many(row: Row) -> bool:
    return _many_column(row) is not None and prompt_column(row) not in (None, _many_column(row))


def _answers(row: Row) -> tuple[list[Answer], str]:
    """The answers of a row, and the field they came from."""
    name = _many_column(row)
    if name is None:
        raise RowError("answers", "The row has no list of answers.")
    items = row[name]
    worths, scores = _beside(row, len(items))
    found = []
    for number, item in enumerate(items):
        own = item if isinstance(item, Mapping) else {}
        score = _number(own, _SCORES) if scores is None else scores[number]
        rank = _number(own, _RANKS)
        worth = (
            worths[number] if worths is not None else score if score is not None else None if rank is None else -rank
        )
        model = next((own[key] for key in _MODELS if isinstance(own.get(key), str)), None)
        found.append(Answer(messages_from(_spoken(item), f"{name}[{number}]", "assistant"), worth, score, model))
    return found, name


def _number(item: Mapping[str, Any], names: Sequence[str]) -> float | None:
    return next((number for name in names if (number := number_of(item.get(name))) is not None), None)


def _beside(row: Row, count: int) -> tuple[list[float] | None, list[float] | None]:
    """What the answers are worth and their scores, where a list beside them says so."""
    if scores := _numbers(row, _BESIDE, count):
        return scores, scores
    if ranks := _numbers(row, _RANKED, count):
        return [-rank for rank in ranks], None
    order = _numbers(row, _ORDER, count)
    if order and sorted(order) in ([*range(count)], [*range(1, count + 1)]):
        first = min(order)
        return [-float(order.index(number + first)) for number in range(count)], None
    return None, None


def _numbers(row: Row, names: Sequence[str], count: int) -> list[float] | None:
    """A list of numbers, one for each answer."""
    for name in names:
        value = row.get(name)
        value = structured(value) if isinstance(value, str) else value
        if isinstance(value, list) and len(value) == count:
            found = [number for item in value if (number := number_of(item)) is not None]
            if len(found) == count:
                return found
    return None


def _make_many(row: Row) -> Made | list[Made]:
    """Pairs where the answers are judged, else the prompt with its answers; a single answer is a conversation."""
    answers, _ = _answers(row)
    if len(answers) == 1:
        return _best(row)
    return _pairs(row) if any(answer.worth is not None for answer in answers) else _unjudged(row)


def _pairs(row: Row) -> list[Made]:
    """Each better answer against each worse one."""
    answers, name = _answers(row)
    prompt, used = asked(row)
    worthy = sorted(((a.worth, a) for a in answers if a.worth is not None), key=lambda pair: -pair[0])
    found = []
    for (high, better), (low, worse) in combinations(worthy, 2):
        if high > low:
            content: dict[str, Any] = {"prompt": prompt, "chosen": better.messages, "rejected": worse.messages}
            if better.score is not None and worse.score is not None:
                content["margin"] = whole(better.score - worse.score)
            found.append(made("preference", content, row, [*used, name, *_BESIDE, *_RANKED, *_ORDER]))
    if not found:
        raise RowError(name, "No answer is better than another (no scores or ranks, or ties), so there is no pair.")
    return found


def _unjudged(row: Row) -> Made:
    answers, name = _answers(row)
    prompt, used = asked(row)
    found = [
        _plain(answer.messages, answer.model)
        | ({"score": answer.score} if answer.score is not None else {"rank": -answer.worth} if answer.worth else {})
        for answer in answers
    ]
    return made("prompts", {"prompt": prompt, "answers": found}, row, [*used, name])


def _plain(messages: list[Message], model: Any) -> dict[str, Any]:
    """An answer that waits to be judged."""
    return {"messages": messages, **({"model": model} if isinstance(model, str) and model else {})}


def _best(row: Row) -> Made:
    """The best answer as a conversation, the first of equals."""
    answers, name = _answers(row)
    prompt, used = asked(row)
    best = max(answers, key=lambda answer: answer.worth or 0)
    return made("sft", {"messages": [*prompt, *best.messages]}, row, [*used, name] if len(answers) == 1 else used)


ANSWER_SHAPES: tuple[Shape, ...] = (
    Shape("better-first", _is_better_first, _make_better_first),
    Shape("two-answers", _is_two, _make_two, {"preference": _judged_two, "prompts": _unjudged_two}),
    Shape("many-answers", _is_many, _make_many, {"preference": _pairs, "prompts": _unjudged, "sft": _best}),
)
