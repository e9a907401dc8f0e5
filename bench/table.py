"""The tables of bench/README.md, printed from what `python -m bench` wrote.

    python -m bench.table [FILE]

Every goal is a line, those that were missed are marked and counted, and nothing is left out because it looks bad.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.figures import reached

LAST = Path(__file__).resolve().parent / "last.json"
_HEAD = "| measurement | against | measured | goal | |\n|---|---|---|---|---|"

Json = Mapping[str, Any]


def tables(found: Json) -> str:
    """Everything in Markdown: the machine, one table of goals, what was compared with, what broke off."""
    machine, results = found["machine"], found["results"]
    ratios = [(name, one) for name, result in results.items() for one in result.get("figures", {}).get("ratios", ())]
    missed = [one for _, one in ratios if not reached(one)]
    said = (
        f"{machine['processor']}, {machine['cores']} cores, {machine['gigabytes']} GB, {machine['system']}, "
        f"Python {machine['python']}. {len([1 for _, one in ratios if one['goal'] is not None])} goals, "
        f"{len(missed)} missed."
    )
    lines = [said, "", _HEAD, *(_line(name, one) for name, one in ratios), "", _RUNS, *_runs(results)]
    return "\n".join(lines)


_RUNS = "| measurement | commit | when | took | |\n|---|---|---|---|---|"


def _line(name: str, one: Json) -> str:
    if one["goal"] is None:
        goal, mark = "", ""
    else:
        goal = f"{'at most' if one['better'] == 'lower' else 'at least'} {number(one['goal'])}"
        mark = "" if reached(dict(one)) else "**missed**"
    return f"| `{name}` | {one['against']} | {number(one['value'])} | {goal} | {mark} |"


def _runs(results: Json) -> Iterator[str]:
    for name, one in results.items():
        figures = one.get("figures")
        end = one["error"] if figures is None else "met" if figures["met"] else "not met"
        small = " (trial run)" if "--small" in one.get("words", ()) else ""
        yield f"| `{name}` | {one['commit']} | {one['at'][:16]} | {one['seconds']:.0f} s | {end}{small} |"


def number(value: float) -> str:
    """With as many digits as tell something."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else LAST
    print(tables(json.loads(given.read_text(encoding="utf-8"))))
