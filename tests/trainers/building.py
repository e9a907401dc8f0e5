"""Run folders and jobs as the studio makes them: frozen rows and a spec, then the row."""

import atexit
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from storage import jobs
from storage.birth import Birth
from storage.clock import new_id
from storage.models import add_model
from storage.rows_training import Job, Model
from storage.runs import freeze_rows, read_events
from storage.specs.run import RunSpec
from storage.store import Store
from trainers.forking import NotForked, Nursery

TIMEOUT = 600  # seconds; a bound for a broken run, not a measurement: it must also hold beside other work


def turns(*texts: str) -> list[dict[str, str]]:
    """Messages: a user and the assistant in turn."""
    return [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(texts)]


def answer(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def conversations(count: int = 24) -> list[dict[str, Any]]:
    """SFT rows with one simple pattern."""
    return [
        {"id": f"row-{at}", "messages": json.dumps(turns(f"What is {at} plus 1?", f"It is {at + 1}."))}
        for at in range(count)
    ]


def preferences(count: int = 24) -> list[dict[str, Any]]:
    """Preference rows: the short answer is the better one."""
    return [
        {
            "id": f"pair-{at}",
            "prompt": json.dumps(turns(f"What is {at} plus 1?")),
            "chosen": json.dumps(answer(f"{at + 1}.")),
            "rejected": json.dumps(answer(f"Well now, it is {at + 1}.")),
            "margin": None,
        }
        for at in range(count)
    ]


def as_json(messages: list[dict[str, str]]) -> str:
    return json.dumps(messages)


def thumbs(count: int = 24) -> list[dict[str, Any]]:
    """The same taste as judged answers: short ones are good, long ones are bad, in turn."""
    return [
        {"id": f"{pair['id']}-{side}", "prompt": pair["prompt"], "completion": pair[side], "label": side == "chosen"}
        for pair in preferences(count // 2)
        for side in ("chosen", "rejected")
    ]


def make_run(
    folder: Path, method: str, base: Path, rows: Iterable[Mapping[str, Any]] | None = None, **spec: Any
) -> Path:
    """A run folder; `spec` are fields of `RunSpec`. Two threads, six steps unless said otherwise."""
    folder.mkdir(parents=True)
    made = rows if rows is not None else conversations() if method == "sft" else preferences()
    frozen = freeze_rows(folder / "data.parquet", made)
    spec = {"options": {"epochs": 2, "learning_rate": 2e-3}, "job": folder.name, "name": folder.name} | spec
    reference = "previous" if spec.get("adapter_path") else "base"
    values = {"reference": reference, "data_sha256": frozen.sha256, "rows": frozen.rows} | spec
    RunSpec(method=method, base_path=str(base), **values).write(folder)
    return folder


def run_trainer(folder: Path, *flags: str) -> int:
    """Run the method's script in a process of its own, forked as most runs are, else fresh; returns the exit code."""
    words = trainer(folder, *flags)[2:]
    threads = RunSpec.read(folder).threads
    try:
        child = nursery().fork(Birth(words, str(folder / "train.log"), dict(os.environ), threads, 0))
    except NotForked:
        return _run_fresh(folder, *flags)
    deadline = time.monotonic() + TIMEOUT
    while child.runs():
        if time.monotonic() > deadline:
            os.killpg(child.pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(words, TIMEOUT)
        nursery().hear(0.1)
    code = child.code()
    assert code is not None, "the zygote has ended before its child"
    return code


def _run_fresh(folder: Path, *flags: str) -> int:
    with (folder / "train.log").open("ab") as log:
        return subprocess.run(trainer(folder, *flags), stdout=log, stderr=log, timeout=TIMEOUT).returncode


@functools.cache
def nursery() -> Nursery:
    """A zygote for the runs of this process of tests: importing what they need took them 4 s each. Ends with it."""
    folder = Path(mkdtemp(prefix="nursery"))
    made = Nursery(folder / "zygote.log", folder / "zygote.json")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(made.close)
    made.prepare()
    deadline = time.monotonic() + TIMEOUT
    while not made.ready and made.obstacle == "the zygote is not ready yet" and time.monotonic() < deadline:
        made.hear(0.1)
    return made


def trainer(folder: Path, *flags: str) -> list[str]:
    """The command line of a run."""
    return [sys.executable, "-m", f"trainers.{RunSpec.read(folder).method}", str(folder), *flags]


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    """The events of one kind."""
    return [event for event in read_events(folder).events if event["kind"] == kind]


def losses(folder: Path) -> list[float]:
    return [event["loss"] for event in events(folder, "metric") if "loss" in event]


def log_of(folder: Path) -> str:
    return (folder / "train.log").read_text(encoding="utf-8", errors="replace")


def add_base(store: Store, path: Path, name: str = "tiny") -> Model:
    """A base row on a folder."""
    return add_model(store, name, "base", path=str(path), base_sha256="b" * 64, template_sha256="t" * 64)


def enqueue(store: Store, method: str, origin: Model, name: str, base: Path, **spec: Any) -> Job:
    """A complete run folder, then a queued job."""
    job_id = new_id()
    if origin.kind == "adapter":
        spec["adapter_path"] = origin.path
    make_run(store.home.run(job_id), method, base, job=job_id, name=name, **spec)
    request = {"name": name, "options": {}, "from_model": origin.name}
    return jobs.enqueue(store, jobs.NewJob(job_id, name, method, origin.id, request))


def worker(store: Store, idle: float = 0.5) -> list[str]:
    """The command line of a worker."""
    return [sys.executable, "-m", "trainers.worker", "--home", str(store.home.path), "--idle", str(idle)]


def run_worker(store: Store) -> str:
    """Run a worker until it is idle; returns what it said."""
    return subprocess.run(worker(store), capture_output=True, text=True, timeout=TIMEOUT, check=True).stdout
