"""One token for each row of a batch, each with its own temperature, top_p and generator.

The random draw is made on the CPU whatever the device, so that a seed means the same everywhere; the batch
still moves the logits by rounding (bfloat16 more than float32), which is why replay uses float32 and one row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from storage.errors import RatchetError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Sampling:
    """How a row's tokens are chosen: temperature 0 is greedy; `seed` is always set, drawn if not asked for."""

    max_tokens: int
    temperature: float
    top_p: float
    seed: int


class Sampled(Protocol):
    """What the sampler needs to know of a row."""

    sampling: Sampling
    generator: "torch.Generator"


class NotFiniteError(RatchetError):
    """A model's logits were not numbers: overflow, or weights that training has ruined."""

    kind = "not-finite"


def new_generator(seed: int) -> "torch.Generator":
    """A generator of a row's own."""
    import torch

    return torch.Generator().manual_seed(seed)


def choose_tokens(logits: "torch.Tensor", rows: Sequence[Sampled]) -> list[int | NotFiniteError]:
    """The next token of each row from logits (rows, vocabulary); an error in place of a token fails its row."""
    import torch

    logits = logits.float()
    finite = torch.isfinite(logits.amax(-1)) & ~torch.isnan(logits).any(-1)
    greedy = logits.argmax(-1).tolist()
    return [
        _choose(logits[index], greedy[index], row) if good else _not_finite()
        for index, (row, good) in enumerate(zip(rows, finite.tolist(), strict=True))
    ]


def _choose(logits: "torch.Tensor", greedy: int, row: Sampled) -> int:
    import torch

    if row.sampling.temperature == 0:
        return greedy
    weights = torch.softmax(logits / row.sampling.temperature, -1)
    if row.sampling.top_p < 1:
        weights = _nucleus(weights, row.sampling.top_p)
    return int(torch.multinomial(weights.cpu(), 1, generator=row.generator))


def _nucleus(weights: "torch.Tensor", top_p: float) -> "torch.Tensor":
    """Keep the fewest most likely tokens whose sum reaches top_p (Holtzman et al. 2020); multinomial rescales."""
    import torch

    ordered, order = weights.sort(descending=True)
    beyond = ordered.cumsum(-1) - ordered >= top_p
    return torch.zeros_like(weights).scatter(-1, order, ordered.masked_fill(beyond, 0))


def _not_finite() -> NotFiniteError:
    return NotFiniteError(
        "The model's output is not finite (NaN or infinity): its weights are damaged or too large for this "
        "number format; try float32, or train it again with a lower learning rate."
    )
