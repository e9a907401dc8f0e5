"""The page /data: bring files in, read the rows of a dataset, mend them by hand, take files out.

Four widgets over /api/data, side by side on a desk and one below the other on a phone. Where the person is (dataset,
page, search, open row, running import) stands in the address, so a refresh or a shared link shows the same; the
scripts talk to each other through `ratchet.data` (static/data.js).
"""

import gradio as gr

from studio.settings import Settings
from studio.studio import Studio
from studio.widgets.widget import widget

# What the table is made of, in the order in which the scripts need each other.
_TABLE = (
    "filters",
    "views",
    "table_rows",
    "table_bulk",
    "changes",
    "undo_learning",
    "versions",
    "erase",
    "data_export",
    "answer_dataset",
)

# The scripts of the import, a noun each (static/data_import.js names them).
_IMPORT = [f"data_import_{noun}" for noun in
           ("sending", "preview", "mapping", "paste", "folders", "hub", "files", "form", "report")]  # fmt: skip

# The parts of the editor, in the order in which the scripts need each other.
_EDITOR = [f"editor_{noun}" for noun in
           ("desk", "diff", "turns", "calls", "forms", "fields", "drafts", "conflict", "history", "comments", "status",
            "model", "sees", "near")]  # fmt: skip


def build(studio: Studio) -> None:
    """Place the page's components; called inside the page's route."""
    with gr.Row(elem_classes="data-columns"):
        with gr.Column(elem_classes="data-side", min_width=0):
            widget("datasets", parts=("data",))
        with gr.Column(elem_classes="data-main", min_width=0):
            widget("data_import", props=_limits(studio.settings), parts=_IMPORT)
            widget("overview", parts=("findings",))
            widget("table", parts=_TABLE)
        with gr.Column(elem_classes="data-open", min_width=0):
            widget("editor", parts=_EDITOR)


def _limits(settings: Settings) -> dict[str, int]:
    """What the form of an import must know before a file is sent."""
    return {"max_upload_mb": settings.max_upload_mb}
