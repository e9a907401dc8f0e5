"""The page /models: the tree of models, and beside it all about the one that is chosen, a chat with it included.

One widget over /api/models. The chosen model, the search and whether archived ones are shown stand in the address.
"""

from studio.studio import Studio
from studio.widgets.widget import widget

_PARTS = (
    "markdown",
    "train_words",
    "curve",
    "run_findings",
    "tasks",
    "run_export",
    "add_model",
    "models_tree",
    "models_facts",
    "models_chat",
    "model_mix",
    "models_actions",
    "models_panel",
)


def build(studio: Studio) -> None:
    """Place the page's components; called inside the page's route."""
    widget("models", parts=_PARTS)
