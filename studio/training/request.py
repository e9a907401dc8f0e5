"""What somebody asks to be trained: the same record from the button, the command line and Python."""

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from storage.rows_training import Job

DEFAULT_POLICY = "majority"
"""How votes become preferences unless told otherwise: one pair a comparison, where most agree."""

REPLAYED = "replay_version"
"""Beside the request, as a job keeps it: id of the version of `replay` that was mixed in."""

STARTS = ("continue", "stack", "fresh")
"""What to do with the adapter that a training starts from."""


@dataclass(frozen=True)
class Request:
    """A training as it is asked for.

    `base`: name of the model that it starts from, a base or any earlier model. The material is either `dataset`
    (as it stands) or the votes of a `study`, turned into preferences by the policy named in `votes`. `options`:
    only those that differ from what is advised. `preset`: whose options are advised. `start`: from an adapter,
    "continue" it (the usual), "stack" a fresh one on it, or begin "fresh" on its base. `eval`: dataset to measure on
    instead of held-out rows. `replay`: dataset of which some is mixed in. `teacher`: model to distil from. `rewards`:
    reward models. `after`: job that must be done first; where `base` is its name, its model is what is trained on.
    `when_idle`: wait until nobody works here. `devices`: how many accelerators.
    `start_id`: made by the client, so that a double click or a repeated request starts one job. `author`: who asks.
    """

    method: str
    base: str
    dataset: str | None = None
    votes: str | None = None
    study: str | None = None
    name: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    preset: str | None = None
    start: str | None = None
    eval: str | None = None
    replay: str | None = None
    teacher: str | None = None
    rewards: tuple[str, ...] = ()
    after: str | None = None
    when_idle: bool = False
    devices: int = 1
    start_id: str | None = None
    author: str | None = None

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """A request from stored or sent JSON; unknown keys are ignored, empty words count as absent."""
        known = {item.name for item in fields(cls)}
        given = {name: value for name, value in values.items() if name in known and value not in (None, "")}
        given["rewards"] = tuple(given.get("rewards") or ())
        return cls(**{"method": "", "base": "", **given})

    def to_json(self) -> dict[str, Any]:
        """The request as a job keeps it, enough to ask again; without the client's id, which is used up."""
        values = asdict(self)
        del values["start_id"]
        left_out: tuple[Any, ...] = (None, {}, (), False)
        kept = {name: value for name, value in values.items() if value not in left_out}
        return {name: value for name, value in kept.items() if (name, value) != ("devices", 1)}

    @property
    def by_votes(self) -> bool:
        """Whether it learns from votes rather than from a dataset."""
        return self.dataset is None and (self.study is not None or self.votes is not None)


def request_of(job: Job) -> Request:
    """What was asked for when this job was started, to ask for it again."""
    return Request.from_json(job.request)


def command_line(request: Request) -> str:
    """The same request as a line for a terminal."""
    words = ["ratchet", "train", request.method, "--base", request.base]
    material: list[tuple[str, Any]] = [("--dataset", request.dataset)]
    if request.by_votes:
        material = [("--votes", request.votes or DEFAULT_POLICY), ("--study", request.study)]
    named = [
        ("--name", request.name), ("--preset", request.preset), ("--start", request.start), ("--eval", request.eval),
        ("--replay", request.replay), ("--teacher", request.teacher), *(("--reward", one) for one in request.rewards),
        ("--after", request.after), ("--devices", request.devices if request.devices > 1 else None),
    ]  # fmt: skip
    for flag, value in [*material, *named]:
        if value is not None:
            words += [flag, str(value)]
    if request.when_idle:
        words.append("--when-idle")
    for name, value in request.options.items():
        words += ["--set", f"{name}={str(value).lower() if isinstance(value, bool) else value}"]
    return shlex.join(words)
