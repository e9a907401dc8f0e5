"""Contestants: what answers in a study, under which name, and who is asked together next.

A contestant is a model, with a system prompt and sampling of its own where it has them: prompts and temperatures are
compared as weights are. Results know it by its name, which is unique in its study. Its system prompt belongs to the
answer, not to the question: it is sent with the question and shown to nobody who judges.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from storage.errors import BadInput
from storage.models import get_model
from storage.prompts import Messages, text_sha256
from storage.rows import Answer, Study
from storage.store import Store
from studio.feedback.sampling import Sampling
from studio.feedback.shuffling import shuffled
from studio.feedback.study_settings import Contestant, settings_of

LONGEST_SYSTEM = 20_000
"""Characters of a system prompt."""

_LONGEST_NAME = 100
_SAMPLING = ("max_tokens", "temperature", "top_p")
_KNOWN = frozenset({"name", "model", "system", "sampling", *_SAMPLING})
_SIGNS = {"max_tokens": "n", "temperature": "T", "top_p": "p"}

LineUp = tuple[str, ...]
"""Names of the contestants that answer one prompt, by position."""


def contestants_of(store: Store, study: Study) -> list[Contestant]:
    """The contestants of a study: those of its settings, or its models as they stand."""
    own = settings_of(study).contestants
    return list(own) or [plain(store, model_id) for model_id in study.models]


def contestant_of(study: Study, answer: Answer) -> Contestant:
    """Who gives an answer: the contestant of that name, or the model as it stands."""
    own = (one for one in settings_of(study).contestants if one.name == answer.model_name)
    return next(own, Contestant(answer.model_name, answer.model_id or ""))


def plain(store: Store, model: str) -> Contestant:
    """A model as it stands, by name or id; raises NotFound."""
    found = get_model(store, model)
    return Contestant(found.name, found.id)


def read_contestant(store: Store, values: Mapping[str, Any] | str) -> Contestant:
    """A contestant as somebody writes it: {"model", "name"?, "system"?, "temperature"?, "top_p"?, "max_tokens"?}.

    Also as JSON text. Its name is empty where none is given. Raises BadInput with what is wrong, NotFound for a model.
    """
    told = _object(values)
    unknown = sorted(told.keys() - _KNOWN)
    if unknown:
        raise BadInput(f'A contestant has {", ".join(sorted(_KNOWN))}, but no "{unknown[0][:40]}".')
    if not isinstance(told.get("model"), str) or not told["model"]:
        raise BadInput('A contestant names its model: {"model": "starter", "system": "Be brief.", "temperature": 0.2}.')
    sampling = {**(told.get("sampling") or {}), **{key: told[key] for key in _SAMPLING if told.get(key) is not None}}
    try:
        drawn = Sampling.from_json(sampling) if sampling else None
    except TypeError:
        raise BadInput(f"Temperature, top_p and max_tokens are numbers, not {json.dumps(sampling)[:80]}.") from None
    name = _text(told, "name", _LONGEST_NAME)
    return Contestant(name, get_model(store, told["model"]).id, _text(told, "system", LONGEST_SYSTEM) or None, drawn)


def named(store: Store, contestants: Sequence[Contestant]) -> list[Contestant]:
    """The same contestants, each with a name of its own; those without one are called after what they are.

    Raises BadInput where two were given the same name.
    """
    given = [one.name for one in contestants if one.name]
    if len(set(given)) != len(given):
        twice = next(name for name, count in Counter(given).items() if count > 1)
        raise BadInput(f'Two contestants are called "{twice}"; give each a name of its own.')
    taken, made = set(given), []
    for one in contestants:
        name = one.name or _free(_described(store, one), taken)
        taken.add(name)
        made.append(replace(one, name=name))
    return made


def question(contestant: Contestant, prompt: Messages, history: Sequence[dict[str, Any]] | None = None) -> Messages:
    """What is sent to a contestant: its system prompt, the prompt, and the turns that its own side took since.

    Chat templates take one system turn, so that a system turn of the prompt's own follows in the same one.
    """
    turns = [*prompt, *(history or ())]
    if contestant.system is None:
        return turns
    if turns and turns[0].get("role") == "system" and isinstance(turns[0].get("content"), str):
        return [{"role": "system", "content": f"{contestant.system}\n\n{turns[0]['content']}"}, *turns[1:]]
    return [{"role": "system", "content": contestant.system}, *turns]


def stamped(stamp: Mapping[str, Any], contestant: Contestant, usual: Sampling) -> dict[str, Any]:
    """The stamp of an answer with what the contestant brought: its system prompt's hash and its sampling.

    `usual`: the study's sampling, for a contestant that has none of its own.
    """
    sampling = contestant.sampling or usual
    return {
        **stamp,
        "contestant": contestant.name,
        "system_sha256": None if contestant.system is None else text_sha256(contestant.system),
        "sampling": {key: getattr(sampling, key) for key in _SAMPLING},
    }


def enough(study: Study) -> bool:
    """Whether a study has contestants to ask: one where each answer stands alone, two where they are compared."""
    return len(study.models) >= least(settings_of(study).sides)


def least(sides: int) -> int:
    """How many contestants a study with so many answers a comparison needs."""
    return min(2, sides)


def line_ups(names: Sequence[str], sides: int, met: Counter[LineUp], seed: int) -> Iterator[LineUp]:
    """Line-ups of `sides` names without end, those that met least first, ties in the seed's order.

    `names`: the contestants; one named twice answers twice. `met`: how often each line-up was asked before. Of two,
    the pair that met least; of more, one joins after another, each time who met the others least. Fewer contestants
    than sides answer several times each.
    """
    uses = Counter(name for line_up in met.elements() for name in line_up)
    pairs = Counter(pair for line_up in met.elements() for pair in _pairs(line_up))
    while True:
        chosen = _next(names, sides, uses, pairs, seed)
        uses.update(chosen)
        pairs.update(_pairs(chosen))
        yield tuple(sorted(chosen, key=names.index))


def _next(
    names: Sequence[str], sides: int, uses: Counter[str], pairs: Counter[tuple[str, ...]], seed: int
) -> list[str]:
    total = uses.total()
    if sides == 1:
        return [min(names, key=lambda name: (uses[name], shuffled(seed, name, total)))]
    pool = list(names)
    while len(pool) < sides:  # everybody once more, whoever answered least before the others
        pool += sorted(dict.fromkeys(names), key=lambda name: (uses[name], shuffled(seed, name, total)))
    pool = pool[: max(sides, len(names))]
    if len(pool) == sides:
        return pool
    options = dict.fromkeys(combinations(pool, 2))
    chosen = list(min(options, key=lambda pair: (pairs[_pair(*pair)], shuffled(seed, pair, pairs[_pair(*pair)]))))
    while len(chosen) < sides:
        rest = Counter(pool) - Counter(chosen)
        chosen.append(min(rest, key=lambda name: _joining(name, chosen, uses, pairs, (seed, total))))
    return chosen


def _joining(
    name: str, chosen: Sequence[str], uses: Counter[str], pairs: Counter[tuple[str, ...]], chance: tuple[int, int]
) -> tuple[int, int, int]:
    """How little somebody met those that are chosen already."""
    return sum(pairs[_pair(name, other)] for other in chosen), uses[name], shuffled(*chance, name)


def _pairs(line_up: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (_pair(*two) for two in combinations(line_up, 2))


def _pair(first: str, second: str) -> tuple[str, ...]:
    return tuple(sorted((first, second)))


def _object(values: Mapping[str, Any] | str) -> Mapping[str, Any]:
    if isinstance(values, str):
        try:
            values = json.loads(values)
        except json.JSONDecodeError as error:
            raise BadInput(f"A contestant is a JSON object; this is none: {error.msg} at {error.colno}.") from None
    if not isinstance(values, Mapping):
        raise BadInput('A contestant is a JSON object: {"model": "starter", "temperature": 0.2}.')
    return values


def _text(values: Mapping[str, Any], key: str, most: int) -> str:
    text = values.get(key) or ""
    if not isinstance(text, str) or len(text) > most:
        raise BadInput(f'A contestant\'s "{key}" is a text of at most {most:,} characters.')
    return text.strip()


def _described(store: Store, contestant: Contestant) -> str:
    """What tells a contestant apart: "starter T=0.2 +system"."""
    sampling = contestant.sampling
    drawn = [
        f"{_SIGNS[key]}={getattr(sampling, key):g}"
        for key in ("temperature", "top_p", "max_tokens")
        if sampling is not None and getattr(sampling, key) != getattr(Sampling(), key)
    ]
    told = ["+system"] if contestant.system else []
    return " ".join([get_model(store, contestant.model).name, *drawn, *told])


def _free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    return next(other for number in range(2, 10_000) if (other := f"{name} ({number})") not in taken)
