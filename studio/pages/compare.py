"""The page /compare: blind answers and one vote. All of it is one widget, which asks /api/compare."""

from studio.studio import Studio
from studio.widgets.widget import widget

# What the page is made of, a noun each (static/compare.js tells how they fit).
_NOUNS = (
    "queue ahead stream clock keys head session says choices pair details fix second skip screen ask cards "
    "guidelines rank rate turns diff keep mine"
)
_PARTS = ["markdown", "editor_diff", *(f"compare_{noun}" for noun in _NOUNS.split())]


def build(studio: Studio) -> None:
    """Place the widget; called inside the page's route."""
    widget("compare", elem_id="compare", parts=_PARTS)
