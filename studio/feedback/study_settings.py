"""The settings of a study: what is shown, what is asked, how many judge each comparison, and who may.

One frozen dataclass, kept as JSON with the study; what a study does not say is as usual. Forms, the command line and
the checks of a vote all come from it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from typing import Any, Self

from storage.comparisons import get_study
from storage.errors import BadInput
from storage.judgements import set_settings
from storage.rows import Study
from storage.store import Store
from studio.feedback.sampling import Sampling

LAYOUTS = ("pair", "rank", "rate", "turns")
ASKING = ("off", "optional", "required")
PACES = ("stream", "together")
CHOOSING = ("random", "active")
MOST_SIDES = 8
STRENGTHS = ("negligible", "slightly better", "better", "significantly better")
"""Llama 2's four levels, by the number that is stored (Touvron et al. 2023, section 3.2.1)."""

_WORDS: Mapping[str, Sequence[str]] = {
    "layout": LAYOUTS,
    "strength": ASKING,
    "rationale": ASKING,
    "pace": PACES,
    "choice": CHOOSING,
    "continues": ("both", "chosen"),
}
_RANGES: Mapping[str, tuple[float, float]] = {
    "overlap": (1, 100),
    "target": (1, 100_000),
    "scale": (2, 7),
    "lease_minutes": (0.01, 1440),
    "gold_every": (0, 1000),
    "second_every": (0, 1000),
}
_LISTS = ("chips", "people", "skip_reasons")
_KEY = re.compile(r"[a-z0-9_]{1,32}")


@dataclass(frozen=True)
class Criterion:
    """One thing that every answer is rated for, 1 to `scale`."""

    key: str
    label: str
    scale: int = 5
    required: bool = False

    def __post_init__(self) -> None:
        """Raise BadInput for what cannot be shown."""
        if not _KEY.fullmatch(self.key):
            raise BadInput(f'A criterion\'s key is 1 to 32 small letters, digits and underscores, not "{self.key}".')
        if not 2 <= self.scale <= 7:
            raise BadInput(f'The scale of "{self.label}" has 2 to 7 steps, not {self.scale}.')


@dataclass(frozen=True)
class Contestant:
    """What answers: a model, with a system prompt and sampling of its own where it has them.

    `name` is what results call it, unique in its study.
    """

    name: str
    model: str
    """The model's id."""

    system: str | None = None
    sampling: Sampling | None = None


