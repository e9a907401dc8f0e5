"""How much of an earlier dataset is mixed in again (replay), so that what was learnt before is not forgotten.

Rolnick et al. 2019, arXiv:1811.11682; for continued pretraining Ibrahim et al. 2024, arXiv:2403.08763, who found that
5 % hold off most of the forgetting, and that a strong shift wants up to half.
"""

import math
from dataclasses import dataclass

from storage.specs.options import option


@dataclass(frozen=True)
class ReplayOptions:
    """The share of replayed rows; inherited by the methods that can mix."""

    replay_share: float = option(
        0.2,
        "Share of the rows that come from the replay dataset, where one is given: more holds off more forgetting.",
        minimum=0.0,
        maximum=0.9,
    )


def replayed_rows(rows: int, share: float) -> int:
    """How many rows to mix into `rows` so that they are that share of all."""
    return math.ceil(rows * share / (1 - share)) if share > 0 else 0
