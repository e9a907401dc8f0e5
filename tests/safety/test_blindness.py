"""Before a vote nothing that reaches the browser goes with the model: 200 comparisons, every body and header kept.

One model always says one thing and the other another, so a test can tell who wrote what; the annotator cannot be told.
With 200 fair flips a share outside 0.36 to 0.64 has a probability below 0.0001; the seeds are fixed.
"""

from statistics import correlation

import pytest
from fastapi.testclient import TestClient

from storage import comparisons, models
from storage.store import Store
from studio.app import build_app
from studio.people import accounts
from studio.settings import Settings
from studio.studio import Studio
from tests.safety.conftest import OWNER, PASSWORD, come_in
from tests.studio.training import project

pytestmark = pytest.mark.heavy

NAMES = ("nimble-otter", "grand-walrus")
COUNT = 200


def ask_everything(store: Store) -> None:
    """A study of 200 comparisons whose answers are there."""
    made = [models.add_model(store, name, "endpoint", url="http://127.0.0.1:9/v1", remote_name=name) for name in NAMES]
    study = comparisons.create_study(store, "first-look", made, None, seed=11)
    contestants = [(model.id, model.name) for model in made]
    for number in range(COUNT):
        texts = [f"otters say {number}", f"walrus says {number}"]
        new = comparisons.NewComparison(project.prompt(f"question {number}"), contestants, texts=texts)
        comparisons.add_comparison(store, study, new)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Studio, list[dict[str, object]], list[str]]:
    """What an annotator was shown, in order, and every body and header that came."""
    studio = Studio(settings=Settings.from_env({}, home=tmp_path_factory.mktemp("blind") / "home"))
    ask_everything(studio.store)
    accounts.add(studio.store, OWNER, "ada", "admin", PASSWORD)
    accounts.add(studio.store, OWNER, "ann", "annotator", PASSWORD)
    client = come_in(build_app(studio), "ann")
    told = [client.get("/compare").text]
    pairs: list[dict[str, object]] = []
    while len(pairs) < COUNT:
        pairs.append(vote_next(client, told, len(pairs)))
    for path in ("studies", "progress?study=first-look", "next"):
        told.append(client.get(f"/api/compare/{path}").text)
    return studio, pairs, told


def vote_next(client: TestClient, told: list[str], number: int) -> dict[str, object]:
    """Look at the next pair and vote on it; everything that was told is kept."""
    looked = client.get("/api/compare/next")
    pair: dict[str, object] = looked.json()["pairs"][0]
    shown = [side["sha256"] for side in pair["sides"]]  # type: ignore[attr-defined]
    choice = ("left", "right", "tie", "both_bad")[number % 4]
    body = {
        "id": f"vote-{number:04}",
        "study": "first-look",
        "comparison": pair["comparison"],
        "choice": choice,
        "shown": shown,
    }
    saved = client.post("/api/compare/vote", json={**body, "shown": shown})
    assert saved.status_code == 200, saved.text
    told += [looked.text, str(looked.headers), saved.text, str(saved.headers)]
    return pair


def test_no_body_and_no_header_names_a_model_to_an_annotator(
    judged: tuple[Studio, list[dict[str, object]], list[str]],
) -> None:
    studio, _, told = judged
    ids = [model.id for model in models.list_models(studio.store)]

    assert len(told) > 4 * COUNT
    assert [text[:200] for text in told if any(word in text for word in (*NAMES, *ids))] == []


def test_sides_ids_hashes_and_the_order_in_time_say_nothing_about_the_model(
    judged: tuple[Studio, list[dict[str, object]], list[str]],
) -> None:
    _, pairs, _ = judged
    otter_left = [float(pair["sides"][0]["text"].startswith("otters")) for pair in pairs]  # type: ignore[index]
    features = {
        "place in time": [float(number) for number in range(COUNT)],
        "id of the comparison": [float(int.from_bytes(str(pair["comparison"]).encode()[-4:])) for pair in pairs],
        "hash of the left side": [float(int(pair["sides"][0]["sha256"][:8], 16)) for pair in pairs],  # type: ignore[index]
        "the side before": [*otter_left[-1:], *otter_left[:-1]],
    }

    assert len({pair["comparison"] for pair in pairs}) == COUNT
    assert 0.36 <= sum(otter_left) / COUNT <= 0.64
    assert {name: abs(correlation(values, otter_left)) < 0.25 for name, values in features.items()} == dict.fromkeys(
        features, True
    )


def test_pairs_have_one_shape_whoever_wrote_them(judged: tuple[Studio, list[dict[str, object]], list[str]]) -> None:
    _, pairs, _ = judged

    assert len({tuple(pair) for pair in pairs}) == 1
    assert len({tuple(side) for pair in pairs for side in pair["sides"]}) == 1  # type: ignore[attr-defined]
