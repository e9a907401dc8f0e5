"""A project goes into one file and comes out elsewhere with the same rows, files and hashes, and nobody's secrets."""

import json
import sqlite3
import zipfile
from pathlib import Path

import pytest

from storage import people
from storage.comparisons import get_study
from storage.errors import BadInput, Conflict, NotFound, Refused
from storage.home import Home
from storage.models import get_model
from storage.store import Store
from studio.packing.archive import MANIFEST
from studio.packing.keeping import BACKUP, PACK, load, save
from studio.people.accounts import add
from studio.people.roles import Actor
from studio.rounds import ledger
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.studio.training.project import add_dataset, first_day, prompt, prompts_of, run_to_the_end, vote

TABLES = ("models", "datasets", "revisions", "votes", "comparisons", "answers", "jobs", "rounds", "versions")


@pytest.fixture
def played(store: Store) -> Store:
    """A project with a trained round, votes on it and an account."""
    first_day(store)
    add_dataset(store, "starter-prompts", "prompts", [{"prompt": prompt("p")}])
    settings = Settings.from_env({}, home=store.home.path)
    run_to_the_end(store, launch(store, settings, Request("sft", "starter", dataset="facts")))
    ledger.catch_up(store)
    for asked in prompts_of("train", 5):
        vote(store, get_study(store, "round-1"), asked, "b")
    add(store, Actor("root", "admin"), "anna", "admin", "a-long-password-of-anna")
    return store


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """An empty home."""
    return Store.open(Home(tmp_path / "elsewhere" / "home"))


def _rows(store: Store) -> dict[str, list[str]]:
    """Every row of the tables that matter, without paths."""
    return {
        table: sorted(
            json.dumps({name: value for name, value in row.items() if name != "path"}, sort_keys=True, default=str)
            for row in store.rows(f"select * from {table}")
        )
        for table in TABLES
    }


def _weights(store: Store) -> dict[str, bytes]:
    return {
        path.relative_to(store.home.path).as_posix(): path.read_bytes()
        for folder in (store.home.models, store.home.runs)
        for path in folder.rglob("*")
        if path.suffix in (".safetensors", ".parquet", ".jsonl")
    }


def test_a_backup_brings_everything_back_elsewhere(played: Store, other: Store, tmp_path: Path) -> None:
    save(played, tmp_path / "all.zip", BACKUP)

    said = load(other, tmp_path / "all.zip")

    assert (said["kind"], said["missing"], said["votes"]) == ("backup", [], 5)
    assert _rows(other) == _rows(played)
    assert _weights(other) == _weights(played)
    assert [one.name for one in people.list_people(other)] == ["anna"]
    model = get_model(other, "round-1-sft")
    assert Path(model.path or "").is_dir()
    assert str(model.path).startswith(str(other.home.path))


def test_runs_name_their_base_where_it_is_now(played: Store, other: Store, tmp_path: Path) -> None:
    save(played, tmp_path / "all.zip", BACKUP)
    load(other, tmp_path / "all.zip")

    (path,) = other.home.runs.glob("*/spec.json")
    assert json.loads(path.read_text(encoding="utf-8"))["base_path"] == str(other.home.model("starter"))


def test_a_pack_holds_no_accounts_no_secrets_no_paths_and_no_bases(played: Store, tmp_path: Path) -> None:
    said = save(played, tmp_path / "for-you.zip", PACK, bases=False)

    assert said["left_out"] == ["starter"]
    with zipfile.ZipFile(tmp_path / "for-you.zip") as archive:
        names = archive.namelist()
        everything = b"".join(archive.read(name) for name in names)
        (tmp_path / "packed.db").write_bytes(archive.read("ratchet.db"))
    assert not [name for name in names if name.startswith(("models/starter", "logs/")) or "checkpoints" in name]
    assert "models/round-1-sft/adapter_model.safetensors" in names
    hashed = played.value("select password from people")
    assert str(hashed).encode() not in everything
    assert str(played.home.path).encode() not in everything
    packed = sqlite3.connect(tmp_path / "packed.db")
    for table in ("people", "sessions", "invitations", "attempts", "api_keys", "demos", "demo_answers", "demo_votes"):
        assert packed.execute(f"select count(*) from {table}").fetchone() == (0,)


