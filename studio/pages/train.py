"""The page /train: the form of a new training beside the run at work and the jobs before it.

All are widgets over /api. The form thinks every change through on the studio's side; the run, the queue and the
searches are redrawn from the store every few seconds, so a refresh, a second tab or a restarted studio shows the same.
"""

import gradio as gr

from studio.studio import Studio
from studio.widgets.widget import widget

FORM_PARTS = (
    "add_model", "train_policy", "train_words", "train_methods", "train_options", "train_origin", "train_material",
    "train_extras", "train_chain", "train_preflight", "search_ask",
)  # fmt: skip
RUN_PARTS = (
    "curve", "run_chart", "run_log", "run_findings", "tasks", "run_export", "run_actions", "run_told", "run_card",
)  # fmt: skip


def build(studio: Studio) -> None:
    """Place the page's components; called inside the page's route."""
    with gr.Row(elem_classes="train-columns"):
        with gr.Column():
            widget("train", parts=FORM_PARTS)
        with gr.Column():
            widget("run", parts=RUN_PARTS)
            widget("queue")
            widget("search", parts=["search_pareto"])
            widget("disk")
