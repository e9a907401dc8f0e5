"""The verbs of `Studio` about demos, which inherits them: make, list, close; the votes of visitors."""

from collections.abc import Sequence
from typing import Any

from studio.opened import Json, Opened


class DemosVerbs(Opened):
    """Verbs about demos, over the store of a `Studio`."""

    def make_demo(self, name: str, models: Sequence[str] = (), **terms: Any) -> Json:
        """Make a link by which strangers talk to the champion, or to `models`; `terms`: see `demos.terms.Terms`."""
        from studio.demos import making

        made = making.make(self.ready, self._actor, name, models, terms)
        return {**making.to_json(self.store, made.demo), "path": made.path}

    def demos(self) -> Json:
        """The demos, without what opens them."""
        from studio.demos import making

        return {"demos": making.listed(self.ready, self._actor)}

    def close_demo(self, name: str) -> Json:
        """Let a demo's link open nothing any more."""
        from studio.demos import making

        return making.to_json(self.store, making.close(self.store, self._actor, name))

    def demo_votes(self, name: str, state: str = "pending", limit: int = 50) -> Json:
        """What visitors thought, with what they saw: pending, accepted or refused."""
        from studio.demos import quarantine

        return {"votes": quarantine.waiting(self.store, self._actor, name, state, limit)}

    def accept_demo_votes(self, name: str, votes: Sequence[str] | None = None) -> Json:
        """Let visitors' votes count, those named or all that wait."""
        from studio.demos import quarantine

        return quarantine.accept(self.store, self._actor, name, votes)

    def refuse_demo_votes(self, name: str, votes: Sequence[str] | None = None) -> Json:
        """Leave visitors' votes out for good, those named or all that wait."""
        from studio.demos import quarantine

        return quarantine.refuse(self.store, self._actor, name, votes)

    def take_back_demo_votes(self, name: str) -> Json:
        """Put the votes of the last decision back to where they waited."""
        from studio.demos import quarantine

        return quarantine.take_back(self.store, self._actor, name)
