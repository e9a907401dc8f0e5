"""Studies, comparisons and their answers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from storage.clock import blind_id, new_id, now
from storage.errors import Conflict, NotFound
from storage.models import checked_name
from storage.prompts import Messages, content_sha256, split_of, text_sha256
from storage.rows import Answer, Comparison, Study
from storage.rows_training import Model
from storage.store import Store


@dataclass(frozen=True)
class NewComparison:
    """A comparison about to be written. `texts`: answers that exist already (an import), by position.

    `histories`: by position, the turns between the prompt and the answer, where sides went on by themselves.
    `parent_id`: the comparison that this conversation goes on from; its split is the conversation's. `id`: where it
    must be known before.
    """

    prompt: Messages
    contestants: Sequence[tuple[str | None, str]]  # (model id, model name) by position
    source: str = "prompts"
    texts: Sequence[str] = field(default_factory=tuple)
    histories: Sequence[Messages | None] = field(default_factory=tuple)
    parent_id: str | None = None
    split: str | None = None
    id: str | None = None


class Whole(NamedTuple):
    """A comparison with its answers in order of position."""

    comparison: Comparison
    answers: list[Answer]


def create_study(
    store: Store,
    name: str,
    models: Sequence[Model],
    prompts_id: str | None,
    settings: dict[str, Any] | None = None,
    seed: int = 0,
) -> Study:
    """Create a study; raises Conflict where the name is taken."""
    with store.write():
        refuse_taken(store, name)
        row = {"id": new_id(), "name": name, "models": json.dumps([model.id for model in models]),
               "prompts_id": prompts_id, "settings": json.dumps(settings or {}), "seed": seed, "state": "open",
               "created_at": now()}  # fmt: skip
        store.insert("studies", row)
    return Study.from_row(row)


def get_study(store: Store, reference: str) -> Study:
    """A study by name or id; raises NotFound with the names there are."""
    row = store.one("select * from studies where name = ? or id = ?", [reference, reference])
    if row is None:
        names = ", ".join(study.name for study in list_studies(store)) or "none yet"
        raise NotFound(f'There is no study "{reference}"; there are: {names}.')
    return Study.from_row(row)


def list_studies(store: Store) -> list[Study]:
    """Studies, newest first."""
    return [Study.from_row(row) for row in store.rows("select * from studies order by created_at desc, id desc")]


def refuse_taken(store: Store, name: str) -> None:
    """Raise Conflict where a study of that name exists, BadInput for what cannot be a name."""
    checked_name(name)
    if store.value("select 1 from studies where name = ?", [name]):
        raise Conflict(f'A study named "{name}" exists already; choose another name.')


def set_state(store: Store, study_id: str, state: str) -> None:
    """Open or close a study: "open", "closed"."""
    store.execute("update studies set state = ? where id = ?", [state, study_id])


def add_comparison(store: Store, study: Study, new: NewComparison) -> Comparison:
    """Write a comparison and the places of its answers; it is ready at once where the texts exist already."""
    digest = content_sha256(new.prompt)
    with store.write():
        number = store.value("select coalesce(max(number), 0) + 1 from comparisons where study_id = ?", [study.id])
        row = {"id": new.id or blind_id(), "study_id": study.id, "number": number,
               "prompt": json.dumps(new.prompt), "prompt_sha256": digest,
               "split": new.split or split_of(digest), "source": new.source,
               "state": "ready" if new.texts else "waiting",
               "error": None, "created_at": now(), "ready_at": now() if new.texts else None,
               "parent_id": new.parent_id, "given": 0}  # fmt: skip
        store.insert("comparisons", row)
        for position in range(len(new.contestants)):
            _add_answer(store, row["id"], new, position)
    return Comparison.from_row(row)


def _add_answer(store: Store, comparison_id: str, new: NewComparison, position: int) -> None:
    """The place of one answer, filled where its text exists already."""
    model_id, model_name = new.contestants[position]
    text = new.texts[position] if new.texts else None
    history = new.histories[position] if new.histories else None
    store.insert(
        "answers",
        {"id": new_id(), "comparison_id": comparison_id, "position": position, "model_id": model_id,
         "model_name": model_name, "text": text, "sha256": None if text is None else text_sha256(text),
         "created_at": now(), "history": json.dumps(history) if history else None},
    )  # fmt: skip


def get_comparison(store: Store, comparison_id: str) -> Whole:
    """A comparison with its answers; raises NotFound."""
    row = store.one("select * from comparisons where id = ?", [comparison_id])
    if row is None:
        raise NotFound(f'There is no comparison "{comparison_id}".')
    return Whole(Comparison.from_row(row), answers_of(store, comparison_id))


def list_ready(store: Store, study_id: str, search: str, after: int, limit: int) -> list[Whole]:
    """Ready comparisons of a study whose number is above `after` and whose prompt holds `search`, by number."""
    rows = store.rows(
        "select * from comparisons where study_id = ? and state = 'ready' and number > ? "
        "and (? = '' or instr(lower(prompt), lower(?)) > 0) order by number limit ?",
        [study_id, after, search, json.dumps(search)[1:-1], limit],
    )
    return [Whole(Comparison.from_row(row), answers_of(store, row["id"])) for row in rows]


def answers_of(store: Store, comparison_id: str) -> list[Answer]:
    """A comparison's answers in order of position."""
    rows = store.rows("select * from answers where comparison_id = ? order by position", [comparison_id])
    return [Answer.from_row(row) for row in rows]


