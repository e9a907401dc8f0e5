"""What the administrator allowed can be listed and chosen, and nothing beside it."""

import os
from pathlib import Path

import pytest

from storage.errors import NotFound
from storage.store import Store
from studio.curation import uploads
from studio.curation.allowed_folders import MOST_LISTED, AllowedFolders


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder with two files, a sub-folder with one, and what must not be seen."""
    shelf = tmp_path.resolve() / "shelf"
    (shelf / "deep").mkdir(parents=True)
    (shelf / ".git").mkdir()
    (shelf / ".git" / "secret.jsonl").write_text("x")
    (shelf / "b.csv").write_text("prompt,completion\n1+1?,2\n")
    (shelf / "A.jsonl").write_text("{}")
    (shelf / ".hidden.jsonl").write_text("x")
    (shelf / "deep" / "c.txt").write_text("x")
    return shelf


@pytest.fixture
def allowed(store: Store, shelf: Path) -> AllowedFolders:
    return AllowedFolders([shelf], store.home)


def _names(allowed: AllowedFolders, path: str = "") -> tuple[list[str], list[str]]:
    listing = allowed.list(0, path)
    return [entry.name for entry in listing.folders], [entry.name for entry in listing.files]


def test_a_list_has_folders_and_files_by_name_without_hidden_ones(allowed: AllowedFolders, shelf: Path) -> None:
    listing = allowed.list(0)

    assert (listing.name, listing.path, listing.left_out) == ("shelf", "", 0)
    assert _names(allowed) == (["deep"], ["A.jsonl", "b.csv"])
    assert _names(allowed, "deep") == ([], ["c.txt"])
    facts = (shelf / "b.csv").stat()
    assert (listing.files[1].size, listing.files[1].modified) == (facts.st_size, facts.st_mtime)


def test_a_chosen_file_is_referred_to_and_removing_the_upload_leaves_it(
    allowed: AllowedFolders, store: Store, shelf: Path
) -> None:
    chosen = allowed.choose(0, "deep/c.txt")

    assert uploads.located(store.home, chosen.id) == (shelf / "deep" / "c.txt", "c.txt")
    assert (chosen.name, chosen.size) == ("c.txt", 1)
    uploads.remove(store.home, chosen.id)
    assert (shelf / "deep" / "c.txt").read_text() == "x"
    assert list(store.home.uploads.iterdir()) == []


def test_a_link_is_followed_inside_the_folder_only(allowed: AllowedFolders, shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.jsonl").write_text("secret")
    (shelf / "inner.jsonl").symlink_to(shelf / "b.csv")
    (shelf / "outer.jsonl").symlink_to(tmp_path / "outside.jsonl")
    (shelf / "up").symlink_to(tmp_path)
    (shelf / "to-hidden.jsonl").symlink_to(shelf / ".git" / "secret.jsonl")
    (shelf / "round").symlink_to(shelf / "round")
    (shelf / "dangling").symlink_to(shelf / "nothing")
    os.mkfifo(shelf / "pipe")

    assert _names(allowed) == (["deep"], ["A.jsonl", "b.csv", "inner.jsonl"])
    for path in ("outer.jsonl", "up/outside.jsonl", "to-hidden.jsonl", "round", "dangling", "pipe"):
        with pytest.raises(NotFound):
            allowed.choose(0, path)


@pytest.mark.parametrize(
    "path",
    ["..", "../outside.jsonl", "deep/../../x", ".git/secret.jsonl", ".hidden.jsonl", "/etc/passwd", "a\x00b", "deep"],
)  # fmt: skip
def test_a_path_that_no_list_shows_is_not_found(allowed: AllowedFolders, path: str) -> None:
    with pytest.raises(NotFound):
        allowed.choose(0, path)


@pytest.mark.parametrize("folder", [-1, 1])
def test_a_folder_that_was_not_allowed_is_not_found(allowed: AllowedFolders, folder: int) -> None:
    with pytest.raises(NotFound):
        allowed.list(folder)


def test_the_project_itself_is_not_shown(store: Store) -> None:
    above = store.home.path.resolve().parent
    (above / "rows.jsonl").write_text("{}")
    allowed = AllowedFolders([above], store.home)

    folders, files = _names(allowed)

    assert store.home.path.name not in folders and "rows.jsonl" in files
    with pytest.raises(NotFound):
        allowed.choose(0, f"{store.home.path.name}/ratchet.db")


def test_a_file_that_became_a_link_after_it_was_chosen_is_not_read(
    allowed: AllowedFolders, store: Store, shelf: Path, tmp_path: Path
) -> None:
    chosen = allowed.choose(0, "b.csv")
    (tmp_path / "outside.jsonl").write_text("secret")
    (shelf / "b.csv").unlink()
    (shelf / "b.csv").symlink_to(tmp_path / "outside.jsonl")

    with pytest.raises(NotFound, match=r'"b\.csv" is no longer where it was'):
        uploads.located(store.home, chosen.id)


def test_a_folder_with_very_many_files_says_how_many_it_does_not_show(allowed: AllowedFolders, shelf: Path) -> None:
    many = shelf / "many"
    many.mkdir()
    for number in range(MOST_LISTED + 5):
        (many / f"{number:04}.jsonl").touch()

    listing = allowed.list(0, "many")

    assert (len(listing.files), listing.left_out) == (MOST_LISTED, 5)


def test_folders_that_end_alike_are_told_apart(store: Store, tmp_path: Path) -> None:
    folders = [tmp_path / "a" / "data", tmp_path / "b" / "data", tmp_path / "more"]

    assert AllowedFolders(folders, store.home).names() == [str(folders[0]), str(folders[1]), "more"]