@dataclass(frozen=True)
class StudySettings:
    """What a study asks of the people who judge in it."""

    layout: str = "pair"
    sides: int = 2
    """Answers of one comparison: 2 (pair, turns), 3 to 8 (rank), 1 (rate)."""

    scale: int = 5
    """Steps of a rating; 2 is thumbs: 1 down, 2 up."""

    continues: str = "both"
    """Conversations: both sides go on by themselves, or the chosen one goes on for both (both, chosen)."""

    overlap: int = 1
    """How many people judge each comparison."""

    target: int = 30
    """Votes that one sitting aims at: about ten minutes, and as many pairs as move the starter model visibly."""

    lease_minutes: float = 10.0
    """How long a comparison is kept for the person who has it on the screen."""

    strength: str = "off"
    criteria: Sequence[Criterion] = field(default_factory=tuple)
    chips: Sequence[str] = field(default_factory=tuple)
    rationale: str = "off"
    skip_reasons: Sequence[str] = ("I cannot tell", "Not my subject", "Broken or cut off", "Harmful or private")
    pace: str = "stream"
    """Answers grow before one's eyes at one pace, or appear together when both are whole."""

    gold_every: int = 0
    """Every so many comparisons one with a known answer is mixed in; 0 for never."""

    second_every: int = 0
    """Every so many comparisons one's own earlier one comes again; 0 for never."""

    choice: str = "random"
    people: Sequence[str] = field(default_factory=tuple)
    """Who may take part, by name; empty for everybody."""

    contestants: Sequence[Contestant] = field(default_factory=tuple)
    """In the order of the study's models; empty where each model stands as it is."""

    def __post_init__(self) -> None:
        """Raise BadInput for what no study can be."""
        for name in (*_RANGES, "sides"):
            value, part = getattr(self, name), name == "lease_minutes"
            if isinstance(value, bool) or not isinstance(value, (int, float) if part else int):
                raise BadInput(f'"{name}" is a {"number" if part else "whole number"}, not "{value}".')
        for name, words in _WORDS.items():
            if getattr(self, name) not in words:
                raise BadInput(f'"{name}" is one of {", ".join(words)}, not "{getattr(self, name)}".')
        low, high = {"rank": (3, MOST_SIDES), "rate": (1, 1)}.get(self.layout, (2, 2))
        if not low <= self.sides <= high:
            wanted = f"{low} to {high} answers" if low != high else f"{low} answer" + "s" * (low > 1)
            raise BadInput(f'The layout "{self.layout}" shows {wanted}, not {self.sides}.')
        for name, (least, most) in _RANGES.items():
            if not least <= getattr(self, name) <= most:
                raise BadInput(f'"{name}" lies between {least} and {most}, not at {getattr(self, name)}.')
        if len({one.key for one in self.criteria}) != len(self.criteria):
            raise BadInput("Two criteria have the same key; give each its own.")
        if len({one.name for one in self.contestants}) != len(self.contestants):
            raise BadInput("Two contestants have the same name; give each its own.")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The settings that a mapping tells; what it does not tell is as usual, what is no setting is left out."""
        known = {one.name: values[one.name] for one in fields(cls) if values.get(one.name) is not None}
        known["criteria"] = tuple(_criterion(one) for one in _objects("criteria", known.get("criteria", ())))
        known["contestants"] = tuple(_contestant(one) for one in _objects("contestants", known.get("contestants", ())))
        for name in _LISTS:
            if name in known:
                known[name] = _texts(name, known[name])
        if "sides" not in known:
            known["sides"] = {"rank": 3, "rate": 1}.get(str(known.get("layout")), 2)
        return cls(**known)

    def to_json(self) -> dict[str, Any]:
        """For the store and the forms."""
        return asdict(self)


def _objects(name: str, values: Any) -> Sequence[Mapping[str, Any]]:
    """Several objects; raises BadInput for anything else."""
    if not isinstance(values, list | tuple) or not all(isinstance(one, Mapping) for one in values):
        raise BadInput(f'"{name}" is a list of objects, not {json.dumps(values)[:80]}.')
    return values


def _criterion(values: Mapping[str, Any]) -> Criterion:
    try:
        return Criterion(**values)
    except TypeError:
        raise BadInput(
            'A criterion is {"key": "helpful", "label": "Helpful", "scale": 5, "required": false}, '
            f"not {json.dumps(values)[:80]}."
        ) from None


def _texts(name: str, values: Any) -> tuple[str, ...]:
    if not isinstance(values, list | tuple) or not all(isinstance(one, str) and one.strip() for one in values):
        raise BadInput(f'"{name}" is a list of texts, not {json.dumps(values)[:80]}.')
    return tuple(values)


def _contestant(values: Mapping[str, Any]) -> Contestant:
    sampling = values.get("sampling")
    named = all(isinstance(values.get(name), str) for name in ("name", "model"))
    if not named or not isinstance(sampling or {}, Mapping):
        raise BadInput(f"A contestant has a name, a model and perhaps a sampling, not {json.dumps(values)[:80]}.")
    return Contestant(
        values["name"], values["model"], values.get("system"), Sampling.from_json(sampling) if sampling else None
    )


def settings_of(study: Study) -> StudySettings:
    """The settings of a study."""
    return _parsed(json.dumps(study.settings))


@lru_cache(maxsize=64)
def _parsed(text: str) -> StudySettings:
    """Read once, asked for several times with every vote."""
    return StudySettings.from_json(json.loads(text))


def changed_settings(study: Study, changes: Mapping[str, Any]) -> StudySettings:
    """The settings of a study with some changed; None for what is to be as usual again. Raises BadInput."""
    refuse_unknown(changes)
    return StudySettings.from_json({**study.settings, **changes})


def change_settings(store: Store, study: Study, changes: Mapping[str, Any]) -> Study:
    """Change some settings of a study from now on; raises BadInput for an unknown one or a value that cannot be."""
    with store.write():  # two people who change different settings at once keep both
        now = get_study(store, study.id)
        set_settings(store, now.id, {**now.settings, **changed_settings(now, changes).to_json()})
    return get_study(store, study.id)


def refuse_unknown(settings: Mapping[str, Any]) -> None:
    """Raise BadInput for a name that is no setting, with those there are."""
    known = [one.name for one in fields(StudySettings)]
    unknown = sorted(settings.keys() - set(known))
    if unknown:
        raise BadInput(f'A study has no setting "{unknown[0][:40]}"; there are: {", ".join(known)}.')


def read_settings(words: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Settings from `key=value` as the command line takes them: JSON where it is some, else text; lists by comma too.

    Raises BadInput for a name that is no setting.
    """
    found = {key: _value(key, text) for key, text in words}
    refuse_unknown(found)
    return found


def _value(key: str, text: str) -> Any:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = text
    if key in _LISTS and not isinstance(value, list):
        return [part.strip() for part in text.split(",") if part.strip()]
    return value
