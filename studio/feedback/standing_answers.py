"""Comparisons from answers that exist already: `ratchet compare --answers DATASET`, for which no model is needed.

A preference becomes its two answers, a prompt with several answers (kind `prompts`) as many, a judged completion one.
Rows with the same prompt belong together. Where the study ranks, their distinct answers stand in one comparison (in
several of about equal size where there are more than it shows); where it rates, each stands alone; else every row
gives its pairs. What a row said about which answer is better is shown to nobody: it is what people are asked.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, NamedTuple

from storage.comparisons import NewComparison, add_comparison
from storage.datasets import get_dataset
from storage.errors import BadInput
from storage.examples import stream
from storage.judgements import answered
from storage.prompts import Messages, content_sha256, text_sha256
from storage.queries import Query
from storage.rows import FROZEN, Example, Study
from storage.store import Store
from studio.feedback.shuffling import shuffled
from studio.feedback.studies import ensure_answers_study
from studio.feedback.study_settings import MOST_SIDES, StudySettings, settings_of

_AT_ONCE = 200  # comparisons written in one transaction: votes wait for none of them long
_WORDS = re.compile(r"[a-z]+")
_KINDS = ("preference", "prompts")


class Spoken(NamedTuple):
    """One answer: its last text, the turns before that, and who gave it."""

    text: str
    history: Messages | None
    name: str


@dataclass
class Group:
    """The answers to one prompt. `rows`: those of each row, by place in `answers`."""

    prompt: Messages
    answers: list[Spoken] = field(default_factory=list)
    rows: list[list[int]] = field(default_factory=list)

    def add(self, spoken: Sequence[Spoken]) -> None:
        """The answers of one row; one that is known already is not kept twice."""
        places = []
        for one in spoken:
            same = (n for n, known in enumerate(self.answers) if known[:2] == one[:2])
            place = next(same, len(self.answers))
            if place == len(self.answers):
                self.answers.append(one)
            places.append(place)
        self.rows.append(list(dict.fromkeys(places)))


@dataclass(frozen=True)
class Added:
    """How many comparisons were made ready, how many stood already, and rows and prompts left out by reason."""

    study: str
    made: int
    known: int
    left_out: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """The keys of DESIGN 4.2, and what else happened."""
        return {
            "study": self.study, "comparisons": self.made, "failed": 0, "error": None, "known": self.known,
            "left_out": self.left_out,
        }  # fmt: skip


def compare_answers(
    store: Store, study: str, dataset: str, count: int | None = None, wishes: Mapping[str, Any] | None = None
) -> Added:
    """Make comparisons of the answers that a dataset holds, in a study that is made if absent.

    `count`: at most so many. `wishes`: settings of a new study. Raises NotFound, Conflict or BadInput before
    anything is made.
    """
    if count is not None and count < 1:
        raise BadInput(f"At least one comparison is to be made, not {count}.")
    found = groups_of(store, dataset)
    chosen = ensure_answers_study(store, study, dataset, _fitting(wishes or {}, found.groups))
    added = _add(store, chosen, found, count)
    if not added.made and not added.known:
        reasons = "; ".join(f"{n} with {reason}" for reason, n in added.left_out.items()) or "it is empty"
        raise BadInput(f'Dataset "{dataset}" holds no answers to compare: {reasons}.')
    return added


def _fitting(wishes: Mapping[str, Any], groups: Sequence[Group]) -> dict[str, Any]:
    """A ranking of as many answers as a prompt has, where nobody said how many."""
    if wishes.get("layout") == "rank" and wishes.get("sides") is None:
        return {**wishes, "sides": min(MOST_SIDES, max([3, *(len(group.answers) for group in groups)]))}
    return dict(wishes)


class Found(NamedTuple):
    """The prompts of a dataset with their answers, and how many rows were left out by reason."""

    groups: list[Group]
    left_out: dict[str, int]


def groups_of(store: Store, dataset: str) -> Found:
    """What a dataset holds to be judged; raises NotFound, and BadInput for a kind without answers to compare."""
    chosen = get_dataset(store, dataset)
    if chosen.kind not in _KINDS:
        raise BadInput(
            f'Dataset "{chosen.name}" is of the kind {chosen.kind}, whose rows hold one answer at most; answers to '
            "compare stand in preferences, or in prompts with several answers."
        )
    found: dict[str, Group] = {}
    left_out: Counter[str] = Counter()
    for example in stream(store, chosen.id, Query(status=FROZEN)):
        spoken, reason = spoken_of(example)
        if reason:
            left_out[reason] += 1
            continue
        prompt = example.content["prompt"]
        found.setdefault(content_sha256(prompt), Group(prompt)).add(spoken)
    return Found(list(found.values()), dict(left_out))


def _add(store: Store, study: Study, found: Found, count: int | None) -> Added:
    """Add what does not stand there yet; with a count every prompt once before one is used twice, in random order."""
    settings = settings_of(study)
    left_out = Counter(found.left_out)
    known = answered(store, study.id)
    fresh: list[tuple[int, int, NewComparison]] = []
    standing = 0
    for group in found.groups:
        digest = content_sha256(group.prompt)
        line_ups = _line_ups(group, settings, study.seed)
        if not line_ups:
            left_out["fewer than two different answers"] += 1
        for round_, places in enumerate(line_ups):
            new = _comparison(group, places)
            key = digest, frozenset(text_sha256(text) for text in new.texts)
            if key in known:
                standing += 1
            else:
                known.add(key)
                fresh.append((round_, shuffled(study.seed, digest, round_), new))
    if count is not None:
        fresh = sorted(fresh, key=lambda one: one[:2])[:count]
    for start in range(0, len(fresh), _AT_ONCE):
        with store.write():
            for _, _, new in fresh[start : start + _AT_ONCE]:
                add_comparison(store, study, new)
    return Added(study.name, len(fresh), standing, dict(left_out))


def spoken_of(example: Example) -> tuple[list[Spoken], str | None]:
    """The answers of a row, or why there are none to judge."""
    content = example.content
    about = content.get("metadata")
    if not content.get("prompt"):
        return [], "no prompt"
    told = list(_told(content, about if isinstance(about, Mapping) else {}))
    if not told:
        return [], "no answers"
    spoken = [_spoken(messages, name) for messages, name in told]
    whole = [one for one in spoken if one is not None]
    return (whole, None) if len(whole) == len(told) else ([], "an answer that does not end in a text")


def _told(content: Mapping[str, Any], about: Mapping[str, Any]) -> Iterator[tuple[Messages, str]]:
    """Answers as messages, each with the name of who gave it."""
    for side in ("chosen", "rejected"):
        if side in content:
            yield content[side], _named(about, side) or side
    if "completion" in content:
        yield content["completion"], _named(about, "") or "completion"
    for number, answer in enumerate(content.get("answers") or [], start=1):
        name = answer.get("model")
        yield answer["messages"], name if isinstance(name, str) and name else f"answer {number}"


def _named(about: Mapping[str, Any], side: str) -> str | None:
    """The model that metadata names for a side: `chosen_model`, `model_rejected`, `chosen-model-name`, …"""
    for key, value in about.items():
        words = set(_WORDS.findall(str(key).lower()))
        meant = side in words if side else not words & {"chosen", "rejected"}
        if meant and "model" in words and "id" not in words and isinstance(value, str) and 0 < len(value) <= 100:
            return value
    return None


def _spoken(messages: Messages, name: str) -> Spoken | None:
    """An answer that can be shown: it ends in a turn of the assistant that says something."""
    last = messages[-1] if messages else {}
    text = last.get("content")
    if last.get("role") != "assistant" or not isinstance(text, str) or not text.strip():
        return None
    return Spoken(text, messages[:-1] or None, name)


def _line_ups(group: Group, settings: StudySettings, seed: int) -> list[tuple[int, ...]]:
    """Which answers of a prompt stand together, by place."""
    places = range(len(group.answers))
    if settings.layout == "rate":
        return [(place,) for place in places]
    if settings.layout == "rank":
        if len(places) < 2:
            return []
        mixed = sorted(places, key=lambda place: shuffled(seed, "rank", group.answers[place].text, place))
        parts = -(-len(mixed) // settings.sides)
        return [tuple(sorted(mixed[part::parts])) for part in range(parts) if len(mixed[part::parts]) > 1]
    pairs = (pair for row in group.rows for pair in combinations(sorted(row), 2))
    return list(dict.fromkeys(pairs))


def _comparison(group: Group, places: Sequence[int]) -> NewComparison:
    answers = [group.answers[place] for place in places]
    return NewComparison(
        group.prompt,
        [(None, one.name) for one in answers],
        source="answers",
        texts=[one.text for one in answers],
        histories=[one.history for one in answers],
    )
