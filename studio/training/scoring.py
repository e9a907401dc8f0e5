"""Reward models at work: scores of a dataset's rows and of a study's answers, kept by the text that was read.

A process of its own scores (it needs torch); here rows are gathered, what is known already is left out, and what came
back is kept. So a second look at the same texts costs nothing, and a changed row is scored anew.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from storage.clock import new_id
from storage.comparisons import get_study
from storage.datasets import get_dataset
from storage.errors import BadInput, NotReady, Refused
from storage.home import read_json, write_json
from storage.models import get_model
from storage.prompts import as_messages, content_sha256
from storage.rows_training import Model
from storage.scores import Said, Subject, judges_of, keep, known
from storage.store import Store
from storage.versions import peek
from storage.votes import current_votes
from studio.settings import Settings
from studio.training.launching import threads_of
from studio.training.origins import helper_of

_ROOT = Path(__file__).resolve().parents[2]
_NICE = 19
_MOST_ROWS = 10_000_000
_EXTREMES = 5
_Z = 1.96

Turns = list[dict[str, Any]]


class Text(NamedTuple):
    """A conversation that ends with the answer to be scored."""

    subject: Subject
    messages: Turns


class Scored(NamedTuple):
    """Scores by subject's id, and how many were known already."""

    scores: dict[str, float]
    reused: int


def score_dataset(store: Store, settings: Settings, model: str, dataset: str) -> dict[str, Any]:
    """Score every row of a dataset that holds an answer; the JSON object of `ratchet score --dataset`."""
    judge = _judge(store, model)
    found = get_dataset(store, dataset)
    rows = [(name, json.loads(content)) for name, content in peek(store, found, _MOST_ROWS)]
    texts = [text for name, content in rows if (text := _answered(name, content))]
    if not texts:
        raise BadInput(f'No row of dataset "{found.name}" holds an answer to be scored.')
    scored = _scored(store, settings, judge, "example", texts)
    ordered = sorted(scored.scores.items(), key=lambda one: (one[1], one[0]))
    return {
        "model": judge.name,
        "dataset": found.name,
        "rows": len(rows),
        "scored": len(texts),
        "reused": scored.reused,
        **_spread([score for _, score in ordered]),
        "lowest": [{"id": name, "score": score} for name, score in ordered[:_EXTREMES]],
        "highest": [{"id": name, "score": score} for name, score in ordered[::-1][:_EXTREMES]],
    }


def score_study(store: Store, settings: Settings, model: str, study: str) -> dict[str, Any]:
    """Score every answer of a study: means by contestant, and how often the model agrees with the votes."""
    judge = _judge(store, model)
    found = get_study(store, study)
    answers = _answers(store, found.id)
    if not answers:
        raise BadInput(f'Study "{found.name}" has no answers yet; make some first.')
    scored = _scored(store, settings, judge, "answer", [answer.text for answer in answers])
    return {
        "model": judge.name,
        "study": found.name,
        "answers": len(answers),
        "reused": scored.reused,
        **_judgement(store, found.id, answers, scored.scores),
    }


def score_texts(store: Store, settings: Settings, model: str, kind: str, texts: Sequence[Text]) -> dict[str, float]:
    """Score any texts, each once; what is known of subjects of this kind is not asked again. Scores by subject's id."""
    return _scored(store, settings, _judge(store, model), kind, texts).scores


def study_scores(store: Store, study: str) -> list[dict[str, Any]]:
    """What reward models have said already about a study's answers, model by model; for the results page."""
    found = get_study(store, study)
    answers = _answers(store, found.id)
    judges = judges_of(store, "answer", [answer.text.subject.id for answer in answers])
    told = []
    for judge in sorted((get_model(store, one) for one in judges), key=lambda model: model.name):
        if judge.kind == "reward":
            said = known(store, judge.id, "answer", [answer.text.subject for answer in answers])
            scores = {subject.id: one.score for subject, one in said.items() if one.score is not None}
            told.append({"model": judge.name, "answers": len(scores), **_judgement(store, found.id, answers, scores)})
    return told


class Answered(NamedTuple):
    """An answer of a study: whose it is, and to which comparison."""

    comparison: str
    position: int
    contestant: str
    text: Text


def _judge(store: Store, name: str) -> Model:
    model = get_model(store, name)
    if model.kind != "reward":
        raise Refused(
            f'"{model.name}" is of kind {model.kind} and scores nothing; train a reward model with `ratchet train '
            "reward`, and name that."
        )
    return model


def _answered(name: str, content: Mapping[str, Any]) -> Text | None:
    """The row's conversation with its last, its chosen or its judged answer; None where it has none."""
    if "messages" in content:
        messages = list(content["messages"])
        ends = [at for at, turn in enumerate(messages) if turn.get("role") == "assistant"]
        return _text(name, messages[: ends[-1] + 1]) if ends else None
    answer = content.get("chosen") or content.get("completion")
    if answer is None or "prompt" not in content:
        return None
    turns = [{"role": "assistant", "content": answer}] if isinstance(answer, str) else list(answer)
    return _text(name, as_messages(content["prompt"]) + turns)


