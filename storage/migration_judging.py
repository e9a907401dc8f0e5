"""Migration 14: what judging together needs beside the votes themselves.

Leases (who holds which slot until when), gold (known answers), second looks (the same person again, kept apart from
the votes so that they never count twice), guidelines by version, adjudications. Votes gain what a second stage says;
answers a history of their own for conversations in which every side went on by itself; comparisons the number of people
whose vote counts, so that a queue need not count them.

What a page asks for after every vote is kept as numbers, not counted anew: how many comparisons of a study are in which
state with how many votes (`standings`, kept by triggers, whoever writes), and what a person gave on each day
(`workdays`, kept by `storage.votes.cast`). So a vote costs the same in a study of twenty and of twenty thousand.
"""

from storage.sqlite import Database

_JUDGED = (("comparison_id", "comparisons", "id"), ("study_id", "studies", "id"))
_GIVEN = """
update comparisons set given = (
    select count(*) from votes v
    where v.comparison_id = comparisons.id and v.choice not in ('undo', 'skip')
      and v.rowid = (select max(w.rowid) from votes w
                     where w.comparison_id = v.comparison_id and w.annotator = v.annotator))
"""


def prepare(db: Database) -> None:
    """Add the columns, fill the count of votes, make the tables."""
    _columns(db)
    _counting(db)
    _sharing(db)
    _checking(db)
    _saving(db)


_COUNTED = (
    "insert into standings (study_id, state, given, n) values ({row}.study_id, {row}.state, {row}.given, {step}) "
    "on conflict do update set n = n + {step};"
)
_WORKED = """
insert into workdays (study_id, annotator, day, votes, skips, left_chosen, left_of, seconds)
select study_id, annotator, date(created_at, 'unixepoch', 'localtime'), sum(choice != 'skip'), sum(choice = 'skip'),
       sum((choice = 'a' and shown_order = '[0, 1]') or (choice = 'b' and shown_order = '[1, 0]')),
       sum(choice in ('a', 'b') and shown_order in ('[0, 1]', '[1, 0]')), total(min(seconds, 300))
from votes v
where choice != 'undo' and rowid = (select max(w.rowid) from votes w
                                    where w.comparison_id = v.comparison_id and w.annotator = v.annotator)
group by 1, 2, 3
"""


def _columns(db: Database) -> None:
    for column in ("chips text", "rating real", "reason text", "edited_position integer", "guidelines integer"):
        db.execute(f"alter table votes add column {column}")
    db.execute("alter table answers add column history text")
    db.execute("alter table comparisons add column parent_id text references comparisons(id)")
    db.execute("create index idx_comparisons_parent on comparisons (parent_id) where parent_id is not null")
    db.execute("alter table comparisons add column given integer not null default 0")
    # The queue takes the greater first, among comparisons with as many votes.
    db.execute("alter table comparisons add column priority real not null default 0")
    db.execute(_GIVEN)
    db.execute(
        "create index idx_comparisons_queue on comparisons (study_id, state, given, priority desc, ready_at, number)"
    )


def _counting(db: Database) -> None:
    """Numbers kept as rows come and change."""
    db["standings"].create(
        {"study_id": str, "state": str, "given": int, "n": int},
        pk=("study_id", "state", "given"),
        not_null={"n"},
        strict=True,
    )
    db.execute("insert into standings select study_id, state, given, count(*) from comparisons group by 1, 2, 3")
    more, less = _COUNTED.format(row="new", step="1"), _COUNTED.format(row="old", step="-1")
    changed = "when new.state != old.state or new.given != old.given"
    db.execute(f"create trigger standings_come after insert on comparisons begin {more} end")
    db.execute(f"create trigger standings_go after delete on comparisons begin {less} end")
    db.execute(f"create trigger standings_turn after update on comparisons {changed} begin {more} {less} end")
    db["workdays"].create(
        {"study_id": str, "annotator": str, "day": str, "votes": int, "skips": int, "left_chosen": int,
         "left_of": int, "seconds": float},
        pk=("study_id", "annotator", "day"),
        not_null={"votes", "skips", "left_chosen", "left_of", "seconds"},
        defaults={"votes": 0, "skips": 0, "left_chosen": 0, "left_of": 0, "seconds": 0.0},
        strict=True,
    )  # fmt: skip
    db.execute(_WORKED)


