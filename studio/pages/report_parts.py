"""Parts of a round's report: tables, the win rate as a picture, examples, canaries. What comes in is escaped."""

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]
_STATES = {"holds": ("holds", "Holds"), "fails": ("fails", "Fails"), "open": ("waits", "Open")}
_OUTCOMES = {"won": "the votes prefer the new answer", "lost": "the votes prefer the other answer",
             "neither": "the votes prefer neither"}  # fmt: skip
_MEASURES = {
    "loss": "Loss on held-out rows",
    "before_loss": "The same before the training",
    "perplexity": "Perplexity",
    "exact_match": "Exact matches",
    "rouge_l": "ROUGE-L",
    "chrf": "chrF",
    "accuracy": "Pairs raised rightly",
    "reward": "Reward",
    "rows": "Rows held out",
}


def table(rows: Iterable[tuple[str, Any]], heads: Sequence[str] = ()) -> str:
    """A table of names and values; nothing where there are no rows."""
    lines = "".join(f'<tr><th scope="row">{_shown(name)}</th><td>{_shown(value)}</td></tr>' for name, value in rows)
    head = "".join(f'<th scope="col">{html.escape(one)}</th>' for one in heads)
    top = f"<thead><tr>{head}</tr></thead>" if head else ""
    return f'<div class="table"><table>{top}<tbody>{lines}</tbody></table></div>' if lines else ""


def _shown(value: Any) -> str:
    if isinstance(value, float):
        value = f"{value:.4g}"
    elif isinstance(value, dict | list | bool) or value is None:
        value = json.dumps(value, ensure_ascii=False)
    return f'<span dir="auto">{html.escape(str(value))}</span>'


def win_rate(now: Json) -> str:
    """The rate between its bounds, around one half."""
    low, rate, high = (4 + 392 * float(now[name]) for name in ("low", "win_rate", "high"))
    words = f"Wins {now['win_rate']:.0%}, surely between {now['low']:.0%} and {now['high']:.0%}"
    return (
        f'<svg class="rate" viewBox="0 0 400 44" role="img" aria-label="{words}">'
        '<line class="axis" x1="4" x2="396" y1="16" y2="16"/><line class="half" x1="200" x2="200" y1="2" y2="30"/>'
        f'<path class="whisker" d="M{low:.1f} 9V23M{low:.1f} 16H{high:.1f}M{high:.1f} 9V23"/>'
        f'<circle class="dot" cx="{rate:.1f}" cy="16" r="5"/>'
        '<text x="4" y="42">0 %</text><text x="200" y="42" text-anchor="middle">50 %</text>'
        '<text x="396" y="42" text-anchor="end">100 %</text></svg>'
    )


def gate(found: Json | None) -> str:
    """Each thing that the gate asks, with its answer."""
    if not found:
        return ""
    rows = [
        f'<tr><th scope="row">{html.escape(check["name"].capitalize())}</th>'
        f'<td class="{_STATES[check["state"]][0]}">{_STATES[check["state"]][1]}</td>'
        f"<td>{html.escape(check['sentence'])} {html.escape(check['settles'] or '')}</td></tr>"
        for check in found["checks"]
    ]
    return f'<div class="table"><table><tbody>{"".join(rows)}</tbody></table></div>'


def examples(report: Json) -> str:
    """Prompts with both answers."""
    shown = [_example(report, one) for one in report["examples"]]
    if not shown:
        return ""
    told = "Drawn by the hash of their prompt, some of each outcome; nobody has picked them."
    return f'<p class="soft small">{told}</p>{"".join(shown)}'


def _example(report: Json, one: Json) -> str:
    prompt = "".join(
        f'<p class="soft small">{html.escape(turn["role"])}</p><div class="said" dir="auto">{_text(turn["text"])}</div>'
        for turn in one["prompt"]
    )
    sides = "".join(
        f'<div><p class="small"><b>{html.escape(name)}</b></p>'
        f'<div class="said" dir="auto">{_text(one[side])}</div></div>'
        for name, side in ((report["model"] or "new", "new"), (report["against"] or "before", "old"))
    )
    votes = f"{one['votes_new']} for the new, {one['votes_old']} for the other, {one['votes_neither']} for neither"
    return (
        f'<article class="example"><h3>Comparison {one["number"]}: {_OUTCOMES[one["outcome"]]}</h3>{prompt}'
        f'<div class="sides">{sides}</div><p class="soft small">{votes}</p></article>'
    )


def _text(text: str) -> str:
    return html.escape(text) or "<i>empty</i>"


def canaries(said: Sequence[Json]) -> str:
    """What the model answers to the canary prompts, before and after."""
    rows = [
        f'<tr><th scope="row"><span dir="auto">{_text(str(one.get("prompt") or ""))}</span></th>'
        f'<td dir="auto">{_text(str(one.get("before") or ""))}</td>'
        f'<td dir="auto">{"the same" if one.get("same") else _text(str(one.get("after") or ""))}</td></tr>'
        for one in said
    ]
    head = '<thead><tr><th scope="col">Prompt</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>'
    return f'<div class="table"><table>{head}<tbody>{"".join(rows)}</tbody></table></div>' if rows else ""


def forgetting(found: Json) -> str:
    """What was measured after the run: on held-out rows, on earlier rows, on what the base said."""
    held = found.get("held_out") or {}
    rows: list[tuple[str, Any]] = [
        (words, held[name]) for name, words in _MEASURES.items() if held.get(name) is not None
    ]
    names = {"earlier": "Loss on rows of earlier rounds", "base_answers": "Loss on what the base said"}
    for name, words in names.items():
        one = (found.get("forgetting") or {}).get(name)
        if one:
            rows.append((words, f"{one['before']:.3f} before, {one['after']:.3f} after"))
    return table(rows)


def recipe(told: Json | None) -> str:
    """The frozen run: method, options, versions."""
    if not told:
        return ""
    first = [(name.capitalize(), value) for name, value in told.items()
             if name not in ("options", "libraries") and value is not None]  # fmt: skip
    options = table(sorted((told.get("options") or {}).items()))
    libraries = ", ".join(f"{name} {version}" for name, version in sorted((told.get("libraries") or {}).items()))
    more = f"<h3>Options</h3>{options}" if options else ""
    last = f'<p class="small soft">{html.escape(libraries)}</p>' if libraries else ""
    return f"{table(first)}{more}{last}"


def hashes(found: Sequence[Json]) -> str:
    """SHA-256 of what was used and made."""
    rows = [
        f'<tr><th scope="row">{html.escape(one["what"].capitalize())}</th>'
        f'<td dir="auto">{html.escape(one["name"])}</td>'
        f"<td><code>{html.escape(one['sha256'])}</code></td></tr>"
        for one in found
    ]
    return f'<div class="table"><table><tbody>{"".join(rows)}</tbody></table></div>' if rows else ""
