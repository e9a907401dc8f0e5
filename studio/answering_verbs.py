"""Verbs that `Studio` inherits about whole datasets answered by models: begin, list, stop, resume, undo."""

import time
from collections.abc import Sequence

from studio.opened import Json, Opened

_POLL_SECONDS = 0.2


class AnsweringVerbs(Opened):
    """Verbs about answering datasets, over the store of a `Studio`."""

    def answer(
        self,
        dataset: str,
        models: Sequence[str],
        into: str,
        system: str = "",
        max_new_tokens: int = 256,
        temperature: float = 1.0,
        top_p: float = 1.0,
        seed: int | None = None,
        count: int | None = None,
        wait: bool = False,
    ) -> Json:
        """Have every prompt of a dataset answered into a new dataset: conversations, or answers side by side.

        `count`: at most so many prompts; `wait` until it has ended.
        """
        from studio.feedback.answerings import Wish, begin
        from studio.feedback.sampling import Sampling

        sampling = Sampling(max_new_tokens, temperature, top_p)
        made = begin(self.ready, self._actor, Wish(dataset, models, into, system, sampling, seed, count))
        return self._followed(made.id, wait)

    def answerings(self, reference: str | None = None) -> Json:
        """All answerings, newest first, or one of them by id or by the name of its dataset."""
        from storage.answerings import get_answering
        from studio.feedback.answerings import report, reports

        if reference is None:
            return {"answerings": reports(self.ready)}
        return report(self.ready, get_answering(self.ready, reference))

    def stop_answering(self, reference: str) -> Json:
        """Ask an answering to stop; what has been answered is kept."""
        from studio.feedback.answerings import report, stop

        return report(self.ready, stop(self.ready, self._actor, reference))

    def resume_answering(self, reference: str, wait: bool = False) -> Json:
        """Go on with an answering that was stopped, has failed or was cut off."""
        from studio.feedback.answerings import resume

        return self._followed(resume(self.ready, self._actor, reference).id, wait)

    def undo_answering(self, reference: str) -> Json:
        """Throw away the dataset that an answering made; it lies among the deleted ones."""
        from studio.feedback.answerings import report, undo

        return report(self.ready, undo(self.ready, self._actor, reference))

    def _followed(self, answering_id: str, wait: bool) -> Json:
        """How far it is; with `wait` when it has ended, or nobody works on it any more."""
        from storage.answerings import ENDED, get_answering
        from studio.feedback.answerings import report

        while True:
            told = report(self.store, get_answering(self.store, answering_id))
            if not wait or told["state"] in ENDED or not told["working"]:
                return told
            time.sleep(_POLL_SECONDS)
