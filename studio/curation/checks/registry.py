"""All checks, in the order in which people read them."""

from collections.abc import Mapping
from pathlib import Path

from storage import findings
from storage.store import Store
from studio.curation.checks import duplicates, encoding, language, length, pairs, personal, structure, wording
from studio.curation.checks.check import Check
from studio.curation.checks.toxicity import by_word_list

_LANGUAGE_VERSION = "1"
_FAMILIES = (structure, pairs, duplicates, wording, length, encoding, language, personal)


def checks(home: Path) -> Mapping[str, Check]:
    """The checks of a project by name; `home`: where its word list would lie."""
    known = [check for family in _FAMILIES for check in family.CHECKS]
    return {check.name: check for check in (*known, by_word_list(home))}


def suite(store: Store) -> int:
    """The id of today's checks of single rows with their versions; the language is noted along with them."""
    names = {check.name: check.version for check in row_checks(store.home.path)}
    return findings.suite_id(store, names | {"language of": _LANGUAGE_VERSION})


def row_checks(home: Path) -> list[Check]:
    """Those that look at one example at a time."""
    return [check for check in checks(home).values() if check.find is not None]
