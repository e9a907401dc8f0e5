"""A study as a plain Gradio application: two texts, a button, one row a vote. No project code.

    python gradio_votes.py DATABASE PORT

Gradio as it comes: one queued event with its default limit. Nobody signs in, nothing is checked, no pair is leased;
each session goes through the pairs by itself. Votes are as durable as the studio's: write-ahead log, synchronous
full. The key 1 presses the button.
"""

import os
import sqlite3
import sys

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"

import gradio as gr

WORDS = "This is a sentence of an answer, about as long as people write them. " * 12
KEYS = """() => document.addEventListener("keydown", (event) => {
  if (event.key === "1") document.getElementById("vote").click();
})"""


def build(db: sqlite3.Connection) -> gr.Blocks:
    """The page."""

    def pair(number: int) -> tuple[str, str]:
        return f"Pair {number}: {WORDS}", f"Pair {number}: {WORDS[::-1]}"

    def vote(number: int) -> tuple[int, str, str]:
        db.execute("insert into votes (pair, choice) values (?, 'a')", [number])
        return number + 1, *pair(number + 1)

    with gr.Blocks(analytics_enabled=False) as demo:
        number = gr.State(0)
        with gr.Row():
            left = gr.Markdown(pair(0)[0], elem_id="left")
            right = gr.Markdown(pair(0)[1], elem_id="right")
        gr.Button("A is better", elem_id="vote").click(vote, number, [number, left, right])
        demo.load(None, js=KEYS)
    return demo


def main() -> None:
    """Serve until told to end."""
    db = sqlite3.connect(sys.argv[1], check_same_thread=False, isolation_level=None, timeout=20)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = full")
    db.execute("create table if not exists votes (id integer primary key, pair int, choice text)")
    build(db).launch(server_name="127.0.0.1", server_port=int(sys.argv[2]), quiet=True)


if __name__ == "__main__":
    main()
