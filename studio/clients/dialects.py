"""The kinds of servers that speak OpenAI's chat protocol, and in what they differ. Nothing here asks anything.

A dialect's `fixed` fields switch off what the server would do to the distribution unasked, so that "temperature 1"
means the model's own distribution there as it does in our engine: llama.cpp keeps the likeliest 40 tokens by default,
vLLM takes top_k and a repetition penalty from the model's generation_config.json. Ollama's own (top_k 40, a
repetition penalty of 1.1) cannot be switched off by this protocol; its Modelfile decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from storage.errors import BadInput

DEFAULT = "openai"

# What a server may refuse by name, and what is sent instead: a field of the same meaning, or none.
_INSTEAD: Mapping[str, str | None] = MappingProxyType(
    {"max_tokens": "max_completion_tokens", "stream_options": None, "seed": None, "top_k": None, "min_p": None,
     "repetition_penalty": None}
)  # fmt: skip


@dataclass(frozen=True)
class Dialect:
    """One kind of server.

    `at_once`: how many questions it is asked at a time, unless its row says otherwise. `health`: the path, from the
    root, that answers 200 when it is ready; None: the list of models must do. `loads_adapters`: has vLLM's calls.
    `names`: whether it refuses a model that it does not list.
    """

    name: str
    title: str
    at_once: int
    health: str | None = None
    loads_adapters: bool = False
    names: bool = True
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def tune(self, body: dict[str, Any]) -> dict[str, Any]:
        """A request's body as this server wants it."""
        tuned = {**body, **self.fixed}
        if self.name == "tgi" and tuned.get("top_p") == 1.0:
            del tuned["top_p"]  # it takes only what lies strictly between 0 and 1; none means 1
        return tuned


DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        one.name: one
        for one in (
            Dialect("openai", "OpenAI or alike", 8),
            Dialect("vllm", "vLLM", 32, "/health", loads_adapters=True,
                    fixed={"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}),
            Dialect("llama.cpp", "llama.cpp", 4, "/health", names=False, fixed={"top_k": 0, "min_p": 0.0}),
            Dialect("ollama", "Ollama", 2, "/api/version"),
            Dialect("tgi", "Text Generation Inference", 16, "/health", names=False),
        )
    }
)  # fmt: skip


def dialect_of(name: str | None) -> Dialect:
    """A dialect by its name, the plain one for None; raises BadInput with the names there are."""
    if (name or DEFAULT) not in DIALECTS:
        raise BadInput(f'"{name}" is no kind of endpoint; there are: {", ".join(DIALECTS)}.')
    return DIALECTS[name or DEFAULT]


def reworded(body: Mapping[str, Any], complaint: str) -> dict[str, Any] | None:
    """The body without the field that a server complains about, None where it complains about something else.

    OpenAI's newer models want max_completion_tokens, some hosted servers refuse seed or stream_options. What would
    change the answer's distribution (temperature, top_p) is never left out: that complaint is the person's to read.
    """
    for name, instead in _INSTEAD.items():
        if name in body and name in complaint:
            kept = {key: value for key, value in body.items() if key != name}
            return {**kept, instead: body[name]} if instead else kept
    return None
