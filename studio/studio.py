"""`Studio`: one object for a home, with the same verbs as the command line; pages and routes receive it.

Each verb returns the JSON object of the command of the same name. Domain modules are imported when a verb is
used, so that `import studio` and `ratchet --help` stay quick.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.committing import Committer
from storage.comparisons import get_study
from storage.errors import BadInput
from studio.answering_verbs import AnsweringVerbs
from studio.demos_verbs import DemosVerbs
from studio.keeping_verbs import KeepingVerbs
from studio.opened import Json
from studio.packing_verbs import PackingVerbs
from studio.queue_verbs import QueueVerbs
from studio.rounds_verbs import RoundsVerbs
from studio.scoring_verbs import ScoringVerbs
from studio.searching_verbs import SearchVerbs
from studio.training_verbs import TrainingVerbs

if TYPE_CHECKING:
    from studio.clients.engine import Engine
    from studio.feedback.answering import Answerer


class Studio(
    TrainingVerbs, KeepingVerbs, QueueVerbs, SearchVerbs, ScoringVerbs, AnsweringVerbs, RoundsVerbs, PackingVerbs,
    DemosVerbs,
):  # fmt: skip
    """A project opened: `s = Studio("~/my-project")`, then `s.import_file(…)`, `s.train("dpo", …)`."""

    @property
    def engine(self) -> "Engine":
        """A client of this home's engine, which starts one where none runs."""
        from studio.clients.engine import Engine

        return Engine(self.home)

    @cached_property
    def committer(self) -> Committer:
        """What commits the short writes of many people together: votes, and leases for those who look."""
        return Committer(self.store)

    @cached_property
    def answerer(self) -> "Answerer":
        """What answers comparisons ahead of the voter; `ratchet serve` starts it, pages watch it."""
        from studio.feedback.answering import Answerer

        return Answerer(self)

    # Data

    def import_file(self, path: str | Path, dataset: str, **how: Any) -> Json:
        """Bring one file into a dataset; see `import_files`."""
        return self.import_files([path], dataset, **how)

    def import_files(
        self,
        paths: Sequence[str | Path],
        dataset: str,
        kind: str | None = None,
        mapping: Mapping[str, str] | None = None,
        encoding: str | None = None,
    ) -> Json:
        """Bring files into a dataset, which is made if absent; good rows go in, bad ones are listed."""
        from studio.curation.importing import import_files

        files = [Path(path) for path in paths]
        report = import_files(
            self.ready, files, dataset, kind=kind, mapping=mapping, encoding=encoding, author=self.settings.annotator
        )
        return report.to_json()

    def export(self, name: str | None, format: str, out: str | Path, **what: Any) -> Json:
        """Write a dataset to a file; `what`: version, policy, study (see `studio.curation.exporting.export`)."""
        from studio.curation.exporting import export

        return export(self.ready, name, format=format, out=Path(out), **what).to_json()

    def export_to_hub(
        self,
        name: str | None,
        repository: str,
        format: str,
        version: int | str | None = None,
        policy: Sequence[str] = (),
        study: str | None = None,
        **place: Any,
    ) -> Json:
        """Send a dataset with its data card to the Hub; `place`: private, licence, description, endpoint."""
        from studio.clients.hub import Place
        from studio.curation.export_hub import push
        from studio.curation.export_sources import Source
        from studio.curation.exporting import Wish

        return push(self.ready, Wish.of(Source(name, version, study), format, policy), Place(repository, **place))

    def datasets(self) -> Json:
        """The datasets with kind and count."""
        from studio.curation.listing import list_all

        return list_all(self.ready).to_json()

    def show(self, name: str, search: str = "", limit: int = 25, sort: str = "", **filters: str | list[str]) -> Json:
        """Rows of a dataset as stored; filters as studio/curation/filters.py names them (`status="approved"`)."""
        from studio.curation.listing import show

        return show(self.ready, name, search=search, limit=limit, filters=filters, sort=sort).to_json()

    def freeze(self, name: str) -> Json:
        """Freeze a dataset as it stands into a version."""
        from storage import datasets, versions

        version = versions.freeze(self.ready, datasets.get_dataset(self.ready, name))
        return {"version": version.number, "rows": version.rows, "sha256": version.sha256}

    def check(
        self, name: str, model: str | None = None, most_tokens: int | None = None, against: str | None = None
    ) -> Json:
        """Look for what is wrong with a dataset: `model` for what is too long, `against` for leaked test prompts."""
        from storage import datasets
        from studio.curation.checks import reporting, running

        dataset = datasets.get_dataset(self.ready, name)
        running.run(self.ready, dataset, running.Options(model, most_tokens, against))
        return reporting.report(self.ready, dataset).to_json()

    def mend(self, name: str, check: str) -> Json:
        """Mend what a check found in a dataset, as one change that can be undone."""
        from storage import datasets
        from studio.curation.checks.mending import mend

        return mend(self.ready, datasets.get_dataset(self.ready, name), check, self.settings.annotator).to_json()

    # Models and answers

    def models(self, archived: bool = False) -> Json:
        """The models with base and parent by name; those that the engine holds with what it found of them.

        `archived`: also those that were put away, or whose weights were deleted.
        """
        from studio.clients.proofs import proofs
        from studio.training.adding import list_all

        data, found = list_all(self.ready, archived).to_json(), proofs(self.settings.home)
        return {"models": [{**line, **found.get(line["name"], {})} for line in data["models"]]}

    def add_model(
        self, ref: str, name: str | None = None, template: str | None = None, base: str | None = None, **terms: Any
    ) -> Json:
        """Add a base, an adapter or an endpoint; `terms` of an endpoint: see `studio.training.endpoints.Terms`.

        `template`: chatml, plain or a template's text, for a base without one; `base`: what an adapter lies on.
        """
        from studio.training.adding import Choices, add_model, list_all
        from studio.training.endpoints import Terms

        choices = Choices(template, base)
        add_model(self.ready, self.settings, ref, name=name, terms=Terms(**terms), choices=choices)
        return list_all(self.ready).to_json()

    def endpoint_key(self, model: str, key: str | None) -> Json:
        """Keep an endpoint's key in keys.json of the home; None: none any more."""
        from studio.training.endpoints import set_key

        changed = set_key(self.ready, self._actor, model, key)
        return {"model": changed.name, "kept": key is not None, "path": str(self.home.keys_file)}

    def usage(self, days: int = 30) -> Json:
        """What endpoints were asked, what they answered and what it cost, in all and on the last days."""
        from studio.training.endpoints import usage

        return usage(self.ready, days).to_json()

    def generate(
        self,
        models: Sequence[str],
        prompt: str | None = None,
        prompts: str | Path | None = None,
        max_new_tokens: int = 256,
        temperature: float = 1.0,
        top_p: float = 1.0,
        seed: int | None = None,
        exact: bool = False,
    ) -> Json:
        """Answer one prompt, or each of a JSONL file, by every model.

        `exact`: in float32, by itself, so that the engine says the same again whatever else it answers.
        """
        from studio.clients.engine import SamplingParams
        from studio.feedback.asking import generate, read_prompts

        wanted = [prompt] if prompt is not None else read_prompts(Path(prompts or ""))
        sampling = SamplingParams(max_new_tokens, temperature, top_p, seed, exact)
        return generate(self.ready, models, wanted, sampling).to_json()

    # Feedback

    def compare(
        self,
        study: str,
        models: Sequence[str] = (),
        prompts: str | None = None,
        count: int | None = None,
        contestants: Sequence[Mapping[str, Any] | str] = (),
        settings: Mapping[str, Any] | None = None,
        answers: str | None = None,
    ) -> Json:
        """Make comparisons ready for voting: on the prompts of a dataset, or of the answers that a dataset holds.

        `models`: as they stand; `contestants`: {"model", "name", "system", "temperature", "top_p", "max_tokens"}.
        `settings`: of a new study (studio/feedback/study_settings.py).
        """
        from studio.feedback.comparing import make_comparisons
        from studio.feedback.standing_answers import compare_answers

        if (prompts is None) == (answers is None):
            raise BadInput("Name a dataset of prompts, or one whose answers are to be judged.")
        if prompts is not None:
            how = (study, models, prompts, count, contestants, settings)
            return make_comparisons(self.ready, self.settings, *how).to_json()
        if models or contestants:
            raise BadInput("Answers that exist already need no models; leave the contestants out.")
        return compare_answers(self.ready, study, answers or "", count, settings).to_json()

    def studies(self) -> Json:
        """The studies, newest first, with contestants, people and how many slots hold a vote."""
        from studio.feedback.running import listed

        return listed(self.ready)

    def study(self, name: str) -> Json:
        """One study with its settings, contestants and guidelines."""
        from studio.feedback.running import described

        return described(self.ready, name)

    def create_study(
        self,
        name: str,
        models: Sequence[str] = (),
        prompts: str | None = None,
        contestants: Sequence[Mapping[str, Any] | str] = (),
        answers: str | None = None,
        settings: Mapping[str, Any] | None = None,
        count: int | None = None,
        guidelines: str = "",
    ) -> Json:
        """Make a study as `compare` does, without waiting for answers; `count`: comparisons to begin with."""
        from studio.feedback.running import Wish, described, make

        wish = Wish(name, models, contestants, prompts, answers, settings or {}, count, guidelines)
        return described(self.store, make(self.ready, self._actor, wish).id)

    def set_study(self, name: str, settings: Mapping[str, Any]) -> Json:
        """Change settings of a study; returns what they were, so that the same call undoes it."""
        from studio.feedback.running import change

        return change(self.ready, self._actor, name, settings)

    def turn_study(self, name: str, open: bool) -> Json:
        """Let people judge in a study, or give out nothing more of it."""
        from studio.feedback import running

        turned = (running.open_again if open else running.close)(self.ready, self._actor, name)
        return running.described(self.store, turned.id)

    def write_guidelines(self, name: str, text: str) -> Json:
        """Put a new version of a study's guidelines in force."""
        from studio.feedback.guidelines import write_guidelines

        return write_guidelines(self.ready, self._actor, name, text)._asdict()

    def study_comparisons(self, name: str, search: str = "", after: int = 0, limit: int = 25) -> Json:
        """Ready comparisons of a study whose prompt holds a text, with their ids, answers and known answers."""
        from studio.feedback.running import comparisons

        return comparisons(self.ready, name, search, after, limit)

    def mark_gold(self, name: str, comparison: str, expected: Mapping[str, Any], note: str = "") -> Json:
        """Say what is right for a comparison: {"choice": "a"}, {"rating": 4} or {"ranking": [[0], [1, 2]]}."""
        from studio.feedback.gold import set_gold

        study = get_study(self.ready, name)
        return set_gold(self.store, study, comparison, expected, note, self._actor)._asdict()

    def lift_gold(self, name: str, comparison: str) -> Json:
        """Let a comparison with a known answer be like the others again."""
        from studio.feedback.gold import lift_gold

        lift_gold(self.store, get_study(self.ready, name), comparison, self._actor)
        return {"comparison": comparison, "lifted": True}

    def choice_saved(self, name: str) -> Json:
        """What active choice of the next comparison saved against random, on the study's own votes."""
        from studio.feedback.replaying import saved

        return saved(self.ready, name).to_json()

    def import_votes(self, path: str | Path, study: str) -> Json:
        """Read votes or labels from a JSONL file into a study."""
        from studio.feedback.vote_files import import_votes

        return import_votes(self.ready, Path(path), study).to_json()

    def export_votes(self, study: str, out: str | Path | None = None, with_skips: bool = False) -> Json:
        """Write a study's votes to a JSONL file, or return them as `lines`."""
        from studio.feedback.vote_files import export_votes

        return export_votes(self.ready, study, Path(out) if out else None, with_skips).to_json()

    def leaderboard(self, study: str, ties: str = "model", with_excluded: bool = False) -> Json:
        """Who wins in a study, and how sure that is."""
        from studio.feedback.leaderboard import leaderboard

        return leaderboard(self.ready, study, ties=ties, with_excluded=with_excluded).to_json()

    def agreement(
        self, study: str, level: str | None = None, with_excluded: bool = False, criterion: str | None = None
    ) -> Json:
        """How well people agree in a study, or on one criterion; `level`: nominal, ordinal or interval."""
        from studio.feedback.agreement import agreement

        return agreement(self.ready, study, level, with_excluded, criterion).to_json()

    def exclude_votes(self, study: str, kind: str, value: str, reason: str) -> Json:
        """Leave the votes of an annotator, a day or a source out of a study's numbers; nothing is deleted."""
        from studio.feedback.exclusions import exclude

        made = exclude(self.ready, study, kind, value, reason, self._actor)
        return {"study": study, "kind": made.kind, "value": made.value, "excluded": True, "reason": made.reason}

    def include_votes(self, study: str, kind: str, value: str) -> Json:
        """Count votes again that were excluded."""
        from studio.feedback.exclusions import include

        made = include(self.ready, study, kind, value, self._actor)
        return {"study": study, "kind": made.kind, "value": made.value, "excluded": False, "reason": made.reason}

    def doctor(self) -> Json:
        """What this machine has and what is missing."""
        from studio.training.doctor import examine

        return examine(self.settings)

    def bench(self, name: str, words: Sequence[str] = ()) -> Json:
        """Run one of the project's measurements with its baselines; only from a checkout."""
        from studio.measuring import measure

        return measure(name, words)
