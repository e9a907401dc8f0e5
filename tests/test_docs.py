"""The README and the docs say what there is: verbs, settings, methods and the file tree."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from storage.specs.registry import METHODS
from studio.cli import VERBS
from studio.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]


def test_every_verb_is_in_the_readme_and_no_other() -> None:
    said = set(re.findall(r"^\| `ratchet ([a-z-]+)", README, flags=re.MULTILINE))

    assert said == {verb.name for verb in VERBS}


def test_every_setting_is_in_the_readme_and_no_other() -> None:
    said = set(re.findall(r"RATCHET_[A-Z_]+", README))
    settings = "\n".join((ROOT / "studio" / "settings.py").read_text(encoding="utf-8").splitlines())

    assert said == set(re.findall(r"RATCHET_[A-Z_]+", settings))
    assert {f"RATCHET_{item.name.upper()}" for item in fields(Settings) if item.name != "static"} == said


def test_the_proxy_of_the_readme_tells_what_the_studio_goes_by() -> None:
    """Host and scheme for the checks of a request, the address of each visitor for limits."""
    proxy = README.split("```nginx")[1].split("```")[0]
    told = dict(re.findall(r"proxy_set_header (\S+) (\S+);", proxy))

    assert told == {"Host": "$host", "X-Forwarded-Proto": "$scheme", "X-Forwarded-For": "$remote_addr"}


def test_every_training_method_is_in_the_readme() -> None:
    for method in METHODS.values():
        assert f"`{method.name}`" in README, method.name


def test_the_file_tree_names_every_folder_that_exists_and_none_that_does_not() -> None:
    tree = README.split("```text")[1].split("```")[0]
    named = {line.split()[0].rstrip("/") for line in tree.splitlines() if line.strip()}
    packages = ("studio", "storage", "trainers", "static", "tests", "bench")
    folders = {
        path.relative_to(ROOT).as_posix()
        for package in packages
        for path in [ROOT / package, *(ROOT / package).iterdir()]
        if path.is_dir() and not path.name.startswith(("__", "."))
    } - {"tests/browser/shots"}

    assert {name for name in named if (ROOT / name).is_dir()} == folders
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_to_files_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!http|#)([^)#]+)", path.read_text(encoding="utf-8"))

    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_make_targets_that_are_named_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))

    assert set(re.findall(r"`make ([a-z-]+)", path.read_text(encoding="utf-8"))) - targets == set()
