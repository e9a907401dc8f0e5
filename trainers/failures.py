"""Why a run failed, in a sentence for people and with a way out; known causes by name, others by their last line.

Libraries wrap one error into another, so the whole chain of causes is looked through, the outermost first.
"""

import errno
import re
import signal
from collections.abc import Callable, Iterator
from typing import NamedTuple

from storage.errors import RatchetError

_LOG = "Look into train.log: it holds the whole story."


class Failure(NamedTuple):
    """What `error.json` holds; `storage.specs.retrying` adds what is safe to try."""

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
    for cause in _chain(error):
        for known in (_out_of_memory, _disk, _gated, _network, _missing):
            if found := known(cause):
                return found
    if isinstance(error, RatchetError):
        return _ours(error)
    return _unknown(error)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, each once."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _says(error: BaseException, *signs: str) -> bool:
    """Whether its words hold one of the signs; ours are about something else, whatever they quote."""
    words = str(error).lower()
    return not isinstance(error, RatchetError) and any(sign in words for sign in signs)


def _out_of_memory(error: BaseException) -> Failure | None:
    signs = ("out of memory", "can't allocate memory", "defaultcpuallocator", "cannot allocate memory", "bad_alloc")
    refused = isinstance(error, OSError) and error.errno == errno.ENOMEM
    if not isinstance(error, MemoryError) and not refused and not _says(error, *signs):
        return None
    return Failure(
        "out-of-memory",
        "The run needed more memory than the device has.",
        "Start it again with a smaller batch_size or max_length, or choose a smaller base.",
    )


def _disk(error: BaseException) -> Failure | None:
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    # torch and safetensors write in their own languages, and say it in words alone.
    signs = ("no space left on device", "disk quota exceeded", "file too large", "pytorchstreamwriter failed",
             "unexpected pos", "inline_container")  # fmt: skip
    if not full and not _says(error, *signs):
        return None
    return Failure(
        "disk-full",
        "The disk is full, so the run could not save its work.",
        "Free some space (old runs and models of the home folder are a good start) and resume the job.",
    )


def _gated(error: BaseException) -> Failure | None:
    if type(error).__name__ != "GatedRepoError" and not _says(error, "gated repo", "401 client error"):
        return None
    return Failure(
        "gated",
        "This model opens only to those who have agreed to its owner's terms, and this machine has not shown that.",
        "Open the model's page on the Hub, agree to its terms, sign in here with `hf auth login`, and start again.",
    )


def _network(error: BaseException) -> Failure | None:
    names = {"LocalEntryNotFoundError", "OfflineModeIsEnabled", "ConnectError", "ConnectTimeout", "MaxRetryError"}
    signs = ("name resolution", "max retries exceeded", "couldn't connect to", "connection error", "network is unreach")
    if type(error).__name__ not in names and not isinstance(error, ConnectionError) and not _says(error, *signs):
        return None
    return Failure(
        "no-network",
        "The run needed something from the network and could not reach it.",
        "Check the connection and try again, or add the model from a folder on this machine.",
    )


def _missing(error: BaseException) -> Failure | None:
    if not isinstance(error, ModuleNotFoundError):
        return None
    return Failure(
        "missing-package",
        f"The run needs the Python package {error.name}, which is not installed.",
        f"Install it (pip install {error.name}) and start the job again.",
    )


def _ours(error: RatchetError) -> Failure:
    """A sentence of ours; one that names a row is about the data."""
    row = re.search(r'\brow "([^"]*)"', str(error), flags=re.IGNORECASE)
    if row is None:
        return Failure(error.kind, str(error), "Change what the sentence names and start the job again.")
    return Failure("bad-row", str(error), f'Correct or reject row "{row[1]}" in the data and start the job again.')


def _unknown(error: BaseException) -> Failure:
    lines = str(error).strip().splitlines()
    last = lines[-1].strip() if lines else ""
    said = f"The run failed: {type(error).__name__}: {last}"[:500].rstrip(": .")
    return Failure("unknown", f"{said}.", _LOG)


def vanished(code: int | None, step: int, log: str = "") -> Failure:
    """The failure of a run that ended without a word. `code`: of its process, None where it was not our child.

    `log`: the end of its train.log. SIGKILL that nobody here sent is what Linux does where memory runs out.
    """
    if found := _last_words(log):
        return found
    fix = "Resume the job to go on from its last checkpoint; train.log may tell more."
    if code == -signal.SIGKILL:
        return Failure(
            "killed",
            f"The run was killed at step {step}: most likely the machine ran out of memory, or somebody ended it.",
            "Resume the job to go on from its last checkpoint; where it happens again, halve batch_size.",
        )
    words = "" if code is None else f" with exit code {code}"
    return Failure("vanished", f"The run ended without a word{words} at step {step} (killed, or out of memory?).", fix)


def _last_words(log: str) -> Failure | None:
    """What a library said on its way out, in the last lines of the log."""
    known: tuple[Callable[[BaseException], Failure | None], ...] = (_out_of_memory, _disk)
    end = RuntimeError("\n".join(log.splitlines()[-5:]))
    return next((found for look in known if (found := look(end))), None)
