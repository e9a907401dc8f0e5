"""The page /results: who wins and how sure that is, how well people agree, who judged, what the votes can train.

One widget over /api/results. The chosen study and what is shown of it stand in the address. A second one over
/api/canaries, closed until somebody opens it: it names models, and has nothing to do with the chosen study.
"""

from studio.studio import Studio
from studio.widgets.widget import widget


def build(studio: Studio) -> None:
    """Place the page's components; called inside the page's route."""
    tables = ("results_tables", "results_ratings", "results_scores")
    widget("results", parts=("markdown", *tables, "undo_learning", "results_people", "results_adjudicate"))
    widget("canaries", parts=("tasks", "editor_diff", "canaries_changes", "canaries_expected"))
