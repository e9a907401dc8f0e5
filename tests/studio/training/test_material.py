"""What a run learns from is counted, frozen and refused with a way out."""

import json

import pytest

from storage import changes
from storage.changes import Change
from storage.errors import BadInput, NotFound
from storage.prompts import content_sha256
from storage.queries import Query
from storage.specs.registry import method_named
from storage.store import Store
from studio.training.material import gather, survey
from studio.training.request import Request
from tests.studio.training.project import (
    add_dataset,
    add_starter,
    add_study,
    conversation,
    prompt,
    prompts_of,
    vote,
)

SFT, DPO = method_named("sft"), method_named("dpo")


def test_examples_become_rows_with_their_conversation_and_their_prompts(store: Store) -> None:
    add_dataset(store, "facts", "sft", [conversation("Who?", "I."), conversation("What?", "That.")])

    frozen = gather(store, SFT, Request("sft", "starter", dataset="facts"))

    assert [json.loads(row["messages"])[1]["content"] for row in frozen.rows] == ["I.", "That."]
    assert frozen.prompts == {content_sha256(prompt("Who?")), content_sha256(prompt("What?"))}
    assert frozen.version is not None
    assert (frozen.version.number, frozen.version.rows) == (1, 2)


def test_every_answer_of_a_long_conversation_has_its_prompt(store: Store) -> None:
    messages = [*conversation("a", "b")["messages"], *conversation("c", "d")["messages"]]
    add_dataset(store, "talk", "sft", [{"messages": messages}])

    frozen = gather(store, SFT, Request("sft", "starter", dataset="talk"))

    assert frozen.prompts == {content_sha256(messages[:1]), content_sha256(messages[:3])}


def test_tools_go_with_their_row(store: Store) -> None:
    add_dataset(store, "tools", "sft", [{**conversation("a", "b"), "tools": [{"name": "add"}]}, conversation("c", "d")])

    rows = gather(store, SFT, Request("sft", "starter", dataset="tools")).rows

    assert [row["tools"] for row in rows] == ['[{"name": "add"}]', None]


def test_conversations_without_an_answer_are_left_out_and_refused_when_nothing_is_left(store: Store) -> None:
    add_dataset(store, "mixed", "sft", [{"messages": prompt("only a question")}, conversation("a", "b")])
    add_dataset(store, "bare", "sft", [{"messages": prompt("only a question")}])

    assert len(gather(store, SFT, Request("sft", "starter", dataset="mixed")).rows) == 1
    with pytest.raises(BadInput, match='No row of dataset "bare" holds an answer'):
        gather(store, SFT, Request("sft", "starter", dataset="bare"))


def test_votes_become_pairs_and_the_survey_says_what_was_left_out(store: Store) -> None:
    starter = add_starter(store)
    study = add_study(store, "first-look", starter, starter)
    for asked in prompts_of("train", 5):
        vote(store, study, asked, "b")
    vote(store, study, prompt("undecided, perhaps"), "tie")
    for asked in prompts_of("measure", 2):
        vote(store, study, asked, "a")
    request = Request("dpo", "starter", study="first-look")

    assert survey(store, DPO, request).sentence in {
        "5 pairs from 8 votes (left out: 2 on prompts kept for measuring, 1 tie)",
        "5 pairs from 8 votes (left out: 3 on prompts kept for measuring)",
    }
    frozen = gather(store, DPO, request)
    assert [sorted(row) for row in frozen.rows] == [
        ["chosen", "id", "margin", "prompt", "rejected", "tie", "weight"]
    ] * 5
    assert frozen.prompts == {content_sha256(asked) for asked in prompts_of("train", 5)}
    assert (frozen.policy, frozen.study) == ("majority", study)


def test_too_few_votes_are_refused_with_about_how_many_are_missing(store: Store) -> None:
    starter = add_starter(store)
    study = add_study(store, "first-look", starter, starter)
    for asked in prompts_of("train", 2):
        vote(store, study, asked, "a")

    with pytest.raises(BadInput, match="gives 2 pairs from 2 votes; DPO needs at least 4 pairs: about 2 more votes"):
        survey(store, DPO, Request("dpo", "starter", study="first-look"))


def test_few_pairs_are_taken_with_a_warning_and_many_without(store: Store) -> None:
    starter = add_starter(store)
    study = add_study(store, "first-look", starter, starter)
    for asked in prompts_of("train", 20):
        assert survey_warns(store) if 4 <= _votes(store) < 20 else True
        vote(store, study, asked, "a")

    assert survey(store, DPO, Request("dpo", "starter", study="first-look")).warning is None


