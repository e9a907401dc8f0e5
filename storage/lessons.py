"""Prompts that taught a model: those that it or any model it came from trained on.

Votes on them do not count for the model (`studio.rounds.standing`), so they are asked after the others
(`studio.feedback.comparing`).
"""

import json
from collections.abc import Collection, Iterable

from storage.models import get_model, lineage
from storage.store import Store


def taught(store: Store, model_ids: Iterable[str], among: Collection[str] | None = None) -> set[str]:
    """Hashes of the prompts that taught any of these models; `among`: only these are looked for, which is quicker.

    Raises NotFound for a model that is not there.
    """
    family = [model for model_id in model_ids for model in lineage(store, get_model(store, model_id))]
    jobs = json.dumps(sorted({model.job_id for model in family if model.job_id}))
    if among is None:
        found = store.rows(
            "select distinct prompt_sha256 from trained_prompts where job_id in (select value from json_each(?))",
            [jobs],
        )
    else:
        found = store.rows(
            "select distinct t.prompt_sha256 from json_each(?) p cross join json_each(?) j "
            "join trained_prompts t on t.job_id = j.value and t.prompt_sha256 = p.value",
            [json.dumps(list(among)), jobs],
        )
    return {row["prompt_sha256"] for row in found}
