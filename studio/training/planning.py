"""What a training would be, before it is started: origin, material, options with their reason, and every refusal.

The form shows the plan while it is filled in; `launching.launch` refuses what the plan refuses. So nobody
learns from pressing the button what could have been said before.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from storage import jobs, models
from storage.errors import BadInput, Conflict, RatchetError
from storage.rows_training import Job, Model
from storage.specs.advice import Advice, advise
from storage.specs.holding import held_out_rows
from storage.specs.method import Method
from storage.specs.options import OptionField, option_fields, parse_options
from storage.specs.presets import Preset, preset_named, presets
from storage.specs.registry import method_named
from storage.specs.reporting import refuse_absent
from storage.store import Store
from studio.rounds.ledger import coming_number, has_round
from studio.training.chaining import helpers_of, origin_of
from studio.training.devices import refuse_devices
from studio.training.hardware import hardware
from studio.training.material import survey
from studio.training.origins import Origin, needs_of, starts_of
from studio.training.request import Request, command_line
from studio.training.rewarding import refuse_unrewarded
from studio.training.voted import Survey

Found = TypeVar("Found")

MARGIN_SCALE = round(1 / 3, 3)
"""Reward per step of strength: the strongest of four asks for a lead of 1, as Llama 2's smaller margins do."""

_MARGINS = "Votes say how much better: the strongest asks for a lead of 1 in reward, others for less."


@dataclass(frozen=True)
class Plan:
    """A request thought through. Where `refusals` is empty, it can be started as it is."""

    request: Request
    method: Method | None
    origin: Origin | None
    survey: Survey | None
    advice: Advice | None
    options: dict[str, Any]
    name: str
    steps: int | None
    seconds: float | None
    refusals: list[str] = field(default_factory=list)
    helpers: dict[str, Any] = field(default_factory=dict)
    """Fields of the spec about models beside the policy: `teacher`, `rewards`."""
    presets: tuple[Preset, ...] = ()
    """Options for a purpose, of which `advice` is the one that was chosen."""

    def to_json(self) -> dict[str, Any]:
        """The plan as the form shows it."""
        return {
            "method": self.method.name if self.method else None,
            "base": self.origin.model.name if self.origin else None,
            "reference": self.origin.reference_name if self.origin and self._compares else None,
            "becomes": self.name,
            "rows": self.survey.rows if self.survey else None,
            "material": self.survey.sentence if self.survey else None,
            "warning": self.survey.warning if self.survey else None,
            "why": self.advice.why if self.advice and self.survey else None,
            "fields": [self._field(item) for item in option_fields(self.method.options)] if self.method else [],
            "steps": self.steps,
            "seconds": self.seconds,
            "refusals": self.refusals,
            "command": command_line(self.request),
            "presets": [preset._asdict() for preset in self.presets],
            "starts": starts_of(self.origin) if self.origin else [],
            "needs": needs_of(self.method) if self.method else dict.fromkeys(("teacher", "rewards", "replay"), False),
            "diagram": self._diagram() if self.origin else [],
        }

    def _diagram(self) -> list[dict[str, str]]:
        """The run as three boxes: where it starts, what it is held against, what it becomes."""
        assert self.origin is not None, "asked only where there is one"
        fresh = self.origin.start == "fresh"
        boxes = [{"label": "starts at", "name": self.origin.base.name if fresh else self.origin.model.name}]
        if self._compares:
            boxes.append({"label": "reference", "name": self.origin.reference_name})
        return [*boxes, {"label": "becomes", "name": self.name}]

    @property
    def _compares(self) -> bool:
        """Whether the method has a reference at all."""
        return self.method is not None and self.method.compares

    def _field(self, item: OptionField) -> dict[str, Any]:
        """One option for the form: what it holds, what is advised, and its limits."""
        advised = self.advice.options.get(item.name, item.default) if self.advice else item.default
        limits = item.limits
        return {
            "name": item.name,
            "type": item.type.__name__,
            "help": limits.help,
            "advised": advised,
            "value": self.request.options.get(item.name, advised),
            "minimum": limits.minimum,
            "maximum": limits.maximum,
            "choices": list(limits.choices),
            "basic": limits.basic,
        }


