"""The votes of a study as rows to learn from, and the sentence that says where they come from.

A shape (`Method.shape`) that votes can fill is a function in `VOTED`: it reads the study's preferences by the policy
that the request names, counts them, and makes rows of them when they are asked for.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from storage.comparisons import get_study
from storage.errors import BadInput
from storage.prompts import content_sha256
from storage.rows import Study
from storage.store import Store
from storage.votes import current_votes
from studio.feedback.policies import read_policy, write_policy
from studio.feedback.preferences import Pair, Preferences, Thumb, preferences
from studio.training.doubts import doubt_of
from studio.training.request import DEFAULT_POLICY, Request
from studio.training.shaped import FEWEST_PAIRS, Shaped, counted, preference_row
from studio.training.shaping_thumbs import refuse_few, thumb_row

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
    """How much there is to learn from. `sentence` says where it comes from; `warning` what to expect of it.

    `doubt`: the share of pairs that are probably wrong, where people's disagreement tells it.
    """

    rows: int
    sentence: str
    warning: str | None = None
    uses: Uses = field(default_factory=Uses)
    doubt: float | None = None


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
    doubt = doubt_of(store, found.study.id, read_policy(found.policy).policy)
    survey = Survey(len(found.learnt), _origin_sentence(found), _faint(kept), _uses(found), doubt)
    return Voted(found.study, found.policy, survey, lambda: _shaped(found))


def _shaped(pairs: StudyPairs) -> Shaped:
    rows = [
        {**preference_row(pair.prompt, pair.chosen, pair.rejected, pair.id, pair.margin),
         "weight": float(pair.weight), "tie": tie}
        for pair, tie in pairs.learnt
    ]  # fmt: skip
    prompts = {digest for pair, _ in pairs.learnt for digest in (pair.prompt_sha256, *prompts_in(pair.prompt))}
    return Shaped(rows, prompts)


def thumbs(store: Store, request: Request) -> Voted:
    """Good and bad answers: thumbs and ratings, both sides of a preference, and answers that were all bad."""
    found = study_pairs(store, request, negatives=True)
    answers = judged_answers(found)
    refuse_few([one.desirable for one in answers], f'Study "{found.study.name}" gives')
    good = sum(one.desirable for one in answers)
    weights = len({one.weight for one in answers}) > 1
    sentence = (
        f"{counted(good, 'good answer')} and {counted(len(answers) - good, 'bad answer')} "
        f"from {counted(found.votes, 'vote')}{_left_behind(found)}"
    )
    margins = sum(bool(pair.margin) for pair in found.found.pairs)
    uses = Uses(margins=margins, weights=len(answers) * weights, ties=len(found.found.ties))
    survey = Survey(len(answers), sentence, _faint(min(good, len(answers) - good)), uses)
    return Voted(found.study, found.policy, survey, lambda: _shaped_thumbs(answers))


def _shaped_thumbs(answers: Sequence[Thumb]) -> Shaped:
    rows = [
        thumb_row(one.prompt, one.completion, one.desirable, f"{one.comparison_id}-{at}", one.weight)
        for at, one in enumerate(answers)
    ]
    return Shaped(rows, {digest for one in answers for digest in (one.prompt_sha256, *prompts_in(one.prompt))})


def judged_answers(pairs: StudyPairs) -> list[Thumb]:
    """All answers that the votes call good or bad.

    Under the policy "each" every vote speaks; under the others an answer of a comparison is one row, good where it won
    more often than it lost. One that won as often as it lost (the middle of a ranking) is neither.
    """
    found = [*_of_pairs(pairs.found.pairs), *pairs.found.thumbs]
    if read_policy(pairs.policy).policy == "each":
        return found
    leads: dict[tuple[str, str], float] = {}
    for one in found:
        leads[_answer(one)] = leads.get(_answer(one), 0.0) + (one.weight if one.desirable else -one.weight)
    first = {_answer(one): one for one in reversed(found)}
    return [
        replace(one, desirable=leads[key] > 0, weight=min(1.0, abs(leads[key])))
        for key, one in reversed(first.items())
        if leads[key]
    ]


def _answer(one: Thumb) -> tuple[str, str]:
    """What tells one answer of a comparison from the others."""
    return one.comparison_id, json.dumps([one.prompt, one.completion], sort_keys=True)


def _of_pairs(pairs: Sequence[Pair]) -> list[Thumb]:
    """The better answers, good, and the worse ones, bad; what was said before the last turn was asked."""
    found = []
    for pair in pairs:
        for turns, good in ((pair.chosen, True), (pair.rejected, False)):
            *before, said = [*pair.prompt, *turns]
            found.append(Thumb(before, pair.prompt_sha256, [said], pair.comparison_id, good, pair.weight))
    return found


def study_pairs(store: Store, request: Request, negatives: bool = False) -> StudyPairs:
    """The preferences of the study that a request names; `negatives`: "both bad" makes bad answers unless told not."""
    if not request.study:
        raise BadInput("Name the study whose votes are to be learnt from (--study).")
    words = request.votes or DEFAULT_POLICY
    wish = read_policy(words)
    if negatives and "both_bad" not in words:
        wish = wish._replace(options=replace(wish.options, both_bad="negatives"))
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
    single = counted(len(pairs.found.thumbs), "single answer") if pairs.found.thumbs else None
    left = _left_behind(pairs, f"{single}, which KTO can learn from" if single else None)
    made = [counted(len(pairs.found.pairs), "pair")]
    if pairs.found.ties:
        made.append(counted(len(pairs.found.ties), "tie"))
    if pairs.found.edited:
        made[0] += f" ({pairs.found.edited} with a mended answer)"
    return f"{' and '.join(made)} from {counted(pairs.votes, 'vote')}{left}"


def _left_behind(pairs: StudyPairs, more: str | None = None) -> str:
    """What was left out, in brackets; nothing where nothing was."""
    dropped = [_left_out(reason, number) for reason, number in pairs.found.dropped.items() if reason != "skip"]
    dropped += [more] if more else []
    return f" (left out: {', '.join(dropped)})" if dropped else ""


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


VOTED: Mapping[str, Callable[[Store, Request], Voted]] = MappingProxyType(
    {"pairs": pairs, "judged": pairs, "thumbs": thumbs}
)
