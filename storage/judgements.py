"""What a study holds, read for those who judge and those who count: queues, contestants, uses of prompts."""

import json
from collections import Counter
from typing import Any, NamedTuple

from storage.rows import Answer, Comparison
from storage.store import Store


class Contest(NamedTuple):
    """A comparison as counting needs it: its prompt, whether votes on it train, and who answered, by position."""

    prompt_sha256: str
    split: str
    models: list[str]
    sha256: list[str]
    """Hashes of the texts; empty where they are not known."""

    begun: str
    """The prompt with which the conversation began: votes on all its turns hang together."""


class Said(NamedTuple):
    """A vote as counting needs it, a fifth of what `Vote` costs. `ranking` and `shown_order` are JSON as stored."""

    id: str
    comparison_id: str
    annotator: str
    choice: str
    ranking: str | None
    shown_order: str
    seconds: float | None
    source: str
    created_at: float
    rating: float | None = None


class Label(NamedTuple):
    """One person's label of one item; `label` is JSON as stored."""

    item: str
    annotator: str
    label: str
    created_at: float

    @property
    def source(self) -> str:
        """Labels come by import alone."""
        return "import"


def contests(store: Store, study_id: str) -> dict[str, Contest]:
    """The comparisons of a study by id."""
    rows = store.db.conn.execute(
        "select c.id, c.prompt_sha256, c.split, c.parent_id, a.model_name, a.sha256 from comparisons c "
        "join answers a on a.comparison_id = c.id where c.study_id = ? order by c.number, a.position",
        [study_id],
    )
    found: dict[str, Contest] = {}
    for identity, prompt_sha256, split, parent, name, sha256 in rows:
        contest = found.get(identity)
        if contest is None:
            begun = found[parent].begun if parent in found else prompt_sha256  # a parent has a lower number
            contest = found[identity] = Contest(prompt_sha256, split, [], [], begun)
        contest.models.append(name)
        if sha256 is not None:
            contest.sha256.append(sha256)
    return found


def wholes(store: Store, study_id: str) -> dict[str, tuple[Comparison, list[Answer]]]:
    """The comparisons of a study that were ever voted on, with their answers, by id."""
    voted = "select comparison_id from votes where study_id = ?"
    rows = store.rows(f"select * from comparisons where id in ({voted})", [study_id])
    found: dict[str, tuple[Comparison, list[Answer]]] = {row["id"]: (Comparison.from_row(row), []) for row in rows}
    answers = store.rows(
        f"select * from answers where comparison_id in ({voted}) order by comparison_id, position", [study_id]
    )
    for row in answers:
        found[row["comparison_id"]][1].append(Answer.from_row(row))
    return found


def asked(store: Store, study_id: str) -> list[tuple[str, str]]:
    """The prompts of a study, as stored (JSON), by the id of the comparison."""
    rows = store.db.conn.execute("select id, prompt from comparisons where study_id = ?", [study_id])
    return [(identity, prompt) for identity, prompt in rows]


def answered(store: Store, study_id: str) -> set[tuple[str, frozenset[str]]]:
    """The prompts of a study with the answers that stand to each other there, by their hashes."""
    rows = store.db.conn.execute(
        "select c.prompt_sha256, group_concat(a.sha256) from comparisons c join answers a on a.comparison_id = c.id "
        "where c.study_id = ? and a.sha256 is not null group by c.id",
        [study_id],
    )
    return {(prompt, frozenset(texts.split(","))) for prompt, texts in rows}


def opening(store: Store, comparison_id: str, length: int) -> str | None:
    """How the last turn of a comparison's prompt begins; None where there is no such comparison."""
    prompt = store.value("select prompt from comparisons where id = ?", [comparison_id])
    turns = json.loads(prompt) if prompt else []
    content = turns[-1].get("content") if turns else None
    return content[:length] if isinstance(content, str) else None


def votes_given(store: Store, study_id: str) -> int:
    """How many rows of votes a study holds, withdrawn and repeated ones as well: a size, no result."""
    return int(store.value("select count(*) from votes where study_id = ?", [study_id]))


def failed_in_a_row(store: Store, study_id: str, most: int) -> int:
    """How many of the newest comparisons (`most` at most) failed, up to the first that did not."""
    rows = store.rows(
        "select state from comparisons where study_id = ? and state in ('ready', 'failed') "
        "order by number desc limit ?",
        [study_id, most],
    )
    states = [row["state"] for row in rows]
    return states.index("ready") if "ready" in states else len(states)


