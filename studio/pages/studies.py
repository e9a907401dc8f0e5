"""The page /studies: what is judged, by whom and how far it is; studies are made, changed, closed and opened here.

One widget over /api/studies. The address says what is shown: the list, one study, or the form for a new one.
"""

from studio.studio import Studio
from studio.widgets.widget import widget


def build(studio: Studio) -> None:
    """Place the page's components; called inside the page's route."""
    widget(
        "studies",
        parts=(
            "markdown",
            "studies_settings",
            "studies_form",
            "studies_gold",
            "studies_choice",
            "studies_ahead",
            "studies_demos",
            "studies_one",
        ),
    )
