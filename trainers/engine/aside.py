"""The engine moves aside for a run that needs its memory, and comes back by itself.

Whether it must is not kept here: the notes in the home say it (`storage.aside`), to this engine and to one that is
started later. While one stands, whoever asks is told so with a sentence and asks again later. What was loaded is
loaded again at the end, so that the first answer does not wait for it.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from storage.aside import standing
from storage.errors import MovedAside, RatchetError
from storage.home import Home
from trainers.engine.bases import Bases
from trainers.engine.held import Listed

log = logging.getLogger(__name__)

# Answers that are being written have this long to end; then they are asked for again later.
_PATIENCE = 15.0


class Aside:
    """The engine's side of the agreement. Its methods block while weights go or come; call them on the loader."""

    def __init__(self, home: Home, bases: Bases) -> None:
        self._home = home
        self._bases = bases
        self._put_out: Sequence[Listed] = ()
        bases.refusal = self.refusal

    def refusal(self) -> RatchetError | None:
        """Why nothing can be asked or loaded now, as the error to raise."""
        sentence = standing(self._home)
        return MovedAside(sentence) if sentence else None

    @property
    def due(self) -> bool:
        """Whether `follow` has something to do."""
        aside = standing(self._home) is not None
        return bool(self._bases.listed()) if aside else bool(self._put_out)

    def follow(self) -> list[str]:
        """Do what the notes say: put everything out, or load it again; returns the names of what is loaded then."""
        if standing(self._home) is None:
            self._come_back()
        elif self._bases.listed():
            self._put_out = self._bases.listed()
            self._bases.put_all_out(_PATIENCE)
            log.info("moved aside: %s", ", ".join(line.name for line in self._put_out))
        return [line.name for line in self._bases.listed()]

    def _come_back(self) -> None:
        """Load what was put out, bases first; what cannot be loaded any more is loaded when it is asked for."""
        lines, self._put_out = self._put_out, ()
        for line in sorted(lines, key=lambda line: line.parent is not None):
            try:
                if line.parent is None:
                    self._bases.load_base(line.name, Path(line.root))
                else:
                    trained_from = line.acts.parent if line.acts else None
                    self._bases.load_adapter(line.name, Path(line.root), line.parent, trained_from)
            except (RatchetError, OSError) as error:
                log.warning("%s was not loaded again: %s", line.name, error)
