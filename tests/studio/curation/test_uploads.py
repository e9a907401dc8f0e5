"""An upload is kept whole under a name that we make, or not at all, and goes when nobody wants it."""

import os
import time

import pytest

from storage.errors import BadInput, NotFound
from storage.home import Home
from storage.store import Store
from studio.curation import uploads


def _receive(home: Home, name: str, *parts: bytes) -> uploads.Received:
    with uploads.Incoming(home, name) as incoming:
        for part in parts:
            incoming.write(part)
    return incoming.received


@pytest.mark.parametrize(
    ("given", "kept"),
    [("a.jsonl", "a.jsonl"), ("../../etc/passwd", "passwd"), ("C:\\tmp\\b.csv", "b.csv"), ("\x00\n.json", ".json"),
     ("", "upload"), ("ü" * 300 + ".csv", "ü" * 116 + ".csv")],
)  # fmt: skip
def test_an_upload_has_a_place_of_its_own_whatever_its_name(store: Store, given: str, kept: str) -> None:
    received = _receive(store.home, given, b"one", b"two")

    path, name = uploads.located(store.home, received.id)
    assert (received.name, name, received.size, path.read_bytes()) == (kept, kept, 6, b"onetwo")
    assert path.parent.parent == store.home.uploads
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_an_empty_upload_is_refused_and_leaves_nothing(store: Store) -> None:
    with pytest.raises(BadInput, match=r'"a\.jsonl" is empty\.'):
        _receive(store.home, "a.jsonl")

    assert list(store.home.uploads.iterdir()) == []


def test_an_upload_that_breaks_off_leaves_nothing(store: Store) -> None:
    with pytest.raises(ConnectionError), uploads.Incoming(store.home, "a.jsonl") as incoming:
        incoming.write(b"half")
        raise ConnectionError

    assert list(store.home.uploads.iterdir()) == []


@pytest.mark.parametrize("upload_id", ["", "..", "../ratchet.db", "0" * 26, "x/../../y"])
def test_what_was_never_uploaded_is_not_found(store: Store, upload_id: str) -> None:
    with pytest.raises(NotFound):
        uploads.located(store.home, upload_id)
    uploads.remove(store.home, upload_id)
    assert store.home.uploads.is_dir()


def test_an_upload_that_nobody_imports_goes_after_a_day(store: Store) -> None:
    old, young = _receive(store.home, "old", b"x"), _receive(store.home, "young", b"x")
    (store.home.uploads / "gradio").mkdir()
    day_ago = time.time() - 25 * 3600
    os.utime(store.home.uploads / old.id, (day_ago, day_ago))

    uploads.sweep(store.home)

    assert sorted(path.name for path in store.home.uploads.iterdir()) == sorted([young.id, "gradio"])
