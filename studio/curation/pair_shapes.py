"""Shapes with one question and one answer in fields of their own, prompts without answers, and plain text."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from studio.curation.chat_shapes import messages_from
from studio.curation.examples import Made
from studio.curation.fields import Row, filled, made, text_field, truth_of
from studio.curation.messages import said_by
from studio.curation.questions import asking
from studio.curation.records import RowError
from studio.curation.shapes import Shape

# name, question, answer: the first pair whose two fields are there wins.
PAIRS = (
    ("alpaca", "instruction", "output"),
    ("instruction-response", "instruction", "response"),
    ("instruction-response", "instruction", "completion"),
    ("instruction-response", "instruction", "answer"),
    ("prompt-completion", "prompt", "completion"),
    ("prompt-completion", "prompt", "response"),
    ("prompt-completion", "prompt", "answer"),
    ("prompt-completion", "prompt", "output"),
    ("prompt-completion", "prompt", "canonical_solution"),
    ("prompt-completion", "prompt", "referenceResponse"),
    ("prompt-completion", "prompt", "reference_response"),
    ("question-answer", "question", "answer"),
    ("question-answer", "question", "response"),
    ("question-answer", "question", "best_answer"),
    ("question-answer", "problem", "solution"),
    ("question-answer", "problem", "answer"),
    ("question-answer", "query", "answer"),
    ("question-answer", "query", "response"),
    ("question-answer", "q", "a"),
    ("input-output", "input", "target"),
    ("input-output", "input", "target_scores"),
    ("input-output", "input", "ideal"),
    ("input-output", "input", "output"),
    ("input-output", "inputs", "targets"),
    ("input-output", "input_text", "output_text"),
    ("input-output", "text_input", "output"),
    ("input-output", "user", "assistant"),
    ("input-output", "human", "assistant"),
    ("prompt-completion", "user_prompt", "response"),
)
_CHOICES = ("choices", "options")
# Fields that would hold an answer: a record with one of them is no bare prompt.
_ANSWERISH = re.compile(
    r"answer|response|output|completion|chosen|rejected|target|label|reply|replies|solution|choices|instances"
)


@lru_cache(maxsize=256)
def pair_of(names: tuple[str, ...]) -> tuple[str, str, str] | None:
    """Which of the known pairs of fields a record with these fields has."""
    if "chosen" in names:
        return None
    return next((pair for pair in PAIRS if pair[1] in names and pair[2] in names), None)


def is_thumb(row: Row) -> bool:
    """Whether a record says of its answer that it is good or bad (KTO)."""
    if "kto_tag" in row:
        return truth_of(row["kto_tag"]) is not None
    label = row.get("label")
    return isinstance(label, bool) or (isinstance(label, str) and label.strip().lower() in ("true", "false"))


def _pair_fits(row: Row, pair: tuple[str, str, str]) -> bool:
    """Whether this is the pair of a record; one that is said to be good or bad is no pair alone."""
    return pair_of(tuple(row)) == pair and not is_thumb(row)


def _is_spans(row: Row) -> bool:
    """SQuAD's answers: texts with their places in the context, a list of objects or an object of lists."""
    answers = row.get("answers")
    if "question" not in row or answers is None:
        return False
    first = answers[0] if isinstance(answers, list) and answers else answers
    spans = isinstance(first, Mapping) and "text" in first and ("answer_start" in first or len(first) == 1)
    return spans or (answers == [] and "context" in row)


def _make_pair(row: Row, pair: tuple[str, str, str]) -> Made:
    """Question and answer as a conversation; a prompt may be a list of messages, an answer one as well."""
    _, question, answer = pair
    if row.get("is_impossible") is True or (answer == "answers" and answer_text(row.get(answer)) is None):
        raise RowError(answer, "The question has no answer in its text.")
    asked, used = asking(row, question)
    spoken = row.get(answer)
    if answer in ("target", "ideal") and _texts(spoken):  # several right answers: BIG-Bench, OpenAI's evals
        spoken = [{"text": text} for text in list(spoken or ())[:1]]
    if (text := answer_text(spoken)) is not None:
        return made(
            "sft", {"messages": [*asked, {"role": "assistant", "content": text}]}, row, _used_by(used, spoken, answer)
        )
    if isinstance(spoken, list | dict) or (isinstance(spoken, str) and spoken[:2] == "[{"):
        answered = messages_from(spoken, answer, "assistant")
    else:
        answered = [{"role": "assistant", "content": text_field(row, answer)}]
    return made("sft", {"messages": asked + answered}, row, [*used, answer])


def _used_by(used: list[str], spoken: Any, answer: str) -> list[str]:
    """The fields that an example holds whole: where several answers were given, the field stays in the metadata."""
    several = isinstance(spoken, Sequence) and len(spoken) > 1
    return used if several or (isinstance(spoken, Mapping) and "text" not in spoken) else [*used, answer]


def answer_text(value: Any) -> str | None:
    """The first answer of SQuAD's list or columns, the best of BIG-Bench's targets; None for any other value."""
    if not isinstance(value, Mapping | list) or not value:
        return None
    if isinstance(value, Mapping):
        if isinstance(value.get("value"), str) and value["value"].strip() and not {"role", "from"} & value.keys():
            return str(value["value"])
        texts = value.get("text")
        if isinstance(texts, list):
            return next((text for text in texts if isinstance(text, str) and text.strip()), None)
        scored = [(score, text) for text, score in value.items() if isinstance(score, int | float)]
        return max(scored, key=lambda pair: pair[0])[1] if scored and len(scored) == len(value) else None
    first = value[0]
    if isinstance(first, Mapping):
        spanned = isinstance(first.get("text"), str) and ("answer_start" in first or len(first) == 1)
        return str(first["text"]) if spanned else None
    return None


