"""A pack that a stranger made opens as data: nothing in it runs, signs in, or starts by itself."""

import json
import sqlite3
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from storage import answerings, api_keys, jobs, tasks
from storage.datasets import create_dataset
from storage.errors import BadInput, Conflict, Refused
from storage.home import Home
from storage.models import add_model
from storage.specs.rewards import parse_rules
from storage.specs.run import RunSpec
from storage.store import Store
from studio.packing.archive import MANIFEST, Entry, write
from studio.packing.keeping import BACKUP, load, save
from studio.people import accounts
from studio.people.roles import Actor
from tests.studio.training.project import write_adapter, write_safetensors
from trainers.failures import RunFailed
from trainers.rewards import reward_of

PROGRAM = "open('/tmp/owned', 'w')\ndef reward(prompt, answer, reference): return 1"
EMPTIED = ("people", "sessions", "invitations", "api_keys", "demos")


@pytest.fixture
def strangers(tmp_path: Path) -> Path:
    """A file as `backup` writes it, of a project with accounts and with work under way."""
    store = Store.open(Home(tmp_path / "his"))
    base = add_model(store, "base", "base", path=str(store.home.model("base")))
    for job_id in ("waits", "runs"):
        folder = store.home.run(job_id)
        folder.mkdir(parents=True)
        RunSpec(job_id, "grpo", job_id, base.path or "", programs={"x.py": PROGRAM}).write(folder)
        (folder / "process.json").write_text('{"pid": 1}')
        jobs.enqueue(store, jobs.NewJob(job_id, job_id, "grpo", base.id, {"options": {"rules": "code:x.py"}}))
    nested = store.home.run("runs") / "checkpoints" / "step-1"
    nested.mkdir(parents=True)
    (nested / "rng_state.pth").write_bytes(b"a pickle")
    (nested / "spec.json").write_text(json.dumps({"programs": {"x.py": PROGRAM}}))
    store.execute("update jobs set status = 'running', pid = 1, pid_started = 1.0 where id = 'runs'")
    dataset = create_dataset(store, "asked", "prompts")
    answerings.add_answering(store, dataset.id, "told", [base.id], {}, None, "mallory")
    tasks.add_task(store, "answer", {})
    add_model(store, "there", "endpoint", url="http://203.0.113.1/v1", remote_name="m", key_env="AWS_SECRET")
    accounts.add(store, Actor("mallory", "admin"), "mallory", "admin", "known to mallory")
    api_keys.add(store, "way-in", "0" * 64, "v1", "mallory")
    save(store, tmp_path / "his.zip", BACKUP)
    return tmp_path / "his.zip"


@pytest.fixture
def mine(tmp_path: Path) -> Store:
    """An empty home."""
    return Store.open(Home(tmp_path / "mine" / "home"))


def _states(store: Store, table: str, column: str) -> set[str]:
    return {row[column] for row in store.rows(f"select {column} from {table}")}


def test_nothing_that_a_stranger_began_goes_on_here(strangers: Path, mine: Store) -> None:
    load(mine, strangers, foreign=True)

    assert _states(mine, "jobs", "status") == _states(mine, "tasks", "status") == {"stopped"}
    assert _states(mine, "answerings", "state") == {"stopped"}
    assert (jobs.claim(mine), jobs.unfinished(mine), answerings.unfinished(mine)) == (None, 0, [])
    assert mine.rows("select pid, pid_started from jobs") == [{"pid": None, "pid_started": None}] * 2
    assert not list(mine.home.runs.rglob("process.json"))
    assert not list(mine.home.runs.rglob("checkpoints"))


def test_no_program_of_a_stranger_is_kept_and_a_run_that_wants_it_says_so(strangers: Path, mine: Store) -> None:
    load(mine, strangers, foreign=True)

    assert [RunSpec.read(mine.home.run(job)).programs for job in ("waits", "runs")] == [{}, {}]
    assert not [path for path in mine.home.path.rglob("*.json") if "owned" in path.read_text(encoding="utf-8")]
    with pytest.raises(RunFailed, match=r"does not hold the reward function x\.py: a project of others"):
        reward_of(parse_rules("code:x.py")[0], RunSpec.read(mine.home.run("waits")).programs)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"target_modules": "(a|aa)+"}, "takes too long"),
        ({"modules_to_save": ["(.*)*b"]}, "no plain name"),
    ],
)
def test_an_adapters_pattern_without_end_is_refused(
    mine: Store, strangers: Path, tmp_path: Path, config: dict[str, Any], sentence: str
) -> None:
    with zipfile.ZipFile(strangers) as archive:
        database = archive.read("ratchet.db")
    folder = write_adapter(tmp_path / "tuned", "base")
    weights = folder / "adapter_model.safetensors"
    write_safetensors(weights, **{f"{'a' * 200}b.lora_A.weight": (4, 2)})
    said = Entry("models/x/adapter_config.json", json.dumps({"peft_type": "LORA", **config}).encode())
    write(
        tmp_path / "more.zip",
        "pack",
        [Entry("ratchet.db", database), said, Entry(f"models/x/{weights.name}", weights)],
        {},
    )

    with pytest.raises(BadInput, match=sentence):
        load(mine, tmp_path / "more.zip", foreign=True)
    assert mine.value("select count(*) from models") == 0


