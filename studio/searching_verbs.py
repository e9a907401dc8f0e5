"""Verbs that `Studio` inherits about searches over options (begin, list, show, stop) and about classifiers at work."""

import time
from collections.abc import Mapping
from typing import Any

from studio.opened import Json, Opened

_POLL_SECONDS = 0.5


class SearchVerbs(Opened):
    """Verbs about searches and classifiers, over the store of a `Studio`."""

    def search(
        self,
        method: str,
        base: str,
        trials: int = 20,
        sampler: str = "tpe",
        space: str = "",
        seconds: float | None = None,
        goals: tuple[str, ...] = (),
        name: str | None = None,
        options: Mapping[str, Any] | None = None,
        wait: bool = False,
        **more: Any,
    ) -> Json:
        """Try options of a method in `trials` jobs; `wait` until the last has ended.

        `space`: what is searched, as text; `goals`: what is to be small; `more`: fields of
        `studio.training.request.Request`, such as `dataset` or `eval`.
        """
        from storage.searches import SEARCH_ENDED
        from studio.training.request import Request
        from studio.training.searching import Wish, begin_search, report_search

        request = Request(method, base, options=options or {}, **more)
        search = begin_search(self.ready, request, Wish(trials, sampler, space, seconds, tuple(goals), name))
        while True:
            report = report_search(self.ready, search.id)
            if not wait or report["state"] in SEARCH_ENDED:
                return report
            time.sleep(_POLL_SECONDS)

    def searches(self, name: str | None = None) -> Json:
        """All searches in short, or one with its trials."""
        from studio.training.searching import list_reports, report_search

        return report_search(self.ready, name) if name else {"searches": list_reports(self.ready)}

    def stop_search(self, name: str) -> Json:
        """Ask a search to stop, and its running trial."""
        from studio.training.searching import report_search, stop_search

        return report_search(self.ready, stop_search(self.ready, name).id)

    def label(self, model: str, dataset: str, tag_above: float | None = None) -> Json:
        """Let a classifier label a dataset, and tag rows of which it is at least so sure, as one undoable change."""
        from studio.training.labelling_models import label_dataset

        return label_dataset(self.ready, self.settings, model, dataset, tag_above, self.settings.annotator)
