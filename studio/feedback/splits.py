"""A leaderboard for each part of a study: by the tags of the prompts, by annotator, by the length of the prompt.

Looked at part by part, something will stand out by chance: with twenty parts one 95 % interval is expected to miss.
The page says so. A prompt with two tags counts under both.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from storage.errors import BadInput
from storage.examples import stream
from storage.judgements import Said, asked
from storage.prompts import content_sha256
from storage.queries import Query
from storage.rows import LIVE
from storage.store import Store
from studio.feedback.comparing import prompt_of
from studio.feedback.counting import Counted, count
from studio.feedback.leaderboard import board

BY = ("tag", "annotator", "length")
# Characters of all turns of a prompt.
_LENGTHS = ((100, "under 100 characters"), (400, "100 to 399 characters"), (1600, "400 to 1,599 characters"))
_LONG = "1,600 characters and more"
_MOST = 50


class Part(NamedTuple):
    """One part with the number of its votes and its leaderboard."""

    name: str
    votes: int
    board: dict[str, Any]


def splits(store: Store, study: str, by: str, ties: str = "model", with_excluded: bool = False) -> list[Part]:
    """The parts of a study, most votes first, 50 at most; raises BadInput for an unknown split, NotFound."""
    if by not in BY:
        raise BadInput(f'A leaderboard is split by {", ".join(BY)}, not by "{by}".')
    counted = count(store, study, with_excluded)
    names_of = {"tag": _tags, "annotator": _annotators, "length": _lengths}[by](store, counted)
    parts: dict[str, set[str]] = defaultdict(set)
    for vote in counted.votes:
        for name in names_of(vote):
            parts[name].add(vote.id)
    largest = sorted(parts, key=lambda name: (-len(parts[name]), name))[:_MOST]
    return [Part(name, len(parts[name]), board(_only(counted, parts[name]), ties).to_json()) for name in largest]


def _only(counted: Counted, ids: set[str]) -> Counted:
    """The same study with these votes alone, and the models that took part in them."""
    votes = [vote for vote in counted.votes if vote.id in ids]
    judged = [one for one in counted.judged if one.vote.id in ids]
    met = {name for one in judged for name in (one.first, one.second)}
    names = [name for name in counted.names if name in met]
    contests = {vote.comparison_id: counted.contests[vote.comparison_id] for vote in votes}
    return counted._replace(
        names=names, votes=votes, judged=judged, contests=contests, excluded=[], expected={}, on_gold=()
    )


_Names = Callable[[Said], Iterable[str]]


def _annotators(store: Store, counted: Counted) -> _Names:
    return lambda vote: [vote.annotator]


def _tags(store: Store, counted: Counted) -> _Names:
    """By the tags of the examples that the prompts come from; a prompt of unknown origin has none."""
    tags: dict[str, Sequence[str]] = {}
    if counted.study.prompts_id:
        for example in stream(store, counted.study.prompts_id, Query(status=LIVE)):
            if example.tags and (prompt := prompt_of(example)):
                tags[content_sha256(prompt)] = example.tags
    return lambda vote: tags.get(counted.contests[vote.comparison_id].prompt_sha256, ())


def _lengths(store: Store, counted: Counted) -> _Names:
    lengths = {identity: _length(json.loads(prompt)) for identity, prompt in asked(store, counted.study.id)}
    return lambda vote: [lengths[vote.comparison_id]] if lengths[vote.comparison_id] else []


def _length(prompt: Sequence[dict[str, Any]]) -> str:
    """Which bar a prompt falls into; "" where it is not known."""
    if not prompt:
        return ""
    characters = sum(len(turn["content"]) for turn in prompt if isinstance(turn.get("content"), str))
    return next((name for most, name in _LENGTHS if characters < most), _LONG)