def _is_choice(row: Row) -> bool:
    """Multiple choice: a question, its options, and which of them is right."""
    return "question" in row and _options(row) is not None and _right(row) is not None


def _options(row: Row) -> list[str] | None:
    """The options of a question: a list of texts, or texts beside their labels."""
    found = next((row[name] for name in _CHOICES if name in row), None)
    found = found.get("text") if isinstance(found, Mapping) else found
    texts = isinstance(found, list) and len(found) > 1 and all(isinstance(item, str) for item in found)
    return list(found) if texts and found else None


def _right(row: Row) -> int | None:
    """The place of the right option: named by its number, its letter or its text."""
    options = _options(row) or []
    said = next((row[name] for name in ("answer", "answerKey", "answer_idx", "label", "correct") if name in row), None)
    if isinstance(said, int) and not isinstance(said, bool):
        return said if 0 <= said < len(options) else None
    if isinstance(said, str) and said in options:
        return options.index(said)
    marks = row["choices"].get("label") if isinstance(row.get("choices"), Mapping) else None
    letters = marks if isinstance(marks, list) else [chr(65 + n) for n in range(len(options))]
    return letters.index(said) if said in letters else None


def _make_choice(row: Row) -> Made:
    """The question with its options lettered, and the right one as the answer."""
    options, right = _options(row) or [], _right(row)
    if right is None:
        raise RowError("answer", "The answer is none of the options.")
    lines = [f"{chr(65 + number)}. {text}" for number, text in enumerate(options)]
    asked, used = asking({**row, "question": "\n".join([text_field(row, "question"), *lines])}, "question")
    taken = [*used, *_CHOICES, "answer", "answerKey", "answer_idx"]
    return made("sft", {"messages": [*asked, {"role": "assistant", "content": lines[right]}]}, row, taken)


def _is_instances(row: Row) -> bool:
    """Self-instruct: an instruction and its instances."""
    instances = row.get("instances")
    return filled(row, "instruction") and isinstance(instances, list) and isinstance((instances or [0])[0], Mapping)


def _make_instances(row: Row) -> list[Made]:
    """A row for each instance."""
    rest = {key: value for key, value in row.items() if key != "instances"}
    found = []
    for number, instance in enumerate(row["instances"]):
        try:
            found.append(_make_pair({**rest, **instance}, ("alpaca", "instruction", "output")))
        except RowError as error:
            raise RowError(f"instances[{number}].{error.column}", error.message) from None
    return found


def _is_prompt(row: Row, name: str) -> bool:
    """Whether a record asks and nothing in it answers."""
    value = row.get(name)
    asks = isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, dict) for item in value))
    return asks and not _may_answer(tuple(row), name)


@lru_cache(maxsize=256)
def _may_answer(names: tuple[str, ...], prompt: str) -> bool:
    """Whether any field but the prompt may hold an answer; one that repeats the prompt's name does not count."""
    return any(_ANSWERISH.search(str(name).lower()) for name in names if name != prompt)


def _make_prompt(row: Row, name: str) -> Made:
    asked, used = asking(row, name)
    if not said_by(asked, "user"):
        raise RowError(name, "The prompt has no user turn.")
    return made("prompts", {"prompt": asked}, row, used)


def _is_turns(row: Row) -> bool:
    """MT-bench's questions: what the user says, turn by turn."""
    return "choices" not in row and _texts(row.get("turns"))


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _make_turns(row: Row) -> Made:
    """The first turn; the later ones need answers in between, so they are kept as metadata."""
    first = [{"role": "user", "content": row["turns"][0]}]
    return made("prompts", {"prompt": first}, row, ["turns"] if len(row["turns"]) == 1 else [])


def _is_reference(row: Row) -> bool:
    """MT-bench's answers: choices with turns, whose questions stand in another file."""
    choices = row.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return isinstance(first, Mapping) and _texts(first.get("turns")) and "question" not in row


def _make_reference(row: Row) -> list[Made]:
    """Answers without their questions are texts, one a turn."""
    said = [text for choice in row["choices"] if isinstance(choice, Mapping) for text in choice.get("turns") or ()]
    return [made("text", {"text": text_field({"choices": text}, "choices")}, row, ["choices"]) for text in said]


def _is_text(row: Row) -> bool:
    """A text alone; with a speaker or a parent beside it, it is one message of a talk."""
    return isinstance(row.get("text"), str) and not {"role", "from", "parent_id", "replies"} & row.keys()


def _make_text(row: Row) -> Made:
    return made("text", {"text": text_field(row, "text")}, row, ["text"])


# Looked for before shapes with several answers: here the fields say that all but one are no answer of their own.
QUESTION_SHAPES: tuple[Shape, ...] = (
    Shape("squad", _is_spans, partial(_make_pair, pair=("squad", "question", "answers"))),
    Shape("self-instruct", _is_instances, _make_instances),
    Shape("multiple-choice", _is_choice, _make_choice),
)

PAIR_SHAPES: tuple[Shape, ...] = (
    *(Shape(pair[0], partial(_pair_fits, pair=pair), partial(_make_pair, pair=pair)) for pair in PAIRS),
)

PROMPT_SHAPES: tuple[Shape, ...] = (
    *(
        Shape("prompts", partial(_is_prompt, name=name), partial(_make_prompt, name=name))
        for name in ("prompt", "instruction", "question", "query")
    ),
    Shape("prompts", _is_turns, _make_turns),
    Shape("reference-answers", _is_reference, _make_reference),
    Shape("text", _is_text, _make_text),
)