def _sharing(db: Database) -> None:
    """Leases and guidelines. `alias`: the id under which a second look is shown, so that nobody knows it again."""
    db["leases"].create(
        {"comparison_id": str, "annotator": str, "study_id": str, "kind": str, "alias": str,
         "taken_at": float, "expires_at": float},
        pk=("comparison_id", "annotator", "kind"),
        not_null={"study_id", "taken_at", "expires_at"},
        foreign_keys=_JUDGED,
        strict=True,
    )  # fmt: skip
    db["leases"].create_index(["study_id", "expires_at"])
    db["leases"].create_index(["study_id", "annotator"])
    db["leases"].create_index(["alias"])
    # Until when nothing is sought for a person for whom a long search has found too little.
    db["lulls"].create(
        {"study_id": str, "annotator": str, "until": float},
        pk=("study_id", "annotator"),
        not_null={"until"},
        strict=True,
    )
    db["guidelines"].create(
        {"study_id": str, "number": int, "text": str, "author": str, "created_at": float},
        pk=("study_id", "number"),
        not_null={"text", "author", "created_at"},
        foreign_keys=[("study_id", "studies", "id")],
        strict=True,
    )


def _checking(db: Database) -> None:
    """Known answers, second looks, and what a curator decided where people disagreed."""
    db["gold"].create(
        {"comparison_id": str, "study_id": str, "expected": str, "note": str, "author": str, "created_at": float,
         "lifted_at": float},
        pk="comparison_id",
        not_null={"study_id", "expected", "author", "created_at"},
        foreign_keys=_JUDGED,
        strict=True,
    )  # fmt: skip
    db["gold"].create_index(["study_id"])
    db["second_looks"].create(
        {"id": str, "vote_id": str, "comparison_id": str, "study_id": str, "annotator": str, "choice": str,
         "ranking": str, "rating": float, "shown_order": str, "agreed": int, "seconds": float, "created_at": float,
         "undone_by": str},
        pk="id",
        not_null={"vote_id", "comparison_id", "study_id", "annotator", "choice", "shown_order", "agreed", "created_at"},
        foreign_keys=[("vote_id", "votes", "id"), *_JUDGED],
        strict=True,
    )  # fmt: skip
    db["second_looks"].create_index(["study_id", "annotator"])
    db["adjudications"].create(
        {"id": str, "comparison_id": str, "study_id": str, "choice": str, "ranking": str, "rating": float,
         "reason": str, "author": str, "created_at": float, "lifted_at": float, "lifted_by": str},
        pk="id",
        not_null={"comparison_id", "study_id", "choice", "author", "created_at"},
        foreign_keys=_JUDGED,
        strict=True,
    )  # fmt: skip
    db["adjudications"].create_index(["study_id", "comparison_id"])


def _saving(db: Database) -> None:
    """Answers that became examples: kept as they are, or mended with a vote (`vote_id`)."""
    db["saved"].create(
        {"id": str, "kind": str, "study_id": str, "comparison_id": str, "position": int, "vote_id": str,
         "text_sha256": str, "dataset_id": str, "example_id": str, "author": str, "created_at": float,
         "trashed_at": float},
        pk="id",
        not_null={"kind", "study_id", "comparison_id", "position", "text_sha256", "dataset_id", "example_id", "author",
                  "created_at"},
        foreign_keys=[*_JUDGED, ("vote_id", "votes", "id"), ("dataset_id", "datasets", "id")],
        strict=True,
    )  # fmt: skip
    db["saved"].create_index(["study_id", "kind"])
    db["saved"].create_index(["comparison_id"])
    db.execute("create index idx_votes_edited on votes (study_id) where edited is not null")
