"""What visitors of a demo may do, and how much: one frozen dataclass, kept as JSON with the demo."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from storage.errors import BadInput

COMPARING = ("never", "wish", "sometimes")
"""Two answers side by side: never, when the visitor wishes it, or now and then as well."""

ONE_IN = 5
"""How often "sometimes" is."""

LONGEST_TEXT = 4_000
LONGEST_SYSTEM = 2_000
LONGEST_TALK = 24_000
MOST_TURNS = 40
"""Characters of a question, a system prompt and a whole conversation, and its questions: strangers pay for nothing."""

HOTTEST = 2

_RANGES: Mapping[str, tuple[int, int]] = {
    "max_tokens": (16, 4096), "rate": (1, 600), "rate_all": (1, 6000), "per_day": (1, 1_000_000),
    "at_once": (1, 64),
}  # fmt: skip
_MOST_EXAMPLES = 12


@dataclass(frozen=True)
class Terms:
    """The terms of a demo."""

    title: str = "Demo"
    """What visitors read above the conversation."""

    lead: str = ""
    """A sentence below the title."""

    examples: Sequence[str] = ()
    system: bool = False
    """Whether visitors may write a system prompt."""

    settings: bool = False
    """Whether visitors may choose the temperature and the length of answers."""

    names: bool = False
    """Whether visitors see the names of the models, and choose among several."""

    comparing: str = "sometimes"
    max_tokens: int = 512
    """The longest answer, in tokens."""

    temperature: float = 1.0
    """How answers are drawn, where visitors do not choose it; 1 is how the studio's own comparisons are drawn."""

    rate: int = 10
    """Questions a minute from one address."""

    rate_all: int = 60
    """Questions a minute in all."""

    per_day: int = 5000
    """Answers within any 24 hours, in all: what a demo costs has an end."""

    at_once: int = 8
    """Answers that are being written at the same time, in all."""

    def __post_init__(self) -> None:
        """Raise BadInput for what no demo can be."""
        for name, most in {"title": 80, "lead": 300}.items():
            value = getattr(self, name)
            if not isinstance(value, str) or len(value) > most or not (value.isprintable() or not value):
                raise BadInput(f'The {name} of a demo is a line of at most {most} characters, not "{value!s:.60}".')
        if not self.title.strip():
            raise BadInput("A demo has a title: it is what visitors read first.")
        if self.comparing not in COMPARING:
            raise BadInput(f'"comparing" is one of {", ".join(COMPARING)}, not "{self.comparing!s:.60}".')
        for name in ("system", "settings", "names"):
            if not isinstance(getattr(self, name), bool):
                raise BadInput(f'"{name}" is yes or no, not "{getattr(self, name)!s:.60}".')
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise BadInput(f'"{name}" is a whole number from {least} to {most}, not "{value!s:.60}".')
        if isinstance(self.temperature, bool) or not isinstance(self.temperature, int | float):
            raise BadInput(f'The temperature is a number, not "{self.temperature!s:.60}".')
        if not 0 <= self.temperature <= HOTTEST:
            raise BadInput(f"The temperature of a demo lies between 0 and {HOTTEST}, not at {self.temperature}.")
        self._check_examples()

    def _check_examples(self) -> None:
        texts = self.examples
        fits = isinstance(texts, list | tuple) and all(isinstance(one, str) and one.strip() for one in texts)
        if not fits or len(texts) > _MOST_EXAMPLES or any(len(one) > LONGEST_TEXT for one in texts):
            raise BadInput(f"The examples are at most {_MOST_EXAMPLES} questions of up to {LONGEST_TEXT} characters.")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The terms that a mapping tells; what it does not tell is as usual. Raises BadInput for what is none."""
        known = {one.name for one in fields(cls)}
        if unknown := sorted(values.keys() - known):
            raise BadInput(f'A demo has no "{unknown[0][:40]}"; there are: {", ".join(sorted(known))}.')
        told = {name: value for name, value in values.items() if value is not None}
        if isinstance(told.get("examples"), list):
            told["examples"] = tuple(told["examples"])
        return cls(**told)

    def to_json(self) -> dict[str, Any]:
        """For the store and the pages."""
        return asdict(self) | {"examples": list(self.examples)}
