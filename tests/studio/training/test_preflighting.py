"""Preflights from the studio's side: begun, looked at, kept, and ended when nobody waits."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from storage.errors import NotFound, NotReady
from storage.home import read_json, write_json
from storage.models import add_model
from storage.rows import Dataset
from storage.store import Store
from storage.versions import list_versions, peek
from studio.settings import Settings
from studio.training import preflighting
from studio.training.material import glance
from studio.training.planning import plan
from studio.training.request import Request
from tests.studio.training.project import add_dataset, add_starter, conversation
from tests.trainers.engine import tiny

PATIENCE = 240  # seconds; a bound for a broken run, not a measurement


@pytest.fixture
def facts(store: Store) -> Dataset:
    add_starter(store)
    return add_dataset(store, "facts", "sft", [conversation(f"q{n}", f"a{n}") for n in range(12)])


def asked(**more: Any) -> Request:
    return Request("sft", "starter", dataset="facts", **more)


def test_what_the_plan_refuses_is_the_result_at_once(store: Store, home_settings: Settings, facts: Dataset) -> None:
    found = preflighting.begin(store, home_settings, asked(options={"epochs": "many"}))

    assert (found.state, found.error) == ("done", None)
    assert found.result is not None
    assert found.result["refusals"] == plan(store, asked(options={"epochs": "many"})).refusals
    assert found.result["rows"] == 12
    assert not store.home.preflights.exists()


def test_an_unknown_preflight_says_so(store: Store) -> None:
    for name in ("nobody", "../../etc", ".", ""):
        with pytest.raises(NotFound, match="not known any more"):
            preflighting.look(store, name)


def test_rows_are_read_without_freezing_a_version(store: Store, facts: Dataset) -> None:
    method = plan(store, asked()).method
    assert method is not None

    seen = glance(store, method, asked(), 5_000)
    few = glance(store, method, asked(), 5)

    assert (len(seen.rows), seen.total) == (12, 12)
    assert (len(few.rows), few.total) == (4, 12)  # every third
    assert list_versions(store, facts) == []
    assert [name for name, _ in peek(store, facts, 100)] == [row["id"] for row in seen.rows]


def folder_of(store: Store) -> Path:
    (folder,) = [path for path in store.home.preflights.iterdir() if path.is_dir()]
    return folder


def given(store: Store, key: str, result: dict[str, Any]) -> Path:
    """A folder as a process of ours leaves it at its end."""
    folder = store.home.preflights / key
    folder.mkdir(parents=True)
    write_json(folder / "result.json", result)
    return folder


RESULT = {
    "rows": 12, "memory_gb": {"low": 3.1, "high": 3.9}, "seconds": {"low": 200.0, "high": 290.0}, "device": "cuda",
    "fits_beside_engine": True,
}  # fmt: skip


def test_a_result_gets_its_price_is_kept_and_its_folder_goes(store: Store) -> None:
    folder = given(store, "abc", RESULT)

    first, second = preflighting.look(store, "abc"), preflighting.look(store, "abc")

    assert first == second
    assert (first.state, first.result) == ("done", {**RESULT, "price": "about 3 to 5 min, 3 to 4 GB"})
    assert not folder.exists()


@pytest.mark.parametrize(("gigabytes", "fits"), [(0.001, True), (1e6, False)])
def test_whether_it_fits_is_asked_of_the_machine_as_it_is_now(gigabytes: float, fits: bool, store: Store) -> None:
    given(store, "abc", {**RESULT, "device": "cpu", "memory_gb": {"low": gigabytes, "high": gigabytes}})

    result = preflighting.look(store, "abc").result
    assert result is not None
    assert result["fits_beside_engine"] is fits


def test_a_failure_is_told_once_and_can_be_tried_again(store: Store) -> None:
    folder = given(store, "abc", {})
    (folder / "result.json").rename(folder / "error.json")
    write_json(folder / "error.json", {"kind": "unknown", "sentence": "It broke.", "fix": "Mend it."})

    found = preflighting.look(store, "abc")

    assert (found.state, found.error) == ("failed", {"kind": "unknown", "sentence": "It broke.", "fix": "Mend it."})
    with pytest.raises(NotReady, match=r"It broke\. Mend it\."):
        preflighting.result_of(found)
    with pytest.raises(NotFound):
        preflighting.look(store, "abc")


@pytest.fixture
def tiny_project(store: Store, tmp_path: Path) -> Store:
    """A project whose base is a real, tiny model."""
    folder = tiny.save_base(tmp_path / "tiny")
    add_model(store, "small", "base", path=str(folder), parameters=100_000, base_sha256="b" * 64)
    add_dataset(store, "facts", "sft", [conversation(f"What is q{n}?", f"It is a{n}.") for n in range(12)])
    return store


def watched(store: Store, found: preflighting.Preflight) -> preflighting.Preflight:
    """Look until it has ended."""
    deadline = time.monotonic() + PATIENCE
    while found.state == "running":
        assert time.monotonic() < deadline
        time.sleep(0.1)
        found = preflighting.look(store, found.id)
    return found


@pytest.mark.torch
def test_a_preflight_runs_beside_the_studio_and_is_not_run_twice(tiny_project: Store, home_settings: Settings) -> None:
    request = Request("sft", "small", dataset="facts")

    begun = preflighting.begin(tiny_project, home_settings, request)
    joined = preflighting.begin(tiny_project, home_settings, request)
    assert (begun.state, joined.id) == ("running", begun.id)
    done = watched(tiny_project, begun)

    assert done.state == "done", done.error
    assert done.result is not None
    assert (done.result["rows"], done.result["refusals"]) == (12, [])
    assert done.result["price"].startswith("about ")
    again = preflighting.begin(tiny_project, home_settings, request)
    assert (again.state, again.id) == ("done", begun.id)  # the answer is known: no process is started
    other = preflighting.begin(tiny_project, home_settings, Request("sft", "small", dataset="facts", name="called"))
    assert other.id == begun.id  # the name changes nothing


@pytest.mark.torch
@pytest.mark.slow
def test_a_preflight_that_is_killed_fails_with_a_sentence(tiny_project: Store, home_settings: Settings) -> None:
    begun = preflighting.begin(tiny_project, home_settings, Request("sft", "small", dataset="facts"))
    os.kill(_started(tiny_project), signal.SIGKILL)

    ended = watched(tiny_project, begun)

    assert ended.state == "failed"
    assert ended.error is not None
    assert ended.error["kind"] == "vanished"
    assert "ran out of memory" in ended.error["sentence"]
    assert preflighting.begin(tiny_project, home_settings, Request("sft", "small", dataset="facts")).state == "running"
    os.kill(_started(tiny_project), signal.SIGKILL)


def _started(store: Store) -> int:
    deadline = time.monotonic() + PATIENCE
    while (process := read_json(folder_of(store) / "process.json")) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return int(process["pid"])