def test_nobody_of_a_strangers_project_may_come_in(strangers: Path, mine: Store) -> None:
    load(mine, strangers, foreign=True)

    assert {table: mine.value(f"select count(*) from {table}") for table in EMPTIED} == dict.fromkeys(EMPTIED, 0)
    assert mine.value("select key_env from models where kind = 'endpoint'") != "AWS_SECRET"


def test_ones_own_backup_comes_back_with_its_work_and_its_people(strangers: Path, mine: Store) -> None:
    load(mine, strangers)

    assert _states(mine, "jobs", "status") == {"queued", "running"}
    assert RunSpec.read(mine.home.run("waits")).programs == {"x.py": PROGRAM}
    assert mine.value("select name from people") == "mallory"


def _rewritten(path: Path, harm: Callable[[sqlite3.Connection], object], tmp_path: Path) -> Path:
    """The archive with its database changed, and a manifest that fits."""
    out, database = tmp_path / "harmed.zip", tmp_path / "harmed.db"
    with zipfile.ZipFile(path) as archive:
        database.write_bytes(archive.read("ratchet.db"))
        names = [name for name in archive.namelist() if name not in (MANIFEST, "ratchet.db")]
        others = [Entry(name, archive.read(name)) for name in names]
    changed = sqlite3.connect(database, isolation_level=None)
    harm(changed)
    changed.close()
    write(out, "pack", [Entry("ratchet.db", database), *others], {})
    return out


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("create trigger t after insert on meta begin insert into attempts values ('a', 'b', 1.0); end", 'holds "t"'),
        ("create view all_people as select 1", 'holds "all_people"'),
        ("drop trigger standings_go; create trigger standings_go before delete on people begin select 1; end",
         'holds "standings_go"'),
        ("create virtual table found using fts5(text)", 'holds "found"'),
        ("update models set path = '/etc' where kind = 'base'", 'weights in "/etc"'),
        ("update models set path = 'home:../../other' where kind = 'base'", "outside the project"),
        ("pragma foreign_keys = off; update jobs set id = '../models/x' where id = 'waits'", "a job with the id"),
    ],
)  # fmt: skip
def test_a_database_that_does_more_than_hold_rows_is_refused(
    strangers: Path, mine: Store, tmp_path: Path, sql: str, sentence: str
) -> None:
    harmed = _rewritten(strangers, lambda copy: copy.executescript(sql), tmp_path)

    with pytest.raises(Refused, match=sentence):
        load(mine, harmed, foreign=True)
    assert mine.value("select count(*) from models") == 0
    assert list(mine.home.runs.iterdir()) == []


@pytest.mark.parametrize("name", ["keys.json", "engine.json", "zygote.json", "uploads/x", "models", "ratchet.db-wal"])
def test_a_file_that_no_archive_holds_is_refused(mine: Store, strangers: Path, tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(strangers) as archive:
        database = archive.read("ratchet.db")
    write(tmp_path / "more.zip", "pack", [Entry("ratchet.db", database), Entry(name, b"{}")], {})

    for foreign in (True, False):
        with pytest.raises(Refused, match="belongs into no backup and no pack"):
            load(mine, tmp_path / "more.zip", foreign=foreign)
    assert not mine.home.keys_file.exists()


def test_a_home_with_a_project_is_never_touched_by_a_strangers(strangers: Path, mine: Store) -> None:
    load(mine, strangers, foreign=True)
    before = sha256(mine.home.run("waits").joinpath("spec.json").read_bytes()).hexdigest()

    with pytest.raises(Conflict, match="holds a project already"):
        load(mine, strangers, foreign=True)
    assert sha256(mine.home.run("waits").joinpath("spec.json").read_bytes()).hexdigest() == before
