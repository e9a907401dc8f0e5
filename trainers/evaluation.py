"""What a run has changed, measured once at its end: held-out rows, canaries, what was forgotten.

Written to `evaluation.json`, told as the event `evaluation`. The number of rows and of tokens is bounded, so that a
long run spends little on it. Losses here are negative log-likelihoods per token of the answers that were wanted,
whatever the method, so that runs of different methods can be compared; a method's own held-out loss is in the curve
and in `best`.
"""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from storage.home import write_json
from trainers.asking import ask
from trainers.canaries import Canaries, canary_prompts, sing
from trainers.references import Likelihood, Reference, likelihoods, mean_loss, pairs, references
from trainers.run import Run
from trainers.sides import Sides
from trainers.texts_metrics import chrf, exact_match, rouge_l
from trainers.watch import Watch

_MOST_ROWS, _MOST_EARLIER, _MOST_ANSWERED, _MOST_PAIRS = 100, 32, 16, 50
_ANSWER_TOKENS = 64
_GROUPS = 20  # tags told at most, the commonest first


class _Pair(NamedTuple):
    """The same rows before and after."""

    before: list[Likelihood]
    after: list[Likelihood]


def evaluate(run: Run, trainer: Any, watch: Watch | None) -> dict[str, Any] | None:
    """Measure, write `evaluation.json` and tell; None with a warning where measuring itself fails.

    The model is saved by now: nothing that goes wrong here may cost the run.
    """
    run.say("Measuring what has changed: held-out rows, canaries, what was forgotten.")
    try:
        found = _evaluation(run, Sides(run, trainer), watch)
    except Exception as error:  # noqa: BLE001 - the edge: a finished model is not lost to a failed measurement
        run.warn(f"What the run changed could not be measured ({type(error).__name__}: {error}); the model is whole.")
        return None
    write_json(run.folder / "evaluation.json", found)
    run.event("evaluation", **found)
    return found


def _evaluation(run: Run, sides: Sides, watch: Watch | None) -> dict[str, Any]:
    held = references(watch.parts.held)[:_MOST_ROWS] if watch else []
    pair = _likelihoods(run, sides, held)
    canaries = sing(sides, canary_prompts(run.folder))
    best = watch.best if watch and run.options.keep == "best" else None
    return {
        "held_out": _completed(run, sides, watch, _held_out(sides, held, pair)),
        "by": _groups(run.folder, held, pair.after),
        "canaries": canaries.to_json(),
        "forgetting": _forgetting(run, sides, canaries),
        "best": None if best is None else {"step": best.step, "loss": round(best.value, 5)},
        "stopped_early": bool(watch and watch.stopped_early),
    }


def _likelihoods(run: Run, sides: Sides, wanted: Sequence[Reference]) -> _Pair:
    """How likely the answers were before, and are now."""
    if not wanted:
        return _Pair([], [])
    most = int(getattr(run.options, "max_length", 1024))
    after = likelihoods(sides.now, sides.tokenizer, wanted, most)
    with sides.before() as model:
        return _Pair(likelihoods(model, sides.tokenizer, wanted, most), after)


def _held_out(sides: Sides, held: Sequence[Reference], pair: _Pair) -> dict[str, Any] | None:
    """Loss and perplexity before and after, and how near greedy answers come to the wanted ones."""
    loss = mean_loss(pair.after)
    if loss is None:
        return None
    found = {
        "loss": loss,
        "perplexity": round(math.exp(min(loss, 80.0)), 4),
        "rows": len(held),
        "before_loss": mean_loss(pair.before),
    }
    asked = [one for one in held if one.prompt][:_MOST_ANSWERED]
    if asked:
        said = ask(sides.now, sides.tokenizer, [one.prompt for one in asked], _ANSWER_TOKENS)
        for name, measure in (("exact_match", exact_match), ("rouge_l", rouge_l), ("chrf", chrf)):
            values = [measure(text, one.text) for text, one in zip(said, asked, strict=True)]
            found[name] = round(sum(values) / len(values), 4)
        found["answered"] = len(asked)
    return found


