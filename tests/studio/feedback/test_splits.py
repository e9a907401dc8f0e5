"""The parts of a study: by annotator, by length, by tag of the example that a prompt came from."""

import pytest

from storage.comparisons import NewComparison, add_comparison, create_study, get_comparison
from storage.errors import BadInput
from storage.prompts import as_messages
from studio.feedback.splits import splits
from tests.studio.feedback.conftest import Bench


def _rates(bench: Bench, by: str) -> dict[str, tuple[int, float]]:
    parts = splits(bench.store, "first-look", by)
    return {part.name: (part.votes, part.board["pairs"][0]["win_rate"]) for part in parts}


def test_parts_by_annotator_and_by_length_of_the_prompt(bench: Bench) -> None:
    for prompt, choice in (("short", "a"), ("long " * 30, "b")):
        whole = bench.compare(prompt)
        bench.vote(whole, choice, "ann")
        bench.vote(whole, "a", "bob")

    assert _rates(bench, "annotator") == {"ann": (2, 0.5), "bob": (2, 1.0)}
    assert _rates(bench, "length") == {"100 to 399 characters": (2, 0.5), "under 100 characters": (2, 1.0)}


def test_parts_by_tag_where_the_example_is_known(bench: Bench) -> None:
    from storage import batches, datasets, examples
    from storage.examples import Draft

    dataset = datasets.create_dataset(bench.store, "asks", "prompts")
    batch = batches.open_batch(bench.store, dataset.id, "import", "me")
    drafts = [Draft({"prompt": "What is 1 plus 1?"}, tags=["sums", "easy"]), Draft({"prompt": "Untagged?"})]
    examples.add_examples(bench.store, batch, drafts)
    batches.publish(bench.store, batch)
    study = create_study(bench.store, "tagged", list(bench.models), dataset.id)
    for prompt in ("What is 1 plus 1?", "Untagged?"):
        contestants = [(model.id, model.name) for model in bench.models]
        made = add_comparison(bench.store, study, NewComparison(as_messages(prompt), contestants, texts=["x", "y"]))
        bench._replace(study=study).vote(get_comparison(bench.store, made.id), "a")

    assert [(part.name, part.votes) for part in splits(bench.store, "tagged", "tag")] == [("easy", 1), ("sums", 1)]


def test_an_unknown_split_is_refused(bench: Bench) -> None:
    with pytest.raises(BadInput, match='split by tag, annotator, length, not by "mood"'):
        splits(bench.store, "first-look", "mood")
