"""The one next step of the loop, why it is the next, and the page where it is done."""

from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from storage import jobs, rounds
from storage.datasets import list_datasets
from storage.errors import RatchetError
from storage.models import get_model
from storage.rows import Study
from storage.rows_training import Job, Model, Round
from storage.store import Store
from studio.feedback.preferences import preferences
from studio.rounds import gate
from studio.rounds.champion import champion
from studio.rounds.ledger import catch_up, current, starting_model, voting_study
from studio.rounds.standing import Standing, standing
from studio.training.request import DEFAULT_POLICY, Request, command_line

# About this many pairs move a model of any size visibly; fewer leave a faint mark.
ENOUGH_PAIRS = 20


class Step(NamedTuple):
    """What to do next: a heading, the reason in a sentence or two, and a button that leads there.

    `stage`: its place in the loop: 1 curate, 2 train, 3 compare, 4 vote, 5 train on the votes, 6 keep or not.
    `command`: the same, or the nearest to it, on the command line. `does`: what the button does here instead of leading
    somewhere, an address to post to.
    """

    title: str
    why: str
    href: str
    button: str
    stage: int
    command: str
    does: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The step for the page."""
        return self._asdict()


def next_step(store: Store) -> Step:
    """The step that brings the open round on; always exactly one."""
    catch_up(store)
    at_work = [*jobs.list_jobs(store, "running"), *reversed(jobs.list_jobs(store, "queued"))]
    if at_work:
        return _watch(at_work[0])
    newest = next(iter(jobs.list_jobs(store)), None)
    if newest is not None and newest.status == "failed":
        return _mend(newest)
    turn = current(store)
    study = voting_study(store, turn) if turn else None
    kept = rounds.list_rounds(store)[-1:] if turn is None else []
    if kept and kept[0].model_id is not None:
        return _after_keeping(store, kept[0])
    if turn is None or turn.model_id is None:
        return _first(store, study)
    return _judge_or_train(store, turn, study)


def _watch(job: Job) -> Step:
    verb = "is training" if job.status == "running" else "waits for its turn"
    return Step(
        f"{job.name} {verb}",
        "It goes on by itself, also when you close this tab. Meanwhile you can read examples or give votes.",
        _address("/train", job=job.id),
        "Watch it train",
        _stage(job),
        f"ratchet job {job.number}",
    )


def _mend(job: Job) -> Step:
    sentence = (job.error or {}).get("sentence") or "It ended before it was done."
    return Step(
        f"{job.name} did not finish",
        str(sentence),
        _address("/train", job=job.id),
        "See what to do",
        _stage(job),
        f"ratchet logs {job.number}",
    )


def _stage(job: Job) -> int:
    """Training on examples comes second in the loop, training on votes fifth."""
    return 5 if job.study_id else 2


def _first(store: Store, study: Study | None) -> Step:
    """Before any model of our own: votes that were given already, else examples, else import some."""
    model = starting_model(store)
    if study is not None and model is not None and _pairs(store, study) >= ENOUGH_PAIRS:
        return _train_on_votes(study, model)
    ready = next((count for count in list_datasets(store) if count.dataset.kind == "sft" and count.rows), None)
    if ready is None or model is None:
        return Step(
            "Bring examples",
            "A round begins with examples of good answers. Drop a JSONL, JSON or CSV file, or write some by hand.",
            "/data",
            "Import examples",
            1,
            "ratchet import examples.jsonl --dataset examples",
        )
    return Step(
        "Train the first round",
        f'The dataset "{ready.dataset.name}" holds {ready.rows} examples. Read and edit them first if you like, '
        f"then let {model.name} learn from them: you can watch, or go on with something else.",
        _address("/train", method="sft", base=model.name, dataset=ready.dataset.name),
        f"Train {model.name} on {ready.rows} examples",
        2,
        command_line(Request("sft", model.name, dataset=ready.dataset.name)),
    )


def _judge_or_train(store: Store, turn: Round, study: Study | None) -> Step:
    """Keep the candidate where the gate lets it pass; else vote until there is enough to learn from, then train."""
    now = standing(store, turn)
    model = starting_model(store)
    if study is None or model is None or now is None:
        return Step(
            "Train the next round",
            "The last round cannot be compared any more.",
            "/train",
            "Train",
            2,
            "ratchet train --help",
        )
    found = gate.report(store, turn)
    if found is not None and found.passes:
        return _keep(turn, found)
    if found is not None and (anew := _set_anew(store, turn, found)):
        return anew
    if found is not None and (check := _only_canaries(found)):
        return _ask_canaries(found, check)
    pairs = _pairs(store, study)
    if pairs >= ENOUGH_PAIRS:
        return _train_on_votes(study, model, now)
    return Step(
        f"Vote: is round {turn.number} better?",
        f"{_so_far(now)} {_to_train(pairs)}.",
        _address("/compare", study=study.name),
        "Compare and vote",
        4 if now.votes else 3,
        f"ratchet leaderboard --study {study.name}",
    )


def _after_keeping(store: Store, turn: Round) -> Step:
    """A round was closed by promoting its candidate, and nothing has been begun since."""
    study, model = voting_study(store, turn), starting_model(store)
    if study is None or model is None:
        return _first(store, study)
    pairs = _pairs(store, study)
    if pairs >= ENOUGH_PAIRS:
        return _train_on_votes(study, model)
    return Step(
        f"Teach {model.name} more",
        f"{model.name} is the champion. {_to_train(pairs)}; or let it learn from further examples.",
        _address("/compare", study=study.name),
        "Compare and vote",
        4,
        f"ratchet leaderboard --study {study.name}",
    )


def _keep(turn: Round, found: gate.Report) -> Step:
    """The tooth of the ratchet."""
    return Step(
        f"Keep round {turn.number}",
        f"{found.reason} Then {found.candidate} is the champion: the next round begins from it, and it can be rolled "
        "back with one click.",
        "/",
        f"Make {found.candidate} the champion",
        6,
        "ratchet promote",
        "/api/rounds/promote",
    )


def _set_anew(store: Store, turn: Round, found: gate.Report) -> Step | None:
    """A round of its own for a candidate whose votes were against another champion; None where they count."""
    first, candidate = champion(store), get_model(store, turn.model_id or "")
    if first is None or gate.stands_against(turn, first) or candidate.retired_at is not None:
        return None
    return Step(
        f"Set {candidate.name} against {first.name}",
        f"{found.checks[0].sentence} The champion has changed since round {turn.number} began; a round of its own "
        "measures the candidate against the present one.",
        "/",
        f"Set it against {first.name}",
        3,
        f"ratchet propose {candidate.name}",
        f"/api/models/{quote(candidate.id)}/propose",
    )


def _only_canaries(found: gate.Report) -> gate.Check | None:
    """The gate's question about canaries, where everything else holds and it is open."""
    left = [check for check in found.checks if check.state != gate.HOLDS]
    return left[0] if [(check.name, check.state) for check in left] == [("canaries", gate.OPEN)] else None


