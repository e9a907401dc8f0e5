"""The report of a round as one HTML file that needs nothing else: for the screen, for paper, and to be sent to others.

Plain HTML without any script, because it is read where no studio is. Text of models and data is escaped, and the file
carries a policy of its own that lets nothing be loaded, wherever it is opened.
"""

import html
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from studio.pages.report_parts import canaries, examples, forgetting, gate, hashes, recipe, table, win_rate
from studio.training.shaped import counted

Json = Mapping[str, Any]
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(report: Json, style: str, bar: str = "") -> str:
    """The whole file. `style`: static/report.css; `bar`: what stands above it in the studio, and never in a file."""
    title = f"Round {report['round']}: {report['model'] or 'no model yet'}"
    policy = "" if bar else f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">{policy}
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="generator" content="Ratchet">
<title>{html.escape(title)}</title><style>{style}</style></head>
<body>{bar}<main>
<h1>{html.escape(title)}</h1>
<p class="soft">{_between(report)} Report of {_day(report["made_at"])}.</p>
{_verdict(report)}
{"".join(_sections(report))}
</main></body></html>
"""


def _sections(report: Json) -> Iterable[str]:
    """The parts that have something to say."""
    for heading, body in (
        ("What it learnt from", _material(report)),
        ("How it stands", _standing(report)),
        ("What the gate says", gate(report["gate"])),
        ("How well people agree", _agreement(report["agreement"])),
        ("Answers side by side", examples(report)),
        ("Canary prompts", canaries(report["evaluation"].get("canaries") or ())),
        ("What it forgot, and what it learnt", forgetting(report["evaluation"])),
        ("How it was made", recipe(report["recipe"])),
        ("What it is made of", hashes(report["hashes"])),
    ):
        if body:
            yield f"<section><h2>{heading}</h2>{body}</section>\n"


def _between(report: Json) -> str:
    began = f"Opened {_day(report['opened_at'])}"
    return f"{began}, closed {_day(report['closed_at'])}." if report["closed_at"] else f"{began}, still open."


def _verdict(report: Json) -> str:
    """In one paragraph: whether it was kept, and why."""
    reason = html.escape(report["reason"] or (report["gate"] or {}).get("reason") or "")
    made = report["promotion"] or {}
    if report["state"] == "open":
        return f'<p class="verdict open"><b>Not decided yet.</b> {reason}</p>'
    if report["rolled_back"]:
        return f'<p class="verdict refused"><b>It was champion and was rolled back.</b> {reason}</p>'
    if not report["kept"]:
        return f'<p class="verdict refused"><b>It was not kept.</b> {reason}</p>'
    how = f"Overruled by {html.escape(made['author'])}: " if made.get("kind") == "overruled" else ""
    return f'<p class="verdict kept"><b>It became champion.</b> {how}{reason}</p>'


def _material(report: Json) -> str:
    from_ = report["material"]
    if not from_:
        return ""
    if from_["mixed"]:
        said = f"The weights of {', '.join(from_['mixed'])}, mixed without a training"
    elif from_["study"]:
        said = f"{counted(from_['votes'], 'vote')} of the study “{from_['study']}”"
    else:
        said = f"{counted(from_['rows'], 'row')} of the dataset “{from_['dataset']}”, version {from_['version']}"
    job = report["job"] or {}
    took = f" The training took {job['seconds']:g} seconds." if job.get("seconds") is not None else ""
    start = f" It started from {report['parent']}." if report["parent"] else ""
    return f"<p>{html.escape(said)}.{html.escape(start)}{took}</p>"


def _standing(report: Json) -> str:
    """The win rate with its interval, and what it is counted from."""
    now = report["standing"]
    if not now or now["win_rate"] is None:
        return "<p>There are no blind votes on it yet.</p>" if report["model"] else ""
    people = f"{report['people']} {'person' if report['people'] == 1 else 'people'}"
    out = now["left_out"]
    left = (
        f" {counted(out, 'vote')} on prompts that trained a model {'is' if out == 1 else 'are'} left out."
        if out
        else ""
    )
    words = {"better": "It is better, and no accident.", "worse": "It is worse, and no accident."}
    told = words.get(now["word"], "That is too few, or too close, to tell.")
    return (
        f"{win_rate(now)}<p><b>It wins {now['win_rate']:.0%}</b> against {html.escape(report['against'] or '')} "
        f"(between {now['low']:.0%} and {now['high']:.0%}, an interval of 95 % that holds however often one looks). "
        f"{told}</p><p>{counted(now['votes'], 'blind vote')} of {people}: {now['wins']} won, {now['losses']} lost, "
        f"{now['ties']} neither.{left}</p>"
    )


def _agreement(said: Json | None) -> str:
    if not said:
        return ""
    if said["annotators"] < 2 or said["krippendorff_alpha"] is None:
        return "<p>One person judged, or nothing was judged twice: agreement cannot be told.</p>"
    rows = [("People", said["annotators"]), ("Comparisons", said["items"]), ("Judgements", said["labels"]),
            ("Same judgement", None if said["percent"] is None else f"{said['percent']:.0%}"),
            ("Krippendorff's alpha", _alpha(said))]  # fmt: skip
    return table([(name, value) for name, value in rows if value is not None])


def _alpha(said: Json) -> str:
    around = f" ({said['low']:.2f} to {said['high']:.2f})" if said["low"] is not None else ""
    return f"{said['krippendorff_alpha']:.2f}{around}"


def _day(moment: float) -> str:
    when = datetime.fromtimestamp(moment, UTC)
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def refusal(sentence: str, style: str) -> str:
    """A page that says why there is no report."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>No report · Ratchet</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style></head>'
        f"<body><main><h1>No report</h1><p>{html.escape(sentence)}</p>"
        '<p><a href="/">Home</a></p></main></body></html>'
    )
