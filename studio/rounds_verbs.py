"""The verbs of `Studio` about rounds, which inherits them: the ledger, promotion, rolling back, the gate, canaries."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from storage.home import write_new
from studio.opened import Json, Opened


class RoundsVerbs(Opened):
    """Verbs about rounds, over the store of a `Studio`."""

    def rounds(self) -> Json:
        """Every round with what it learnt from, how its model stands, and whether it was kept; and the champion."""
        from studio.rounds.champion import champion
        from studio.rounds.timeline import timeline

        cards = [card.to_json() for card in timeline(self.ready)]
        first = champion(self.store)
        return {"rounds": cards, "champion": first.name if first else None}

    def promote(self, model: str | None = None, reason: str = "", overrule: bool = False) -> Json:
        """Make the open round's candidate, or a model by name, the champion; see `studio.rounds.promoting`."""
        from studio.rounds.promoting import promote

        return promote(self.ready, self._actor, model, reason, overrule).to_json()

    def rollback(self, reason: str = "") -> Json:
        """Make the champion before this one champion again."""
        from studio.rounds.promoting import rollback

        return rollback(self.ready, self._actor, reason).to_json()

    def gate(self, **limits: float) -> Json:
        """What stands between the open round's candidate and the championship; `limits` to change: forgetting."""
        from studio.rounds import gate
        from studio.rounds.ledger import catch_up, current

        catch_up(self.ready)
        now = gate.Limits.of(self.store)
        if limits:
            now = now.changed(self.store, limits)
        turn = current(self.store)
        found = gate.report(self.store, turn) if turn else None
        return {"limits": asdict(now), "report": found.to_json() if found else None}

    def report(self, number: int, out: str | Path | None = None) -> Json:
        """Tell a round to people who were not there; `out`: an HTML file to write, which needs no studio to be read."""
        from studio.assets import Assets
        from studio.pages.report import page
        from studio.pages.report_routes import report_style
        from studio.rounds.reporting import report

        told = report(self.ready, number).to_json()
        if out is None:
            return told
        path = Path(out).expanduser().resolve()
        write_new(path, page(told, report_style(Assets(self.settings.static))))
        return {**told, "path": str(path)}

    def canaries(self, models: Sequence[str] = ()) -> Json:
        """The canaries with what is expected, and how each model (all, unless named) answered them."""
        from studio.rounds.canary_tables import overview

        return overview(self.ready, models)

    def run_canaries(self, models: Sequence[str] = (), again: bool = False) -> Json:
        """Let models (all that answer, unless named) answer every canary; `again`: also what they have answered."""
        from studio.rounds.asking_canaries import run
        from studio.rounds.canary_tables import overview

        asked = run(self.ready, self.settings, models, again)
        return {"asked": [one.to_json() for one in asked], **overview(self.store, [one.model for one in asked])}

    def canary_changes(self, after: str, before: str | None = None) -> Json:
        """What a model answers otherwise than another one (the champion, unless named), canary by canary."""
        from studio.rounds.canary_tables import changes

        return changes(self.ready, after, before, self._actor.name)

    def begin_canaries(self) -> Json:
        """Make the dataset `canaries` of the starter set, with what is expected of its answers."""
        from studio.rounds.asking_canaries import begin
        from studio.rounds.canary_tables import overview

        begin(self.ready, self._actor)
        return overview(self.store)

    def expect(self, canary: str, kind: str, value: Any) -> Json:
        """Expect something of the answers to a canary, which is named by its number or how it begins."""
        from studio.rounds.asking_canaries import expect
        from studio.rounds.canaries import find_canary
        from studio.rounds.expectations import says

        found = find_canary(self.ready, canary)
        made = expect(self.store, self._actor, found, kind, value)
        return {"id": made.id, "number": found.number, "prompt": found.text, "says": says(made)}

    def lift_expectation(self, expectation: str, lifted: bool = True) -> Json:
        """Expect something no longer, or again."""
        from studio.rounds.asking_canaries import lift
        from studio.rounds.expectations import says

        changed = lift(self.ready, self._actor, expectation, lifted)
        return {"id": changed.id, "says": says(changed), "lifted": changed.lifted_at is not None}

    def replay(self, number: int) -> Json:
        """Run a round again from its frozen inputs, and say whether weights and figures are the same."""
        from studio.rounds.replaying import replay

        return replay(self.ready, number)

    def touched(self, **blame: Any) -> Json:
        """Which models learnt from votes or a version that turned out bad; `blame` as `undoing.Blame` has it."""
        from studio.rounds.undoing import Blame, touched

        wanted = Blame(**blame)
        return {"blame": str(wanted), "touched": [one.to_json() for one in touched(self.ready, wanted)]}

    def retrain(self, reason: str = "", dry_run: bool = False, **blame: Any) -> Json:
        """Leave what is blamed out, and queue again what the champion's line has learnt since the last clean model."""
        from studio.clients.processes import start_worker
        from studio.rounds.undoing import Blame, retrain

        done = retrain(self.ready, self.settings, self._actor, Blame(**blame), reason, dry_run)
        if done["jobs"]:
            start_worker(self.home)
        return done
