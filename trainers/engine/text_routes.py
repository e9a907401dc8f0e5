"""The engine's routes about texts: tokens, and what a model reads. Those with a folder need no loaded weights."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter

from storage.errors import BadInput
from trainers.engine import wire
from trainers.engine.bases import Bases
from trainers.engine.pictures import count_tokens, picture
from trainers.engine.tokenizers import Tokenizers


def text_routes(bases: Bases, tokenizers: Tokenizers) -> APIRouter:
    """`/tokenize` and `/render`."""
    router = APIRouter()

    @router.post("/tokenize")
    def tokenize(asked: wire.TokenizeRequest) -> dict[str, Any]:
        if asked.contents is not None:
            with tokenizers.using(asked.model, _folder(asked.path)) as held:
                counts = [count_tokens(held.tokenizer, content) for content in asked.contents]
                return {"counts": counts, "tokenizer_sha256": held.sha256, "context": held.context}
        base = bases.find(asked.model).lane.base
        if asked.messages is not None:
            messages = wire.plain_messages(asked.messages)
            text = base.template.text(messages, asked.tools, asked.add_generation_prompt)
        elif asked.text is not None:
            text = asked.text
        else:
            raise BadInput("There is nothing to tokenise: give messages or a text.")
        tokens = base.tokenizer(text, add_special_tokens=False)["input_ids"]
        return {"tokens": tokens, "count": len(tokens)}

    @router.post("/render")
    def render(asked: wire.RenderRequest) -> dict[str, Any]:
        if asked.content is not None:
            with tokenizers.using(asked.model, _folder(asked.path)) as held:
                template = held.training_template(tokenizers.loader)
                seen = picture(held.tokenizer, asked.content, template)
                return {**seen.to_json(), "tokenizer_sha256": held.sha256, "context": held.context}
        base = bases.find(asked.model).lane.base
        text, spans = base.template.render(wire.plain_messages(asked.messages), asked.tools)
        return {"text": text, "mask": spans}

    return router


def _folder(path: str | None) -> Path:
    if path is None:
        raise BadInput("Say in which folder the tokenizer is (path).")
    return Path(path)
