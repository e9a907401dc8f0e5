"""The canaries as tables: prompts by models with what passes, and two models side by side.

A cell says whether a model has answered, what is expected and met, and whether its words are the champion's.
"""

from collections.abc import Sequence
from typing import Any

from storage import canaries as stored
from storage.canaries import CanaryAnswer
from storage.errors import NotFound
from storage.models import get_model, list_models
from storage.rows_training import ANSWERING, Model
from storage.store import Store
from studio.rounds.canaries import (
    Canary,
    answerer_of,
    answerers,
    has_own,
    list_canaries,
    row_json,
    side_by_side,
    verdicts,
)
from studio.rounds.champion import champion
from studio.rounds.expectations import says

PASSED, FAILED, ANSWERED, UNKNOWN, MISSING = "passed", "failed", "answered", "unknown", "missing"


def overview(store: Store, names: Sequence[str] = ()) -> dict[str, Any]:
    """Prompts with what is expected, and a column for each model (all that answer, unless named).

    Returns `own` (has the project canaries of its own), `champion`, `prompts[{number, prompt, prompt_sha256,
    expected}]` and `models[{model, champion, answered, met, expected, cells[{state, met, expected, failed, same}]}]`.
    state: passed (all that is expected), failed, answered (nothing is expected), unknown (a score is missing), missing.
    """
    first = champion(store)
    models = answerers(store, names) or [one for one in list_models(store) if one.kind in ANSWERING]
    everything = list_canaries(store)
    usual = stored.answers_of(store, answerer_of(store, first)) if first else {}
    return {
        "own": has_own(store),
        "champion": first.name if first else None,
        "prompts": [_prompt_json(one) for one in everything],
        "models": [_column(store, model, everything, usual, first) for model in models],
    }


def changes(store: Store, after: str, before: str | None, annotator: str) -> dict[str, Any]:
    """Two models side by side: `before` (the champion unless named), `after`, `rows[]` as `canaries.row_json`.

    Raises NotFound, or BadInput for a model that answers nothing.
    """
    (later,) = answerers(store, [after])
    earlier = answerers(store, [before])[0] if before else champion(store)
    if earlier is None:
        raise NotFound("There is no champion yet to compare with; name a second model.")
    votes = stored.current_votes(store)
    rows = [row_json(one, votes, annotator) for one in side_by_side(store, earlier, later)]
    return {"before": earlier.name, "after": later.name, "rows": rows}


def answer_json(store: Store, model: str, number: int) -> dict[str, Any]:
    """One cell in full: what a model answered to a canary by number, with its stamp; raises NotFound."""
    chosen = get_model(store, model)
    canary = next((one for one in list_canaries(store) if one.number == number), None)
    answer = stored.answers_of(store, answerer_of(store, chosen)).get(canary.sha256) if canary else None
    if canary is None or answer is None:
        raise NotFound(f'"{chosen.name}" has not answered canary {number}.')
    found = verdicts(store, canary, answer)
    return {"model": chosen.name, "number": number, "prompt": canary.text, "text": answer.text,
            "stamp": answer.stamp, "verdicts": [one.to_json() for one in found]}  # fmt: skip


def _prompt_json(canary: Canary) -> dict[str, Any]:
    expected = [
        {"id": one.id, "kind": one.kind, "value": one.value, "says": says(one), "author": one.author}
        for one in canary.expected
    ]
    return {"number": canary.number, "prompt": canary.text, "prompt_sha256": canary.sha256, "expected": expected}


def _column(
    store: Store, model: Model, everything: Sequence[Canary], usual: dict[str, CanaryAnswer], first: Model | None
) -> dict[str, Any]:
    """How one model answered."""
    said = stored.answers_of(store, answerer_of(store, model))
    cells = [_cell(store, one, said.get(one.sha256), usual.get(one.sha256)) for one in everything]
    return {
        "model": model.name,
        "champion": first is not None and model.id == first.id,
        "answered": sum(cell["state"] != MISSING for cell in cells),
        "met": sum(cell["met"] for cell in cells),
        "expected": sum(cell["expected"] for cell in cells),
        "cells": cells,
    }


def _cell(store: Store, canary: Canary, answer: CanaryAnswer | None, usual: CanaryAnswer | None) -> dict[str, Any]:
    found = verdicts(store, canary, answer)
    failed = [says(one.expectation) for one in found if one.holds is False]
    if answer is None:
        state = MISSING
    elif not found:
        state = ANSWERED
    else:
        state = FAILED if failed else UNKNOWN if any(one.holds is None for one in found) else PASSED
    same = None if answer is None or usual is None else answer.sha256 == usual.sha256
    met = sum(one.holds is True for one in found)
    return {"state": state, "met": met, "expected": len(found), "failed": failed, "same": same}
