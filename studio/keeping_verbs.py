"""The verbs of `Studio` about what is kept, which inherits them: models that leave, benchmarks, the disk."""

from collections.abc import Sequence
from pathlib import Path

from studio.opened import Json, Opened


class KeepingVerbs(Opened):
    """Verbs about models and the disk, over the store of a `Studio`."""

    def model(self, name: str) -> Json:
        """All that is known of a model: recipe, line, votes, the gate, what was measured, card, what needs it."""
        from studio.clients.loaded import loaded
        from studio.training.model_facts import facts

        return facts(self.ready, name, loaded(self.home))

    def export_model(self, model: str, form: str, out: str | Path, licence: str = "") -> Json:
        """Write a model to a folder, `form` as in `storage.leaving`; what was written is loaded and tested."""
        from studio.training.exporting_models import Leaving, export_model

        return export_model(self.ready, model, Leaving(form, licence, self.settings.llama_cpp), Path(out))

    def push_model(
        self, model: str, form: str, repository: str, private: bool = True, licence: str = "",
        endpoint: str | None = None,
    ) -> Json:  # fmt: skip
        """Write and test a model, and send it with its card to the Hub."""
        from studio.clients.hub import Place
        from studio.training.export_model_hub import push_model
        from studio.training.exporting_models import Leaving

        place = Place(repository, private=private, licence=licence, endpoint=endpoint)
        return push_model(self.ready, model, Leaving(form, licence, self.settings.llama_cpp), place)

    def evaluate(self, model: str, tasks: Sequence[str], limit: int | None = None) -> Json:
        """Run public benchmarks on a model, by the optional lm-eval."""
        from studio.training.benchmarking import benchmark

        return benchmark(self.ready, model, tasks, limit)

    def disk(self) -> Json:
        """What runs and models take, and how much of it nothing needs."""
        from studio.training.disk import usage

        return usage(self.ready)

    def clean(self, jobs: Sequence[str] = (), dry: bool = False) -> Json:
        """Remove what nothing needs, of all runs or of those named; `dry` only says what would go."""
        from studio.training.disk import clean

        return clean(self.ready, list(jobs) or None, dry)

    def mix_models(
        self,
        models: Sequence[str],
        name: str,
        how: str = "cat",
        weights: Sequence[float] = (),
        density: float = 0.5,
        seed: int = 0,
    ) -> Json:
        """Mix adapters into a new model, measure it, and make it the candidate of a round of its own."""
        from studio.training.mixing import Recipe, mix

        recipe = Recipe(name, tuple(models), how, tuple(weights), density, seed)
        return mix(self.ready, self._actor, recipe).to_json()

    def propose(self, model: str) -> Json:
        """Make a model that no job made the candidate of a round of its own."""
        from studio.training.mixing import propose

        return propose(self.ready, self._actor, model)

    def rename_model(self, model: str, name: str) -> Json:
        """Give a model another name; what knew the old one still finds it."""
        from studio.training.model_keeping import rename

        return {"model": rename(self.ready, self._actor, model, name).name, "was": model}

    def archive_model(self, model: str, back: bool = False) -> Json:
        """Put a model away, or take it `back`."""
        from studio.training.model_keeping import archive, take_back

        changed = (take_back if back else archive)(self.ready, self._actor, model)
        return {"model": changed.name, "archived": changed.retired_at is not None}

    def delete_model(self, model: str) -> Json:
        """Delete a model's weights, where nothing depends on them."""
        from studio.training.model_keeping import delete

        return delete(self.ready, self._actor, model)
