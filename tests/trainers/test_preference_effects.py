"""Every preference method and every loss makes the starter say what was preferred, on prompts that nobody voted on."""

from pathlib import Path

import pytest

from tests.trainers.effects.preferences import COSTS_AT_MOST, EFFECTS, RISES_BY

pytestmark = [pytest.mark.torch, pytest.mark.slow]


@pytest.mark.parametrize("name", EFFECTS)
def test_the_preferred_style_rises_and_answers_stay_right(name: str, tmp_path: Path) -> None:
    found = EFFECTS[name](tmp_path)

    print(name, found)  # pytest -s shows the numbers
    assert found["after"] >= found["before"] + RISES_BY
    assert found["correct_after"] >= found["correct_before"] - COSTS_AT_MOST
    assert (found["empty"], found["met"]) == (0, True)
