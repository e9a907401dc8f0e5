"""Before a vote nothing that reaches the browser goes with the model: bodies, headers, ids, order, sizes, moments.

With 200 fair flips a share outside 0.36 to 0.64 has a probability below 0.0001, and so has a correlation of 0.28; with
40 flips these are 0.2 to 0.8 and 0.6. The seeds of the studies are fixed, the ids are not.
"""

import json
import threading
import time
from pathlib import Path
from statistics import correlation

import pytest

from storage import comparisons, models
from studio.studio import Studio
from tests.safety.blind_study import (
    BEGUN,
    CONTESTANTS,
    NAMES,
    NOTE,
    REMOTE,
    SYSTEM,
    Judged,
    Look,
    add_study,
    furnish,
    judge,
    masked,
)  # fmt: skip
from tests.safety.conftest import come_in
from tests.studio.training import project

pytestmark = pytest.mark.heavy

COUNT = 200
FEW = 40
LAYOUTS = ("pair", "rank", "rate", "turns")
SLIGHT = {COUNT: 0.28, FEW: 0.6}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Judged]:
    """All that an annotator saw in a study of each layout; that of pairs has gold and second looks in it."""
    studio, app = furnish(tmp_path_factory.mktemp("blind"))
    store = studio.store
    studies = {layout: add_study(store, layout, FEW + 10) for layout in LAYOUTS[1:]}
    studies["pair"] = add_study(store, "pair", COUNT + 20, known=30, gold_every=8, second_every=8)
    return {layout: judge(app, store, study, COUNT if layout == "pair" else FEW) for layout, study in studies.items()}


def secrets(judged: Judged) -> list[str]:
    """What an annotator may never read."""
    store = judged.store
    ids = [row["id"] for table in ("models", "answers") for row in store.rows(f"select id from {table}")]
    return [*NAMES, *REMOTE, *CONTESTANTS, "marmot", SYSTEM, NOTE, "127.0.0.1:9", *ids]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_body_no_header_and_no_address_names_who_wrote_what(layout: str, judged: dict[str, Judged]) -> None:
    seen = judged[layout]
    words = secrets(seen)

    assert len(seen.told) > 6 * len(seen.looks)
    assert [(word, text[:200]) for text in seen.told for word in words if word in text] == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_ids_hashes_sizes_and_the_order_in_time_say_nothing_about_who_stands_left(
    layout: str, judged: dict[str, Judged]
) -> None:
    looks = judged[layout].looks
    who = [float(look.left % 2) for look in looks]

    assert len({look.pair["comparison"] for look in looks}) == len(looks)
    assert 0.36 - 0.16 * (len(looks) == FEW) <= sum(who) / len(looks) <= 0.64 + 0.16 * (len(looks) == FEW)
    assert telling(looks, who) == {}


def test_each_place_is_each_contestants_as_often_as_the_others(judged: dict[str, Judged]) -> None:
    looks = judged["rank"].looks

    for place in range(4):
        stood = [next(n for n, begun in enumerate(BEGUN) if look.pair["sides"][place]["text"].startswith(begun))
                 for look in looks]  # fmt: skip
        assert {who: 2 <= stood.count(who) <= 22 for who in range(4)} == dict.fromkeys(range(4), True)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_bodies_have_one_shape(layout: str, judged: dict[str, Judged]) -> None:
    assert len({masked(look.pair) for look in judged[layout].looks}) == 1


def test_gold_and_second_looks_are_told_apart_by_nothing(judged: dict[str, Judged]) -> None:
    looks = judged["pair"].looks
    kinds = [look.kind for look in looks]

    assert (kinds.count("gold") > 15, kinds.count("second") > 15) == (True, True)
    for kind in ("gold", "second"):
        assert telling(looks, [float(look.kind == kind) for look in looks]) == {}, kind


def test_a_second_look_stands_the_other_way_round_under_another_id(judged: dict[str, Judged]) -> None:
    looks = judged["pair"].looks
    first = {look.comparison: look for look in looks if look.kind != "second"}

    for second in (look for look in looks if look.kind == "second"):
        before = first[second.comparison]
        assert second.pair["comparison"] != before.pair["comparison"]
        assert [side["text"] for side in second.pair["sides"]] == [side["text"] for side in before.pair["sides"]][::-1]


