"""What people write by hand is checked by its kind and form, and what does not fit is named."""

from typing import Any

import pytest

from storage.errors import BadInput
from studio.curation.handwritten import checked_content

ASK = [{"role": "user", "content": "2+2?"}]
GOOD = [{"role": "assistant", "content": "4"}]
BAD = [{"role": "assistant", "content": "5"}]
EMPTY = [{"role": "assistant", "content": " "}]


def _tool(name: str = "look", **schema: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": schema}}


FORMS: list[tuple[str, dict[str, Any]]] = [
    ("sft", {"messages": ASK + GOOD, "tools": [_tool()], "metadata": {"source": "book"}}),
    ("text", {"text": "Once upon a time"}),
    ("prompts", {"prompt": ASK}),
    ("prompts", {"prompt": ASK, "answers": [{"messages": GOOD, "score": 0.5, "rank": 1, "model": "m"}]}),
    ("preference", {"prompt": ASK, "chosen": GOOD, "rejected": BAD, "margin": 2}),
    ("preference", {"prompt": ASK, "completion": GOOD, "label": False}),
    ("preference", {"prompt": ASK, "completion": GOOD, "score": -1.5}),
]


@pytest.mark.parametrize(("kind", "content"), FORMS)
def test_each_form_is_kept_whole(kind: str, content: dict[str, Any]) -> None:
    assert checked_content(kind, content) == content


@pytest.mark.parametrize(("kind", "content", "sentence"), [
    ("preference", {"prompt": ASK, "completion": GOOD}, "The answer needs a score"),
    ("preference", {"prompt": ASK, "completion": GOOD, "score": float("nan")}, "The answer needs a score"),
    ("preference", {"prompt": ASK, "completion": ASK, "label": True}, "The answer begins with an assistant turn."),
    ("preference", {"prompt": ASK, "completion": EMPTY, "label": True}, "Answer, turn 1: The assistant message is"),
    ("prompts", {"prompt": ASK, "answers": [{"messages": GOOD}, {"messages": EMPTY}]}, "Answer 2, turn 1: The assist"),
    ("sft", {"messages": ASK + GOOD, "tools": [_tool("no spaces")]}, "Tool 1 needs a name of letters"),
    ("sft", {"messages": ASK + GOOD, "tools": [_tool(), _tool()]}, 'Two tools are named "look".'),
    ("sft", {"messages": ASK + GOOD, "tools": [_tool(type="list")]}, 'Tool "look": The parameters\' type is "object"'),
    ("sft", {"messages": ASK + GOOD, "tools": [_tool(properties={"a": {"type": "text"}})]}, 'has the type "text"'),
    ("sft", {"messages": ASK + GOOD, "tools": [_tool(required=["a"])]}, '"a" is required, and there is no property'),
])  # fmt: skip
def test_what_does_not_fit_is_named(kind: str, content: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        checked_content(kind, content)

    assert sentence in str(refused.value)


def test_tools_that_came_in_as_they_are_do_not_keep_anybody_from_an_edit() -> None:
    odd = [{"name": "an odd name"}]
    content = {"messages": ASK + GOOD, "tools": odd}

    assert checked_content("sft", content, before={"tools": odd}) == content
    with pytest.raises(BadInput, match="Tool 1 needs a name"):
        checked_content("sft", content)
