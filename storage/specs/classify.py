"""Classification and regression by a linear head on a frozen model: a filter for topics, quality or safety.

The base is only read: its last layer's states are averaged over a text, and a linear map learns labels or a number from
them ("linear probes", Alain and Bengio 2016, arXiv:1610.01644). Encoders such as BERT (Devlin et al. 2018,
arXiv:1810.04805) do as well as models that answer.
"""

from dataclasses import dataclass
from types import MappingProxyType

from storage.specs.method import Method
from storage.specs.options import option

TAGS, ONE_TAG = "tags", "tag:"
"""What `label` may be beside the name of a metadata field."""
NOT = "not "
"""How the label of a row begins that has not the one tag."""


@dataclass(frozen=True)
class ClassifyOptions:
    """What classification can be told."""

    label: str = option(
        "tags",
        "What is learnt: tags (the one tag of a row), tag:NAME (whether a row has that tag), or the name of a metadata "
        "field, such as topic.",
        basic=True,
    )
    among: str = option(
        "", "Labels that count, with commas between them; a row's other tags are then ignored. Empty: all.", basic=True
    )
    target: str = option(
        "auto",
        "label: one of several words; number: a number on a scale; auto: number where every value is one and there are "
        "more than ten.",
        choices=("auto", "label", "number"),
    )
    pooling: str = option(
        "mean", "Which states stand for a text: the mean of all, the last one, or the first one (some encoders).",
        choices=("mean", "last", "first"),
    )  # fmt: skip
    epochs: float = option(40.0, "Times that every row is seen by the head.", minimum=0.01, maximum=1000, basic=True)
    learning_rate: float = option(1e-2, "Peak step size of the head.", minimum=1e-8, maximum=1.0, basic=True)
    batch_size: int = option(64, "Rows in one optimiser step.", minimum=1, maximum=4096, basic=True)
    max_length: int = option(512, "Tokens of a text; longer ones are cut.", minimum=16, maximum=131072, basic=True)
    weight_decay: float = option(0.01, "Pull of the head's weights towards zero.", minimum=0.0, maximum=10.0)
    held_out: float = option(
        0.1, "Share of the rows that measure and never train, from 50 rows on.", minimum=0.0, maximum=0.5
    )
    max_steps: int = option(0, "Stop after this many steps; 0 means by epochs.", minimum=0, maximum=10_000_000)
    seed: int = option(0, "Seed of order and initial weights.", minimum=0, maximum=2**31 - 1)


METHOD = Method(
    name="classify",
    title="Classifier",
    summary="Learn labels or a number from texts that have them.",
    paper="Alain and Bengio 2016, arXiv:1610.01644",
    rows=("sft", "text", "prompts"),
    shape="labelled",
    options=ClassifyOptions,
    module="classify",
    makes="labels",
    # A head on frozen states costs next to nothing, so that its length needs no advice by size.
    advised=MappingProxyType({}),
)