def test_ones_own_votes_name_nobody_and_show_a_second_look_as_any_other(judged: dict[str, Judged]) -> None:
    seen = judged["pair"]
    mine = json.loads(next(text for text in seen.told if text.startswith('{"votes"')))["votes"]

    assert len({tuple(vote) for vote in mine}) == 1
    shown = {look.pair["comparison"]: look.kind for look in seen.looks}
    kinds = {shown.get(vote["comparison"], "unknown") for vote in mine}
    assert "unknown" not in kinds
    assert len({masked(vote["pair"]) for vote in mine}) == 1


def telling(looks: list[Look], what: list[float]) -> dict[str, float]:
    """The features of what was told that go with something, and how closely."""
    features = {
        "place in time": [float(number) for number in range(len(looks))],
        "beginning of the id": [float(int.from_bytes(look.pair["comparison"].encode()[:6])) for look in looks],
        "end of the id": [float(int.from_bytes(look.pair["comparison"].encode()[-6:])) for look in looks],
        "hash of the left side": [float(int(look.pair["sides"][0]["sha256"][:8], 16)) for look in looks],
        "length of the body without its texts": [float(look.size) for look in looks],
        "the one before": [*what[-1:], *what[:-1]],
        "lease": [look.pair["lease_until"] % 600 for look in looks],
    }
    found = {name: _goes_with(values, what) for name, values in features.items()}
    return {name: round(value, 3) for name, value in found.items() if value > SLIGHT[len(looks)]}


def _goes_with(values: list[float], what: list[float]) -> float:
    return abs(correlation(values, what)) if len(set(values)) > 1 and len(set(what)) > 1 else 0.0


def test_whoever_may_see_names_elsewhere_judges_blind_as_well(judged: dict[str, Judged]) -> None:
    seen = judged["pair"]
    client = come_in(seen.client.app, "ada")  # type: ignore[arg-type]

    told = [
        client.get(path).text for path in ("/api/compare/next?study=blind-pair", "/api/compare/studies", "/compare")
    ]

    assert [word for word in secrets(seen) for text in told if word in text] == []


def test_who_is_quicker_is_not_to_be_seen(tmp_path: Path) -> None:
    """One side says all at once, the other word by word: at every event both have said as much, whoever it is."""
    studio, app = furnish(tmp_path)
    study = add_study(studio.store, "pair", 0)
    made = [(model.id, model.name) for model in models.list_models(studio.store)]
    whole = [comparisons.add_comparison(studio.store, study, comparisons.NewComparison(project.prompt(f"q {n}"), made))
             for n in range(6)]  # fmt: skip
    client = come_in(app, "ann")
    for number, comparison in enumerate(whole):
        comparisons.mark(studio.store, comparison.id, "answering")
        speaking = threading.Thread(target=speak, args=(studio, comparison.id, number % 2))
        live = studio.answerer.hub.begin(comparison.id, 2)
        speaking.start()
        told = client.get(f"/api/compare/stream/{comparison.id}").text
        speaking.join()

        events = [json.loads(line.removeprefix("data: ")) for line in told.splitlines() if line]
        assert live.now().texts == ([QUICK, SLOW] if number % 2 == 0 else [SLOW, QUICK])
        assert [word for word in secrets(Judged(studio.store, study, client)) if word in told] == []
        said = [event["add"] for event in events if event["kind"] == "text"]
        assert len(said) > 2
        so_far = ["", ""]
        for add in said:
            so_far = [before + more for before, more in zip(so_far, add, strict=True)]
            shorter, longer = sorted(so_far, key=len)
            assert len(shorter) == len(longer) or shorter == SLOW
        assert sorted(events[-1]["pair"]["sides"][place]["text"] for place in (0, 1)) == sorted([QUICK, SLOW])


QUICK, SLOW = "Certainly! " * 12, "It is. " * 12


def speak(studio: Studio, comparison_id: str, quick: int) -> None:
    """Answer a comparison: the quick side at once, the other word by word."""
    live = studio.answerer.hub.find(comparison_id)
    assert live is not None
    live.enter("answering")
    live.speaker(quick)(QUICK)
    live.end(quick)
    for _ in range(12):
        live.speaker(1 - quick)("It is. ")
        time.sleep(0.05)
    live.end(1 - quick)
    time.sleep(0.1)
    store = studio.store
    with store.write():
        for answer in comparisons.answers_of(store, comparison_id):
            comparisons.fill_answer(store, answer.id, QUICK if answer.position == quick else SLOW, {}, 1, 1.0)
        comparisons.mark(store, comparison_id, "ready")
    studio.answerer.hub.end(comparison_id)
    store.close()
