"""What adapters add to a layer's output, for rows of different adapters, as one product of low rank.

An adapter adds s·B·A·x. The A of all adapters of a batch are stacked into one matrix, and their B likewise, so a
layer needs two products however many adapters there are; between the two, each row keeps the part that is its own
adapter's and zeros elsewhere (s is in B already). PEFT goes through the adapters one by one, picking and putting back
rows.

On a processor the adapters' matrices are kept in float32 (`trainers.engine.adapters`), whatever the base is in: a
product so small takes MKL 2 µs, and oneDNN, which computes bfloat16, 16 µs before it begins. Milliseconds of one core
for a token of a 90M base in bfloat16:

    the base 16.8, with an adapter 18.6 (in bfloat16 22.4), with the adapter merged into a copy of the weights 16.9
    base and two adapters in one step 23.0 (in bfloat16 25.4), three rows of the base 18.2

So a merged copy for whoever answers alone would gain a tenth, for the memory of a second base: there is none.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from storage.errors import RatchetError
from trainers.engine.plain import Layer

if TYPE_CHECKING:
    import torch

Keys = tuple[str | None, ...]

# Compositions of rows that are kept ready: a batch's own, and that of each row whose prompt is read meanwhile.
_KEPT = 8


class Product(NamedTuple):
    """One layer's part for certain rows: A stacked (ranks, in), s·B stacked (out, ranks), and which ranks are whose.

    `own` is (rows, 1, ranks) of ones and zeros, None where all rows have the same adapter.
    """

    down: "torch.Tensor"
    up: "torch.Tensor"
    own: "torch.Tensor | None"


Products = Mapping[int, Product]


def add_product(output: "torch.Tensor", inputs: "torch.Tensor", product: Product) -> "torch.Tensor":
    """A layer's output with what its rows' adapters add; `output` may be changed in place."""
    import torch

    own = product.own
    if own is not None and inputs.shape[0] != own.shape[0]:
        raise RatchetError(
            "A layer of this model does not keep its rows apart, so different adapters cannot be mixed in it."
        )
    narrow = torch.nn.functional.linear(inputs.to(product.down.dtype), product.down)
    if own is not None:
        narrow = narrow * own
    return output.add_(torch.nn.functional.linear(narrow, product.up))


class LowRank:
    """Products by the adapters of the rows, made when a composition is new and kept while it is used."""

    def __init__(self) -> None:
        self._made: OrderedDict[Keys, Products] = OrderedDict()
        self._stacks: OrderedDict[Keys, Products] = OrderedDict()

    @property
    def size(self) -> int:
        """How many compositions are kept."""
        return len(self._made)

    def forget(self) -> None:
        """Drop everything: adapters came or went."""
        self._made.clear()
        self._stacks.clear()

    def of(self, rows: Keys, layers: Mapping[int, Layer]) -> Products:
        """The products for rows answered by these adapters, None being the base."""
        if rows not in self._made:
            self._made[rows] = self._make(rows, layers)
        return _used(self._made, rows)

    def _make(self, rows: Keys, layers: Mapping[int, Layer]) -> Products:
        adapters = tuple(sorted({key for key in rows if key is not None}))
        if adapters not in self._stacks:
            self._stacks[adapters] = _stack(adapters, layers)
        stacked = _used(self._stacks, adapters)
        known: dict[Any, torch.Tensor | None] = {}  # most layers have the same ranks
        made = {}
        for layer, product in stacked.items():
            parts = _parts(adapters, layers[layer])
            if parts not in known:
                known[parts] = _own(rows, parts, product.down)
            made[layer] = product._replace(own=known[parts])
        return made


Parts = tuple[tuple[str, int], ...]


def _parts(adapters: Sequence[str], layer: Layer) -> Parts:
    """The adapters that a layer has, each with its rank."""
    return tuple((key, layer[key].down.shape[0]) for key in adapters if key in layer)


def _stack(adapters: Sequence[str], layers: Mapping[int, Layer]) -> Products:
    import torch

    stacked = {}
    for identity, layer in layers.items():
        pairs = [layer[key] for key, _ in _parts(adapters, layer)]
        if pairs:
            downs = [_quick(pair.down) for pair in pairs]
            up = torch.cat([_quick(pair.up) * pair.scaling for pair in pairs], 1)
            stacked[identity] = Product(downs[0] if len(downs) == 1 else torch.cat(downs), up, None)
    return stacked


def _quick(matrix: "torch.Tensor") -> "torch.Tensor":
    """In the number format in which a small product is computed fastest."""
    return matrix.float() if matrix.device.type == "cpu" else matrix


def _own(rows: Keys, parts: Parts, like: "torch.Tensor") -> "torch.Tensor | None":
    import torch

    if len(parts) == 1 and all(row == parts[0][0] for row in rows):
        return None
    lines = [[float(key == row) for key, rank in parts for _ in range(rank)] for row in rows]
    return torch.tensor(lines, dtype=like.dtype, device=like.device)[:, None]


def _used(kept: "OrderedDict[Keys, Products]", key: Keys) -> Products:
    """The entry, now the newest; the oldest go when there are too many."""
    kept.move_to_end(key)
    while len(kept) > _KEPT:
        kept.popitem(last=False)
    return kept[key]
