"""How answers are drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from storage.errors import BadInput


@dataclass(frozen=True)
class Sampling:
    """How the answers of a study are drawn, or those of one contestant."""

    max_tokens: int = 256
    """The longest answer, in tokens."""

    temperature: float = 1.0
    """0 takes the likeliest token each time; 1 draws as the model was trained to."""

    top_p: float = 1.0
    """Draw from the likeliest tokens that together have this chance."""

    def __post_init__(self) -> None:
        """Raise BadInput for values that no engine takes."""
        if not 1 <= self.max_tokens <= 8192:
            raise BadInput(f"The longest answer is 1 to 8192 tokens, not {self.max_tokens}.")
        if not 0 <= self.temperature <= 5:
            raise BadInput(f"The temperature lies between 0 and 5, not at {self.temperature}.")
        if not 0 < self.top_p <= 1:
            raise BadInput(f"Top-p lies above 0 and is 1 at most, not {self.top_p}.")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The sampling that a mapping tells; what it does not tell is as usual."""
        known = {field.name: values.get(field.name) for field in fields(cls)}
        return cls(**{name: value for name, value in known.items() if value is not None})