def plan(store: Store, request: Request) -> Plan:
    """Think a request through; what stands against it is collected in `refusals`, never raised."""
    refusals: list[str] = []

    def tried(step: Callable[[], Found]) -> Found | None:
        try:
            return step()
        except RatchetError as error:
            refusals.append(str(error))
            return None

    method = tried(lambda: method_named(request.method))
    origin = tried(lambda: origin_of(store, request))
    found = tried(lambda: survey(store, method, request)) if method else None
    plain = _advice(store, method, origin, found, request) if method else None
    made = _presets(method, plain, origin, _learnt(method, request, found)) if method and plain else ()
    advice = tried(lambda: _chosen(request, plain, made)) if plain else None
    options = tried(lambda: parsed(method, advice, request)) if method else None
    tried(lambda: _refuse_deaf(method, found, options))
    tried(lambda: refuse_unrewarded(method, options, request))
    tried(lambda: refuse_absent(str(options.get("report_to", "none"))) if options else None)
    tried(lambda: refuse_devices(request))
    name = tried(lambda: model_name(store, request)) or request.name or ""
    steps = _steps(options, found, measured_elsewhere=bool(request.eval))
    seconds = _seconds(store, method, origin, options, steps)
    helpers = tried(lambda: helpers_of(store, request)) or {}
    return Plan(request, method, origin, found, advice, options or {}, name, steps, seconds, refusals, helpers, made)


def _presets(method: Method, advice: Advice, origin: Origin | None, rows: int) -> tuple[Preset, ...]:
    """The presets for this model, this much material and this machine."""
    return presets(method, advice, rows, origin.base.parameters if origin else None, hardware())


def _learnt(method: Method, request: Request, found: Survey | None) -> int:
    """Rows that are learnt from: all but those that are held out."""
    if found is None:
        return 1
    if request.eval:
        return found.rows
    usual = next((item.default for item in option_fields(method.options) if item.name == "held_out"), 0.0)
    try:
        share = float(request.options.get("held_out", usual))
    except (TypeError, ValueError):
        share = usual  # the options will refuse it
    return found.rows - held_out_rows(found.rows, {"held_out": share})


def _chosen(request: Request, advice: Advice, made: tuple[Preset, ...]) -> Advice:
    """The advice of the preset that was asked for; raises BadInput for one that is not known."""
    if request.preset is None:
        return advice
    preset = preset_named(request.preset, made)
    return Advice(preset.options, preset.why)


def _advice(store: Store, method: Method, origin: Origin | None, found: Survey | None, request: Request) -> Advice:
    """What is advised for this model and this much material."""
    parameters = origin.base.parameters if origin else None
    continued = origin is not None and origin.reference == "previous" and origin.start == "continue"
    tuning = str(request.options.get("tuning", "lora"))
    rows, compared = _learnt(method, request, found), origin is not None and _compared(store, origin.model)
    advice = advise(method.name, parameters, rows, _batch_size(request), continued, compared, tuning)
    return advice if found is None else _advice_of_votes(advice, method, found)


def _compared(store: Store, model: Model) -> bool:
    """Whether a model learnt from comparisons."""
    return model.job_id is not None and method_named(jobs.get_job(store, model.job_id).method).compares


def _advice_of_votes(advice: Advice, method: Method, found: Survey) -> Advice:
    """What the votes themselves advise: how much of a lead to ask for, how many of them to believe wrong."""
    options, why = dict(advice.options), advice.why
    known = {item.name for item in option_fields(method.options)}
    if found.uses.margins:
        if "margin_scale" in known:
            options["margin_scale"] = MARGIN_SCALE
        why += f" {_MARGINS}" if "margin_scale" in known else f" {method.title} does not use how much better they say."
    if found.doubt and "label_smoothing" in known:
        options["label_smoothing"] = found.doubt
        why += (
            f" By how often people disagreed on the same answers, {100 * found.doubt:.2g} % of the pairs are wrong; "
            "losses with label_smoothing reckon with it."
        )
    return Advice(options, why)


