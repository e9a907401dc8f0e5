"""The verbs of `Studio` about a project as one file, which inherits them: backup, restore, pack, unpack."""

from collections.abc import Sequence
from pathlib import Path

from studio.opened import Json, Opened


class PackingVerbs(Opened):
    """Verbs about archives, over the store of a `Studio`."""

    def backup(self, out: str | Path | None = None) -> Json:
        """Write everything to one file, while the project is in use; unless named, to `backups/` of the home."""
        from studio.packing.keeping import BACKUP, named, save

        return save(self.ready, Path(out) if out else named(self.home, self.home.backups), BACKUP)

    def pack(self, out: str | Path | None = None, with_bases: bool = False) -> Json:
        """Write the project to one file for others: no accounts, no secrets, and bases only if asked for.

        Unless named, the file lies in the folder in which this process works.
        """
        from studio.packing.keeping import PACK, named, save

        return save(self.ready, Path(out) if out else named(self.home, Path.cwd()), PACK, with_bases)

    def pack_to_hub(
        self, repository: str, with_bases: bool = False, private: bool = True, endpoint: str | None = None
    ) -> Json:
        """The same, sent to a dataset repository of the Hub; see `studio.packing.hub.push`."""
        from studio.clients.hub import Place
        from studio.packing.hub import push

        return push(self.ready, Place(repository, private, endpoint=endpoint), with_bases)

    def restore(self, file: str | Path, bases: Sequence[str] = ()) -> Json:
        """Open a backup or a pack in this home, which must hold nothing yet; see `studio.packing.keeping.load`."""
        return self._loaded(Path(file), bases, foreign=False)

    def unpack(self, file: str | Path, bases: Sequence[str] = ()) -> Json:
        """The same for a pack of others; `bases`: `NAME=FOLDER` for those that the file leaves out."""
        return self._loaded(Path(file), bases, foreign=True)

    def unpack_from_hub(self, repository: str, bases: Sequence[str] = (), endpoint: str | None = None) -> Json:
        """The same, fetched from a dataset repository of the Hub."""
        from studio.clients.hub import Place
        from studio.packing.hub import pull
        from studio.packing.keeping import pairs

        found = pull(self.store, Place(repository, endpoint=endpoint), pairs(bases), self._starter)
        self.__dict__.pop("ready", None)
        return found

    @property
    def _starter(self) -> Path:
        """Where the package has the starter's weights."""
        return self.settings.static / "starter" / "model"

    def _loaded(self, file: Path, bases: Sequence[str], foreign: bool) -> Json:
        from studio.packing.keeping import load, pairs

        found = load(self.store, file, pairs(bases), self._starter, foreign)
        self.__dict__.pop("ready", None)
        return found
