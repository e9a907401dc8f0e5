"""Guidelines of a study: Markdown that whoever runs it writes and everybody who judges reads, version by version."""

from storage import guidelines
from storage.comparisons import get_study
from storage.errors import BadInput
from storage.guidelines import Guidelines
from storage.store import Store
from studio.people.roles import Action, Actor, require

LONGEST = 20_000
"""Characters; more than anybody reads before judging."""


def write_guidelines(store: Store, actor: Actor, study: str, text: str) -> Guidelines:
    """Put a new version in force; the same text again makes none. Raises Forbidden, BadInput, NotFound."""
    require(actor, Action.RUN_STUDIES)
    if len(text) > LONGEST:
        raise BadInput(f"These guidelines have {len(text):,} characters; {LONGEST:,} is the most.")
    return guidelines.add_guidelines(store, get_study(store, study).id, text.strip(), actor.name)


def versions_of(store: Store, study: str) -> list[Guidelines]:
    """All versions, newest first; raises NotFound."""
    return guidelines.list_guidelines(store, get_study(store, study).id)