def children(store: Store, comparison_id: str) -> list[Whole]:
    """The comparisons in which a conversation goes on from this one, oldest first."""
    rows = store.rows("select * from comparisons where parent_id = ? order by number", [comparison_id])
    return [Whole(Comparison.from_row(row), answers_of(store, row["id"])) for row in rows]


# What is nearest to be judged: typed questions, then what somebody holds, then the queue's own order, whose index it
# walks. (Ordering all that wait would cost every claim what they all are.)
_NEAREST = """
coalesce(
 (select id from comparisons where study_id = :study and state = 'waiting' and source = 'free' order by number limit 1),
 (select c.id from leases l join comparisons c on c.id = l.comparison_id
  where l.study_id = :study and l.expires_at > :now and c.state = 'waiting' order by l.taken_at, c.number limit 1),
 (select id from comparisons where study_id = :study and state = 'waiting'
  order by given, priority desc, ready_at, number limit 1))
"""
# The first that a person holds, where they hold nothing that is ready.
_AWAITED = """
coalesce(
 (select id from comparisons where study_id = :study and state = 'waiting' and source = 'free' order by number limit 1),
 (select l.comparison_id from leases l join comparisons c on c.id = l.comparison_id
  where l.study_id = :study and l.expires_at > :now and c.state = 'waiting'
    and not exists (select 1 from leases m join comparisons d on d.id = m.comparison_id
                    where m.study_id = :study and m.annotator = l.annotator and m.expires_at > :now
                      and m.comparison_id != l.comparison_id and (d.state = 'ready' or m.taken_at < l.taken_at))
  order by l.taken_at limit 1))
"""


def waiting_studies(store: Store) -> list[str]:
    """The studies in which comparisons wait for answers, by id; asked often, it reads a few numbers."""
    return [row[0] for row in store.db.conn.execute(
        "select distinct study_id from standings where state = 'waiting' and n > 0"
    )]  # fmt: skip


def claim_waiting(store: Store, study_id: str | None = None) -> Comparison | None:
    """Take the comparison that is nearest to be judged of those that wait for answers (of one study, if given).

    Typed questions come first: somebody sits before them. Then what people hold, in the order in which they got it.
    """
    # Asked many times for nothing, it must not stand in the way of those who write.
    for study in waiting_studies(store):
        if study_id not in (None, study):
            continue
        found = store.rows(
            f"update comparisons set state = 'answering' where id = {_NEAREST} and state = 'waiting' returning *",
            {"study": study, "now": now()},
        )
        if found:
            return Comparison.from_row(found[0])
    return None


def waited_for(store: Store, study_id: str) -> str | None:
    """A comparison without answers that somebody sits before: a typed question, or the first that they hold."""
    if study_id not in waiting_studies(store):
        return None
    found: str | None = store.value(f"select {_AWAITED}", {"study": study_id, "now": now()})
    return found


def claim(store: Store, comparison_id: str) -> Comparison | None:
    """Take this one comparison, if it waits for answers."""
    found = store.rows(
        "update comparisons set state = 'answering' where id = ? and state = 'waiting' returning *", [comparison_id]
    )
    return Comparison.from_row(found[0]) if found else None


def release(store: Store) -> int:
    """Put comparisons that a crash left half-answered back to waiting; returns how many."""
    with store.write():
        store.execute(
            "update answers set text = null, sha256 = null, stamp = null, key = null where comparison_id in "
            "(select id from comparisons where state = 'answering')"
        )
        return store.execute("update comparisons set state = 'waiting' where state = 'answering'")


def fill_answer(
    store: Store, answer_id: str, text: str, stamp: dict[str, Any], tokens: int, seconds: float, key: str | None = None
) -> None:
    """Store an answer that has been made, with the stamp of what made it; `key`: what decides it, if that is known."""
    store.execute(
        "update answers set text = ?, sha256 = ?, stamp = ?, tokens = ?, seconds = ?, created_at = ?, key = ? "
        "where id = ?",
        [text, text_sha256(text), json.dumps(stamp), tokens, seconds, now(), key, answer_id],
    )


def mark(store: Store, comparison_id: str, state: str, error: str | None = None) -> None:
    """Set a comparison's state; `ready` also notes when."""
    store.execute(
        "update comparisons set state = :state, error = :error, "
        "ready_at = case when :state = 'ready' then :now else ready_at end where id = :id",
        {"state": state, "error": error, "now": now(), "id": comparison_id},
    )
