"""How long work in the background says that somebody stopped it."""

from storage.errors import RatchetError


class Stopped(RatchetError):
    """Somebody asked to stop; what was found so far is kept."""

    kind = "stopped"
