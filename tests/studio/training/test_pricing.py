"""The price on the button: time and memory in the words of people."""

import pytest

from studio.training.pricing import price

PRICES = [
    ((3.2, 9.4), (0.71, 0.89), "about 3 to 9 s, 700 to 900 MB"),
    ((20, 85.5), (0.73, 0.91), "about 1 min, 700 to 900 MB"),
    ((200, 290), (3.1, 3.9), "about 3 to 5 min, 3 to 4 GB"),
    ((230, 250), (3.0, 3.2), "about 4 min, 3 GB"),
    ((4000, 9000), (1.2, 1.9), "about 1.1 to 2.5 h, 1.2 to 1.9 GB"),
    ((0.2, 0.4), (12.4, 15.5), "about 1 s, 12 to 16 GB"),
]


@pytest.mark.parametrize(("seconds", "memory", "words"), PRICES)
def test_ranges_are_said_in_one_unit(seconds: tuple[float, float], memory: tuple[float, float], words: str) -> None:
    low, high = seconds
    least, most = memory

    assert price({"low": low, "high": high}, {"low": least, "high": most}) == words


def test_what_is_not_known_is_not_said() -> None:
    assert price(None, None) == ""
    assert price({"low": 60, "high": 60}, None) == "about 1 min"
