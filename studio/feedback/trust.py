"""How far judgements can be relied on: against known answers (gold), and against the same person's second look.

The second look shows the answers the other way round. Somebody who judges the words says the same again; somebody who
judges the side says the other thing, so whoever changes their mind to the same side both times shows which side it is.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from storage.details import SecondLook
from storage.judgements import Said
from storage.rows import RATED
from studio.feedback import coefficients
from studio.feedback.counting import Counted, orderings_of
from studio.feedback.outcomes import LETTERS, ranked
from studio.feedback.shares import Share, share


class Oneself(NamedTuple):
    """Second looks: how often the same was said, and on which side those stand who said the other thing."""

    agreed: Share
    kappa: float | None
    """Cohen's, between the first and the second look."""

    left: int
    """Looks in which the answer on the left won both times, so that the winner changed."""

    right: int

    def to_json(self) -> dict[str, Any]:
        """For agreement and annotators."""
        return {**self.agreed._asdict(), "kappa": self.kappa, "left_both": self.left, "right_both": self.right}


def is_right(expected: Mapping[str, Any], vote: Said) -> bool:
    """Whether a vote says what is expected: the choice, the rating, or the ranking with its ties."""
    if "ranking" in expected:
        return list(orderings_of(vote)) == ranked(expected["ranking"])
    if "rating" in expected:
        return vote.choice == RATED and vote.rating == expected["rating"]
    return bool(vote.choice == expected["choice"])


def gold_by_person(counted: Counted) -> dict[str, Share]:
    """How often each person who saw known answers was right."""
    right: dict[str, list[bool]] = defaultdict(list)
    for vote in counted.on_gold:
        right[vote.annotator].append(is_right(counted.expected[vote.comparison_id], vote))
    return {name: share(sum(found), len(found)) for name, found in right.items()}


def gold_of_all(counted: Counted) -> Share:
    """How often all of them were right, vote by vote."""
    right = [is_right(counted.expected[vote.comparison_id], vote) for vote in counted.on_gold]
    return share(sum(right), len(right))


def oneself(looks: Iterable[SecondLook]) -> Oneself:
    """What second looks say, of one person or of all."""
    found = list(looks)
    sides = [side for look in found if (side := _same_side(look))]
    return Oneself(
        share(sum(look.agreed for look in found), len(found)), _kappa(found), sides.count("left"), sides.count("right")
    )


def oneself_by_person(looks: Iterable[SecondLook]) -> dict[str, Oneself]:
    """What second looks say of each person."""
    given: dict[str, list[SecondLook]] = defaultdict(list)
    for look in looks:
        given[look.annotator].append(look)
    return {name: oneself(own) for name, own in given.items()}


def _kappa(looks: Iterable[SecondLook]) -> float | None:
    """Cohen's kappa; of a ranking each two answers are one case."""
    cases = [case for look in looks for case in _cases(look)]
    words = sorted({word for case in cases for word in case})
    if not cases:
        return None
    table = np.array([[words.index(first), words.index(second)] for first, second in cases], dtype=np.int64)
    pairs = coefficients.pairs(table, len(words))
    return pairs[0].cohen if pairs else None


def _cases(look: SecondLook) -> list[tuple[str, str]]:
    if look.first_ranking is not None and look.ranking is not None:
        first, second = (ranked(json.loads(text)) for text in (look.first_ranking, look.ranking))
        return [(str(one.value), str(other.value)) for one, other in zip(first, second, strict=False)]
    if look.first_rating is not None and look.rating is not None:
        return [(f"{look.first_rating:g}", f"{look.rating:g}")]
    return [(look.first_choice, look.choice)]


def _same_side(look: SecondLook) -> str | None:
    """The side that won both times although the answers had changed places; None where that did not happen."""
    decisive = look.first_choice in ("a", "b") and look.choice in ("a", "b")
    if not decisive or look.first_choice == look.choice:
        return None
    sides = [
        json.loads(order).index(LETTERS.index(choice))
        for order, choice in ((look.first_order, look.first_choice), (look.order, look.choice))
        if order not in ("", "[]")
    ]
    return ("left", "right")[sides[0]] if len(sides) == 2 and sides[0] == sides[1] else None
