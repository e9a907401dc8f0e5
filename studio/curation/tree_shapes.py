"""Trees of messages, as Open Assistant exports them: a prompt, its replies, theirs, some of them ranked.

Where replies to one message are ranked, each better one is preferred to each worse one; a tree without ranks is
its conversations, from the prompt to each last answer.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from studio.curation.examples import Made
from studio.curation.fields import Row, made
from studio.curation.messages import Message, is_role, message
from studio.curation.records import RowError
from studio.curation.shapes import Shape

_REPLIES = ("replies", "children")


def _root(row: Row) -> Mapping[str, Any] | None:
    """The first message of a tree: the record itself, or what it holds as its prompt."""
    for node in (row.get("prompt"), row):
        if isinstance(node, Mapping) and any(isinstance(node.get(name), list) for name in _REPLIES):
            return node if is_role(node.get("role")) else None
    return None


def _is_tree(row: Row) -> bool:
    return _root(row) is not None


def _replies(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The replies to a message, those taken back left out."""
    found: list[Any] = next((node[name] for name in _REPLIES if isinstance(node.get(name), list)), [])
    return [reply for reply in found if isinstance(reply, Mapping) and not reply.get("deleted")]


Step = tuple[list[Message], list[Mapping[str, Any]]]


def _steps(row: Row) -> Iterator[Step]:
    """Every message of a tree: the conversation up to it, and its replies."""
    root = _root(row)
    if root is None:
        raise RowError("", "The tree has no first message.")
    waiting = [([_said(root)], _replies(root))]
    while waiting:
        talk, replies = waiting.pop()
        yield talk, replies
        waiting += [([*talk, _said(reply)], _replies(reply)) for reply in reversed(replies)]


def _said(node: Mapping[str, Any]) -> Message:
    """A node as a message."""
    spoken = {"role": node.get("role"), "content": node.get("text", node.get("content"))}
    return message(spoken, "text")[0]


def _make(row: Row) -> Made | list[Made]:
    """Preferences where replies are ranked, else conversations, else the prompt alone."""
    return _preferences(row) or _conversations(row)


def _make_preferences(row: Row) -> list[Made]:
    if found := _preferences(row):
        return found
    raise RowError("replies", "No two replies of this tree are ranked, so none is preferred.")


def _preferences(row: Row) -> list[Made]:
    """Each better reply against each worse one."""
    found = []
    for talk, replies in _steps(row):
        ranked = [(reply["rank"], reply) for reply in replies if isinstance(reply.get("rank"), int | float)]
        ranked = [(rank, reply) for rank, reply in ranked if _said(reply)["role"] == "assistant"]
        for better, worse in combinations(sorted(ranked, key=lambda pair: pair[0]), 2):
            if better[0] < worse[0]:
                answers = {"chosen": [_said(better[1])], "rejected": [_said(worse[1])]}
                found.append(_row("preference", {"prompt": talk, **answers}, row))
    return found


def _conversations(row: Row) -> list[Made]:
    """From the prompt to each last answer; where replies are ranked, only the best one goes on."""
    root = _root(row)
    found: list[Made] = []
    prompts: list[Made] = []
    waiting = [([_said(root)], _best(_replies(root)))] if root is not None else []
    while waiting:
        talk, replies = waiting.pop()
        waiting += [([*talk, _said(reply)], _best(_replies(reply))) for reply in reversed(replies)]
        if talk[-1]["role"] == "assistant" and not any(_answered(reply) for reply in replies):
            found.append(_row("sft", {"messages": talk}, row))
        elif len(talk) == 1:
            prompts.append(_row("prompts", {"prompt": talk}, row))
    return found or prompts


def _answered(node: Mapping[str, Any]) -> bool:
    """Whether anything at or below a message is an answer; what comes after the last one teaches nothing."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if _said(here)["role"] == "assistant":
            return True
        waiting += _replies(here)
    return False


def _best(replies: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The best of ranked replies; all where none is ranked."""
    ranked = [reply for reply in replies if isinstance(reply.get("rank"), int | float)]
    return [min(ranked, key=lambda reply: reply["rank"])] if ranked else replies


def _row(kind: str, content: dict[str, Any], row: Row) -> Made:
    """An example with what is known of its tree."""
    root = _root(row) or {}
    about = {key: row.get(key, root.get(key)) for key in ("message_tree_id", "message_id", "lang", "tree_state")}
    return made(kind, content, about, ())


TREE_SHAPES: tuple[Shape, ...] = (
    Shape("message-tree", _is_tree, _make, {"sft": _conversations, "preference": _make_preferences}),
)
