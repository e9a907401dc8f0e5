"""What a head on the frozen starter learns: topics of conversations, told apart on rows that it never saw."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

from tests.trainers import building
from trainers.grammar import arithmetic, chat, daily, geography, language, nature
from trainers.grammar.conversation import ask

STARTER = Path(__file__).resolve().parents[3] / "static" / "starter" / "model"
AREAS = {
    "numbers": arithmetic, "words": language, "places": geography, "nature": nature, "days": daily, "talk": chat,
}  # fmt: skip
ROWS = 600
RIGHT = 0.9  # share of held-out rows


def topic_rows(count: int = ROWS, seed: int = 3) -> list[dict[str, Any]]:
    """Questions of the grammar, each with its area as a tag and as metadata, and how long it is as a number."""
    rng = Random(seed)
    found: dict[str, str] = {}
    while len(found) < count:
        area = rng.choice(sorted(AREAS))
        found.setdefault(ask(rng, rng.choice(AREAS[area].SKILLS)).prompt, area)
    return [
        {"id": f"row-{at}", "text": prompt,
         "told": json.dumps({"tags": [area], "metadata": {"topic": area, "letters": len(prompt)}})}
        for at, (prompt, area) in enumerate(found.items())
    ]  # fmt: skip


def classified(folder: Path, base: Path = STARTER, **own: Any) -> dict[str, Any]:
    """Train a head on topics; the share of held-out rows that it names rightly, against the commonest topic."""
    options = {"label": "topic", "held_out": 0.25, **own}
    building.make_run(folder, "classify", base, topic_rows(), options=options)
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    done = building.events(folder, "done")[-1]
    found = building.events(folder, "evaluation")[-1]["held_out"]
    return {
        "measure": f"share of {found['rows']} held-out questions whose topic, one of {len(done['labels'])}, is named",
        "better": "higher",
        "before": round(found["commonest"], 4),
        "after": round(found["accuracy"], 4),
        "labels": done["labels"],
        "met": found["accuracy"] > RIGHT,
    }


EFFECTS: Mapping[str, Callable[[Path], dict[str, Any]]] = {"classify": lambda folder: classified(folder / "run")}
