"""Checks of preferences: answers that do not differ, rows that contradict each other, and a taste for length."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from storage.prompts import content_sha256
from studio.curation.checks.check import Check, Detail, at, throw_away
from studio.curation.checks.passages import Content, spoken

# Cohen's d from which an effect is called small to medium; and pairs below which nothing is said.
_EFFECT = 0.3
_FEWEST = 30
_TWICE = 2.0


def find_same(content: Content) -> Detail | None:
    """Chosen and rejected that do not differ, blank space aside."""
    if "chosen" not in content or "rejected" not in content:
        return None
    same = _plain(content["chosen"]) == _plain(content["rejected"])
    return at("Chosen and rejected are the same answer.", "chosen", "rejected") if same else None


def _plain(messages: Iterable[dict[str, Any]]) -> list[Any]:
    return [{**message, "content": " ".join(str(message.get("content") or "").split())} for message in messages]


class Lengths(NamedTuple):
    """What a pair's answers are long, in characters."""

    key: int
    chosen: int
    rejected: int


def lengths_of(key: int, content: Content) -> Lengths | None:
    """The lengths of a pair's answers; None for what is no pair."""
    if "chosen" not in content or "rejected" not in content:
        return None
    return Lengths(key, len(spoken(list(content["chosen"]))), len(spoken(list(content["rejected"]))))


class LengthBias(NamedTuple):
    """How much longer chosen answers are.

    `share`: of the pairs whose lengths differ, how many have the longer answer chosen, with its 95 % Wilson
    interval; `effect`: Cohen's d of the paired log lengths (mean over standard deviation); `ratio`: the geometric
    mean of chosen over rejected.
    """

    pairs: int
    share: float
    low: float
    high: float
    effect: float
    ratio: float

    @property
    def biased(self) -> bool:
        """Whether this is more than chance and more than a little."""
        return self.pairs >= _FEWEST and abs(self.effect) >= _EFFECT and not self.low <= 0.5 <= self.high


def length_bias(lengths: Iterable[Lengths]) -> LengthBias:
    """Length bias over pairs; E. B. Wilson (1927) for the interval, J. Cohen (1988) for the effect size."""
    count = longer = decided = 0
    total = squares = 0.0
    for _, chosen, rejected in lengths:
        ratio = math.log((chosen + 1) / (rejected + 1))
        count += 1
        total += ratio
        squares += ratio * ratio
        decided += chosen != rejected
        longer += chosen > rejected
    if not count:
        return LengthBias(0, 0.5, 0.0, 1.0, 0.0, 1.0)
    mean = total / count
    deviation = math.sqrt(max(0.0, squares / count - mean * mean))
    effect = mean / deviation if deviation > 1e-12 else math.copysign(9.99, mean) if abs(mean) > 1e-12 else 0.0
    low, high = _wilson(longer, decided)
    share = longer / decided if decided else 0.5
    return LengthBias(count, round(share, 4), low, high, round(effect, 4), round(math.exp(mean), 4))


def _wilson(hits: int, count: int) -> tuple[float, float]:
    if not count:
        return 0.0, 1.0
    z = 1.959964
    middle = (hits + z * z / 2) / (count + z * z)
    half = z / (count + z * z) * math.sqrt(hits * (count - hits) / count + z * z / 4)
    return round(middle - half, 4), round(middle + half, 4)


def lopsided(lengths: Iterable[Lengths], bias: LengthBias) -> Iterator[tuple[int, Detail]]:
    """The pairs that make the bias: one answer at least twice as long as the other, in the bias's direction."""
    for key, chosen, rejected in lengths:
        longer, shorter = (chosen, rejected) if bias.effect > 0 else (rejected, chosen)
        if longer + 1 >= _TWICE * (shorter + 1):
            yield key, at(f"The chosen answer has {chosen} characters, the rejected one {rejected}.")


class Claim(NamedTuple):
    """What a preference row says, by hashes: of this prompt, `better` beats `worse`; or a verdict on one answer."""

    key: int
    prompt: str
    better: str
    worse: str


def claims_of(key: int, content: Content) -> Claim | None:
    """What a row claims; a thumb or a score has the verdict in the place of the worse answer."""
    if "prompt" not in content:
        return None
    prompt = content_sha256(_plain(content["prompt"]))[:16]
    if "chosen" in content and "rejected" in content:
        better, worse = (content_sha256(_plain(content[part]))[:16] for part in ("chosen", "rejected"))
        return Claim(key, prompt, better, worse)
    if "completion" in content:
        verdict = content.get("label", content.get("score"))
        return Claim(key, prompt, content_sha256(_plain(content["completion"]))[:16], f"={verdict}")
    return None


def contradictions(claims: Iterable[Claim]) -> Iterator[tuple[int, Detail]]:
    """Rows of one prompt that say A over B and B over A, or two verdicts on one answer; all rows that take part."""
    said: dict[tuple[str, ...], list[Claim]] = defaultdict(list)
    for claim in claims:
        verdict = claim.worse.startswith("=")
        said[(claim.prompt, *((claim.better,) if verdict else sorted((claim.better, claim.worse))))].append(claim)
    for group in said.values():
        stances = {(claim.better, claim.worse) for claim in group}
        if len(stances) < 2 or all(better == worse for better, worse in stances):
            continue
        for claim in group:
            others = [other.key for other in group if (other.better, other.worse) != (claim.better, claim.worse)]
            yield claim.key, {**at("Another row says the opposite of the same answers."), "against": others[:10]}


CHECKS = (
    Check(
        "same-answers", "error", "Chosen equals rejected",
        "Both answers of a pair are the same, so it says nothing; DPO leaves such pairs out.",
        "Put the pair into the trash.",
        find_same, throw_away, "Put into the trash",
    ),
    Check(
        "length-bias", "warning", "Longer answers win",
        "Over the whole dataset the chosen answers are systematically longer (or shorter) than the rejected ones; "
        "a model learns the length instead of the reason.",
        "Look at the pairs where one answer is twice as long and balance them, or train with a loss per token.",
    ),
    Check(
        "contradiction", "warning", "Contradicting preferences",
        "For the same prompt one row prefers A to B and another B to A; the two cancel out.",
        "Keep the one that is right.",
    ),
)  # fmt: skip
