"""Failures by kind: what libraries throw, also wrapped, and what a run leaves that ends without a word."""

import errno
import signal

import pytest

from storage.errors import BadInput, Refused
from trainers.failures import RunFailed, explain, vanished


class GatedRepoError(OSError):
    """Stands for the Hub library's error of that name, which is known by its name alone."""


class LocalEntryNotFoundError(OSError):
    """Likewise: what the Hub library says without a network."""


KINDS = [
    (OSError(errno.ENOMEM, "Cannot allocate memory"), "out-of-memory"),
    (RuntimeError("std::bad_alloc"), "out-of-memory"),
    (OSError(errno.EFBIG, "File too large"), "disk-full"),
    (OSError(errno.EDQUOT, "Disk quota exceeded"), "disk-full"),
    (RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 64 vs 0"), "disk-full"),
    (RuntimeError("PytorchStreamWriter failed writing file data/3"), "disk-full"),
    (GatedRepoError("403"), "gated"),
    (OSError("You are trying to access a gated repo.\nMake sure to have access to it"), "gated"),
    (LocalEntryNotFoundError("no"), "no-network"),
    (OSError("We couldn't connect to 'https://hub' to load the files"), "no-network"),
    (ConnectionResetError("reset"), "no-network"),
    (BadInput('Row "a-1" has no answer.'), "bad-row"),
    (BadInput('The chat template refuses row "b-2": no system role.'), "bad-row"),
    (BadInput("The option is wrong."), "bad-input"),
    (Refused("Not this adapter."), "refused"),
    (RunFailed("loss-not-finite", "No number.", "Lower it."), "loss-not-finite"),
    (ZeroDivisionError("division by zero"), "unknown"),
]


@pytest.mark.parametrize(("error", "kind"), KINDS, ids=[f"{kind}: {error}"[:50] for error, kind in KINDS])
def test_every_failure_is_of_a_kind_with_a_whole_sentence_and_a_fix(error: Exception, kind: str) -> None:
    failure = explain(error)

    assert failure.kind == kind
    assert failure.sentence[-1] == failure.fix[-1] == "."


def test_the_cause_counts_where_a_sentence_of_ours_only_wraps_it() -> None:
    try:
        try:
            raise OSError("You are trying to access a gated repo.")
        except OSError as error:
            raise BadInput("The base in x/y cannot be loaded: You are trying to access a gated repo.") from error
    except BadInput as wrapped:
        assert explain(wrapped).kind == "gated"


def test_words_that_our_own_sentences_quote_are_no_sign() -> None:
    said = BadInput("The file is called 'out of memory.txt', which is not allowed.")

    assert explain(said).kind == "bad-input"


def test_the_fix_of_a_bad_row_names_it() -> None:
    assert explain(BadInput('Row "a-1" has no answer.')).fix == (
        'Correct or reject row "a-1" in the data and start the job again.'
    )


def test_a_circle_of_causes_comes_to_an_end() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first

    assert explain(first).sentence == "The run failed: ValueError: a."


SILENT = [
    (-signal.SIGKILL, "", "killed", "The run was killed at step 7: most likely the machine ran out of memory"),
    (
        -signal.SIGABRT,
        "step 7\nterminate called after 'std::bad_alloc'",
        "out-of-memory",
        "The",
    ),
    (1, "OSError: [Errno 28] No space left on device", "disk-full", "The disk is full"),
    (1, "", "vanished", "The run ended without a word with exit code 1 at step 7"),
    (None, "", "vanished", "The run ended without a word at step 7"),
    (1, "No space left on device\n" + "all is well\n" * 9, "vanished", "The run ended without a word"),
]


@pytest.mark.parametrize(("code", "log", "kind", "sentence"), SILENT)
def test_a_run_that_ends_without_a_word_is_judged_by_its_code_and_its_last_lines(
    code: int | None, log: str, kind: str, sentence: str
) -> None:
    failure = vanished(code, 7, log)

    assert failure.kind == kind
    assert failure.sentence.startswith(sentence)
    assert failure.fix.endswith(".")