def _refuse_deaf(method: Method | None, found: Survey | None, options: Mapping[str, Any] | None) -> None:
    """Raise BadInput where the loss cannot use what the votes say; nothing is left out in silence."""
    if method is None or not method.hears or found is None or options is None:
        return
    uses, loss = found.uses, str(options.get("loss_type", ""))
    said = {"margins": uses.margins and options.get("margin_scale"), "weights": uses.weights, "ties": uses.ties}
    deaf = [word for word, number in said.items() if number and word not in method.hears.get(loss, ())]
    if deaf:
        who = f'The loss "{loss}"' if loss else method.title
        hearing = [other for other, heard in method.hears.items() if set(deaf) <= set(heard)]
        choose = (
            f"choose the loss {' or '.join(hearing)}, or a policy without them"
            if hearing
            else ("choose a policy without them")
        )
        raise BadInput(f"{who} cannot use the {' and '.join(deaf)} of these votes; {choose}.")


def _batch_size(request: Request) -> int | None:
    """The batch size that was asked for; None where none was, or one that the options will refuse."""
    try:
        size = int(float(request.options["batch_size"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return size if size > 0 else None


def parsed(method: Method, advice: Advice | None, request: Request) -> dict[str, Any]:
    """All options of a run: the method's defaults, then the advice, then what was asked for."""
    values = {**(advice.options if advice else {}), **request.options}
    return asdict(parse_options(method.options, values))


def model_name(store: Store, request: Request) -> str:
    """The name of the model to be: the wish, or `round-<n>-<method>` with the first free number behind it.

    Raises Conflict where the wish is taken by a model or by a job that will make one.
    """
    taken = taken_names(store)
    if request.name:
        wish = models.checked_name(request.name)
        if wish in taken:
            raise Conflict(f'The name "{wish}" is taken by a model or a waiting job; choose another one.')
        return wish
    if not request.method:
        raise BadInput("Choose a method first.")
    wish, number = f"round-{coming_number(store)}-{request.method}" if has_round(request.method) else request.method, 2
    name = wish
    while name in taken:
        name, number = f"{wish}-{number}", number + 1
    return name


def taken_names(store: Store) -> set[str]:
    """Names of models, and names that unfinished jobs will give to theirs."""
    promised = {job.name for status in ("queued", "running") for job in jobs.list_jobs(store, status)}
    return promised | {model.name for model in models.list_models(store, retired=True)}


def _steps(options: dict[str, Any] | None, found: Survey | None, measured_elsewhere: bool) -> int | None:
    """Optimiser steps of the run: by epochs of the rows that are not held out, or as many as were asked for."""
    if not options or not found:
        return None
    if options["max_steps"]:
        return int(options["max_steps"])
    learnt = found.rows - (0 if measured_elsewhere else held_out_rows(found.rows, options))
    tried = learnt * int(options.get("answers", 1))  # a prompt makes as many rows of a step
    per_epoch = math.ceil(tried / int(options["batch_size"]))
    return math.ceil(per_epoch * float(options["epochs"]))


def _seconds(
    store: Store, method: Method | None, origin: Origin | None, options: dict[str, Any] | None, steps: int | None
) -> float | None:
    """About how long it will take, from runs of the same method on the same base; None where there were none."""
    if method is None or origin is None or not options or not steps:
        return None
    for job in jobs.list_jobs(store, "done"):
        if job.method == method.name and _same_base(store, job, origin) and job.step and job.started_at:
            spent = (job.finished_at or job.started_at) - job.started_at
            start = min(job.seconds_to_first_step or 0.0, spent)
            return round(start + (spent - start) / job.step * steps, 1)
    return None


def _same_base(store: Store, job: Job, origin: Origin) -> bool:
    """Whether a job trained on the base of this origin."""
    return models.base_of(store, models.get_model(store, job.base_id)).id == origin.base.id