def test_a_pack_opens_elsewhere_and_says_which_base_is_missing(played: Store, other: Store, tmp_path: Path) -> None:
    save(played, tmp_path / "for-you.zip", PACK, bases=False)

    said = load(other, tmp_path / "for-you.zip")

    assert said["missing"] == ["starter"]
    assert _rows(other) == _rows(played)


def test_a_base_that_is_named_takes_its_place(played: Store, other: Store, tmp_path: Path) -> None:
    played.execute("update models set base_sha256 = null where name = 'starter'")
    save(played, tmp_path / "for-you.zip", PACK, bases=False)
    folder = played.home.model("starter")

    said = load(other, tmp_path / "for-you.zip", {"starter": folder})

    assert said["missing"] == []
    assert get_model(other, "starter").path == str(folder.resolve())
    (path,) = other.home.runs.glob("*/spec.json")
    assert json.loads(path.read_text(encoding="utf-8"))["base_path"] == str(folder.resolve())


def test_another_base_under_the_same_name_is_refused(played: Store, other: Store, tmp_path: Path) -> None:
    save(played, tmp_path / "for-you.zip", PACK, bases=False)

    with pytest.raises(BadInput, match='are not those of the base "starter"'):
        load(other, tmp_path / "for-you.zip", {"starter": played.home.model("starter")})


def test_a_home_that_holds_a_project_is_left_alone(played: Store, tmp_path: Path) -> None:
    save(played, tmp_path / "all.zip", BACKUP)
    before = _rows(played)

    with pytest.raises(Conflict, match="holds a project already"):
        load(played, tmp_path / "all.zip")
    with pytest.raises(Conflict, match="is there already"):
        save(played, tmp_path / "all.zip", BACKUP)
    assert _rows(played) == before


def _change(path: Path, name: str, content: bytes) -> Path:
    """The archive with one member exchanged or added."""
    changed = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(changed, "w") as target:
        for one in source.namelist():
            if one != name:
                target.writestr(one, source.read(one))
        target.writestr(name, content)
    return changed


def test_damaged_and_hostile_archives_leave_the_home_empty(played: Store, other: Store, tmp_path: Path) -> None:
    whole = tmp_path / "all.zip"
    save(played, whole, BACKUP)
    with zipfile.ZipFile(whole) as archive:
        manifest = json.loads(archive.read(MANIFEST))
        size = manifest["files"]["ratchet.db"]["bytes"]
    outside = {**manifest, "files": {**manifest["files"], "../../evil": {"bytes": 1, "sha256": ""}}}
    (tmp_path / "words.zip").write_text("no zip")
    cases = [
        (_change(whole, "ratchet.db", b"x" * size), BadInput, "is not what its manifest says"),
        (tmp_path / "words.zip", BadInput, "is no archive of a project"),
        (tmp_path / "nothing.zip", NotFound, "There is no file"),
    ]
    for path, error, sentence in cases:
        with pytest.raises(error, match=sentence):
            load(other, path)
    with pytest.raises(Refused, match="says nothing"):
        load(other, _change(whole, "models/x/evil.safetensors", b"x"))
    with pytest.raises(BadInput, match="is missing"):
        load(other, _change(whole, MANIFEST, json.dumps(outside).encode()))
    newer = _change(whole, MANIFEST, json.dumps({**manifest, "version": 99}).encode())
    with pytest.raises(BadInput, match="newer Ratchet"):
        load(other, newer)

    assert other.value("select count(*) from models") == 0
    assert list(other.home.models.iterdir()) == []
    assert not (tmp_path / "evil").exists()
    assert [path.name for path in other.home.path.parent.iterdir()] == ["home"]


def test_a_path_that_leads_out_is_refused(played: Store, other: Store, tmp_path: Path) -> None:
    whole = tmp_path / "all.zip"
    save(played, whole, BACKUP)
    with zipfile.ZipFile(whole) as archive:
        manifest = json.loads(archive.read(MANIFEST))
    manifest["files"]["../evil"] = {"bytes": 1, "sha256": "x"}
    hostile = _change(_change(whole, "../evil", b"x").rename(tmp_path / "one.zip"), MANIFEST,
                      json.dumps(manifest).encode())  # fmt: skip

    with pytest.raises(Refused, match="leads out of it"):
        load(other, hostile)
    assert not (other.home.path.parent / "evil").exists()
