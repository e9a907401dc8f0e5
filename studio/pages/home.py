"""The first page: the one next step, the loop as a picture, the run at work and the film of the rounds.

One widget over /api/rounds, which is rebuilt from the store at every look.
"""

from studio.studio import Studio
from studio.widgets.widget import widget


def build(studio: Studio) -> None:
    """Place the page's components; called inside the page's route."""
    widget("home", parts=("tasks", "home_gate", "home_replay"))
