"""A classifier at work: trained by a job, it labels a dataset, tags what it is sure of, and the tags are taken back."""

import json

import pytest

from storage import batches, jobs
from storage.datasets import get_dataset
from storage.errors import BadInput, Refused
from storage.examples import Draft, add_examples, stream
from storage.models import add_model, get_model
from storage.queries import Query
from storage.store import Store
from studio.curation.editing import undo
from studio.settings import Settings
from studio.training.labelling_models import label_dataset
from studio.training.launching import launch
from studio.training.request import Request
from tests.studio.training.project import add_dataset
from tests.trainers import building
from tests.trainers.effects import heads

pytestmark = pytest.mark.torch

TAUGHT, UNLABELLED = 240, 60


@pytest.fixture
def project(store: Store) -> Store:
    """The starter with labelled questions in "topics", and others without a tag in "wild"."""
    add_model(store, "starter", "base", path=str(heads.STARTER), base_sha256="b" * 64, parameters=3_000_000)
    rows = heads.topic_rows(TAUGHT + UNLABELLED)
    topics = add_dataset(store, "topics", "text", [])
    batch = batches.open_batch(store, topics.id, "import", "me")
    drafts = [Draft({"text": row["text"]}, "", json.loads(row["told"])["tags"]) for row in rows[:TAUGHT]]
    add_examples(store, batch, drafts)
    batches.publish(store, batch)
    add_dataset(store, "wild", "text", [{"text": row["text"]} for row in rows[TAUGHT:]])
    return store


def _tags(store: Store, name: str) -> list[list[str]]:
    return [list(example.tags) for example in stream(store, get_dataset(store, name).id, Query())]


@pytest.mark.slow
def test_a_classifier_tags_a_dataset_and_the_tags_are_taken_back(project: Store) -> None:
    settings = Settings.from_env({}, home=project.home.path)
    job = launch(project, settings, Request("classify", "starter", dataset="topics", name="topic"))
    said = building.run_worker(project)
    ended = jobs.get_job(project, job.id)
    assert ended.status == "done", (said, ended.error)
    model = get_model(project, "topic")
    assert (model.kind, model.labels) == ("classifier", sorted(heads.AREAS))

    told = label_dataset(project, settings, "topic", "wild", tag_above=0.6, author="ada")

    right = [json.loads(row["told"])["tags"][0] for row in heads.topic_rows(TAUGHT + UNLABELLED)[TAUGHT:]]
    tags = _tags(project, "wild")
    agreed = [given == [area] for given, area in zip(tags, right, strict=True) if given]
    assert (told["rows"], told["labelled"], told["reused"]) == (UNLABELLED, UNLABELLED, 0)
    assert told["tagged"] == len(agreed) > UNLABELLED / 2
    assert sum(agreed) / len(agreed) > 0.85
    again = label_dataset(project, settings, "topic", "wild", tag_above=0.6)
    assert (again["reused"], again["tagged"], again["batch"]) == (UNLABELLED, 0, None)
    taken_back = undo(project, "wild")
    assert taken_back is not None
    assert taken_back.id == told["batch"]
    assert _tags(project, "wild") == [[]] * UNLABELLED
    with pytest.raises(BadInput, match="between 0 and 1"):
        label_dataset(project, settings, "topic", "wild", tag_above=7)


def test_only_a_classifier_labels(project: Store) -> None:
    settings = Settings.from_env({}, home=project.home.path)

    with pytest.raises(Refused, match="labels nothing; train a classifier"):
        label_dataset(project, settings, "starter", "wild")
