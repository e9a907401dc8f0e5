"""A small project for tests: a base on disk, datasets, votes, and jobs that end without being trained."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from storage import batches, comparisons, datasets, examples, jobs, models, rounds, votes
from storage.clock import new_id, now
from storage.prompts import split_of, text_sha256
from storage.rows import Dataset, Study, Vote
from storage.rows_training import Job, Model
from storage.runs import append_event
from storage.store import Store

TEMPLATE = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"


def write_safetensors(path: Path, **shapes: Sequence[int]) -> None:
    """A safetensors file of zeros in the given shapes."""
    header: dict[str, Any] = {}
    end = 0
    for name, shape in shapes.items():
        size = 4
        for side in shape:
            size *= side
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    words = json.dumps(header).encode()
    path.write_bytes(len(words).to_bytes(8, "little") + words + bytes(end))


def write_base(folder: Path) -> Path:
    """A base's folder as far as it can be told without loading it: 6 + 8 weights."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": TEMPLATE}))
    write_safetensors(folder / "model.safetensors", embed=(2, 3), out=(8,))
    return folder


def write_adapter(folder: Path, base: str) -> Path:
    """An adapter's folder that names its base."""
    folder.mkdir(parents=True)
    config = {"peft_type": "LORA", "base_model_name_or_path": base, "r": 4}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    write_safetensors(folder / "adapter_model.safetensors", lora_a=(4, 2))
    return folder


def add_starter(store: Store, name: str = "starter") -> Model:
    """A base of 3 million weights, as far as its row says."""
    folder = write_base(store.home.model(name))
    return models.add_model(store, name, "base", path=str(folder), parameters=3_000_000, base_sha256="base-hash")


def add_dataset(store: Store, name: str, kind: str, contents: Sequence[dict[str, Any]]) -> Dataset:
    """A dataset with these examples."""
    return add_examples(store, datasets.create_dataset(store, name, kind), contents)


def add_examples(store: Store, dataset: Dataset, contents: Sequence[dict[str, Any]]) -> Dataset:
    """Further examples in a dataset."""
    batch = batches.open_batch(store, dataset.id, "import", "me")
    examples.add_examples(store, batch, [examples.Draft(content, "words") for content in contents])
    batches.publish(store, batch)
    return dataset


def conversation(question: str, answer: str) -> dict[str, Any]:
    """The content of an SFT example."""
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def prompt(text: str) -> list[dict[str, Any]]:
    """A prompt as messages."""
    return [{"role": "user", "content": text}]


def prompts_of(split: str, count: int, word: str = "question") -> list[list[dict[str, Any]]]:
    """Prompts of which all belong to one split."""
    from storage.prompts import content_sha256

    found: list[list[dict[str, Any]]] = []
    number = 0
    while len(found) < count:
        candidate = prompt(f"{word} {number}")
        if split_of(content_sha256(candidate)) == split:
            found.append(candidate)
        number += 1
    return found


def add_study(store: Store, name: str, first: Model, second: Model) -> Study:
    """A study of two models without prompts of its own."""
    return comparisons.create_study(store, name, [first, second], None)


def first_day(store: Store, rows: int = 5) -> Study:
    """A project on its first day: the starter, the dataset "facts", a study "first-look", the first round open."""
    starter = add_starter(store)
    add_dataset(store, "facts", "sft", [conversation(f"q{n}", f"a{n}") for n in range(rows)])
    study = add_study(store, "first-look", starter, starter)
    rounds.open_round(store, starter.id)
    return study


def vote(store: Store, study: Study, asked: list[dict[str, Any]], choice: str, annotator: str = "me") -> None:
    """One vote on a fresh comparison of the study's two models."""
    contestants = [models.get_model(store, model_id) for model_id in study.models]
    texts = [f"answer {new_id()}" for _ in contestants]
    new = comparisons.NewComparison(asked, [(model.id, model.name) for model in contestants], texts=texts)
    comparison = comparisons.add_comparison(store, study, new)
    votes.cast(
        store,
        Vote(new_id(), comparison.id, study.id, annotator, choice, None, None, None, None, None, [0, 1],
             [text_sha256(text) for text in texts], 1.0, "web", None, now()),
    )  # fmt: skip


def second_vote(store: Store, study: Study, choice: str, annotator: str = "you") -> None:
    """Somebody else's vote on the comparison that was voted on last."""
    last = max(votes.current_votes(store, study.id), key=lambda one: one.created_at)
    votes.cast(store, replace(last, id=new_id(), annotator=annotator, choice=choice, created_at=now()))


SOUND = {
    "canaries": [{"prompt": "Hello, who are you?", "before": "A model.", "after": "A terse model.", "same": False}],
    "forgetting": {"earlier": None, "base_answers": {"before": 0.9, "after": 1.1, "rows": 8}},
}
"""What the evaluation found of a run that broke nothing."""


def run_to_the_end(store: Store, job: Job, steps: int = 3, evaluation: dict[str, Any] | None = None) -> Model:
    """What a worker leaves of a job that went well: events, what was measured, a model, the job done."""
    jobs.claim(store)
    for step in range(1, steps + 1):
        append_event(store.home.run(job.id), "metric", step=step, loss=1 / step)
    jobs.follow(store, job.id, phase="training", step=steps, total_steps=steps, seconds_to_first_step=0.5,
                evaluation=evaluation or jobs.get_job(store, job.id).evaluation or SOUND)  # fmt: skip
    origin = models.get_model(store, job.base_id)
    folder = write_adapter(store.home.model(job.name), "starter")
    kind = "reward" if job.method == "reward" else "adapter"
    model = models.add_model(
        store, job.name, kind, base_id=models.base_of(store, origin).id, parent_id=origin.id, path=str(folder),
        job_id=job.id, probe={"finite": True, "max_logit_difference": 1.5},
    )  # fmt: skip
    jobs.finish(store, job.id, "done", model_id=model.id)
    return model
