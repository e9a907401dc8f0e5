"""The votes of a study as rows to learn from, and the sentence that says where they come from.

A shape (`Method.shape`) that votes can fill is a function in `VOTED`: it reads the study's preferences by the policy
that the request names, counts them, and makes rows of them when they are asked for.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from storage.comparisons import get_study
from storage.errors import BadInput
from storage.prompts import content_sha256
from storage.rows import Study
from storage.store import Store
from storage.votes import current_votes
from studio.feedback.policies import read_policy, write_policy
from studio.feedback.preferences import Pair, Preferences, preferences
from studio.training.request import DEFAULT_POLICY, Request
from studio.training.shaping import FEWEST_PAIRS, Shaped, counted, preference_row

GOOD_PAIRS = 20
"""With about this many, the starter's taste moves visibly."""


@dataclass(frozen=True)
class Uses:
    """What the rows say beyond better and worse; only some losses can use it."""

    margins: int = 0
    weights: int = 0
    ties: int = 0


@dataclass(frozen=True)
class Survey:
    """How much there is to learn from. `sentence` says where it comes from; `warning` what to expect of it."""

    rows: int
    sentence: str
    warning: str | None = None
    uses: Uses = field(default_factory=Uses)


class Voted(NamedTuple):
    """What a study's votes teach: counted now, made into rows when they are frozen."""

    study: Study
    policy: str
    survey: Survey
    shaped: Callable[[], Shaped]


class StudyPairs(NamedTuple):
    """Preferences of a study, how many votes they came from, and the policy with its options."""

    study: Study
    policy: str
    votes: int
    found: Preferences

    @property
    def learnt(self) -> list[tuple[Pair, bool]]:
        """All that becomes rows, and whether it is a tie."""
        return [*((pair, False) for pair in self.found.pairs), *((pair, True) for pair in self.found.ties)]


def pairs(store: Store, request: Request) -> Voted:
    """Pairs of a better and a worse answer, and ties where the policy keeps them."""
    found = study_pairs(store, request)
    _refuse_few(found)
    kept = len(found.found.pairs)
    survey = Survey(len(found.learnt), _origin_sentence(found), _faint(kept), _uses(found))
    return Voted(found.study, found.policy, survey, lambda: _shaped(found))


def _shaped(pairs: StudyPairs) -> Shaped:
    rows = [
        {**preference_row(pair.prompt, pair.chosen, pair.rejected, pair.id, pair.margin),
         "weight": float(pair.weight), "tie": tie}
        for pair, tie in pairs.learnt
    ]  # fmt: skip
    prompts = {digest for pair, _ in pairs.learnt for digest in (pair.prompt_sha256, *prompts_in(pair.prompt))}
    return Shaped(rows, prompts)


def study_pairs(store: Store, request: Request) -> StudyPairs:
    """The preferences of the study that a request names."""
    if not request.study:
        raise BadInput("Name the study whose votes are to be learnt from (--study).")
    wish = read_policy(request.votes or DEFAULT_POLICY)
    study = get_study(store, request.study)
    votes = [vote for vote in current_votes(store, study.id) if vote.choice != "skip"]
    found = preferences(store, study.name, wish.policy, wish.options)
    return StudyPairs(study, write_policy(wish), len(votes), found)


def _uses(pairs: StudyPairs) -> Uses:
    weights = {pair.weight for pair, _ in pairs.learnt}
    return Uses(
        margins=sum(bool(pair.margin) for pair in pairs.found.pairs),
        weights=len(pairs.learnt) if len(weights) > 1 else 0,
        ties=len(pairs.found.ties),
    )


def prompts_in(prompt: Sequence[Mapping[str, Any]]) -> set[str]:
    """The hashes of a conversation's beginnings: what was asked at any of its answers has been trained on."""
    ends = [at for at, turn in enumerate(prompt) if turn.get("role") == "assistant" and at]
    return {content_sha256(list(prompt[:at])) for at in (*ends, len(prompt))}


def _refuse_few(pairs: StudyPairs) -> None:
    """Raise BadInput where too few pairs came out, saying about how many votes are missing."""
    found = len(pairs.found.pairs)
    if found >= FEWEST_PAIRS:
        return
    # Of the votes to come, as large a share will make a pair as of those given, and at least a third.
    share = max(found / pairs.votes, 1 / 3) if pairs.votes else 0.6
    missing = math.ceil((FEWEST_PAIRS - found) / share)
    raise BadInput(
        f'Study "{pairs.study.name}" gives {_origin_sentence(pairs)}; DPO needs at least {FEWEST_PAIRS} pairs: '
        f"about {counted(missing, 'more vote')}."
    )


def _origin_sentence(pairs: StudyPairs) -> str:
    """ "24 pairs from 30 votes (4 ties, 2 prompts kept for measuring)"."""
    dropped = [_left_out(reason, number) for reason, number in pairs.found.dropped.items() if reason != "skip"]
    if pairs.found.thumbs:
        dropped.append(f"{counted(len(pairs.found.thumbs), 'single answer')}, which KTO can learn from")
    left = f" (left out: {', '.join(dropped)})" if dropped else ""
    made = [counted(len(pairs.found.pairs), "pair")]
    if pairs.found.ties:
        made.append(counted(len(pairs.found.ties), "tie"))
    if pairs.found.edited:
        made[0] += f" ({pairs.found.edited} with a mended answer)"
    return f"{' and '.join(made)} from {counted(pairs.votes, 'vote')}{left}"


def _left_out(reason: str, number: int) -> str:
    """A reason for leaving votes out, in words: "4 ties", "2 on prompts kept for measuring"."""
    words = {
        "tie": counted(number, "tie"),
        "both_bad": f"{number} both bad",
        "measure prompt": f"{number} on prompts kept for measuring",
        "identical answers": f"{number} with identical answers",
        "gold": f"{number} on known answers",
        "middle rating": counted(number, "middle rating"),
    }
    return words.get(reason, f"{number} {reason}")


def _faint(pairs: int) -> str | None:
    """What to expect of few pairs."""
    if pairs >= GOOD_PAIRS:
        return None
    return f"{counted(pairs, 'pair')} will train, but leave a faint mark; about {GOOD_PAIRS} move a model visibly."


VOTED: Mapping[str, Callable[[Store, Request], Voted]] = MappingProxyType({"pairs": pairs})
