"""A round's report says what the store and the frozen run say, names nobody who voted, and shows text as text."""

import json
import re
from pathlib import Path

import pytest

from storage import rounds
from storage.comparisons import get_study
from storage.errors import NotFound
from storage.home import Home
from storage.store import Store
from studio.cli import main
from studio.pages.report import page
from studio.people.roles import Actor
from studio.rounds import ledger
from studio.rounds.promoting import promote
from studio.rounds.reporting import report
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.studio.training.project import SOUND, add_dataset, first_day, prompt, prompts_of, run_to_the_end, vote

HOSTILE = '<img src=x onerror="alert(1)"></script><script>alert(2)</script>'


@pytest.fixture
def played(store: Store) -> Store:
    """A round with a model and votes of two people: eight won, three lost, one tied."""
    first_day(store)
    add_dataset(store, "starter-prompts", "prompts", [{"prompt": prompt("p")}])
    settings = Settings.from_env({}, home=store.home.path)
    run_to_the_end(store, launch(store, settings, Request("sft", "starter", dataset="facts")))
    ledger.catch_up(store)
    study = get_study(store, rounds.list_rounds(store)[-1].measuring_study_id or "")
    for number, (asked, choice) in enumerate(zip(prompts_of("measure", 12), "b" * 8 + "aaa" + "t", strict=True)):
        vote(store, study, asked, "tie" if choice == "t" else choice, "anna" if number % 2 else "ben")
    return store


def test_the_figures_are_those_of_the_film(played: Store) -> None:
    said = report(played, 1).to_json()

    assert (said["round"], said["state"], said["model"], said["against"]) == (1, "open", "round-1-sft", "starter")
    assert said["material"] == {
        "dataset": "facts", "version": 1, "rows": 5, "study": None, "votes": None, "mixed": (),
    }  # fmt: skip
    assert (said["standing"]["wins"], said["standing"]["losses"], said["standing"]["ties"]) == (8, 3, 1)
    assert said["people"] == 2
    assert said["evaluation"] == SOUND
    assert (said["recipe"]["method"], said["recipe"]["base"]) == ("sft", "starter")
    assert {one["what"] for one in said["hashes"]} >= {"dataset version", "rows of the run", "base"}


def test_examples_are_of_each_outcome_and_always_the_same(played: Store) -> None:
    shown = report(played, 1).examples

    assert sorted(one["outcome"] for one in shown) == ["lost"] * 3 + ["neither"] + ["won"] * 3
    assert [one["number"] for one in report(played, 1).examples] == [one["number"] for one in shown]
    assert all((one["votes_new"], one["votes_old"]) == (1, 0) for one in shown if one["outcome"] == "won")


def test_nobody_who_voted_is_named(played: Store) -> None:
    text = page(report(played, 1).to_json(), "")

    assert "8 won, 3 lost, 1 neither" in text
    assert "12 blind votes of 2 people" in text
    assert not re.search(r"\b(anna|ben)\b", text)


def test_one_vote_and_one_row_are_told_as_one(played: Store) -> None:
    said = report(played, 1).to_json()
    one = {"standing": {**said["standing"], "votes": 1, "left_out": 1}, "people": 1}
    rows, votes = {**said["material"], "rows": 1}, {**said["material"], "study": "taste", "votes": 1}

    texts = [page({**said, **one, "material": material}, "") for material in (rows, votes)]

    assert "1 blind vote of 1 person:" in texts[0]
    assert "1 vote on prompts that trained a model is left out." in texts[0]
    assert "1 row of the dataset “facts”" in texts[0]
    assert "1 vote of the study “taste”" in texts[1]


def test_the_file_needs_nothing_else_and_text_stays_text(played: Store) -> None:
    study = get_study(played, "round-1")
    vote(played, study, prompt(HOSTILE), "b")
    played.execute("update answers set text = ?", [HOSTILE])

    text = page(report(played, 1).to_json(), "body { color: red }")

    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;" in text
    assert "<script" not in text
    assert "<img" not in text
    assert re.findall(r'(?:src|href)="', text) == []
    assert "default-src 'none'" in text


def test_the_verdict_tells_how_it_was_decided(played: Store) -> None:
    promote(played, Actor("tim", "trainer"), overrule=True, reason="The customer <likes> it.")

    text = page(report(played, 1).to_json(), "")

    assert "<b>It became champion.</b> Overruled by tim: The customer &lt;likes&gt; it." in text


def test_an_empty_round_is_told_as_such(store: Store) -> None:
    first_day(store)

    text = page(report(store, 1).to_json(), "")

    assert "Round 1: no model yet" in text
    assert "<b>Not decided yet.</b>" in text
    with pytest.raises(NotFound, match="no round 7"):
        report(store, 7)


def test_the_command_writes_the_file_once(played: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["report", "1", "--out", str(tmp_path / "one.html"), "--home", str(Home(played.home.path).path)]

    assert main([*words, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["round"], said["path"]) == (1, str(tmp_path / "one.html"))
    assert (tmp_path / "one.html").read_text("utf-8").startswith("<!doctype html>")
    assert main(words) == 1
    assert "is there already" in capsys.readouterr().err