def _text(name: str, messages: Turns) -> Text:
    return Text(Subject(name, content_sha256(messages)), messages)


def _answers(store: Store, study_id: str) -> list[Answered]:
    """All answers of a study that have been made, with what was asked."""
    rows = store.rows(
        "select a.id, a.comparison_id, a.position, a.model_name, a.text, a.history, c.prompt from answers a "
        "join comparisons c on c.id = a.comparison_id where c.study_id = ? and a.text is not null "
        "order by c.number, a.position",
        [study_id],
    )
    found = []
    for row in rows:
        asked = json.loads(row["prompt"]) + (json.loads(row["history"]) if row["history"] else [])
        text = _text(row["id"], [*asked, {"role": "assistant", "content": row["text"]}])
        found.append(Answered(row["comparison_id"], row["position"], row["model_name"], text))
    return found


def _scored(store: Store, settings: Settings, judge: Model, kind: str, texts: Sequence[Text]) -> Scored:
    """Scores of all texts: those that are known, and the others from the model, which are kept."""
    said = known(store, judge.id, kind, [text.subject for text in texts])
    missing = [text for text in texts if text.subject not in said]
    scores = {subject.id: float(one.score) for subject, one in said.items() if one.score is not None}
    if missing:
        given = _ask(store, settings, judge, missing)
        keep(store, judge.id, kind, (Said(text.subject, given[text.subject.id]) for text in missing))
        scores |= given
    return Scored(scores, len(texts) - len(missing))


def _ask(store: Store, settings: Settings, judge: Model, texts: Sequence[Text]) -> dict[str, float]:
    """Let the model's process score; raises NotReady with its sentence where it fails."""
    import psutil

    helper = helper_of(store, judge.name, ("reward",))
    folder = store.home.uploads / new_id()  # what a crash leaves there is swept within a day
    folder.mkdir(mode=0o700)
    try:
        threads = threads_of(settings, psutil.cpu_count() or 1)
        write_json(folder / "request.json", {"model": helper, "threads": threads})
        with (folder / "rows.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps({"id": text.subject.id, "messages": text.messages}) + "\n" for text in texts)
        with (store.home.logs / "scoring.log").open("ab") as log:
            code = subprocess.run(
                [sys.executable, "-m", "trainers.scorer", str(folder)],
                cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_lower_priority,
            ).returncode  # fmt: skip
        if code:
            error = read_json(folder / "error.json") or {"sentence": "The scoring process was ended from outside."}
            raise NotReady(f"{judge.name} could not score: {error['sentence']}")
        lines = (folder / "scores.jsonl").read_text(encoding="utf-8").splitlines()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {row["id"]: float(row["score"]) for row in map(json.loads, lines)}


def _lower_priority() -> None:
    os.setpriority(os.PRIO_PROCESS, 0, _NICE)


def _judgement(store: Store, study_id: str, answers: Sequence[Answered], scores: Mapping[str, float]) -> dict[str, Any]:
    """Means by contestant, best first, and the share of clear votes with which the scores agree."""
    by_contestant: dict[str, list[float]] = {}
    places: dict[str, dict[int, float]] = {}
    for answer in answers:
        score = scores.get(answer.text.subject.id)
        if score is not None:
            by_contestant.setdefault(answer.contestant, []).append(score)
            places.setdefault(answer.comparison, {})[answer.position] = score
    contestants = [{"name": name, **_spread(given)} for name, given in by_contestant.items()]
    agreed = [
        (places[vote.comparison_id][0] > places[vote.comparison_id][1]) == (vote.choice == "a")
        for vote in current_votes(store, study_id)
        if vote.choice in ("a", "b") and set(places.get(vote.comparison_id, ())) == {0, 1}
    ]
    return {
        "contestants": sorted(contestants, key=lambda one: -one["mean"]),
        "votes": len(agreed),
        "agreement": round(sum(agreed) / len(agreed), 4) if agreed else None,
    }


def _spread(scores: Sequence[float]) -> dict[str, Any]:
    """Mean with its 95 % interval (normal), median and extremes."""
    mean = statistics.fmean(scores)
    half = _Z * statistics.stdev(scores) / len(scores) ** 0.5 if len(scores) > 1 else None
    return {
        "mean": round(mean, 4),
        "low": None if half is None else round(mean - half, 4),
        "high": None if half is None else round(mean + half, 4),
        "median": round(statistics.median(scores), 4),
        "minimum": round(min(scores), 4),
        "maximum": round(max(scores), 4),
        "count": len(scores),
    }
