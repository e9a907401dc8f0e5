"""Keys of endpoints lie in one file that only its owner reads, and are in nothing that leaves the machine."""

import stat
from pathlib import Path

import pytest

from storage.endpoint_keys import forget, keep, key_of
from storage.errors import BadInput
from storage.store import Store


def test_a_key_is_kept_for_its_owner_alone_and_forgotten_when_asked(store: Store) -> None:
    assert key_of(store.home, "m1") is None

    keep(store, "m1", " sk-one\n")
    keep(store, "m2", "sk-two")

    assert (key_of(store.home, "m1"), key_of(store.home, "m2")) == ("sk-one", "sk-two")
    assert stat.S_IMODE(store.home.keys_file.stat().st_mode) == 0o600
    assert (forget(store, "m1"), forget(store, "m1")) == (True, False)
    assert (key_of(store.home, "m1"), key_of(store.home, "m2")) == (None, "sk-two")


def test_a_key_is_in_no_file_of_the_database(store: Store) -> None:
    keep(store, "m1", "sk-very-secret")
    store.execute("insert into meta (key, value) values ('x', 'y')")

    assert [path for path in store.home.path.glob("*.db*") if b"sk-very-secret" in path.read_bytes()] == []


def test_a_file_that_others_could_read_is_closed_to_them(store: Store) -> None:
    keep(store, "m1", "sk-one")
    store.home.keys_file.chmod(0o644)

    assert key_of(store.home, "m1") == "sk-one"
    assert stat.S_IMODE(store.home.keys_file.stat().st_mode) == 0o600


@pytest.mark.parametrize("key", ["", "  ", "two words", "line\nbreak", "schlüssel", "x" * 5000])
def test_what_cannot_be_a_key_is_refused_without_repeating_it(store: Store, key: str) -> None:
    with pytest.raises(BadInput) as caught:
        keep(store, "m1", key)

    assert str(caught.value) == "A key is one word of up to 4096 printable ASCII characters; nothing was kept."
    assert not Path(store.home.keys_file).exists()
