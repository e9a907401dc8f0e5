"""What travels: requests as OpenAI, vLLM and we name their fields, and answers in OpenAI's shapes."""

import secrets
import time
from typing import Any

from pydantic import BaseModel, Field

from storage.errors import BadInput, RatchetError

_STATUS = {"not-found": 404, "bad-input": 400, "conflict": 409, "refused": 403, "not-ready": 503, "moved-aside": 503}


class ChatRequest(BaseModel):
    """`POST /v1/chat/completions`; fields that we do not know are ignored, as OpenAI's servers do."""

    model: str
    messages: list[dict[str, Any]] = Field(min_length=1)
    tools: list[dict[str, Any]] | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    temperature: float = Field(default=1.0, ge=0, le=10)
    top_p: float = Field(default=1.0, gt=0, le=1)
    seed: int | None = Field(default=None, ge=0, lt=2**63)
    stream: bool = False
    n: int = Field(default=1, ge=1, le=1)
    priority: int = 0
    """vLLM's field: lower numbers are answered first. 0: somebody waits; 1: the next comparison; from 2 on: bulk."""
    exact: bool = False
    """Ours: in float32, in a pass of its own, by one thread, so that the same question gets the same answer again."""


class LoadBaseRequest(BaseModel):
    """`POST /v1/load_base` (ours)."""

    name: str
    path: str


class LoadAdapterRequest(BaseModel):
    """`POST /v1/load_lora_adapter` as vLLM has it, with the base that it belongs on.

    `parent`: the model that it was trained from, with which the proof that it acts compares it where it is loaded.
    """

    lora_name: str
    lora_path: str
    base: str = ""
    """Empty, as vLLM sends it: the one base that is loaded."""
    parent: str | None = None


class UnloadAdapterRequest(BaseModel):
    """`POST /v1/unload_lora_adapter` as vLLM has it."""

    lora_name: str


class UnloadBaseRequest(BaseModel):
    """`POST /v1/unload_base` (ours)."""

    name: str


class TokenizeRequest(BaseModel):
    """`POST /tokenize`: a text, or messages as the model would read them before its answer.

    Or many examples (`contents`, in the inner form) to be counted, by the tokenizer in the folder `path`.
    """

    model: str
    path: str | None = None
    contents: list[dict[str, Any]] | None = Field(default=None, max_length=1000)
    messages: list[dict[str, Any]] | None = None
    text: str | None = None
    tools: list[dict[str, Any]] | None = None
    add_generation_prompt: bool = True


class RenderRequest(BaseModel):
    """`POST /render`: a whole conversation through the chat template, as text with the assistant's spans.

    Or an example of any kind (`content`) as training reads it, token by token, by the tokenizer in the folder `path`.
    """

    model: str
    path: str | None = None
    content: dict[str, Any] | None = None
    messages: list[dict[str, Any]] = Field(default_factory=list)
    tools: list[dict[str, Any]] | None = None


class Completion:
    """The envelope of one answer: the same id in all its chunks."""

    def __init__(self, model: str) -> None:
        self._head = {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "created": int(time.time()),
            "model": model,
        }

    def chunk(self, delta: dict[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
        """One event of a stream."""
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {**self._head, "object": "chat.completion.chunk", "choices": [choice], **more}

    def whole(self, text: str, reason: str, **more: Any) -> dict[str, Any]:
        """A complete answer."""
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return {**self._head, "object": "chat.completion", "choices": [choice], **more}


def status_of(error: RatchetError) -> int:
    """The HTTP status of one of our errors."""
    return _STATUS.get(error.kind, 500)


def error_body(error: RatchetError) -> dict[str, Any]:
    """An error in OpenAI's shape."""
    return error_shape(str(error), error.kind, status_of(error))


def error_shape(message: str, code: str, status: int) -> dict[str, Any]:
    """An error in OpenAI's shape, from its parts."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def plain_messages(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages with their content as text; OpenAI's lists of text parts are joined, other parts refused."""
    return [_plain(message, number) for number, message in enumerate(messages, 1)]


def _plain(message: dict[str, Any], number: int) -> dict[str, Any]:
    if not isinstance(message.get("role"), str):
        raise BadInput(f"Message {number} has no role; give it one, such as user or assistant.")
    content = message.get("content")
    if isinstance(content, list):
        return {**message, "content": "".join(_part(part, number) for part in content)}
    if content is not None and not isinstance(content, str):
        raise BadInput(f"The content of message {number} is a {type(content).__name__}; it must be text.")
    return message


def _part(part: Any, number: int) -> str:
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        text: str = part["text"]
        return text
    kind = part.get("type") if isinstance(part, dict) else type(part).__name__
    raise BadInput(f"Message {number} holds a part of type {kind}; the engine reads text only.")
