"""The least that saving a vote can be: Starlette and one sqlite insert, committed with each vote. No project code.

    python bare_votes.py DATABASE PORT

Nobody signs in, nothing is checked, no next comparison is looked for, nothing is leased or counted. As durable as
the studio: write-ahead log, synchronous full.
"""

import sqlite3
import sys
import threading

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

local = threading.local()


def connection() -> sqlite3.Connection:
    """This thread's connection."""
    if not hasattr(local, "db"):
        local.db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
        local.db.execute("pragma journal_mode = wal")
        local.db.execute("pragma synchronous = full")
    return local.db


def save(vote: dict) -> None:
    """One insert, committed by itself."""
    connection().execute(
        "insert or ignore into votes (id, comparison, choice) values (?, ?, ?)",
        [vote["id"], vote["comparison"], vote["choice"]],
    )


async def vote(request: Request) -> JSONResponse:
    """Save, then answer."""
    body = await request.json()
    await run_in_threadpool(save, body)
    return JSONResponse({"saved": body["id"]})


def main() -> None:
    connection().execute("create table votes (id text primary key, comparison text, choice text)")
    app = Starlette(routes=[Route("/vote", vote, methods=["POST"])])
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
