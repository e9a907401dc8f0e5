"""Votes of others come in by the same door: the Arena's, MT-bench's, LLMBar's, PandaLM's; lines, arrays and tables."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from storage.comparisons import get_comparison, get_study
from storage.home import Home
from storage.store import Store
from storage.votes import current_votes
from studio.feedback.leaderboard import leaderboard
from studio.feedback.vote_files import export_votes, import_votes
from tests.studio.feedback.conftest import Bench
from tests.studio.feedback.spoken import many, say


def _turn(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def _file(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1), "utf-8")
    return path


def _said(store: Store) -> list[tuple[str, str, str]]:
    return [
        (get_comparison(store, vote.comparison_id).comparison.prompt[-1]["content"], vote.annotator, vote.choice)
        for vote in current_votes(store, get_study(store, "s").id)
    ]


@pytest.mark.parametrize(("name", "rows", "votes"), [
    ("llmbar_natural.json", 100, 100), ("llmbar_fairEval_human.json", 66, 66),
    ("llmbar_natural_gpt4_judge.json", 100, 200),
])  # fmt: skip
def test_llmbar_files_come_in_whole_and_only_once(
    store: Store, real_data: Path, name: str, rows: int, votes: int
) -> None:
    path = real_data / "pref" / name

    first, again = import_votes(store, path, "s"), import_votes(store, path, "s")

    assert (first.imported, first.rejected, first.duplicates) == (votes, 0, 0)
    assert (again.imported, again.duplicates) == (0, votes)
    (duel,) = leaderboard(store, "s").duels
    labels = [row["label"] for row in json.loads(path.read_text("utf-8"))]
    assert {duel.a, duel.b} == {"output_1", "output_2"}
    assert len(labels) == rows
    if votes == rows:
        assert (duel.wins_a, duel.wins_b) == (labels.count(1), labels.count(2))


def test_a_judge_asked_in_both_orders_ties_where_it_named_two_winners(store: Store, tmp_path: Path) -> None:
    def row(prompt: str, *winners: str) -> dict[str, Any]:
        results = [{f"swap = {number}": {"winner": winner} for number, winner in enumerate(winners)}]
        return {"input": prompt, "output_1": "x", "output_2": "y", "label": 2, "results": results}

    import_votes(store, _file(tmp_path, "judge.json", [row("one", "1", "1"), row("two", "1", "2")]), "s")

    assert _said(store) == [
        ("one", "LLMBar", "b"), ("one", "judge", "a"), ("two", "LLMBar", "b"), ("two", "judge", "tie"),
    ]  # fmt: skip


def test_a_line_of_pandalm_is_as_many_votes_as_it_has_annotators(store: Store, tmp_path: Path) -> None:
    row = {"instruction": "Translate.", "input": "Bonjour", "response1": "Hello", "response2": "Bye", "annotator1": 1,
           "annotator2": 1, "annotator3": 0, "cmp_key": "opt-7B_pythia-6.9B", "idx": 0}  # fmt: skip
    broken = {**row, "annotator2": 3}

    path = _file(tmp_path, "pandalm.json", [row, {**row, "input": "", "annotator3": 2}, broken])
    reports = [import_votes(store, path, "s") for _ in range(2)]

    assert [(one.imported, one.duplicates, one.rejected) for one in reports] == [(6, 0, 1), (0, 6, 1)]
    assert reports[0].errors[0].column == "annotator2"
    assert reports[0].errors[0].message == "annotator2 is 1, 2 or 0 for a tie, not 3."
    assert _said(store)[:3] == [
        ("Translate.\n\nBonjour", "annotator1", "a"),
        ("Translate.\n\nBonjour", "annotator2", "a"),
        ("Translate.\n\nBonjour", "annotator3", "tie"),
    ]
    (duel,) = leaderboard(store, "s").duels
    assert (duel.a, duel.b, duel.wins_a, duel.wins_b, duel.ties) == ("opt-7B", "pythia-6.9B", 4, 1, 1)


def test_a_battle_of_the_new_arena_keeps_the_turns_that_each_side_went_on_by_itself(
    store: Store, tmp_path: Path
) -> None:
    def talk(side: str) -> list[dict[str, Any]]:
        parts = [{"type": "text", "text": "Hi?", "image": None}]
        return [_turn("user", parts), _turn("assistant", f"first {side}"), _turn("user", "And?"),
                _turn("assistant", f"second {side}")]  # fmt: skip

    battle = {
        "id": "v-1",
        "model_a": "m",
        "model_b": "n",
        "winner": "both_bad",
        "conversation_a": talk("a"),
        "conversation_b": talk("b"),
        "evaluation_session_id": "x",
        "timestamp": "2025-07-01T12:00:00",
    }
    import_votes(store, _file(tmp_path, "arena.jsonl", json.dumps(battle)), "s")

    (vote,) = current_votes(store, get_study(store, "s").id)
    whole = get_comparison(store, vote.comparison_id)
    assert (vote.id, vote.choice, vote.created_at) == ("v-1", "both_bad", 1751371200.0)
    assert whole.comparison.prompt == [_turn("user", "Hi?")]
    assert [(one.text, one.history) for one in whole.answers] == [
        (f"second {side}", [_turn("assistant", f"first {side}"), _turn("user", "And?")]) for side in "ab"
    ]


def test_mt_bench_judges_a_turn_and_its_question_is_no_id(store: Store, tmp_path: Path) -> None:
    def talk(side: str) -> list[dict[str, Any]]:
        return [
            _turn("user", "Hi?"),
            _turn("assistant", f"1{side}"),
            _turn("user", "And?"),
            _turn("assistant", f"2{side}"),
        ]

    said = (("expert_1", 1, "model_a"), ("expert_2", 1, "model_b"), (["gpt-4", "pair"], 2, "tie"))
    lines = [
        {"question_id": 81, "model_a": "m", "model_b": "n", "winner": winner, "judge": judge, "turn": turn,
         "conversation_a": talk("a"), "conversation_b": talk("b")}
        for judge, turn, winner in said
    ]  # fmt: skip
    path = _file(tmp_path, "mt.jsonl", "".join(f"{json.dumps(line)}\n" for line in lines))

    reports = [import_votes(store, path, "s") for _ in range(2)]

    assert [(one.imported, one.duplicates) for one in reports] == [(3, 0), (0, 3)]
    votes = current_votes(store, get_study(store, "s").id)
    assert [vote.annotator for vote in votes] == ["expert_1", "expert_2", "gpt-4 pair"]
    first, second, third = (get_comparison(store, vote.comparison_id) for vote in votes)
    assert first.comparison.id == second.comparison.id
    assert [answer.text for answer in first.answers] == ["1a", "1b"]
    assert [answer.text for answer in third.answers] == ["2a", "2b"]


def test_the_arenas_table_has_the_winner_in_three_columns(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "model_a", "model_b", "prompt", "response_a", "response_b", "winner_model_a",
                         "winner_model_b", "winner_tie"])  # fmt: skip
        writer.writerow([7, "m", "n", '["Hi?\\nYou?"]', '["x"]', '["y"]', 0, 1, 0])
        writer.writerow([8, "m", "n", '["Ho?","And?"]', '["x","xx"]', '["y","yy"]', 0, 0, 1])
        writer.writerow([9, "m", "n", '["Ha?"]', '["x"]', '["y"]', 1, 1, 0])

    report = import_votes(store, path, "s")

    assert (report.imported, report.rejected, report.errors[0].line) == (2, 1, 4)
    assert _said(store) == [("Hi?\nYou?", "unknown", "b"), ("Ho?", "unknown", "tie")]


def test_what_is_bad_in_an_array_is_named_by_its_line_and_the_rest_comes_in(store: Store, tmp_path: Path) -> None:
    good = '{"models": ["a", "b"], "choice": "a"}'
    path = _file(tmp_path, "votes.json", f'[\n{good},\n{{"models": ["a"]}},\n{good},\n{{oops}}\n]')

    report = import_votes(store, path, "s")

    assert (report.imported, report.rejected) == (2, 2)
    assert [(one.line, one.column) for one in report.errors] == [(3, "models"), (5, 1)]
    assert report.errors[1].message.endswith("from here on nothing was read.")


def test_every_kind_of_vote_goes_out_and_comes_in_elsewhere_the_same(bench: Bench, tmp_path: Path) -> None:
    details: dict[str, Any] = {
        "strength": 3, "criteria": {"right": [5, None]}, "chips": ["true", "short"], "rationale": "nö\n\"x\"",
        "edited": "better", "edited_position": 1, "shown_order": [1, 0], "seconds": 4.5, "created_at": 12.25,
    }  # fmt: skip
    say(bench, bench.compare("one"), "ann", "a", **details)
    say(bench, bench.compare("two"), "ann", "both_bad")
    say(bench, bench.compare("three"), "ann", "skip", reason="Not my subject")
    say(bench, many(bench, "x", "y", "z"), "ann", "ranking", ranking=[2, [0, 1]], shown_order=[2, 0, 1])
    rated = many(bench, "x", prompt="Rate")
    for person, rating in (("ann", 4.0), ("bob", 2.0)):
        say(bench, rated, person, "rating", rating=rating, chips=["rude"])
    first = export_votes(bench.store, "first-look", tmp_path / "out.jsonl", with_skips=True)

    elsewhere = Store.open(Home(tmp_path / "other"))
    report = import_votes(elsewhere, tmp_path / "out.jsonl", "copied")
    again = import_votes(elsewhere, tmp_path / "out.jsonl", "copied")

    assert (report.imported, report.rejected, again.duplicates) == (6, 0, 6)
    assert export_votes(elsewhere, "copied", with_skips=True).lines == first.lines
    line = json.loads(first.lines[0])
    assert (line["edited_answer"], line["chips"], line["criteria"]) == ("b", ["true", "short"], {"right": [5, None]})
    assert len(export_votes(elsewhere, "copied").lines) == 5
    assert leaderboard(elsewhere, "copied").ratings[0]["mean"] == 3.0
    elsewhere.close()


def test_what_a_vote_says_of_answers_turns_with_them_where_another_line_named_them_first(
    store: Store, tmp_path: Path
) -> None:
    ann = {"prompt": "Hi?", "models": ["a", "b", "c"], "answers": ["x", "y", "z"], "annotator": "ann",
           "ranking": ["a", "b", "c"]}  # fmt: skip
    bob = {"prompt": "Hi?", "models": ["c", "a", "b"], "answers": ["z", "x", "y"], "annotator": "bob",
           "ranking": ["c", "a", "b"], "criteria": {"right": [1, 2, 3]}, "edited": "Z",
           "edited_answer": "a"}  # fmt: skip
    import_votes(store, _file(tmp_path, "votes.jsonl", f"{json.dumps(ann)}\n{json.dumps(bob)}"), "s")

    first, second = current_votes(store, get_study(store, "s").id)

    assert first.comparison_id == second.comparison_id
    assert (second.ranking, second.criteria, second.edited_position) == ([2, 0, 1], {"right": [2, 3, 1]}, 0)


@pytest.mark.parametrize(("line", "column", "message"), [
    ({"model_a": "m", "model_b": "n", "winner": "model_c"}, "winner",
     'winner is one of model_a, model_b, tie, tie (bothbad), tie (both bad), bothbad, both_bad, not "model_c".'),
    ({"model_a": "m", "model_b": "n", "winner": "tie", "conversation_a": "none", "conversation_b": []},
     "conversation_a", "conversation_a is a list of messages with role and content."),
    ({"input": "i", "output_1": "x", "output_2": "y", "label": 3}, "label", "label is 1, 2 or 0 for a tie, not 3."),
    ({"instruction": "i", "response1": "x", "response2": "y"}, "annotator1",
     "there is no vote: annotator1 and the like are 0, 1 or 2."),
    ({"models": ["a", "b"], "rating": 4}, "rating",
     "rating judges one answer, and such a vote has neither choice nor ranking."),
    ({"models": ["a", "b"], "choice": "a", "edited": "x", "edited_answer": "q"}, "edited_answer",
     '"q" is none of the answers: use 0 to 1, or the model.'),
    ({"models": ["a", "b"], "choice": "a", "histories": [[1], None]}, "histories",
     "histories is, for each answer, null or a list of messages with role and content."),
])  # fmt: skip
def test_a_bad_record_of_any_shape_is_named(
    store: Store, tmp_path: Path, line: dict[str, Any], column: str, message: str
) -> None:
    report = import_votes(store, _file(tmp_path, "votes.jsonl", json.dumps(line)), "s")

    assert [tuple(one) for one in report.errors] == [(1, column, message)]
