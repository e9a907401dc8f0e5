"""Answers that exist already become comparisons without any model."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from storage.batches import open_batch, publish
from storage.comparisons import answers_of, get_study
from storage.datasets import create_dataset
from storage.errors import BadInput, Conflict
from storage.examples import Draft, add_examples
from storage.home import Home
from storage.prompts import as_messages
from storage.rows import Answer
from storage.store import Store
from studio.feedback.standing_answers import compare_answers
from studio.feedback.studies import judgeable, newest_open
from studio.feedback.study_settings import settings_of
from studio.settings import Settings
from studio.studio import Studio


def _answer(text: str) -> list[dict[str, Any]]:
    return [{"role": "assistant", "content": text}]


def _pair(prompt: str, chosen: str, rejected: str, **metadata: str) -> dict[str, Any]:
    sides = {"prompt": as_messages(prompt), "chosen": _answer(chosen), "rejected": _answer(rejected)}
    return {**sides, **({"metadata": metadata} if metadata else {})}


def _dataset(store: Store, kind: str, *contents: dict[str, Any]) -> None:
    dataset = create_dataset(store, "judged", kind)
    batch = open_batch(store, dataset.id, "import", "me")
    add_examples(store, batch, [Draft(content, str(number)) for number, content in enumerate(contents)])
    publish(store, batch)


def _made(store: Store) -> list[list[Answer]]:
    rows = store.rows("select id from comparisons where state = 'ready' order by number")
    return [answers_of(store, row["id"]) for row in rows]


def test_a_preference_is_a_pair_that_is_ready_at_once(store: Store) -> None:
    _dataset(store, "preference", _pair("Open?", "Yes.", "No."), _pair("Hours?", "9 to 5.", "Who knows."))

    made = compare_answers(store, "old", "judged")

    assert made.to_json() == {
        "study": "old", "comparisons": 2, "failed": 0, "error": None, "known": 0, "left_out": {}
    }  # fmt: skip
    assert [[(one.model_name, one.text) for one in answers] for answers in _made(store)] == [
        [("chosen", "Yes."), ("rejected", "No.")],
        [("chosen", "9 to 5."), ("rejected", "Who knows.")],
    ]
    study = get_study(store, "old")
    assert (study.models, judgeable(study), newest_open(store)) == ([], True, study)


def test_a_second_time_adds_only_what_is_new(store: Store) -> None:
    _dataset(store, "preference", _pair("Open?", "Yes.", "No."), _pair("Hours?", "9 to 5.", "Who knows."))

    first = compare_answers(store, "old", "judged", count=1)
    second = compare_answers(store, "old", "judged")

    assert (first.made, first.known, second.made, second.known, len(_made(store))) == (1, 0, 1, 1, 2)


def test_names_of_models_come_from_metadata(store: Store) -> None:
    about = {"chosen_model": "grand-walrus", "model-rejected": "nimble-otter", "rejected_model_id": "7"}
    _dataset(store, "preference", _pair("Open?", "Yes.", "No.", **about))

    compare_answers(store, "old", "judged")

    assert [one.model_name for one in _made(store)[0]] == ["grand-walrus", "nimble-otter"]
    assert [one.model_id for one in _made(store)[0]] == [None, None]


def test_several_pairs_of_one_prompt_are_ranked_together(store: Store) -> None:
    rows = [_pair("Open?", "Yes.", "No."), _pair("Open?", "Yes.", "Maybe."), _pair("Open?", "Sure.", "No.")]
    _dataset(store, "preference", *rows, _pair("Alone?", "Same.", "Same."))

    made = compare_answers(store, "ranked", "judged", wishes={"layout": "rank"})

    assert (made.made, made.left_out) == (1, {"fewer than two different answers": 1})
    assert sorted(one.text or "" for one in _made(store)[0]) == ["Maybe.", "No.", "Sure.", "Yes."]
    assert settings_of(get_study(store, "ranked")).sides == 4


def test_without_a_ranking_they_stay_pairs(store: Store) -> None:
    _dataset(store, "preference", _pair("Open?", "Yes.", "No."), _pair("Open?", "Yes.", "Maybe."))

    compare_answers(store, "pairs", "judged")

    assert [[one.text for one in answers] for answers in _made(store)] == [["Yes.", "No."], ["Yes.", "Maybe."]]


def test_more_answers_than_a_ranking_shows_are_shared_out(store: Store) -> None:
    answers = [{"messages": _answer(f"answer {number}"), "model": f"model-{number}"} for number in range(7)]
    _dataset(store, "prompts", {"prompt": as_messages("Open?"), "answers": answers})

    compare_answers(store, "ranked", "judged", wishes={"layout": "rank", "sides": 4})

    made = _made(store)
    assert sorted(len(answers) for answers in made) == [3, 4]
    assert Counter(one.model_name for answers in made for one in answers) == {f"model-{n}": 1 for n in range(7)}


def test_a_prompt_with_three_answers_gives_every_pair_or_each_alone(store: Store) -> None:
    answers = [{"messages": _answer(text)} for text in ("one", "two", "three")]
    _dataset(store, "prompts", {"prompt": as_messages("Count."), "answers": answers})

    assert compare_answers(store, "pairs", "judged").made == 3
    assert compare_answers(store, "rated", "judged", wishes={"layout": "rate"}).made == 3
    sizes = Counter(len(answers) for answers in _made(store))
    assert sizes == {2: 3, 1: 3}


def test_the_turns_before_the_last_answer_are_its_history(store: Store) -> None:
    turns = [*_answer("Which shop?"), {"role": "user", "content": "Yours."}, *_answer("Yes.")]
    row = _pair("Open?", "", "No.") | {"chosen": turns}
    _dataset(store, "preference", row)

    compare_answers(store, "turns", "judged")

    chosen, rejected = _made(store)[0]
    assert (chosen.text, chosen.history, rejected.history) == ("Yes.", turns[:-1], None)


def test_what_cannot_be_shown_is_named_and_the_rest_is_made(store: Store) -> None:
    called = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "clock"}}]}
    _dataset(store, "preference", _pair("Open?", "Yes.", "No."), _pair("Time?", "x", "y") | {"chosen": [called]})

    made = compare_answers(store, "old", "judged")

    assert (made.made, made.left_out) == (1, {"an answer that does not end in a text": 1})


def test_a_dataset_without_answers_is_refused_and_no_study_is_made(store: Store) -> None:
    _dataset(store, "sft", {"messages": [*as_messages("Open?"), *_answer("Yes.")]})

    with pytest.raises(BadInput, match="of the kind sft"):
        compare_answers(store, "old", "judged")
    with pytest.raises(BadInput, match="At least one"):
        compare_answers(store, "old", "judged", count=0)
    assert store.value("select count(*) from studies") == 0


def test_a_study_keeps_its_layout(store: Store) -> None:
    _dataset(store, "preference", _pair("Open?", "Yes.", "No."))
    compare_answers(store, "old", "judged")

    with pytest.raises(Conflict, match='stands with another "layout"'):
        compare_answers(store, "old", "judged", wishes={"layout": "rate"})


def test_a_real_preference_file_is_ready_without_a_model(home: Home, real_data: Path) -> None:
    studio = Studio(settings=Settings.from_env({}, home=home.path))
    studio.import_file(real_data / "pref" / "lf_dpo_en_demo.json", "demo")

    made = studio.compare("demo-study", answers="demo", count=20)

    assert (made["comparisons"], made["left_out"]) == (20, {})
    with pytest.raises(BadInput, match="need no models"):
        studio.compare("demo-study", models=["starter"], answers="demo")
    studio.store.close()
