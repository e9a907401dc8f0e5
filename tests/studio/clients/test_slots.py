"""Questions at once are counted across processes, and whoever dies gives its slot back."""

import subprocess
import sys
from pathlib import Path

import pytest

from studio.clients.slots import Slots

pytestmark = pytest.mark.heavy

HOLD = """
import sys
from pathlib import Path
from studio.clients.slots import Slots
with Slots(Path(sys.argv[1]), 1, "far").one(0):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_counts_too_and_its_death_frees_the_slot(tmp_path: Path) -> None:
    slots = Slots(tmp_path / "far", 1, "far")
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "far")], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"

    while_held = slots.free(0)
    other.kill()
    other.communicate()

    assert while_held is False
    with slots.one(0):
        assert slots.free(0) is False
    assert slots.free(0) is True


def test_each_endpoint_has_slots_of_its_own(tmp_path: Path) -> None:
    with Slots(tmp_path / "a", 1, "a").one(0), Slots(tmp_path / "b", 1, "b").one(0):
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_what_is_made_ahead_never_takes_the_last_slot(tmp_path: Path) -> None:
    slots = Slots(tmp_path, 3, "far")

    with slots.one(2), slots.one(1):
        assert (slots.free(1), slots.free(0)) == (False, True)


def test_where_there_is_one_slot_all_share_it(tmp_path: Path) -> None:
    with Slots(tmp_path, 1, "far").one(2):
        assert Slots(tmp_path, 1, "far").free(0) is False
