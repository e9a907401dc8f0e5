"""Greedy answers that stand already are given again, by the same weights alone, and say where they come from."""

import shutil
import threading
from pathlib import Path

import pytest

from storage.comparisons import NewComparison, add_comparison, answers_of, claim, create_study, get_comparison
from storage.models import add_model
from storage.prompts import as_messages
from storage.rows import Answer, Study
from studio.feedback.filling import Filler
from studio.feedback.hub import Hub
from studio.feedback.reuse import identity_of
from tests.studio.clients.conftest import Running
from tests.trainers.engine import tiny

pytestmark = pytest.mark.torch

GREEDY = {"sampling": {"temperature": 0, "max_tokens": 24}}


def answered(running: Running, study: Study, models: list[str]) -> list[Answer]:
    """The answers to one prompt in a study, made now."""
    contestants = [(running.store.value("select id from models where name = ?", [name]), name) for name in models]
    made = add_comparison(running.store, study, NewComparison(as_messages("What is it about?"), contestants))
    claimed = claim(running.store, made.id)
    assert claimed is not None
    Filler(running.store, running.engine, Hub(), threading.Event()).fill(claimed)
    assert get_comparison(running.store, made.id).comparison.error is None
    return answers_of(running.store, made.id)


def test_a_greedy_answer_is_made_once_and_says_whence_where_it_is_used_again(running: Running) -> None:
    first, second, drawn = (
        create_study(running.store, name, [running.a, running.b], None, settings)
        for name, settings in (("first", GREEDY), ("second", GREEDY), ("drawn", {"sampling": {"max_tokens": 24}}))
    )

    made = answered(running, first, ["a", "b", "a"])
    again = answered(running, second, ["b", "a"])
    other = answered(running, drawn, ["a", "b"])

    assert made[0].text == made[2].text == again[1].text
    assert made[1].text == again[0].text != made[0].text
    assert [(one.stamp or {}).get("reused") for one in made[:2]] == [None, None]
    assert [(one.stamp or {})["reused"] for one in again] == [f"study:{made[0].comparison_id}"] * 2
    assert [(one.stamp or {})["contestant"] for one in again] == ["b", "a"]
    assert [(one.stamp or {}).get("reused") for one in other] == [None, None]
    assert running.store.value("select count(*) from answers where key is not null") == 5


def test_other_weights_under_another_name_answer_for_themselves(running: Running, tmp_path: Path) -> None:
    folder = tiny.save_adapter(tmp_path / "c", Path(running.base.path or ""), 3)
    twin = shutil.copytree(running.a.path or "", tmp_path / "twin")
    for name, path in (("c", folder), ("twin", twin)):
        add_model(running.store, name, "adapter", base_id=running.base.id, parent_id=running.base.id, path=str(path))
    study = create_study(running.store, "third", [running.a], None, GREEDY)
    (before,) = answered(running, study, ["a"])

    c, same = answered(running, study, ["c", "twin"])

    assert (c.stamp or {}).get("reused") is None
    assert c.text != before.text
    assert same.text == before.text
    assert str((same.stamp or {})["reused"]).startswith("study:")


def test_what_the_engine_holds_is_what_it_says_of_itself(running: Running) -> None:
    identity = identity_of(running.engine, running.store, running.a)
    base = identity_of(running.engine, running.store, running.base)
    said = running.engine.health()

    assert identity is not None and base is not None and said is not None
    assert identity == base._replace(adapter_sha256=identity.adapter_sha256)
    assert (base.adapter_sha256, identity.dtype) == (None, "float32")
    assert said["load"] == {"urgent": 0, "background": 0, "most": 16}
