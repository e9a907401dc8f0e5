"""Making comparisons: which prompt is asked next, and who answers it.

Prompts come least used first, in a seeded random order: every prompt is seen before one is seen twice, and the same
seed gives the same order. Of several contestants those that met least come next, so that nobody is left out.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage.comparisons import NewComparison, add_comparison, get_comparison, get_study
from storage.datasets import get_dataset
from storage.errors import BadInput
from storage.examples import page
from storage.judgements import line_up_uses, prompt_uses
from storage.lessons import taught
from storage.prompts import Messages, as_messages, content_sha256
from storage.queries import Query
from storage.rows import Comparison, Example, Study
from storage.store import Store
from studio.feedback.choosing import telling_line_ups
from studio.feedback.contestants import contestants_of, enough, line_ups
from studio.feedback.filling import fill_all
from studio.feedback.shuffling import shuffled
from studio.feedback.studies import ensure_study
from studio.feedback.study_settings import settings_of
from studio.feedback.uncertainty import Known, Pair
from studio.settings import Settings

_PAGE = 1000
_PATIENCE = 300.0  # seconds for which answers that another process makes are waited for
_POLL = 0.1
_LONGEST_PROMPT = 50_000  # characters that somebody may type or paste as one question


@dataclass(frozen=True)
class Made:
    """What `ratchet compare` did: comparisons ready for voting, and those that could not be answered."""

    study: str
    comparisons: int
    failed: int
    error: str | None

    def to_json(self) -> dict[str, Any]:
        """The keys of DESIGN 4.2."""
        return {"study": self.study, "comparisons": self.comparisons, "failed": self.failed, "error": self.error}


def make_comparisons(
    store: Store,
    settings: Settings,
    study: str,
    models: Sequence[str],
    prompts: str,
    count: int | None = None,
    contestants: Sequence[Mapping[str, Any] | str] = (),
    wishes: Mapping[str, Any] | None = None,
) -> Made:
    """Make comparisons on a dataset's prompts and have them answered before this returns.

    `models` stand as they are, `contestants` with system prompt and sampling. `count`: how many; one a prompt by
    default. `wishes`: settings of a new study. Raises NotFound, Conflict or BadInput before anything is made.
    """
    chosen = ensure_study(store, study, models, prompts, contestants, wishes)
    dataset_id = get_dataset(store, prompts).id
    if count is not None and count < 1:
        raise BadInput(f"At least one comparison is to be made, not {count}.")
    wanted = count if count is not None else len(_prompts(store, dataset_id))
    added = add_next(store, chosen, wanted, dataset_id)
    if not added:
        raise BadInput(f'Dataset "{prompts}" holds no prompt to ask; import or write some first.')
    return _answer_now(store, chosen, added)


def _answer_now(store: Store, study: Study, added: Sequence[Comparison]) -> Made:
    """Answer what was added; what a running studio has taken for itself is waited for."""
    from studio.clients.engine import Engine

    engine = Engine(store.home)
    deadline = time.monotonic() + _PATIENCE
    while True:
        fill_all(store, engine, study.id)
        ended = [get_comparison(store, comparison.id).comparison for comparison in added]
        if all(comparison.state != "answering" for comparison in ended) or time.monotonic() > deadline:
            break
        time.sleep(_POLL)
    ready = sum(comparison.state == "ready" for comparison in ended)
    error = next((comparison.error for comparison in ended if comparison.error), None)
    return Made(study.name, ready, len(ended) - ready, error)


def add_next(
    store: Store,
    study: Study,
    count: int,
    prompts_id: str | None = None,
    known: Mapping[Pair, Known] | None = None,
) -> list[Comparison]:
    """Add the next comparisons of a study, to be answered; fewer, or none, where it has no prompts.

    `known`: what the votes say so far, for active choice, where it has been counted already.
    """
    dataset_id = prompts_id or study.prompts_id
    if dataset_id is None or not enough(study):
        return []
    prompts = _prompts(store, dataset_id)
    taught_by = taught(store, {one.model for one in contestants_of(store, study)}, prompts)
    order = _least_used(prompts, prompt_uses(store, study.id), study.seed, taught_by)
    asked = _line_ups(store, study, known)
    return [
        add_comparison(store, study, NewComparison(prompts[digest], next(asked)))
        for digest, _ in zip(order, range(count), strict=False)
    ]


def add_free(store: Store, study_name: str, prompt: str) -> Comparison:
    """Add a question that somebody typed, to be answered next; raises BadInput where it is empty or too long."""
    study = get_study(store, study_name)
    text = prompt.strip()
    if not text:
        raise BadInput("Type a question first.")
    if len(text) > _LONGEST_PROMPT:
        raise BadInput(f"That question has {len(text):,} characters; {_LONGEST_PROMPT:,} is the most.")
    if not enough(study):
        raise BadInput(f'Study "{study.name}" holds answers or votes from elsewhere; there are no two models to ask.')
    contestants = next(_line_ups(store, study))
    return add_comparison(store, study, NewComparison(as_messages(text), contestants, source="free"))


def _prompts(store: Store, dataset_id: str) -> dict[str, Messages]:
    """The prompts of a dataset by hash; the last answer of a conversation is left to the models."""
    found: dict[str, Messages] = {}
    offset = 0
    while True:
        rows = page(store, dataset_id, Query(limit=_PAGE, offset=offset)).examples
        for row in rows:
            if prompt := prompt_of(row):
                found[content_sha256(prompt)] = prompt
        if len(rows) < _PAGE:
            return found
        offset += _PAGE


def prompt_of(example: Example) -> Messages:
    """What an example asks; see `prompt_in`."""
    return prompt_in(example.content)


def prompt_in(content: Mapping[str, Any]) -> Messages:
    """What the content of an example asks: its prompt, or its conversation up to the last turn of the user."""
    messages = as_messages(content["prompt"]) if content.get("prompt") else list(content.get("messages") or [])
    while messages and messages[-1].get("role") != "user":
        messages.pop()
    return messages


def _least_used(
    prompts: dict[str, Messages], uses: dict[str, int], seed: int, taught_by: Collection[str] = ()
) -> Iterator[str]:
    """Hashes of prompts without end: least used first, among them those that taught no contestant, in the seed's order.

    What people say of a prompt that taught one of the two does not tell which is better, so it is asked later.
    """
    if not prompts:
        return
    times = {digest: uses.get(digest, 0) for digest in prompts}
    level = min(times.values())
    while True:
        now = (digest for digest in prompts if times[digest] <= level)
        yield from sorted(now, key=lambda digest: (digest in taught_by, shuffled(seed, digest, level)))
        level += 1


def _line_ups(
    store: Store, study: Study, known: Mapping[Pair, Known] | None = None
) -> Iterator[list[tuple[str | None, str]]]:
    """Who answers next, by model id and name, without end."""
    standing = contestants_of(store, study)
    models = {one.name: one.model for one in standing}
    names = [one.name for one in standing]
    settings = settings_of(study)
    if settings.choice == "active" and settings.sides <= min(2, len(names)):
        chosen = telling_line_ups(store, study, names, settings.sides, known)
    else:
        chosen = line_ups(names, settings.sides, line_up_uses(store, study.id), study.seed)
    for line_up in chosen:
        yield [(models[name], name) for name in line_up]