def _completed(run: Run, sides: Sides, watch: Watch | None, found: dict[str, Any] | None) -> dict[str, Any] | None:
    """With the accuracy on held-out pairs, and the reward of answers to questions, which may have no wanted answer."""
    if watch is None:
        return found
    rates = _preferred(run, sides, watch.parts.held)
    if found is not None and rates is not None:
        found |= {"accuracy": rates.raised}
    if watch.reward is None:
        return found
    return {"rows": len(watch.parts.held), **(found or {}), "reward": round(watch.reward, 5)}


class _Rates(NamedTuple):
    """Shares of pairs: the better answer is likelier than the worse one before, and after; the run `raised` it more."""

    before: float
    after: float
    raised: float


def _preferred(run: Run, sides: Sides, rows: Sequence[dict[str, Any]]) -> _Rates | None:
    """How often the better answer of a pair wins; None where the rows hold no pairs."""
    found = pairs(rows)[:_MOST_PAIRS]
    if not found:
        return None
    better = _likelihoods(run, sides, [one for one, _ in found])
    worse = _likelihoods(run, sides, [other for _, other in found])
    leads = [
        [bad.loss - good.loss for good, bad in zip(first, second, strict=True)]
        for first, second in ((better.before, worse.before), (better.after, worse.after))
    ]
    return _Rates(
        _share(lead > 0 for lead in leads[0]),
        _share(lead > 0 for lead in leads[1]),
        _share(after > before for before, after in zip(*leads, strict=True)),
    )


def _share(true: Iterable[bool]) -> float:
    values = list(true)
    return round(sum(values) / len(values), 4)


def _groups(folder: Path, held: Sequence[Reference], found: Sequence[Likelihood]) -> dict[str, list[dict[str, Any]]]:
    """The held-out loss per tag and per language, where the rows' labels came along."""
    from storage.runs import thaw_rows

    path = folder / "labels.parquet"
    labels = {str(row["id"]): row for row in thaw_rows(path)} if path.is_file() else {}
    groups: dict[str, dict[str, list[Likelihood]]] = {"tag": {}, "language": {}}
    for one, value in zip(held, found, strict=True):
        told = labels.get(one.id, {})
        for tag in json.loads(told.get("tags") or "[]"):
            groups["tag"].setdefault(str(tag), []).append(value)
        if told.get("language"):
            groups["language"].setdefault(str(told["language"]), []).append(value)
    return {kind: _told(values) for kind, values in groups.items()}


def _told(values: dict[str, list[Likelihood]]) -> list[dict[str, Any]]:
    commonest = sorted(values.items(), key=lambda item: (-len(item[1]), item[0]))[:_GROUPS]
    return [{"name": name, "rows": len(found), "loss": mean_loss(found)} for name, found in commonest]


def _forgetting(run: Run, sides: Sides, canaries: Canaries) -> dict[str, Any]:
    """The loss on what earlier training taught, and on what the base itself said, before and after."""
    own = [
        Reference(str(at), prompt, [{"role": "assistant", "content": text}])
        for at, (prompt, text) in enumerate(zip(canaries.prompts, canaries.base, strict=True))
        if text.strip()
    ]
    rows = _earlier(run.folder)
    earlier = _change(run, sides, references(rows))
    if earlier and (rates := _preferred(run, sides, rows)):
        earlier["win_rate"] = {"before": rates.before, "after": rates.after}
    return {"earlier": earlier, "base_answers": _change(run, sides, own)}


def _earlier(folder: Path) -> list[dict[str, Any]]:
    """Rows that are replayed, or of the round before: an even sample of them."""
    from storage.runs import thaw_rows

    path = next((path for name in ("replay", "earlier") if (path := folder / f"{name}.parquet").is_file()), None)
    rows = thaw_rows(path) if path else []
    return rows[:: max(1, len(rows) // _MOST_EARLIER)][:_MOST_EARLIER]


def _change(run: Run, sides: Sides, wanted: Sequence[Reference]) -> dict[str, Any] | None:
    pair = _likelihoods(run, sides, wanted)
    after = mean_loss(pair.after)
    return None if after is None else {"before": mean_loss(pair.before), "after": after, "rows": len(wanted)}
