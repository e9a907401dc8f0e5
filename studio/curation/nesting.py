"""Takes nested records apart and puts scattered ones together, between reading a file and knowing its shape.

Questions nested in paragraphs become a record each. Messages that name their parents (OASST's flat files) become
trees, and turns that name their conversation (chat logs in tables) conversations: one record that stands for all of
its messages.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from studio.curation.messages import is_role, speaker_key
from studio.curation.records import Fault, Item, Record, Unreadable, quoted

_PARENT = re.compile(r"(?:^|_)parent(?:_message)?(?:_?id)?$")
_TALK = re.compile(r"(?:conversation|conv|dialog|dialogue|thread|session|chat)(?:_?id)?")
_TREE = "message_tree_id"
# Fields of a record that holds others.
_NESTS = {"paragraphs", "qas", "row_idx", "custom_id"}
# Loose messages are held until their trees are whole; more than this is no conversation but a dump.
_HELD = 2_000_000

Loose = tuple[int, Mapping[str, Any]]


def unnested(items: Iterator[Item]) -> Iterator[Item]:
    """The records of a file as the shapes know them."""
    held: list[Loose] = []
    for item in _talks(items):
        if isinstance(item, Record) and item.plain:
            yield item
            continue
        value = item.value if isinstance(item, Record) else None
        if isinstance(value, dict) and (parent := _parent_of(value)):
            if held and value.get(_TREE) is not None and value[_TREE] != held[-1][1].get(_TREE):
                yield from _trees(held, parent)
                held = []
            held.append((item.line, value))
            if len(held) > _HELD:
                raise Unreadable(f"The file has more than {_HELD:,} messages that name parents; split it by tree.")
        elif isinstance(value, dict) and _NESTS & value.keys():
            yield from _apart(item.line, value)
        elif isinstance(value, list) and value and all(map(_is_turn, value)):  # a conversation without a name
            yield Record(item.line, {"messages": value})
        else:
            yield item
    if held:
        yield from _trees(held, str(_parent_of(held[0][1])))


def _is_turn(value: Any) -> bool:
    """Whether a value says who speaks."""
    key = speaker_key(value)
    return key is not None and is_role(value[key])


def _talks(items: Iterator[Item]) -> Iterator[Item]:
    """Records as they are, but turns of one conversation that follow one another, a record each, become one record."""
    held: list[Record] = []
    for item in items:
        turn = _conversation_of(item.value) if isinstance(item, Record) and not item.plain else None
        if held and (turn is None or turn != _conversation_of(held[0].value)):
            yield _talk(held)
            held = []
        if turn is not None and isinstance(item, Record):
            held.append(item)
        else:
            yield item
    if held:
        yield _talk(held)


def _conversation_of(value: Any) -> Any:
    """The id of the conversation that a record is a turn of; None where it is none."""
    name = _talk_field(tuple(value)) if isinstance(value, dict) else None
    return value[name] if name and is_role(value[speaker_key(value) or name]) else None


@lru_cache(maxsize=64)
def _talk_field(names: tuple[Any, ...]) -> str | None:
    """The field that tells which conversation a turn belongs to, where the others say who speaks and what."""
    said = any(name in names for name in ("content", "text", "value", "message"))
    if not said or not any(name in names for name in ("role", "from", "speaker", "sender")) or "replies" in names:
        return None
    if _parent_field(tuple(name for name in names if isinstance(name, str))):
        return None
    return next((name for name in names if isinstance(name, str) and _TALK.fullmatch(name.lower())), None)


def _talk(turns: list[Record]) -> Record:
    """The turns of a conversation as one record; what they hold beside role and text stays with them."""
    name = str(_talk_field(tuple(turns[0].value)))
    messages = [{key: value for key, value in turn.value.items() if key != name} for turn in turns]
    return Record(turns[0].line, {name: turns[0].value[name], "messages": messages}, len(turns))


def _apart(line: int, value: dict[str, Any]) -> Iterator[Record]:
    """The records in a record: the questions of its paragraphs, or itself."""
    if isinstance(value.get("paragraphs"), list) or isinstance(value.get("qas"), list):
        yield from (Record(line, question) for question in _questions(value))
    elif isinstance(value.get("row"), dict) and "row_idx" in value:  # as the Hub's viewer hands rows out
        yield Record(line, value["row"])
    elif isinstance(value.get("body"), dict) and "custom_id" in value:  # a request of OpenAI's batches
        yield Record(line, {"custom_id": value["custom_id"], **value["body"]})
    else:
        yield Record(line, value)


def _questions(value: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """SQuAD's questions, each with the context and the title that it stands under."""
    paragraphs = value["paragraphs"] if isinstance(value.get("paragraphs"), list) else [value]
    above = {"title": value["title"]} if "title" in value else {}
    found = False
    for paragraph in paragraphs:
        questions = paragraph.get("qas") if isinstance(paragraph, dict) else None
        for question in questions if isinstance(questions, list) else ():
            found = True
            beside = {"context": paragraph["context"]} if "context" in paragraph else {}
            yield {**above, **beside, **(question if isinstance(question, dict) else {"question": question})}
    if not found:
        yield dict(value)


def _parent_of(value: Mapping[str, Any]) -> str | None:
    """The field in which a loose message names its parent; None where the record is no such message."""
    name = _parent_field(tuple(value))
    if name is None or value.get("replies") or not is_role(value.get("role")):
        return None
    return name if isinstance(value.get("text", value.get("content")), str) else None


@lru_cache(maxsize=64)
def _parent_field(names: tuple[str, ...]) -> str | None:
    return next((name for name in names if isinstance(name, str) and _PARENT.search(name.lower())), None)


def _trees(held: list[Loose], parent: str) -> Iterator[Item]:
    """The trees of loose messages, and a fault for each message that hangs in the air."""
    name = _id_field(held, parent)
    nodes: dict[Any, dict[str, Any]] = {}
    for _, message in held:
        nodes.setdefault(message.get(name), {**message, "replies": []})
    roots: list[tuple[int, dict[str, Any]]] = []
    for line, message in held:
        above, node = message.get(parent), nodes[message.get(name)]
        if above in (None, ""):
            roots.append((line, node))
        elif above in nodes:
            nodes[above]["replies"].append(node)
    reached: set[int] = set()
    for line, root in roots:
        size = _count(root, reached)
        if size:
            yield Record(line, {_TREE: root.get(_TREE, root.get(name)), "prompt": root}, size)
    for line, message in held:
        if id(nodes[message.get(name)]) not in reached:
            said = f"The parent {quoted(message.get(parent))} of this message is not in the file."
            yield Fault(line, parent, said, str(message.get("text", ""))[:200])


def _count(root: dict[str, Any], reached: set[int]) -> int:
    """How many messages a tree holds; a message met before (an id given twice) is not counted again."""
    waiting, size = [root], 0
    while waiting:
        node = waiting.pop()
        if id(node) not in reached:
            reached.add(id(node))
            size += 1
            waiting.extend(node["replies"])
    return size


def _id_field(held: list[Loose], parent: str) -> str:
    """The field whose values the messages name as parents."""
    named = {message.get(parent) for _, message in held} - {None, ""}
    fields = [name for name in held[0][1] if name != parent and name.lower().endswith("id")]
    hits = {name: sum(1 for _, message in held if _hashable(message.get(name)) in named) for name in fields}
    best = max(hits, key=lambda name: hits[name], default="")
    return best if hits.get(best) or len(fields) < 2 else next((n for n in fields if n in ("message_id", "id")), best)


def _hashable(value: Any) -> Any:
    return value if isinstance(value, str | int) else None
