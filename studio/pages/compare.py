"""The page /compare: two blind answers and one vote. All of it is one widget, which asks /api/compare."""

from studio.studio import Studio
from studio.widgets.widget import widget


def build(studio: Studio) -> None:
    """Place the widget; called inside the page's route."""
    widget("compare", elem_id="compare")
