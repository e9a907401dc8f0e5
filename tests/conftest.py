"""Fixtures that every test may use: a fresh home, its store, the real data beside the project."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.home import Home
from storage.store import Store

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(autouse=True, scope="session")
def _no_zygote() -> Iterator[None]:
    """Studios that tests serve do without the process that runs fork from: most of them train nothing."""
    os.environ["RATCHET_ZYGOTE"] = "off"
    yield


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home folder that nobody has used."""
    return Home(tmp_path / "home")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with today's schema and no rows; copied for each test, for the migrations take a tenth of a second."""
    home = Home(tmp_path_factory.mktemp("empty") / "home")
    Store.open(home).close()
    return home.database


@pytest.fixture
def store(home: Home, empty_database: Path) -> Iterator[Store]:
    """A store with today's schema, in a file."""
    home.make()
    if not home.database.exists():
        shutil.copy(empty_database, home.database)
    opened = Store.open(home)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real files; the test is skipped where it is absent."""
    if not DATA.is_dir():
        pytest.skip("the folder with real data (../shared/data) is not here")
    return DATA
