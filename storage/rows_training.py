"""The rows about models and their training as frozen dataclasses: models, jobs, rounds, tasks (see `storage.rows`)."""

from dataclasses import dataclass
from typing import Any

from storage.rows import Row

ANSWERING = ("base", "adapter", "endpoint")
"""Kinds of models that answer prompts; the others judge texts, or read them."""
ENCODER = "encoder"
"""The kind of a base that reads and cannot answer, such as BERT: classifiers are trained on it."""
JOB_ENDED = ("done", "failed", "stopped")


@dataclass(frozen=True)
class Model(Row):
    """What was trained or added: a base, an adapter on a base, an endpoint, all of which answer; or a judge.

    kind: base, adapter, endpoint (`ANSWERING`), encoder (reads only), reward (scores answers) or classifier (labels
    texts; `labels`).

    `path`: weights folder (base, adapter). `base_id`: the base under an adapter. `parent_id`: the model that an
    adapter was trained from. `url`, `remote_name`, `key_env`: an endpoint, its name for the model and the
    environment variable that holds its key. `parameters`: count of a base's weights. Of an endpoint also: `dialect`,
    the kind of server; `at_once`, how many questions it takes at a time; `timeout` in seconds; `price_in`, `price_out`
    for a million tokens read and written; `serves`: the base of ours that it holds, whose adapters it answers for.
    `hub_id`: where on the Hub it was fetched from. A mixture's `parent_id` is its first part (`storage.blends`).
    """

    id: str
    name: str
    kind: str
    base_id: str | None
    parent_id: str | None
    path: str | None
    url: str | None
    remote_name: str | None
    key_env: str | None
    base_sha256: str | None
    adapter_sha256: str | None
    template_sha256: str | None
    parameters: int | None
    job_id: str | None
    probe: dict[str, Any] | None
    created_at: float
    retired_at: float | None
    labels: list[str] | None
    dialect: str | None
    at_once: int | None
    timeout: float | None
    price_in: float | None
    price_out: float | None
    serves: str | None
    former_names: list[str] | None
    gone_at: float | None
    hub_id: str | None

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"probe", "labels", "former_names"})


@dataclass(frozen=True)
class Job(Row):
    """A training job: status is queued, running, done, failed or stopped; its run is the folder of the same id.

    `request`: what was asked for, enough to ask again. `stop_requested`: None, "save" or "now". `position`: place in
    the queue, the smallest first; `held_at`: held back by a person since then; `when_idle`: waits until nobody works
    here; `devices`: how many it wants; `device`: those that it got. `after_id`: waits until that job is done;
    `plan_id`, `search_id`: what it is a part of. `evaluation`: what was found after the run (`evaluation.json`).
    `restarts`: how often it was started again by itself; `notified_at`: when the webhook was told of its end.
    """

    id: str
    number: int
    name: str
    method: str
    base_id: str
    version_id: str | None
    study_id: str | None
    policy: str | None
    request: dict[str, Any]
    status: str
    stop_requested: str | None
    phase: str | None
    step: int
    total_steps: int
    eta_seconds: float | None
    seconds_to_first_step: float | None
    metrics: dict[str, Any]
    error: dict[str, Any] | None
    model_id: str | None
    pid: int | None
    pid_started: float | None
    beat_at: float | None
    created_at: float
    started_at: float | None
    finished_at: float | None
    position: float | None
    held_at: float | None
    when_idle: int
    devices: int
    device: str | None
    after_id: str | None
    plan_id: str | None
    search_id: str | None
    evaluation: dict[str, Any] | None
    restarts: int
    notified_at: float | None

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"request", "metrics", "error", "evaluation"})


@dataclass(frozen=True)
class Round(Row):
    """One turn of the loop: from the champion through data, votes and a job to a model and a verdict.

    state: open or closed. `parent_id`: the model that its training starts from. `training_study_id`: its votes train.
    `measuring_study_id`: its votes judge the new model against `against_id`, the champion of that day, or against the
    parent where that is None.
    """

    id: str
    number: int
    state: str
    parent_id: str | None
    version_id: str | None
    training_study_id: str | None
    job_id: str | None
    model_id: str | None
    measuring_study_id: str | None
    verdict: dict[str, Any] | None
    opened_at: float
    closed_at: float | None
    against_id: str | None

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"verdict"})


@dataclass(frozen=True)
class Task(Row):
    """Work without a model that outlasts a click (an import): status as a job's, progress 0 to 1."""

    id: str
    kind: str
    payload: dict[str, Any]
    status: str
    progress: float
    message: str
    cancel_requested: int
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    pid: int | None
    pid_started: float | None
    created_at: float
    finished_at: float | None

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"payload", "result", "error"})
