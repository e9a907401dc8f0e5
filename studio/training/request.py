"""What somebody asks to be trained: the same record from the button, the command line and Python."""

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from storage.rows import Job

DEFAULT_POLICY = "majority"
"""How votes become preferences unless told otherwise: one pair a comparison, where most agree."""


@dataclass(frozen=True)
class Request:
    """A training as it is asked for.

    `base`: name of the model that it starts from, a base or any earlier model. The material is either `dataset`
    (as it stands) or the votes of a `study`, turned into preferences by the policy named in `votes`. `options`:
    only those that differ from what is advised. `start_id`: made by the client, so that a double click or a
    repeated request starts one job.
    """

    method: str
    base: str
    dataset: str | None = None
    votes: str | None = None
    study: str | None = None
    name: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    start_id: str | None = None

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """A request from stored or sent JSON; unknown keys are ignored, empty words count as absent."""
        known = {item.name for item in fields(cls)}
        given = {name: value for name, value in values.items() if name in known and value not in (None, "")}
        return cls(**{"method": "", "base": "", **given})

    def to_json(self) -> dict[str, Any]:
        """The request as a job keeps it, enough to ask again; without the client's id, which is used up."""
        values = asdict(self)
        del values["start_id"]
        return {name: value for name, value in values.items() if value not in (None, {})}

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
    for flag, value in [*material, ("--name", request.name)]:
        if value is not None:
            words += [flag, str(value)]
    for name, value in request.options.items():
        words += ["--set", f"{name}={str(value).lower() if isinstance(value, bool) else value}"]
    return shlex.join(words)
