"""What a run learns from: a dataset's frozen version, or preferences made from votes, as rows for `data.parquet`.

`survey` only counts, for the form; `gather` freezes and reads. Both refuse with a sentence that says what is
missing and how to get it.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from storage.comparisons import get_study
from storage.datasets import count_examples, get_dataset
from storage.errors import BadInput
from storage.prompts import as_messages, content_sha256
from storage.rows import FROZEN, Dataset, Study, Version
from storage.specs.registry import Method
from storage.store import Store
from storage.versions import contents, freeze, nothing_to_learn
from storage.votes import current_votes
from studio.feedback.policies import read_policy, write_policy
from studio.feedback.preferences import Pair, Preferences, preferences
from studio.training.request import DEFAULT_POLICY, Request

Examples = Iterable[tuple[str, Mapping[str, Any]]]  # id and content
Shaped = tuple[list[dict[str, Any]], set[str]]  # rows of data.parquet, hashes of their prompts

FEWEST_PAIRS = 4  # below this DPO learns the words of single answers rather than a taste
GOOD_PAIRS = 20  # with about this many, the starter's taste moves visibly


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


class Frozen(NamedTuple):
    """Rows in the shape of `data.parquet`, the prompts (hashes) that they train on, and what they came from."""

    rows: list[dict[str, Any]]
    prompts: set[str]
    version: Version | None
    study: Study | None
    policy: str | None


class _Pairs(NamedTuple):
    """Preferences of a study, how many votes they came from, and the policy with its options."""

    study: Study
    policy: str
    votes: int
    found: Preferences

    @property
    def learnt(self) -> list[tuple[Pair, bool]]:
        """All that becomes rows, and whether it is a tie."""
        return [*((pair, False) for pair in self.found.pairs), *((pair, True) for pair in self.found.ties)]


def survey(store: Store, method: Method, request: Request) -> Survey:
    """Count what the request would learn from; raises BadInput or NotFound where that is nothing or the wrong kind."""
    if _wants_votes(method, request):
        pairs = _pairs(store, request)
        _refuse_few(pairs)
        return Survey(len(pairs.learnt), _origin_sentence(pairs), _faint(len(pairs.found.pairs)), _uses(pairs))
    dataset = _dataset(store, method, request)
    rows = count_examples(store, dataset.id, FROZEN)
    if not rows:
        raise BadInput(nothing_to_learn(dataset, count_examples(store, dataset.id)))
    noun = "pair" if method.rows == "preference" else "row"
    return Survey(rows, f'{_count(rows, noun)} of dataset "{dataset.name}"')


def gather(store: Store, method: Method, request: Request) -> Frozen:
    """Freeze what the request learns from and read it; raises as `survey` does."""
    if _wants_votes(method, request):
        pairs = _pairs(store, request)
        _refuse_few(pairs)
        rows = [
            {**preference_row(pair.prompt, pair.chosen, pair.rejected, pair.id, pair.margin),
             "weight": float(pair.weight), "tie": tie}
            for pair, tie in pairs.learnt
        ]  # fmt: skip
        prompts = {digest for pair, _ in pairs.learnt for digest in (pair.prompt_sha256, *_prompts_in(pair.prompt))}
        return Frozen(rows, prompts, None, pairs.study, pairs.policy)
    dataset = _dataset(store, method, request)
    version = freeze(store, dataset)
    examples = [(row["example_id"], json.loads(row["content"])) for row in contents(store, version)]
    shape = _sft_rows if method.rows == "sft" else _preference_rows
    rows, prompts = shape(dataset, examples)
    return Frozen(rows, prompts, version, None, None)


def _wants_votes(method: Method, request: Request) -> bool:
    """Whether to learn from votes; raises BadInput where the method cannot, or nothing was named."""
    if request.dataset and (request.study or request.votes):
        raise BadInput("Name a dataset or the votes of a study to learn from, not both.")
    if request.dataset:
        return False
    if not request.by_votes:
        wish = "a dataset, or a study whose votes count" if method.rows == "preference" else "a dataset of examples"
        raise BadInput(f"Choose what {method.title} learns from: {wish}.")
    if method.rows != "preference":
        raise BadInput(f"{method.title} learns from examples, not from votes; choose a dataset, or train with DPO.")
    return True


def _dataset(store: Store, method: Method, request: Request) -> Dataset:
    """The dataset of a request, of a kind that the method learns from."""
    dataset = get_dataset(store, request.dataset or "")
    if dataset.kind != method.rows:
        wanted = {"sft": "examples with answers (kind sft)", "preference": "preferences (kind preference)"}
        raise BadInput(
            f'Dataset "{dataset.name}" holds {dataset.kind} rows, and {method.title} learns from '
            f"{wanted[method.rows]}; choose another dataset or another method."
        )
    return dataset


def _pairs(store: Store, request: Request) -> _Pairs:
    """The preferences of the study that a request names."""
    if not request.study:
        raise BadInput("Name the study whose votes are to be learnt from (--study).")
    wish = read_policy(request.votes or DEFAULT_POLICY)
    study = get_study(store, request.study)
    votes = [vote for vote in current_votes(store, study.id) if vote.choice != "skip"]
    found = preferences(store, study.name, wish.policy, wish.options)
    return _Pairs(study, write_policy(wish), len(votes), found)


def _uses(pairs: _Pairs) -> Uses:
    weights = {pair.weight for pair, _ in pairs.learnt}
    return Uses(
        margins=sum(bool(pair.margin) for pair in pairs.found.pairs),
        weights=len(pairs.learnt) if len(weights) > 1 else 0,
        ties=len(pairs.found.ties),
    )


def _prompts_in(prompt: Sequence[Mapping[str, Any]]) -> set[str]:
    """The hashes of a conversation's beginnings: what was asked at any of its answers has been trained on."""
    ends = [at for at, turn in enumerate(prompt) if turn.get("role") == "assistant" and at]
    return {content_sha256(list(prompt[:at])) for at in (*ends, len(prompt))}


