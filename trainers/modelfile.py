"""Ollama's Modelfile for a model's folder: where the weights are, how turns are written, how answers are drawn.

Ollama's templates are Go's, ours are Jinja. What a template writes around each turn is found out by rendering turns
with known words in them; the Go template made from that must write the same conversations, else it is left out and
Ollama falls back on what it knows itself. (https://github.com/ollama/ollama/blob/main/docs/modelfile.md)
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

Messages = Sequence[Mapping[str, str]]
Render = Callable[[Messages, bool], str]
"""Messages as text; True: with the words that open the assistant's turn at the end."""

_SYSTEM, _USER, _ANSWER, _NEXT, _LAST = "QSYSTEMQ", "QFIRSTQ", "QANSWERQ", "QNEXTQ", "QLASTQ"
_LONGEST_CONTEXT = 8192  # tokens; Ollama reserves memory for all of them at once


class Turn(NamedTuple):
    """What stands before and after the words of a turn."""

    before: str
    after: str


class Marks(NamedTuple):
    """How a template writes turns. `system`: None where it knows none; `plain`: what begins a talk without one.

    `head`: what begins every talk with a system turn; `opening`: what opens an answer that is to be written.
    """

    head: str
    plain: str
    system: Turn | None
    user: Turn
    assistant: Turn
    opening: str


def marks_of(render: Render) -> Marks | None:
    """How turns are written, or None where that does not come down to words before and after each."""
    try:
        found = _found(render)
        agrees = found is not None and all(_agrees(render, found, talk) for talk in _talks(found))
    except Exception:  # noqa: BLE001 - a template is somebody's program and may raise what it likes
        return None
    return found if agrees else None


def written(marks: Marks, messages: Messages) -> str:
    """A conversation as the Go template writes it, up to where the next answer begins."""
    told = any(message["role"] == "system" for message in messages)
    text = marks.head if told else marks.plain
    for message in messages:
        turn = {"system": marks.system, "user": marks.user, "assistant": marks.assistant}[message["role"]]
        before, after = turn or Turn("", "")
        text += before + message["content"] + after
    return text + marks.opening


def go_template(marks: Marks) -> str:
    """The same as a Go template. All text stands in quoted strings, so that trimming touches none of it."""
    system = f'{{{{- if eq .Role "system" }}}}{_turn(marks.system)}\n' if marks.system else ""
    begins = "{{- else if" if system else "{{- if"
    head = f"{_quoted(marks.head)}{{{{- else }}}}{_quoted(marks.plain)}" if marks.head or marks.plain else ""
    return "\n".join(
        line
        for line in (
            f"{{{{- if .System }}}}{head}{{{{- end }}}}" if head else "",
            "{{- range $i, $_ := .Messages }}",
            "{{- $last := eq (len (slice $.Messages $i)) 1 }}",
            f'{system}{begins} eq .Role "user" }}}}{_turn(marks.user)}',
            f'{{{{- else if eq .Role "assistant" }}}}{_answer(marks.assistant)}',
            "{{- end }}",
            f'{{{{- if and $last (ne .Role "assistant") }}}}{_quoted(marks.opening)}{{{{- end }}}}',
            "{{- end }}",
        )
        if line
    )


def modelfile(marks: Marks | None, stops: Sequence[str], sampling: Mapping[str, float], context: int | None) -> str:
    """The Modelfile beside the weights. `sampling`: temperature, top_p and the like by Ollama's names."""
    lines = ["# ollama create NAME -f Modelfile", "FROM ."]
    if marks is not None:
        lines.append(f'TEMPLATE """{go_template(marks)}"""')
    lines += [f"PARAMETER {name} {value:g}" for name, value in sampling.items()]
    if context:
        lines.append(f"PARAMETER num_ctx {min(context, _LONGEST_CONTEXT)}")
    usable = [word for word in dict.fromkeys(stops) if word.strip() and '"' not in word and "\n" not in word]
    lines += [f'PARAMETER stop "{word}"' for word in usable]
    return "\n".join(lines) + "\n"


def _found(render: Render) -> Marks | None:
    """What the template writes around a user's and an assistant's turns, and around a system's where it knows it."""
    asked, opened = render([_said("user", _USER)], False), render([_said("user", _USER)], True)
    answered = render([_said("user", _USER), _said("assistant", _ANSWER)], False)
    talk = render([_said("user", _USER), _said("assistant", _ANSWER), _said("user", _NEXT)], True)
    start, after_user = _split(asked, _USER)
    opening = _rest(opened, asked)
    between, after_answer = _split(_split(answered, _USER)[1], _ANSWER)
    before_answer = _rest(between, after_user)
    before_user = _rest(_split(_split(talk, _ANSWER)[1], _NEXT)[0], after_answer)
    if not start.endswith(before_user):
        return None
    plain = start[: len(start) - len(before_user)]
    user, assistant = Turn(before_user, after_user), Turn(before_answer, after_answer)
    head, system = _system(render, user, plain)
    return Marks(head, plain, system, user, assistant, opening)


def _system(render: Render, user: Turn, plain: str) -> tuple[str, Turn | None]:
    """What begins a talk with a system turn, and what stands around that; no turn where the template refuses it."""
    try:
        text = render([_said("system", _SYSTEM), _said("user", _USER)], False)
    except Exception:  # noqa: BLE001 - templates refuse roles with errors of their own
        return plain, None
    if _SYSTEM not in text:
        return plain, None
    before, rest = _split(text, _SYSTEM)
    after = _split(rest, _USER)[0]
    if not after.endswith(user.before):
        raise ValueError("the system's words stand within the user's turn")
    after = after[: len(after) - len(user.before)]
    if plain and before.startswith(plain):
        return plain, Turn(before[len(plain) :], after)
    return "", Turn(before, after)


def _talks(marks: Marks) -> list[Messages]:
    """Conversations on which the template must agree."""
    long = [_said("user", "one"), _said("assistant", "two"), _said("user", "three"), _said("assistant", "four"),
            _said("user", _LAST)]  # fmt: skip
    told = [[_said("system", "be brief"), *long], [_said("system", "be brief"), *long[:1]]] if marks.system else []
    return [long, long[:1], *told]


def _agrees(render: Render, marks: Marks, talk: Messages) -> bool:
    return render(talk, True) == written(marks, talk)


def _said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _split(text: str, word: str) -> tuple[str, str]:
    """What stands before and after a word; raises ValueError where it is not there exactly once."""
    if text.count(word) != 1:
        raise ValueError(f"{word} is there {text.count(word)} times")
    before, _, after = text.partition(word)
    return before, after


def _rest(text: str, start: str) -> str:
    """What follows the start of a text; raises ValueError where it begins otherwise."""
    if not text.startswith(start):
        raise ValueError("the text begins otherwise")
    return text[len(start) :]


def _turn(turn: Turn) -> str:
    return f"{_quoted(turn.before)}{{{{- .Content }}}}{_quoted(turn.after)}"


def _answer(turn: Turn) -> str:
    """An answer; one that is the last goes on, so nothing ends it."""
    end = f"{{{{- if not $last }}}}{_quoted(turn.after)}{{{{- end }}}}" if turn.after else ""
    return f"{_quoted(turn.before)}{{{{- .Content }}}}{end}"


def _quoted(text: str) -> str:
    """An action that writes a text; Go reads the escapes of JSON in its strings."""
    return f"{{{{- {json.dumps(text, ensure_ascii=False)} }}}}" if text else ""
