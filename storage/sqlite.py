"""sqlite-utils without pandas, pyarrow and numpy.

It imports them where they are installed, only to know the types of their numbers, which the store never sees; that
would be most of the time and of the memory of every command (4.2 of 7 s and 85 MB with everything else busy).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _absent(*names: str) -> Iterator[None]:
    """Within it, importing these modules fails as where they are not installed; those that are loaded stay."""
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment] # Python's own mark for "there is none"
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _absent("pandas", "numpy"):
    from sqlite_utils import Database, Migrations

__all__ = ["Database", "Migrations"]