def ask_again(store: Store, study_id: str) -> int:
    """Let the failed comparisons of a study wait for answers again; returns how many."""
    return store.execute(
        "update comparisons set state = 'waiting', error = null where study_id = ? and state = 'failed'", [study_id]
    )


def prompt_uses(store: Store, study_id: str) -> dict[str, int]:
    """How often each prompt (by hash) has been used in a study; comparisons that failed do not count."""
    rows = store.rows(
        "select prompt_sha256, count(*) as uses from comparisons "
        "where study_id = ? and state != 'failed' group by prompt_sha256",
        [study_id],
    )
    return {row["prompt_sha256"]: row["uses"] for row in rows}


def line_up_uses(store: Store, study_id: str) -> Counter[tuple[str, ...]]:
    """How often each line-up of contestants, by name, has been asked; a conversation that goes on counts once."""
    rows = store.db.conn.execute(
        "select a.comparison_id, a.model_name from answers a join comparisons c on c.id = a.comparison_id "
        "where c.study_id = ? and c.parent_id is null order by a.comparison_id, a.position",
        [study_id],
    )
    line_ups: dict[str, list[str]] = {}
    for comparison_id, name in rows:
        line_ups.setdefault(comparison_id, []).append(name)
    return Counter(tuple(line_up) for line_up in line_ups.values())


def set_settings(store: Store, study_id: str, settings: dict[str, Any]) -> None:
    """Replace the settings of a study; answers made before keep the stamp of what made them."""
    store.execute("update studies set settings = ? where id = ?", [json.dumps(settings), study_id])


def retire_unjudged(store: Store, study_id: str) -> int:
    """Take the comparisons of a study that nobody has judged out of the queue; returns how many."""
    return store.execute(
        "update comparisons set state = 'retired' where study_id = ? and given = 0 "
        "and state in ('waiting', 'answering', 'ready')",
        [study_id],
    )


def judged_by(store: Store, study_id: str) -> dict[str, int]:
    """How many votes of each person count in a study, most first."""
    rows = store.rows(
        "select annotator, sum(votes) as votes from workdays where study_id = ? group by 1 having sum(votes) > 0 "
        "order by 2 desc, 1",
        [study_id],
    )
    return {row["annotator"]: row["votes"] for row in rows}


def voters(store: Store, study_id: str) -> set[tuple[str, str]]:
    """Who has ever voted on which comparison of a study: (comparison id, annotator)."""
    rows = store.rows("select distinct comparison_id, annotator from votes where study_id = ?", [study_id])
    return {(row["comparison_id"], row["annotator"]) for row in rows}


def labels(store: Store, study_id: str) -> list[Label]:
    """The labels of a study, in the order in which they came."""
    rows = store.db.conn.execute(
        "select item, annotator, label, created_at from labels where study_id = ? order by rowid", [study_id]
    )
    return [Label(*row) for row in rows]


def said(store: Store, study_id: str) -> list[Said]:
    """The votes of a study that count, skips left out, oldest first: as `current_votes`, for a hundred thousand."""
    rows = store.db.conn.execute(
        f"select {', '.join(Said._fields)} from votes where study_id = ? order by rowid", [study_id]
    )
    newest: dict[tuple[str, str], Said] = {}
    for one in map(Said._make, rows):
        key = (one.comparison_id, one.annotator)
        newest.pop(key, None)  # a vote given again moves to the end
        newest[key] = one
    return [one for one in newest.values() if one.choice not in ("undo", "skip")]


def counting_mark(store: Store, study_id: str) -> list[Any]:
    """What is another one after every vote, withdrawal, label, exclusion and renamed model of a study.

    Votes only come, never go (a withdrawal is a row of its own), so the newest one tells: counting a million of them
    would take longer than all else.
    """
    queries = (
        "select max(rowid) from votes where study_id = ?",
        "select count(*), max(rowid) from labels where study_id = ?",
        "select count(*), count(lifted_at), max(rowid) from exclusions where study_id = ?",
        "select count(*), total(lifted_at), max(rowid) from gold where study_id = ?",
        "select count(*), count(lifted_at), max(rowid) from adjudications where study_id = ?",
        "select models, (select group_concat(id || name) from models) from studies where id = ?",
    )
    return [list(store.db.conn.execute(query, [study_id]).fetchone()) for query in queries]
