"""Everything that can go wrong in a way that a person can mend.

The message of an error is the sentence shown on the page or the command line: it names the value and the
way out. Raise these; catch them only at the edges (pages, routes, command line, worker).
"""


class RatchetError(Exception):
    """Base of our own errors; `kind` is a word for programs, the message a sentence for people."""

    kind = "error"


class NotFound(RatchetError):
    """What was named does not exist."""

    kind = "not-found"


class Conflict(RatchetError):
    """Somebody or something else changed it first, or the name is taken."""

    kind = "conflict"


class BadInput(RatchetError):
    """A value, file or option cannot be used as it is."""

    kind = "bad-input"


class Refused(RatchetError):
    """It could be done, but must not be: a rule of safety or honesty stands against it."""

    kind = "refused"


class Stopped(RatchetError):
    """Somebody asked to stop; nothing of it is left."""

    kind = "stopped"


class NotReady(RatchetError):
    """It will work later: something is still starting, loading or running."""

    kind = "not-ready"


class MovedAside(NotReady):
    """The engine has made room for a run; what was asked is answered when that has ended."""

    kind = "moved-aside"


class Forbidden(RatchetError):
    """The person's role does not hold this action."""

    kind = "forbidden"


class SignInNeeded(RatchetError):
    """Nobody has signed in, or not rightly."""

    kind = "sign-in"


class TooMany(RatchetError):
    """It was tried too often in too short a time."""

    kind = "too-many"
