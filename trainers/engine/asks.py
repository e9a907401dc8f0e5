"""From a request to a row on a lane, and from the row's events to the caller: the engine without its HTTP."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

from storage.errors import BadInput
from trainers.engine.bases import Bases
from trainers.engine.held import Target
from trainers.engine.row import Delta, Event, Failed, Finished, Row
from trainers.engine.sampling import Sampling
from trainers.engine.wire import ChatRequest, plain_messages

_DEFAULT_TOKENS = 256


class Ask:
    """One answer on its way: iterate over its events; `cancel` when nobody waits any more."""

    def __init__(self, row: Row, events: "asyncio.Queue[Event]", stamp: dict[str, Any]) -> None:
        self._row = row
        self._events = events
        self.stamp = stamp
        self.prompt_tokens = len(row.prompt)

    @classmethod
    async def begin(cls, bases: Bases, request: ChatRequest) -> "Ask":
        """Render, tokenise and queue a request, on another thread than the event loop's."""
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[Event] = asyncio.Queue()

        def tell(event: Event) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(events.put_nowait, event)

        return await asyncio.to_thread(cls._submit, bases, request, events, tell)

    @classmethod
    def _submit(cls, bases: Bases, request: ChatRequest, events: "asyncio.Queue[Event]", tell: Any) -> "Ask":
        target = bases.find(request.model, request.exact)
        base = target.lane.base
        prompt = base.template.tokens(plain_messages(request.messages), request.tools)
        row = Row(
            prompt=prompt,
            sampling=_sampling(request, len(prompt), base.context),
            adapter=target.adapter.key if target.adapter else None,
            ends=base.ends,
            tokenizer=base.tokenizer,
            tell=tell,
            priority=request.priority,
            exact=request.exact,
        )
        target.lane.submit(row)
        return cls(row, events, _stamp(target, row.sampling, row.exact))

    def cancel(self) -> None:
        """Drop the row before its next step; harmless once it has ended."""
        self._row.cancel()

    async def events(self) -> AsyncIterator[Delta | Finished]:
        """New text as it comes, then the end; raises the row's error. Leaving early cancels the row."""
        try:
            while True:
                event = await self._events.get()
                if isinstance(event, Failed):
                    raise event.error
                yield event
                if isinstance(event, Finished):
                    return
        finally:
            self.cancel()


def _sampling(request: ChatRequest, prompt: int, context: int) -> Sampling:
    if not prompt:
        raise BadInput("The conversation is empty once the chat template has rendered it; add a user's message.")
    room = context - prompt
    if room < 1:
        raise BadInput(
            f"The conversation has {prompt} tokens and the model reads {context} at most, answer included; shorten it."
        )
    wanted = request.max_completion_tokens or request.max_tokens or _DEFAULT_TOKENS
    seed = request.seed if request.seed is not None else secrets.randbits(31)
    return Sampling(min(wanted, room), request.temperature, request.top_p, seed)


def _stamp(target: Target, sampling: Sampling, exact: bool) -> dict[str, Any]:
    """What produced an answer, so that it can be made again and a vote on it means something."""
    base, adapter = target.lane.base, target.adapter
    return {
        "base": base.name,
        "base_sha256": base.sha256,
        "adapter": adapter.name if adapter else None,
        "adapter_sha256": adapter.sha256 if adapter else None,
        "template_sha256": base.template.sha256,
        "params": {
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
        },
        "seed": sampling.seed,
        "engine": "ratchet",
        "dtype": base.dtype,
        **({"exact": True} if exact else {}),
    }
