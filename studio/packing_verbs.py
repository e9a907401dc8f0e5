"""The verbs of `Studio` about a project as one file, which inherits them: backup, restore, pack, unpack."""

from collections.abc import Sequence
from pathlib import Path

from studio.opened import Json, Opened


class PackingVerbs(Opened):
    """Verbs about archives, over the store of a `Studio`."""

    def backup(self, out: str | Path) -> Json:
        """Write everything to one file, while the project is in use."""
        from studio.packing.keeping import BACKUP, save

        return save(self.ready, Path(out), BACKUP)

    def pack(self, out: str | Path, with_bases: bool = False) -> Json:
        """Write the project to one file for others: no accounts, no secrets, and bases only if asked for."""
        from studio.packing.keeping import PACK, save

        return save(self.ready, Path(out), PACK, with_bases)

    def restore(self, file: str | Path, bases: Sequence[str] = ()) -> Json:
        """Open a backup or a pack in this home, which must hold nothing yet; see `studio.packing.keeping.load`."""
        from studio.packing.keeping import load, pairs

        found = load(self.store, Path(file), pairs(bases), self.settings.static / "starter" / "model")
        self.__dict__.pop("ready", None)
        return found

    def unpack(self, file: str | Path, bases: Sequence[str] = ()) -> Json:
        """The same for a pack; `bases`: `NAME=FOLDER` for those that the file leaves out."""
        return self.restore(file, bases)