def _ask_canaries(found: gate.Report, check: gate.Check) -> Step:
    return Step(
        "Ask the canaries",
        f"{found.candidate} is better than the champion by its votes. {check.sentence} Both models answer them once.",
        "/results#canaries",
        "Open the canaries",
        6,
        f"ratchet canaries run {found.candidate} {found.champion}",
    )


def _train_on_votes(study: Study, model: Model, now: Standing | None = None) -> Step:
    said = f"{_so_far(now)} " if now else ""
    return Step(
        "Train on your votes",
        f'{said}The votes of "{study.name}" are enough for the next round: DPO moves {model.name} towards the '
        "answers that you preferred.",
        _address("/train", method="dpo", base=model.name, study=study.name),
        "Train on the votes",
        5,
        command_line(Request("dpo", model.name, study=study.name)),
    )


def _so_far(now: Standing) -> str:
    """How the round stands, in one sentence."""
    if not now.votes or now.rate.rate is None:
        return "There are no votes on it yet."
    share = f"It wins {now.rate.rate:.0%} of {now.rate.units} {'prompt' if now.rate.units == 1 else 'prompts'}"
    if now.word == "open":
        wait = f" (about {_votes(now.needed)} would tell)" if now.needed else ""
        return f"{share}, too few to say whether it is better{wait}."
    return f"{share}: it is {now.word} than the champion."


def _votes(more: int, kind: str = "more") -> str:
    return f"{more} {kind} {'vote' if more == 1 else 'votes'}"


def _to_train(pairs: int) -> str:
    """How many clear votes are still needed, without the full stop."""
    left = ENOUGH_PAIRS - pairs
    return f"About {_votes(left, 'more clear')} {'is' if left == 1 else 'are'} enough to train on"


def _pairs(store: Store, study: Study) -> int:
    """Pairs that the study's votes would give."""
    try:
        return len(preferences(store, study.name, DEFAULT_POLICY).pairs)
    except RatchetError:
        return 0  # a study of labels or of one answer gives no pairs; the step is then to vote


def _address(path: str, **query: str) -> str:
    return f"{path}?{urlencode(query)}"
