"""From the key that votes to the next pair painted, in Chromium.

    python -m bench.vote

A key press is timed in the page itself: from the `keydown` event until two animation frames after the next pair was
put into the document (the first frame may have begun before it). The vote is committed in between. The baseline is
the same study as a plain Gradio application: two Markdown panes, a button with a queued event that inserts one row
into SQLite and answers with the next pair. Both are driven in turns, with a second of reading between two votes.
Goal: under 100 ms at the 95th percentile.
"""

import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

VOTES = 40
READING_MS = 400
GOAL_MS = 100.0
WORDS = "This is a sentence of an answer, about as long as people write them. " * 12

TIMER = """
([selector, what]) => {
  window.times = [];
  let pressed = null;
  document.addEventListener("keydown", () => { pressed = performance.now(); }, true);
  new MutationObserver(() => {
    if (pressed === null) return;
    const begun = pressed;
    pressed = null;
    requestAnimationFrame(() => requestAnimationFrame(() => window.times.push(performance.now() - begun)));
  }).observe(document.querySelector(selector), what);
}
"""
# What tells that the next pair is in the document: our page says so, of Gradio's any change of the text does.
OURS = ["[data-widget=compare]", {"attributes": True, "attributeFilter": ["data-painted"]}]
BARES = ["#left", {"childList": True, "subtree": True, "characterData": True}]
BARE = """
import os, sqlite3, sys
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
import gradio as gr
db = sqlite3.connect(sys.argv[2], check_same_thread=False, isolation_level=None)
db.execute("pragma journal_mode = wal")
db.execute("create table votes (id integer primary key, pair int, choice text)")
words = sys.argv[3]
def vote(number):
    db.execute("insert into votes (pair, choice) values (?, 'a')", [number])
    return number + 1, f"{number + 1}. {words}", f"{number + 1}. {words}"
with gr.Blocks(analytics_enabled=False, js="() => document.addEventListener('keydown', (e) => "
               "{ if (e.key === '1') document.getElementById('vote').click(); })") as demo:
    number = gr.State(0)
    with gr.Row():
        left, right = gr.Markdown(words, elem_id="left"), gr.Markdown(words)
    gr.Button("A is better", elem_id="vote").click(vote, number, [number, left, right])
demo.launch(server_port=int(sys.argv[1]), quiet=True)
"""


class Times(NamedTuple):
    """Milliseconds from key to paint."""

    p50: float
    p95: float
    votes: int


def run() -> dict[str, Any]:
    """Measure in turns; the shape of every bench (`ratchet bench`)."""
    from playwright.sync_api import sync_playwright

    path = next(path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name)))
    with (
        tempfile.TemporaryDirectory() as folder,
        our_studio(Path(folder)) as ours,
        bare_gradio(Path(folder)) as bare,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        pages = {"ours": chromium.new_page(), "bare": chromium.new_page()}
        pages["ours"].goto(f"{ours}/compare")
        pages["ours"].wait_for_selector("[data-widget=compare][data-state=ready]")
        pages["ours"].evaluate(TIMER, OURS)
        pages["bare"].goto(bare)
        pages["bare"].wait_for_selector("#left p")
        pages["bare"].evaluate(TIMER, BARES)
        for _ in range(VOTES):
            for page in pages.values():
                page.bring_to_front()
                page.wait_for_timeout(READING_MS)
                page.keyboard.press("1")
                page.wait_for_timeout(READING_MS)
        mine, theirs = (_times(page.evaluate("window.times")) for page in pages.values())
        chromium.close()
    ratios = [
        {"against": "goal, ms at p95", "value": mine.p95, "goal": GOAL_MS, "better": "lower"},
        {"against": "bare Gradio, p95", "value": mine.p95 / theirs.p95, "goal": 1.0, "better": "lower"},
    ]
    return {
        "name": "vote",
        "ours": mine._asdict(),
        "baselines": {"bare Gradio": theirs._asdict()},
        "ratios": ratios,
        "ratio": ratios[0]["value"],
        "met": mine.p95 <= GOAL_MS and mine.votes >= VOTES * 0.95,
    }


def _times(values: list[float]) -> Times:
    """Median and 95th percentile."""
    return Times(round(statistics.median(values), 1), round(statistics.quantiles(values, n=20)[-1], 1), len(values))


@contextmanager
def our_studio(folder: Path) -> Iterator[str]:
    """The studio with enough pairs that are ready, served from a thread."""
    import uvicorn

    from storage.comparisons import NewComparison, add_comparison, create_study
    from storage.models import add_model
    from storage.prompts import as_messages
    from studio.app import build_app
    from studio.settings import Settings
    from studio.studio import Studio

    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    studio = Studio(settings=Settings.from_env({}, home=folder / "home", port=port))
    models = [
        add_model(studio.store, name, "endpoint", url="http://127.0.0.1:9/v1", remote_name=name)
        for name in ("a1", "b1")
    ]
    study = create_study(studio.store, "bench", models, None)
    for number in range(2 * VOTES):
        texts = [f"{number}. {WORDS}", f"{number}. {WORDS[::-1]}"]
        contestants = [(model.id, model.name) for model in models]
        add_comparison(studio.store, study, NewComparison(as_messages(f"Question {number}?"), contestants, texts=texts))
    server = uvicorn.Server(uvicorn.Config(build_app(studio), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@contextmanager
def bare_gradio(folder: Path) -> Iterator[str]:
    """The baseline in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", BARE, str(port), str(folder / "bare.db"), WORDS])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(10)


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
