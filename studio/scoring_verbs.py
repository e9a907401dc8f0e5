"""The verb of `Studio` that lets reward models score, which inherits it."""

from storage.errors import BadInput
from studio.opened import Json, Opened


class ScoringVerbs(Opened):
    """Scores of datasets and studies, over the store of a `Studio`."""

    def score(self, model: str, dataset: str | None = None, study: str | None = None) -> Json:
        """Let a reward model score the rows of a dataset or the answers of a study; scores are kept.

        Raises BadInput unless one of both is named.
        """
        from studio.training.scoring import score_dataset, score_study

        if dataset and not study:
            return score_dataset(self.ready, self.settings, model, dataset)
        if study and not dataset:
            return score_study(self.ready, self.settings, model, study)
        raise BadInput("Name a dataset or a study to be scored, one of both.")
