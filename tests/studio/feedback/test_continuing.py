"""Conversations go on, with both answers or with the chosen one, and every side knows its own words."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from storage.comparisons import NewComparison, Whole, add_comparison, children, create_study, get_comparison
from storage.errors import BadInput, Conflict, Forbidden, RatchetError
from storage.models import add_model
from storage.prompts import as_messages
from storage.rows import Study
from storage.store import Store
from storage.votes import current_votes
from studio.clients.engine import Engine
from studio.feedback import gold
from studio.feedback.ballots import Ballot
from studio.feedback.continuing import GoneOn, go_on
from studio.feedback.counting import count
from studio.feedback.filling import fill_all
from studio.feedback.queue import find, upcoming
from studio.feedback.showing import Shown
from studio.feedback.study_settings import change_settings
from studio.feedback.voting import cast
from studio.people.roles import Actor
from tests.studio.feedback.conftest import MEASURING
from tests.talker import Talker

SYSTEM = "You are brief."


class Talk(NamedTuple):
    """A study of conversations between two models that say how many turns they were sent."""

    store: Store
    study: Study
    talker: Talker

    def fill(self) -> None:
        fill_all(self.store, Engine(self.store.home), self.study.id)

    def begin(self, prompt: str = "Tell a story.") -> Shown:
        """A conversation whose first answers stand."""
        contestants = [(model, name) for model, name in zip(self.study.models, ("otter", "walrus"), strict=True)]
        made = add_comparison(self.store, self.study, NewComparison(as_messages(prompt), contestants))
        self.fill()
        return find(self.store, self.study, "ann", made.id)

    def go_on(self, shown: Shown, mode: str, prompt: str, annotator: str = "ann", vote_id: str = "vote-0001") -> GoneOn:
        hashes = [answer.sha256 or "" for answer in shown.answers]
        ballot = None if mode == "both" else Ballot(vote_id, shown.whole.comparison.id, mode, hashes)
        return go_on(self.store, self.study, annotator, shown, mode, prompt, ballot)

    def whole(self, shown: Shown) -> Whole:
        return get_comparison(self.store, shown.whole.comparison.id)

    def chosen(self, **settings: Any) -> "Talk":
        """The same study, in which the chosen answer goes on."""
        study = change_settings(self.store, self.study, {"continues": "chosen", **settings})
        return self._replace(study=study)


@pytest.fixture
def talk(store: Store) -> Iterator[Talk]:
    def saying(name: str) -> Any:
        return lambda messages, seed: f"{name} heard {len(messages)} turns, the last: {messages[-1]['content']}"

    talker = Talker({"o": saying("o"), "w": saying("w")})
    models = [add_model(store, name, "endpoint", url=talker.url, remote_name=name[0]) for name in ("otter", "walrus")]
    settings = {
        "layout": "turns",
        "contestants": [
            {"name": "otter", "model": models[0].id, "system": SYSTEM},
            {"name": "walrus", "model": models[1].id},
        ],
    }
    yield Talk(store, create_study(store, "talks", models, None, settings, seed=5), talker)
    talker.close()


def _texts(shown: Shown) -> list[str]:
    return [answer.text or "" for answer in shown.answers]


def test_both_sides_go_on_from_their_own_answers_and_stay_on_their_sides(talk: Talk) -> None:
    for number in range(6):  # both orders occur
        first = talk.begin(f"Tell story {number}.")
        said = talk.go_on(first, "both", " And then? ").shown
        assert said.whole.comparison.state == "waiting"
        talk.fill()
        second = find(talk.store, talk.study, "ann", said.id)

        names = [answer.model_name for answer in first.answers]
        assert [answer.model_name for answer in second.answers] == names
        assert [answer.history for answer in second.answers] == [
            [{"role": "assistant", "content": text}, {"role": "user", "content": "And then?"}] for text in _texts(first)
        ]
        heard = {"otter": "o heard 4 turns, the last: And then?", "walrus": "w heard 3 turns, the last: And then?"}
        assert _texts(second) == [heard[name] for name in names]
        assert second.to_json()["sides"] == [
            {"text": answer.text, "sha256": answer.sha256, "history": answer.history} for answer in second.answers
        ]
        assert (second.whole.comparison.parent_id, second.whole.comparison.prompt) == (
            first.whole.comparison.id, first.whole.comparison.prompt,
        )  # fmt: skip


def test_each_model_is_sent_its_system_prompt_the_question_and_its_own_side_alone(talk: Talk) -> None:
    first = talk.begin()
    talk.go_on(first, "both", "And then?")
    talk.talker.asked.clear()
    talk.fill()

    own = {answer.model_name[0]: answer.text for answer in first.answers}
    sent = {asked["model"]: asked["messages"] for asked in talk.talker.asked}
    question, went_on = {"role": "user", "content": "Tell a story."}, {"role": "user", "content": "And then?"}
    assert sent == {
        "o": [{"role": "system", "content": SYSTEM}, question, {"role": "assistant", "content": own["o"]}, went_on],
        "w": [question, {"role": "assistant", "content": own["w"]}, went_on],
    }


def test_a_conversation_that_goes_on_is_judged_at_its_end_alone(talk: Talk) -> None:
    first = talk.begin()
    second = talk.go_on(first, "both", "And then?").shown
    talk.fill()
    third = talk.go_on(find(talk.store, talk.study, "ann", second.id), "both", "And at last?").shown
    talk.fill()

    assert talk.whole(first).comparison.state == talk.whole(second).comparison.state == "continued"
    assert [shown.id for shown in upcoming(talk.store, talk.study, "ann")] == [third.id]
    last = find(talk.store, talk.study, "ann", third.id)
    assert [len(answer.history or ()) for answer in last.answers] == [4, 4]
    hashes = [answer.sha256 or "" for answer in last.answers]
    cast(talk.store, talk.study, "ann", Ballot("vote-0001", last.id, "left", hashes))
    assert [vote.comparison_id for vote in current_votes(talk.store, talk.study.id)] == [third.id]


def test_the_same_words_sent_twice_go_on_once_and_others_are_refused(talk: Talk) -> None:
    first = talk.begin()

    once, twice = talk.go_on(first, "both", "And then?"), talk.go_on(first, "both", "And then?")

    assert once.shown.id == twice.shown.id
    with pytest.raises(Conflict, match="goes on with other words already"):
        talk.go_on(talk_again := find(talk.store, talk.study, "ann", first.id), "both", "Why?")
    assert talk_again.whole.comparison.state == "continued"


def test_of_two_who_write_on_at_once_one_is_refused(talk: Talk) -> None:
    first = talk.begin()
    talk.go_on(first, "both", "And then?")

    with pytest.raises(Conflict, match="goes on with other words already"):
        talk.go_on(first, "both", "Why?")  # what was read before the other one wrote

    assert len(children(talk.store, first.id)) == 1


def test_the_chosen_answer_goes_on_for_both_and_counts_as_the_vote(talk: Talk) -> None:
    talk = talk.chosen()
    first = talk.begin()

    went = talk.go_on(first, "right", "And then?")
    again = talk.go_on(first, "right", "And then?")
    talk.fill()

    (vote,) = current_votes(talk.store, talk.study.id)
    assert (vote.id, vote.choice, vote.comparison_id) == ("vote-0001", "ab"[first.order[1]], first.id)
    assert went.vote == vote
    assert again.shown.id == went.shown.id
    second = find(talk.store, talk.study, "ann", went.shown.id)
    assert second.whole.comparison.prompt == [
        {"role": "user", "content": "Tell a story."},
        {"role": "assistant", "content": first.answers[1].text},
        {"role": "user", "content": "And then?"},
    ]
    assert [answer.history for answer in second.answers] == [None, None]
    assert sorted(_texts(second)) == ["o heard 4 turns, the last: And then?", "w heard 3 turns, the last: And then?"]
    assert talk.whole(first).comparison.state == "ready"
    counted = count(talk.store, talk.study.name)
    assert counted.unit(second.id) == counted.unit(first.id), "two votes on one conversation are not independent"


def test_a_vote_given_before_must_have_chosen_that_side(talk: Talk) -> None:
    talk = talk.chosen()
    first = talk.begin()
    hashes = [answer.sha256 or "" for answer in first.answers]
    cast(talk.store, talk.study, "ann", Ballot("vote-0000", first.id, "left", hashes))

    with pytest.raises(Conflict, match="Your vote chose the other answer"):
        talk.go_on(first, "right", "And then?")
    went = talk.go_on(first, "left", "And then?")

    assert went.vote is not None
    assert went.vote.id == "vote-0000"


def test_what_a_vote_must_say_is_asked_before_the_conversation_goes_on(talk: Talk) -> None:
    talk = talk.chosen(strength="required")
    first = talk.begin()

    with pytest.raises(BadInput, match="This study asks for how much better"):
        talk.go_on(first, "left", "And then?")

    assert current_votes(talk.store, talk.study.id) == []
    assert talk.store.value("select count(*) from comparisons") == 1


def test_a_conversation_keeps_the_split_of_its_first_prompt(talk: Talk) -> None:
    talk = talk.chosen()
    splits = set()
    for number in range(12):
        first = talk.begin(MEASURING if number == 0 else f"{MEASURING} {number}")
        second = talk.go_on(first, "left", f"And then {number}?", vote_id=f"vote-{number:04}").shown
        assert second.whole.comparison.split == first.whole.comparison.split
        splits.add(first.whole.comparison.split)
    assert splits == {"train", "measure"}


def test_a_known_answer_stays_for_the_next_person(talk: Talk) -> None:
    first = talk.begin()
    gold.set_gold(talk.store, talk.study, first.id, {"choice": "a"}, "plain", Actor("ann", "curator"))

    talk.go_on(first, "both", "And then?")

    assert talk.whole(first).comparison.state == "ready"


@pytest.mark.parametrize(
    ("mode", "prompt", "sentence"),
    [
        ("back", "Why?", 'A conversation goes on by one of both, left, right, not by "back".'),
        ("left", "Why?", 'In study "talks" both sides go on; that is its setting "continues".'),
        ("both", "  ", "Write the next turn first."),
        ("both", "x" * 50_001, "That turn has 50,001 characters; 50,000 is the most."),
    ],
)
def test_what_cannot_go_on_is_refused(talk: Talk, mode: str, prompt: str, sentence: str) -> None:
    first = talk.begin()

    with pytest.raises(RatchetError) as caught:
        talk.go_on(first, mode, prompt)

    assert str(caught.value) == sentence
    assert talk.store.value("select count(*) from comparisons") == 1


def test_single_answers_and_strangers_do_not_go_on(talk: Talk) -> None:
    first = talk.begin()
    pairs = talk._replace(study=change_settings(talk.store, talk.study, {"layout": "pair"}))
    with pytest.raises(BadInput, match='conversations need the layout "turns"'):
        pairs.go_on(find(talk.store, pairs.study, "ann", first.id), "both", "And then?")

    closed = talk._replace(study=change_settings(talk.store, talk.study, {"layout": "turns", "people": ["bob"]}))
    with pytest.raises(Forbidden, match="ann does not take part in this study"):
        closed.go_on(find(talk.store, closed.study, "ann", first.id), "both", "And then?")