def survey_warns(store: Store) -> bool:
    return "faint mark" in (survey(store, DPO, Request("dpo", "starter", study="first-look")).warning or "")


def _votes(store: Store) -> int:
    return int(store.value("select count(*) from votes"))


def test_a_preference_dataset_trains_dpo_without_pairs_that_say_nothing(store: Store) -> None:
    pairs = [{"prompt": prompt(f"q{n}"), "chosen": "good", "rejected": "bad"} for n in range(4)]
    same = {"prompt": prompt("q"), "chosen": "same", "rejected": "same"}
    add_dataset(store, "pairs", "preference", [*pairs, same])

    frozen = gather(store, DPO, Request("dpo", "starter", dataset="pairs"))

    assert len(frozen.rows) == 4
    assert json.loads(frozen.rows[0]["chosen"]) == [{"role": "assistant", "content": "good"}]


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (Request("sft", "m"), "Choose what SFT learns from: a dataset of examples."),
        (Request("dpo", "m"), "Choose what DPO learns from: a dataset, or a study whose votes count."),
        (Request("dpo", "m", votes="majority"), "Name the study whose votes are to be learnt from"),
        (Request("sft", "m", study="first-look"), "SFT learns from examples, not from votes"),
        (Request("dpo", "m", dataset="facts", study="first-look"), "not both"),
        (Request("dpo", "m", dataset="facts"), 'Dataset "facts" holds sft rows, and DPO learns from preferences'),
        (Request("dpo", "m", study="first-look", votes="loudest"), 'There is no policy "loudest"'),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(store: Store, request_: Request, sentence: str) -> None:
    starter = add_starter(store)
    add_dataset(store, "facts", "sft", [conversation("a", "b")])
    add_study(store, "first-look", starter, starter)

    with pytest.raises(BadInput) as refusal:
        survey(store, method_named(request_.method), request_)
    assert sentence in str(refusal.value)


def test_an_unknown_dataset_is_refused_with_the_names_there_are(store: Store) -> None:
    add_dataset(store, "facts", "sft", [conversation("a", "b")])

    with pytest.raises(NotFound, match='There is no dataset "fact"; there are: facts'):
        survey(store, SFT, Request("sft", "starter", dataset="fact"))


def test_rejected_examples_and_the_trash_are_not_learnt_from_and_not_counted(store: Store) -> None:
    dataset = add_dataset(store, "facts", "sft", [conversation(str(n), "yes") for n in range(4)])
    statuses = {2: "rejected", 3: "deleted", 4: "approved"}
    changes.change(
        store, dataset, Query(), lambda row: Change(status=statuses.get(row.number)), kind="bulk", label="", author="me"
    )
    request = Request("sft", "starter", dataset="facts")

    assert survey(store, SFT, request).rows == len(gather(store, SFT, request).rows) == 2


def test_a_thumb_is_no_pair(store: Store) -> None:
    answer = [{"role": "assistant", "content": "Yes."}]
    thumb = {"prompt": prompt("Is it?"), "completion": answer, "label": True}
    add_dataset(store, "thumbs", "preference", [thumb] * 5)

    with pytest.raises(BadInput, match="0 pairs whose answers differ"):
        gather(store, DPO, Request("dpo", "starter", dataset="thumbs"))


def test_the_frozen_rows_say_how_much_better_how_surely_and_which_are_ties(store: Store) -> None:
    starter = add_starter(store)
    study = add_study(store, "first-look", starter, starter)
    *asked, last = prompts_of("train", 5)
    for one in asked:
        vote(store, study, one, "a")
    vote(store, study, last, "tie")
    store.execute("update votes set strength = 2 where choice = 'a'")

    frozen = gather(store, DPO, Request("dpo", "starter", study="first-look", votes="weighted,ties=keep"))

    told = [(row["margin"], row["weight"], row["tie"]) for row in frozen.rows]
    assert told == [(2.0, 1.0, False)] * 4 + [(None, 1.0, True)]
    assert frozen.policy == "weighted,ties=keep"
    assert content_sha256(last) in frozen.prompts


def test_every_beginning_of_a_conversation_counts_as_trained(store: Store) -> None:
    starter = add_starter(store)
    study = add_study(store, "first-look", starter, starter)
    opening, *others = prompts_of("train", 4)
    later = [*opening, {"role": "assistant", "content": "Yes."}, {"role": "user", "content": "Why?"}]
    for one in (later, *others):
        vote(store, study, one, "a")
    store.execute("update comparisons set split = 'train'")

    frozen = gather(store, DPO, Request("dpo", "starter", study="first-look"))

    assert {content_sha256(opening), content_sha256(later)} <= frozen.prompts
