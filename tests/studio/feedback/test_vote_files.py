"""Votes go into files and come back the same; files from elsewhere come in, and bad lines are named."""

import json
from pathlib import Path

import pytest

from storage.comparisons import get_study
from storage.errors import BadInput, NotFound
from storage.home import Home
from storage.store import Store
from storage.votes import current_votes
from studio.feedback.leaderboard import leaderboard
from studio.feedback.queue import AHEAD
from studio.feedback.vote_files import export_votes, import_votes
from tests.studio.feedback.conftest import TRAINING, Bench


def _file(folder: Path, *lines: object) -> Path:
    path = folder / "votes.jsonl"
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines), "utf-8")
    return path


def test_what_is_exported_comes_back_exactly(bench: Bench, tmp_path: Path) -> None:
    bench.vote(bench.compare(TRAINING, ("yes", 'nö \'n\n"o"')), "a")
    bench.vote(bench.compare("two", ("x", "y")), "both_bad", "bob")
    bench.vote(bench.compare("three", ("x", "y")), "skip")
    first = export_votes(bench.store, "first-look", tmp_path / "out.jsonl")

    with_other_home = Store.open(Home(tmp_path / "other"))
    report = import_votes(with_other_home, tmp_path / "out.jsonl", "copied")
    second = export_votes(with_other_home, "copied")

    assert (report.imported, report.rejected, report.duplicates) == (2, 0, 0)
    assert second.lines == first.lines
    assert second.to_json() == {"study": "copied", "votes": 2, "lines": first.lines}
    with_other_home.close()


def test_reading_a_file_again_changes_nothing_also_without_ids(store: Store, tmp_path: Path) -> None:
    line = {"models": ["a", "b"], "choice": "a"}
    path = _file(tmp_path, line, line, {**line, "id": "own-id", "choice": "tie"})

    first, again = import_votes(store, path, "s"), import_votes(store, path, "s")
    grown = import_votes(store, _file(tmp_path, line, line, {**line, "id": "own-id", "choice": "tie"}, line), "s")

    assert [(r.imported, r.duplicates) for r in (first, again, grown)] == [(3, 0), (0, 3), (1, 3)]
    assert [(m["name"], m["votes"]) for m in leaderboard(store, "s").models] == [("a", 4), ("b", 4)]


def test_an_id_that_another_study_has_is_another_vote(store: Store, tmp_path: Path) -> None:
    path = _file(tmp_path, {"id": "v1", "models": ["a", "b"], "choice": "a"})

    reports = [import_votes(store, path, study) for study in ("one", "two", "two")]

    assert [(r.imported, r.duplicates) for r in reports] == [(1, 0), (1, 0), (0, 1)]


def test_votes_of_several_people_meet_on_one_comparison_in_either_order(store: Store, tmp_path: Path) -> None:
    ann = {"prompt": "Hi?", "models": ["a", "b"], "answers": ["x", "y"], "annotator": "ann", "choice": "a"}
    bob = {"prompt": "Hi?", "models": ["b", "a"], "answers": ["y", "x"], "annotator": "bob", "choice": "b",
           "shown_order": [0, 1]}  # fmt: skip
    import_votes(store, _file(tmp_path, ann, bob), "s")

    first, second = current_votes(store, get_study(store, "s").id)

    assert first.comparison_id == second.comparison_id
    assert (first.choice, second.choice, second.shown_order) == ("a", "a", [1, 0])
    assert leaderboard(store, "s").duels[0].wins_a == 2


def test_two_votes_of_one_person_on_the_same_texts_both_count(store: Store, tmp_path: Path) -> None:
    line = {"prompt": "Hi?", "models": ["a", "b"], "annotator": "ann", "choice": "a"}
    import_votes(store, _file(tmp_path, {**line, "id": "one"}, {**line, "id": "two"}), "s")

    (duel,) = leaderboard(store, "s").duels

    assert (duel.wins_a, duel.rate.units) == (2, 1)


