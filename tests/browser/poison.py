"""Puts hostile text into every text column of a store, by SQL, past every check of ours.

A column is left as it is only where it is named below as one that holds no words of people or models: identities,
hashes, and words of our own vocabulary, without which nothing would be shown at all. A column that is added later is
poisoned without anybody thinking of it.
"""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

# Without a slash, because names stand in addresses; {n} keeps them apart.
NAME = "n{n}\"'><img src=x onerror=window.hacked=1><svg onload=window.hacked=1>"
TEXT = (
    'POISON <img src=x onerror="window.hacked=1"><svg/onload=window.hacked=1>'
    '<iframe srcdoc="<script>parent.hacked=1</script>"></iframe><details open ontoggle=window.hacked=1>x</details>'
    '<a href="javascript:window.hacked=1">a</a> [b](javascript:window.hacked=1) $\\href{javascript:window.hacked=1}{c}$'
    "![d](https://evil.example/pixel.png) <img src=https://evil.example/p.gif><style>@import url(//evil.example/s);"
    "body{background:url(https://evil.example/b)}</style><form action=https://evil.example><button autofocus>e</button>"
    '</form><math><mtext><table><mglyph><style><!--</style><b title="--&gt;&lt;img src=1 onerror=window.hacked=1&gt;">'
    "</script><script>window.hacked=1</script> ${window.hacked=1} {{window.hacked=1}} <base href=//evil.example>"
)
OURS = frozenset(
    """id key kind state status split role choice method severity check_name source phase stop_requested path url probe
    models shown_order ranking password checks language stamp columns migration_set applied_at policy value
    before_features after_features supersedes used_by verdict alias day shown_order undone_by""".split()  # noqa: SIM905 - read as words
)
PEOPLE = frozenset({"author", "annotator", "created_by", "lifted_by"})
NAMES = PEOPLE | {"name", "tag", "dataset", "model", "model_name", "remote_name", "item"}
ASKED = ("off", "optional", "required")
# Keys inside JSON that hold our own words.
INNER = frozenset(
    """role kind type status state action check id dataset uploads split how sort method ids batch examples
    layout continues strength pace choice key model""".split()  # noqa: SIM905 - read as words
)


def poisonable(store: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Each table and column that holds words."""
    tables = store.execute(
        "select name from sqlite_master where type = 'table' and sql not like '%virtual%'"
    ).fetchall()
    for (table,) in tables:
        if table.startswith(("sqlite_", "_sqlite")) or table in ("meta", "zones"):
            continue
        for column in store.execute(f'pragma table_info("{table}")').fetchall():
            ours = column[1] in OURS or column[1].endswith(("_id", "sha256"))
            if "TEXT" in column[2].upper() and not ours:
                yield table, column[1]


def poison(path: str) -> dict[str, int]:
    """Poison a database file; tells how many values of each column."""
    store = sqlite3.connect(path, timeout=30)
    done: dict[str, int] = {}
    for table, column in list(poisonable(store)):
        info = store.execute(f'pragma table_info("{table}")').fetchall()
        key = [f'"{one[1]}"' for one in info if one[5]] or ["rowid"]
        sql = f'select "{column}", {", ".join(key)} from "{table}" where "{column}" is not null'
        for number, (old, *place) in enumerate(store.execute(sql).fetchall(), 1):
            where = " and ".join(f"{one} = ?" for one in key)
            new = poisoned(column, old, 1 if column in PEOPLE else number)
            store.execute(f'update or ignore "{table}" set "{column}" = ? where {where}', [new, *place])
            done[f"{table}.{column}"] = number
    store.commit()
    store.close()
    return done


def poisoned(column: str, old: str, number: int) -> str:
    """What takes the place of a value: JSON keeps its form."""
    try:
        value = json.loads(old)
    except (TypeError, ValueError):
        return NAME.format(n=number) if column in NAMES else TEXT
    if isinstance(value, dict | list):
        return json.dumps(_inner(value))
    return NAME.format(n=number) if column in NAMES else TEXT


def _inner(value: Any, key: str = "", number: int = 1) -> Any:
    """The same with hostile words; names in a list stay different, and whether something is asked for stays."""
    if key in INNER or value in ASKED:
        return value
    if isinstance(value, dict):
        return {inside: _inner(inner, inside, number) for inside, inner in value.items()}
    if isinstance(value, list):
        return [_inner(inner, number=place) for place, inner in enumerate(value, 1)]
    return (NAME.format(n=number) if key == "name" else TEXT) if isinstance(value, str) else value
