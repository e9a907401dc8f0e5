"""The least that an import can be: json, one table filled by executemany, an FTS5 index of the text. No project code.

    python sqlite_import.py FILE.jsonl DATABASE

No validation, no hashes, no duplicates, no transactions that others could write between: one transaction for the
rows, one statement for the index, which reads the texts out of the table (FTS5's external content).
"""

import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path


def texts(path: str) -> Iterator[tuple[str]]:
    """What is said in each line."""
    with Path(path).open(encoding="utf-8") as file:
        for line in file:
            yield ("\n".join(message["content"] for message in json.loads(line)["messages"]),)


def main() -> None:
    database = sqlite3.connect(sys.argv[2])
    database.execute("pragma journal_mode = wal")
    database.execute("create table rows (id integer primary key, said text not null)")
    database.executemany("insert into rows (said) values (?)", texts(sys.argv[1]))
    database.commit()
    database.execute("create virtual table words using fts5(said, content='rows', content_rowid='id')")
    database.execute("insert into words (words) values ('rebuild')")
    database.commit()
    print(database.execute("select count(*) from rows").fetchone()[0])


if __name__ == "__main__":
    main()