def _refuse_few(pairs: _Pairs) -> None:
    """Raise BadInput where too few pairs came out, saying about how many votes are missing."""
    found = len(pairs.found.pairs)
    if found >= FEWEST_PAIRS:
        return
    # Of the votes to come, as large a share will make a pair as of those given, and at least a third.
    share = max(found / pairs.votes, 1 / 3) if pairs.votes else 0.6
    missing = math.ceil((FEWEST_PAIRS - found) / share)
    raise BadInput(
        f'Study "{pairs.study.name}" gives {_origin_sentence(pairs)}; DPO needs at least {FEWEST_PAIRS} pairs: '
        f"about {_count(missing, 'more vote')}."
    )


def _origin_sentence(pairs: _Pairs) -> str:
    """ "24 pairs from 30 votes (4 ties, 2 prompts kept for measuring)"."""
    dropped = [_left_out(reason, number) for reason, number in pairs.found.dropped.items() if reason != "skip"]
    if pairs.found.thumbs:
        dropped.append(f"{_count(len(pairs.found.thumbs), 'single answer')}, which KTO can learn from")
    left = f" (left out: {', '.join(dropped)})" if dropped else ""
    made = [_count(len(pairs.found.pairs), "pair")]
    if pairs.found.ties:
        made.append(_count(len(pairs.found.ties), "tie"))
    if pairs.found.edited:
        made[0] += f" ({pairs.found.edited} with a mended answer)"
    return f"{' and '.join(made)} from {_count(pairs.votes, 'vote')}{left}"


def _left_out(reason: str, number: int) -> str:
    """A reason for leaving votes out, in words: "4 ties", "2 on prompts kept for measuring"."""
    words = {
        "tie": _count(number, "tie"),
        "both_bad": f"{number} both bad",
        "measure prompt": f"{number} on prompts kept for measuring",
        "identical answers": f"{number} with identical answers",
        "gold": f"{number} on known answers",
        "middle rating": _count(number, "middle rating"),
    }
    return words.get(reason, f"{number} {reason}")


def _faint(pairs: int) -> str | None:
    """What to expect of few pairs."""
    if pairs >= GOOD_PAIRS:
        return None
    return f"{_count(pairs, 'pair')} will train, but leave a faint mark; about {GOOD_PAIRS} move a model visibly."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _sft_rows(
    dataset: Dataset, examples: Iterable[tuple[str, Mapping[str, Any]]]
) -> tuple[list[dict[str, Any]], set[str]]:
    """Conversations that hold an answer, and the prompts before each answer."""
    rows, prompts = [], set()
    for example_id, content in examples:
        messages = content["messages"]
        answers = [at for at, message in enumerate(messages) if message.get("role") == "assistant"]
        if answers:
            row = {"id": example_id, "messages": json.dumps(messages, ensure_ascii=True)}
            rows.append({**row, "tools": json.dumps(content["tools"]) if content.get("tools") else None})
            prompts |= {content_sha256(messages[:at]) for at in answers if at}
    if not rows:
        raise BadInput(f'No row of dataset "{dataset.name}" holds an answer of the assistant; write answers first.')
    return rows, prompts


def _preference_rows(dataset: Dataset, examples: Examples) -> Shaped:
    """Preferences whose two answers differ, and their prompts."""
    rows, prompts = [], set()
    for example_id, content in examples:
        if "chosen" not in content:  # a thumb or a score: no pair
            continue
        prompt = as_messages(content["prompt"])
        if content["chosen"] != content["rejected"]:
            rows.append(
                preference_row(prompt, content["chosen"], content["rejected"], example_id, content.get("margin"))
            )
            prompts.add(content_sha256(prompt))
    if len(rows) < FEWEST_PAIRS:
        raise BadInput(
            f'Dataset "{dataset.name}" holds {_count(len(rows), "pair")} whose answers differ; '
            f"DPO needs at least {FEWEST_PAIRS}."
        )
    return rows, prompts


def preference_row(prompt: Any, chosen: Any, rejected: Any, row_id: str, margin: float | None) -> dict[str, Any]:
    """A preference in the shape of `data.parquet`: every text as JSON messages."""
    return {
        "id": row_id,
        "prompt": json.dumps(prompt, ensure_ascii=True),
        "chosen": json.dumps(_answer(chosen), ensure_ascii=True),
        "rejected": json.dumps(_answer(rejected), ensure_ascii=True),
        "margin": None if margin is None else float(margin),
    }


def _answer(answer: Any) -> list[dict[str, Any]]:
    """An answer as messages: a text becomes one assistant message."""
    return [{"role": "assistant", "content": answer}] if isinstance(answer, str) else list(answer)
