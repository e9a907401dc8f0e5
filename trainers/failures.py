"""Why a run failed, in a sentence for people and with a way out; known causes by name, others by their last line."""

import errno
from typing import NamedTuple

from storage.errors import RatchetError

_LOG = "Look into train.log: it holds the whole story."


class Failure(NamedTuple):
    """What `error.json` holds."""

    kind: str
    sentence: str
    fix: str


class RunFailed(RatchetError):
    """A run cannot go on; carries the kind and the fix beside the sentence."""

    def __init__(self, kind: str, sentence: str, fix: str) -> None:
        super().__init__(sentence)
        self.failure = Failure(kind, sentence, fix)


def explain(error: BaseException) -> Failure:
    """The failure that an exception means."""
    if isinstance(error, RunFailed):
        return error.failure
    if isinstance(error, RatchetError):
        return Failure(error.kind, str(error), "Change what the sentence names and start the job again.")
    return _out_of_memory(error) or _disk(error) or _missing(error) or _unknown(error)


def _out_of_memory(error: BaseException) -> Failure | None:
    words = str(error).lower()
    signs = ("out of memory", "can't allocate memory", "defaultcpuallocator", "cannot allocate memory")
    if not isinstance(error, MemoryError) and not any(sign in words for sign in signs):
        return None
    return Failure(
        "out-of-memory",
        "The run needed more memory than the device has.",
        "Start it again with a smaller batch_size or max_length, or choose a smaller base.",
    )


def _disk(error: BaseException) -> Failure | None:
    if not isinstance(error, OSError) or error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return None
    return Failure(
        "disk-full",
        "The disk is full, so the run could not save its work.",
        "Free some space (old runs and models of the home folder are a good start) and resume the job.",
    )


def _missing(error: BaseException) -> Failure | None:
    if not isinstance(error, ModuleNotFoundError):
        return None
    return Failure(
        "missing-package",
        f"The run needs the Python package {error.name}, which is not installed.",
        f"Install it (pip install {error.name}) and start the job again.",
    )


def _unknown(error: BaseException) -> Failure:
    lines = str(error).strip().splitlines()
    last = lines[-1].strip() if lines else ""
    return Failure("unknown", f"The run failed: {type(error).__name__}: {last}"[:500].rstrip(": "), _LOG)
