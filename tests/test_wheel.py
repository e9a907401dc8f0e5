"""The built wheel holds everything that a user needs, and starts from a fresh environment."""

import json
import os
import subprocess
import sys
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.torch  # it starts the whole studio, engine included


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(ROOT)], check=True)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def ratchet(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a fresh environment that sees our libraries and nothing of this checkout."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=False, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", str(wheel)], check=True)
    # Afterwards, or pip would find this checkout's own installation among the libraries and leave it at that.
    packages = next((folder / "lib").glob("python*")) / "site-packages"
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "libraries.pth").write_text("\n".join(libraries))
    return folder / "bin" / "ratchet"


def test_the_wheel_holds_the_code_the_pages_files_and_the_starter(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    wanted = {"studio/static/studio.css", "studio/static/shell.js", "studio/static/starter/model/config.json"}
    assert wanted - names == set()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"studio", "storage", "trainers"}


@pytest.fixture
def served(ratchet: Path, tmp_path: Path) -> Iterator[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    process = subprocess.Popen(
        [ratchet, "serve", "--home", str(tmp_path / "home"), "--port", "0", "--json"],
        stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert process.stdout is not None
    yield json.loads(process.stdout.readline())["url"]
    process.terminate()
    assert process.wait(timeout=20) == 0


def test_the_installed_studio_serves_its_pages_and_its_files(served: str) -> None:
    page = urllib.request.urlopen(served + "/", timeout=30).read().decode()
    style = urllib.request.urlopen(served + "/static/studio.css", timeout=30)

    assert "Ratchet" in page
    assert style.status == 200


def test_the_installed_command_lists_the_starter(ratchet: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [ratchet, "datasets", "--home", str(tmp_path / "home"), "--json"],
        capture_output=True, text=True, cwd=tmp_path, check=True,
    )  # fmt: skip

    assert {(item["name"], item["kind"]) for item in json.loads(done.stdout)["datasets"]} == {
        ("starter", "sft"),
        ("starter-prompts", "prompts"),
    }
