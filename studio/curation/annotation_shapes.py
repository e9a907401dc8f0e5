"""What annotation tools export: Label Studio's tasks, Prodigy's choices, Argilla's records.

An annotation becomes an example where it says which answer is better, or writes one. What it says besides (labels on
pictures, spans in texts) trains no language model; a task whose data is a text is a text.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from studio.curation.answer_shapes import ANSWER_SHAPES
from studio.curation.examples import Made
from studio.curation.fields import Row, filled, made, text_field
from studio.curation.messages import conversation, said_by
from studio.curation.preference_shapes import PREFERENCE_SHAPES
from studio.curation.questions import prompt_column
from studio.curation.records import RowError
from studio.curation.shapes import Shape
from studio.curation.verdicts import answers_of

_TWO, _MANY = (shape for shape in ANSWER_SHAPES if shape.name in ("two-answers", "many-answers"))
_PREFERENCE = PREFERENCE_SHAPES[-1]


# Label Studio


def _results(row: Row) -> Iterator[Mapping[str, Any]]:
    """What the annotations of a task say, those that were cancelled left out."""
    for key in ("annotations", "completions"):
        for annotation in row.get(key) or () if isinstance(row.get(key), list) else ():
            if isinstance(annotation, Mapping) and not annotation.get("was_cancelled"):
                found = annotation.get("result")
                yield from (
                    (item for item in found or () if isinstance(item, Mapping)) if isinstance(found, list) else ()
                )


def _is_task(row: Row) -> bool:
    """A task of Label Studio that holds a prompt or a text."""
    data = row.get("data")
    if not isinstance(data, Mapping) or not ("annotations" in row or "completions" in row or "predictions" in row):
        return False
    chatted = any(result.get("type") == "chatmessage" for result in _results(row))
    return chatted or prompt_column(data) is not None or isinstance(data.get("text"), str)


def _make_task(row: Row) -> Made | list[Made]:
    """What each annotation decided or wrote; without any, the answers to be judged, the prompt or the text."""
    data = row["data"]
    if talks := list(_talks(row, data)):
        return talks
    if prompt_column(data) is None:
        return made("text", {"text": text_field(data, "text")}, data, ["text"])
    decided = [found for result in _results(row) for found in _decided(data, result)]
    if decided:
        return decided
    about = {key: value for key, value in data.items() if key not in ("label", "annotations")}
    shape = next((shape for shape in (_PREFERENCE, *ANSWER_SHAPES) if shape.fits(about)), None)
    if shape is not None:
        return shape.make(about)
    name = prompt_column(data) or "prompt"
    return made("prompts", {"prompt": [{"role": "user", "content": text_field(data, name)}]}, data, [name])


def _talks(row: Row, data: Mapping[str, Any]) -> Iterator[Made]:
    """The conversation that each annotator had in the task."""
    for annotation in row.get("annotations") or ():
        found = [item["value"].get("chatmessage") for item in _results({"annotations": [annotation]})
                 if item.get("type") == "chatmessage" and isinstance(item.get("value"), Mapping)]  # fmt: skip
        said = [
            {"role": item.get("role"), "content": item.get("content")} for item in found if isinstance(item, Mapping)
        ]
        if said:
            messages = conversation(said, "annotations").messages
            answered = said_by(messages, "assistant")
            content = {"messages": messages} if answered else {"prompt": messages}
            yield made("sft" if answered else "prompts", content, data, ["chat"])


def _decided(data: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[Made]:
    """What one result of an annotation says."""
    value = result.get("value")
    if not isinstance(value, Mapping):
        return
    name = prompt_column(data) or "prompt"
    two = answers_of(data)
    if two is not None and ("selected" in value or isinstance(value.get("choices"), list)):
        said = value.get("selected", (value.get("choices") or [None])[0])
        judged = {name: data[name], two.first: data[two.first], two.second: data[two.second], "winner": said}
        try:
            yield from _listed(_TWO.make(judged))
        except RowError:
            return  # a tie, or a choice about something else
    elif result.get("type") == "ranker" or "ranker" in value:
        yield from _ranked(data, value)
    elif isinstance(value.get("text"), list | str) and result.get("type") == "textarea":
        text = value["text"] if isinstance(value["text"], str) else "\n".join(map(str, value["text"]))
        if text.strip():
            asked = [{"role": "user", "content": text_field(data, name)}]
            yield made("sft", {"messages": [*asked, {"role": "assistant", "content": text}]}, data, [name])


def _ranked(data: Mapping[str, Any], value: Mapping[str, Any]) -> Iterator[Made]:
    """The pairs of a ranking: the ids of the items, best first."""
    ranker = value.get("ranker", value)
    order = (
        next((ids for ids in ranker.values() if isinstance(ids, list)), []) if isinstance(ranker, Mapping) else ranker
    )
    items = next((found for found in data.values() if isinstance(found, list) and found and _has_id(found[0])), [])
    texts = {
        str(item["id"]): item.get("body") or item.get("html") or item.get("text") or item.get("title") for item in items
    }
    answers = [{"text": texts[str(key)], "rank": place} for place, key in enumerate(order) if texts.get(str(key))]
    name = prompt_column(data) or "prompt"
    if len(answers) > 1:
        yield from _listed(_MANY.make({name: data[name], "answers": answers}))


def _has_id(item: Any) -> bool:
    return isinstance(item, Mapping) and "id" in item


def _listed(found: Made | list[Made]) -> list[Made]:
    return found if isinstance(found, list) else [found]


# Label Studio's short form: the data and the result side by side


def _is_short(row: Row) -> bool:
    return "annotation_id" in row and "annotator" in row and prompt_column(row) is not None and _TWO.fits(row)


# Prodigy


def _is_choice(row: Row) -> bool:
    """A question with options of which some were accepted."""
    options, accepted = row.get("options"), row.get("accept")
    if not (isinstance(options, list) and isinstance(accepted, list) and len(options) > 1):
        return False
    return all(isinstance(item, Mapping) and "id" in item for item in options) and _question(row) is not None


def _question(row: Row) -> str | None:
    """What was asked."""
    for name in ("prompt", "question", "instruction", "input", "text"):
        value = row.get(name)
        value = value.get("text") if isinstance(value, Mapping) else value
        if isinstance(value, str) and value.strip():
            return value
    return None


def _make_choice(row: Row) -> Made | list[Made]:
    """Each accepted option against each other one."""
    if row.get("answer") in ("ignore", "reject"):
        raise RowError("answer", f'The annotator said "{row["answer"]}" of this question.')
    accepted = {str(item) for item in row["accept"]}
    answers: list[dict[str, Any]] = []
    for item in row["options"]:
        said = text_field(item, "text" if filled(item, "text") else "label")
        answers.append({"text": said, "rank": int(str(item["id"]) not in accepted)})
    if not 0 < sum(item["rank"] for item in answers) < len(answers):
        raise RowError("accept", "No option is preferred to another, so there is no pair.")
    rest = {key: row[key] for key in ("meta",) if key in row}
    return _MANY.make({"prompt": _question(row), "answers": answers, **rest})


# Argilla


def _is_record(row: Row) -> bool:
    """A record with fields and responses."""
    return isinstance(row.get("fields"), Mapping) and isinstance(row.get("responses"), Mapping | list)


def _flat(row: Row) -> dict[str, Any]:
    """Fields and the first answer to each question side by side; `response-1` is written as `response_1`."""
    flat = {str(key).replace("-", "_"): value for key, value in row["fields"].items()}
    responses = row["responses"]
    if isinstance(responses, list):  # older exports: a list of each annotator's answers
        values = [item.get("values") or {} for item in responses if isinstance(item, Mapping)]
        responses = {key: [value] for answers in values for key, value in answers.items()}
    for key, said in responses.items():
        first = said[0] if isinstance(said, list) and said else said
        value = first.get("value") if isinstance(first, Mapping) else first
        name = str(key).replace("-", "_")
        named = str(value).replace("-", "_")
        flat[name if name not in flat else f"{name} (answer)"] = named if named in flat else value
    return flat


def _fits_flat(row: Row) -> bool:
    return _is_record(row) and _shape_of_flat(_flat(row)) is not None


def _shape_of_flat(flat: Mapping[str, Any]) -> Shape | None:
    return next((shape for shape in (_PREFERENCE, *ANSWER_SHAPES) if shape.fits(flat)), None)


def _make_flat(row: Row) -> Made | list[Made]:
    flat = _flat(row)
    shape = _shape_of_flat(flat)
    if shape is None:
        raise RowError("fields", "The record holds no prompt with answers.")
    return shape.make(flat)


ANNOTATION_SHAPES: tuple[Shape, ...] = (
    Shape("label-studio", _is_task, _make_task),
    Shape("label-studio", _is_short, _TWO.make),
    Shape("prodigy", _is_choice, _make_choice),
    Shape("argilla", _fits_flat, _make_flat),
)
