"""The page /compare: blind answers and one vote. All of it is one widget, which asks /api/compare."""

from studio.studio import Studio
from studio.widgets.widget import widget

# What the page is made of, a noun each (static/compare.js tells how they fit), in the order in which they need each other.
_PARTS = [f"compare_{noun}" for noun in ("queue", "stream", "head", "pair", "ask", "cards")]


def build(studio: Studio) -> None:
    """Place the widget; called inside the page's route."""
    widget("compare", elem_id="compare", parts=_PARTS)
