"""The doctor says what this machine has, in sentences, without loading a heavy library itself."""

import fcntl
import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from storage import changes, datasets
from storage.contents import prepared
from storage.home import Home, write_json
from storage.models import add_model
from storage.processes import identify
from storage.store import Store
from studio.settings import Settings
from studio.training import doctor
from tests.studio.clients.scripted import serving

pytestmark = pytest.mark.torch  # the device is asked of a process that loads torch


def _values(said: dict[str, object]) -> dict[str, dict[str, str]]:
    findings = said["findings"]
    assert isinstance(findings, list)
    return {finding["name"]: finding for finding in findings}


def test_a_machine_that_runs_these_tests_is_ready(home_settings: Settings) -> None:
    said = doctor.examine(home_settings)

    found = _values(said)
    assert said["ready"] is True
    assert found["python"]["value"].startswith(".".join(map(str, sys.version_info[:3])))
    assert "threads" in found["device"]["value"]
    assert found["device"]["sentence"].startswith("Answering on ")
    assert {found[name]["value"] for name in ("serve", "engine", "worker")} == {"not running"}


def test_each_endpoint_is_asked_whether_it_answers(store: Store, home_settings: Settings) -> None:
    with serving() as server:
        server.lists = {"/v1/models": {"data": [{"id": "m"}]}}
        add_model(store, "near", "endpoint", url=server.url, remote_name="m")
        add_model(store, "far", "endpoint", url="http://127.0.0.1:9/v1", remote_name="m")

        found = _values(doctor.examine(home_settings))

    assert (found["near"]["level"], found["near"]["sentence"]) == ("good", "OpenAI or alike answers as m.")
    assert (found["far"]["level"], found["far"]["value"]) == ("warning", "does not answer")
    assert found["far"]["sentence"].startswith('"far" cannot be reached at http://127.0.0.1:9/v1/models')


def test_a_worker_is_seen_by_its_lock_and_its_zygote_by_its_note_with_what_it_holds(
    home: Home, home_settings: Settings
) -> None:
    home.make()
    me = identify(os.getpid())
    assert me is not None
    write_json(home.zygote_file, {**me._asdict(), "ready": True})
    with home.worker_lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        found = _values(doctor.examine(replace(home_settings, zygote=True)))

    assert found["worker"]["value"] == "running"
    assert re.fullmatch(r"running, \d+ MB", found["zygote"]["value"])


def test_a_zygote_that_is_not_wanted_is_told_as_off(home_settings: Settings) -> None:
    assert doctor._zygote(replace(home_settings, zygote=False)).value == "off"
    assert doctor._zygote(replace(home_settings, zygote=True)).value == "not running"


def test_the_doctor_itself_loads_no_torch() -> None:
    code = "import sys, studio.training.doctor; print({'torch', 'transformers', 'gradio'} & set(sys.modules))"

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert out.stdout.strip() == "set()"


def test_rows_that_search_misses_are_named(store: Store, home: Home, home_settings: Settings) -> None:
    dataset = datasets.create_dataset(store, "notes", "text")
    changes.add(store, dataset, prepared({"text": "an oak"}), "ann")
    assert _values(doctor.examine(home_settings))["search"]["value"] == "knows every row"

    home.search.unlink()

    found = _values(doctor.examine(home_settings))["search"]
    assert (found["level"], found["value"]) == ("warning", "1 row missing")
    assert "in the background" in found["sentence"]
