"""`ratchet bench NAME` runs a measurement of the checkout and passes on the object that it prints."""

from pathlib import Path

import pytest

from storage.errors import BadInput, NotFound, NotReady
from studio.measuring import benches, measure

WHOLE = """
import json, sys
def run():
    return {"name": "half", "ratios": [], "met": True, "words": sys.argv[1:]}
if __name__ == "__main__":
    print("on the way", file=sys.stderr)
    print(json.dumps(run()))
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "half.py").write_text(WHOLE)
    (tmp_path / "bench" / "broken.py").write_text(
        "def run(): ...\nif __name__ == '__main__':\n    raise SystemExit(3)\n"
    )
    (tmp_path / "bench" / "people.py").write_text("ROWS = 3\n")
    return tmp_path


def test_the_measurements_of_this_project_are_listed_and_their_parts_are_not() -> None:
    found = benches()

    assert {"import", "browse", "leaderboard", "effects"} <= set(found)
    assert {"judging", "chat_rows"} & set(found) == set()


def test_a_measurement_gets_its_words_and_its_object_comes_back(checkout: Path) -> None:
    assert measure("half", ["sft"], checkout) == {"name": "half", "ratios": [], "met": True, "words": ["sft"]}


def test_an_unknown_one_is_refused_with_the_names_there_are(checkout: Path) -> None:
    with pytest.raises(BadInput, match='no measurement "people"; there are broken, half'):
        measure("people", root=checkout)


def test_one_that_breaks_off_is_told(checkout: Path) -> None:
    with pytest.raises(NotReady, match="broken broke off with exit code 3"):
        measure("broken", root=checkout)


def test_an_installed_package_has_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="from a checkout of the project"):
        benches(tmp_path)