def test_rankings_arena_lines_and_labels_come_in(store: Store, tmp_path: Path) -> None:
    talk = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]
    report = import_votes(
        store,
        _file(
            tmp_path,
            {"models": ["a", "b", "c"], "ranking": ["c", ["a", "b"]], "annotator": "ann"},
            {"question_id": "q1", "model_a": "a", "model_b": "b", "winner": "tie (bothbad)", "judge": "arena_user_1",
             "conversation_a": talk, "conversation_b": talk, "tstamp": 1682351448.09},
            {"item": 12, "annotator": "ann", "label": 3},
            {"item": "12", "annotator": "bob", "label": None},
            {"item": 12, "annotator": "ann", "label": 4},
        ),
        "s",
    )  # fmt: skip

    assert (report.imported, report.labels, report.duplicates, report.rejected) == (4, 2, 1, 0)
    board = leaderboard(store, "s")
    assert [(d.a, d.b, d.wins_a, d.wins_b, d.ties, d.both_bad) for d in board.duels] == [
        ("a", "b", 0, 0, 1, 1),
        ("a", "c", 0, 1, 0, 0),
        ("b", "c", 0, 1, 0, 0),
    ]
    lines = [json.loads(line) for line in export_votes(store, "s").lines]
    assert lines[0]["ranking"] == [2, [0, 1]]
    assert lines[1]["prompt"] == "Hi?"
    assert lines[2:] == [
        {"item": "12", "annotator": "ann", "label": 3},
        {"item": "12", "annotator": "bob", "label": None},
    ]


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        ("{oops", 2, "not JSON: Expecting property name enclosed in double quotes at character 2."),
        ("[1]", 1, "a vote is an object in braces, not a list."),
        ({"models": ["a"], "choice": "a"}, "models", "models names the 2 to 8 contestants, not 1."),
        ({"models": ["a", 3], "choice": "a"}, "models", "models is a list of texts."),
        ({"models": ["a", "b"]}, "choice", "a vote needs choice (a, b, tie or both_bad) or ranking."),
        ({"models": ["a", "b"], "choice": "c"}, "choice", 'choice is one of a, b, tie, both_bad, not "c".'),
        ({"models": ["a", "b", "c"], "choice": "a"}, "ranking", "a vote on 3 answers needs a ranking."),
        ({"models": ["a", "b"], "ranking": [0]}, "ranking", "ranking names each of the 2 answers once."),
        ({"models": ["a", "b"], "ranking": ["a", "d"]}, "ranking",
         '"d" is none of the answers: use 0 to 1, or the model.'),
        ({"models": ["a", "b"], "ranking": [1, 0], "choice": "a"}, "choice",
         "choice and ranking say different things."),
        ({"models": ["a", "b"], "choice": "a", "answers": ["x"]}, "answers", "there are 1 answers and 2 models."),
        ({"models": ["a", "b"], "choice": "a", "shown_order": [0, 0]}, "shown_order",
         "shown_order lists the positions 0 to 1 from left to right."),
        ({"models": ["a", "b"], "choice": "a", "created_at": "soon"}, "created_at",
         "created_at is seconds since 1970 or a date as 2026-01-31T12:00:00Z."),
        ('{"models": ["a", "b"], "choice": "a", "seconds": NaN}', 1, "NaN is no JSON number."),
        ({"item": "1", "annotator": "ann", "label": [1]}, "label", "a label is a number, a word or null, not a list."),
    ],
)  # fmt: skip
def test_a_bad_line_is_named_and_the_good_ones_go_in(
    store: Store, tmp_path: Path, line: object, column: object, message: str
) -> None:
    good = {"models": ["a", "b"], "choice": "a"}

    report = import_votes(store, _file(tmp_path, good, line, good), "s").to_json()

    assert (report["imported"], report["rejected"]) == (2, 1)
    assert report["errors"] == [{"line": 2, "column": column, "message": message}]


def test_a_file_of_bad_lines_makes_no_study(store: Store, tmp_path: Path) -> None:
    report = import_votes(store, _file(tmp_path, "nonsense"), "s")

    assert (report.imported, report.rejected) == (0, 1)
    with pytest.raises(NotFound):
        get_study(store, "s")


def test_files_that_cannot_be_read_are_a_sentence(store: Store, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_bytes(b"\n\n")
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00{}\n")

    with pytest.raises(BadInput, match=r'"empty\.jsonl" is empty'):
        import_votes(store, tmp_path / "empty.jsonl", "s")
    with pytest.raises(NotFound, match="There is no file"):
        import_votes(store, tmp_path / "absent.jsonl", "s")
    assert import_votes(store, tmp_path / "binary.jsonl", "s").errors == [(1, 1, "byte 1 is not UTF-8.")]


def test_imported_answers_can_be_judged_and_votes_without_texts_wait_for_nobody(store: Store, tmp_path: Path) -> None:
    from studio.feedback.queue import upcoming
    from studio.feedback.study_settings import change_settings

    with_texts = {"prompt": "Hi?", "models": ["a", "b"], "answers": ["x", "y"], "annotator": "ann", "choice": "a"}
    import_votes(store, _file(tmp_path, with_texts, {"prompt": "Ho?", "models": ["a", "b"], "choice": "b"}), "s")

    study = change_settings(store, get_study(store, "s"), {"overlap": 2})
    shown = upcoming(store, study, "me", AHEAD)

    assert [one.whole.comparison.prompt[0]["content"] for one in shown] == ["Hi?"]
    assert store.value("select count(*) from comparisons where state = 'waiting'") == 0


def test_five_thousand_votes_come_in_and_give_the_published_ratings(
    store: Store, real_data: Path, tmp_path: Path
) -> None:
    """The citations of four journals, one vote a line, through the file, as `ratchet votes import` reads it."""
    examples = json.loads((real_data / "agree" / "worked_examples_shared.json").read_text("utf-8"))
    case = next(example for example in examples if example["id"] == "citations_bradley_terry")
    names, matrix = case["names"], case["matrix_row_cited_by_col"]
    lines = [
        {"models": [names[i], names[j]], "choice": "a"}
        for i in range(4) for j in range(4) if i != j for _ in range(matrix[i][j])
    ]  # fmt: skip

    report = import_votes(store, _file(tmp_path, *lines), "journals")
    board = leaderboard(store, "journals")
    strength = {model["name"]: model["strength"] for model in board.models}

    assert report.imported == len(lines) == 3727
    assert {
        name: round(value - strength["Biometrika"], 4) for name, value in strength.items() if name != "Biometrika"
    } == case["expected"]["log_ability_ref_Biometrika"]
    assert (round(board.fit["deviance"], 3), board.fit["df"]) == (case["expected"]["residual_deviance"], 3)
