"""A mend ends what it mends: by any text, the naughty strings of a public list among them."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from studio.curation.checks.check import TRASH
from studio.curation.checks.encoding import damage_of, repaired
from studio.curation.checks.personal import masked, spans_of
from studio.curation.checks.registry import checks

CHECKS = checks(Path("/nowhere"))
MENDABLE = [name for name, check in CHECKS.items() if check.mend and check.find]
PIECES = ["a@b.de", "+49 30 901820", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "93.184.216.34", "cafÃ©",
          "As an AI language model, ", "\x00", "\ud800", "\u200b", " ", "\n", "é", "数", "[EMAIL]", "sk-",
          "x", "+1 (650) 253-0000"]  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=12)), max_size=6).map("".join)
ROLES = st.sampled_from(["system", "user", "assistant"])
TURNS = st.lists(st.tuples(ROLES, TEXTS).map(lambda said: {"role": said[0], "content": said[1]}), max_size=5)


@settings(max_examples=150, deadline=None)
@given(TURNS)
@example([{"role": "assistant", "content": "As an AI, as an AI, ok"}])
def test_what_a_mend_makes_does_not_need_it_again(messages: list[dict[str, str]]) -> None:
    content: dict[str, Any] = {"messages": messages}
    for name in MENDABLE:
        find, mend = CHECKS[name].find, CHECKS[name].mend
        assert find is not None and mend is not None
        detail = find(content)
        made = mend(content, detail) if detail else None
        if isinstance(made, dict):
            again = find(made)
            assert made != content
            assert again is None or mend(made, again) in (None, TRASH) or name == "boilerplate"


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_masks_leave_nothing(text: str) -> None:
    spans = spans_of(text)

    assert spans_of(masked(text)) == []
    assert (masked(text) == text) is (spans == [])
    assert all(first.end <= second.start for first, second in pairwise(spans))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_a_repaired_text_is_sound(text: str) -> None:
    sound = repaired(text)

    assert damage_of(sound) != "mojibake" or repaired(sound) != sound


def test_naughty_strings(real_data: Path) -> None:
    strings = json.loads((real_data / "messy" / "blns.json").read_text(encoding="utf-8"))
    assert len(strings) > 400
    for said in strings:
        content = {"messages": [{"role": "user", "content": said}, {"role": "assistant", "content": said}]}
        for check in CHECKS.values():
            detail = check.find(content) if check.find else None
            if detail is not None:
                json.dumps(detail)
                assert detail["sentence"]


@pytest.mark.parametrize("name", MENDABLE)
def test_a_mend_leaves_what_it_was_given_alone(name: str) -> None:
    said = " As an AI language model, write to a@b.de, cafÃ©\x00 "
    content = {"messages": [{"role": role, "content": said} for role in ("user", "user", "assistant", "user")]}
    before = json.dumps(content)
    check = CHECKS[name]
    assert check.find is not None and check.mend is not None
    detail = check.find(content)

    if detail is not None:
        check.mend(content, detail)

    assert json.dumps(content) == before
