"""Hashes that an import has seen: each is new once, however many there are."""

import random

from storage import datasets
from storage.hashes import Known
from storage.store import Store


def test_a_hash_is_new_once_whether_it_comes_again_soon_or_late(store: Store) -> None:
    known = Known(store, datasets.create_dataset(store, "notes", "text").id)
    chance = random.Random(1)
    seen: dict[bytes, None] = {}
    early: list[bytes] = []

    for _ in range(300):
        fresh = [chance.randbytes(32) for _ in range(900)]
        asked = fresh + chance.choices(fresh, k=50) + chance.choices(early or fresh, k=50)
        early += chance.choices(fresh, k=20)
        expected = []
        for sha256 in asked:
            expected.append(sha256 not in seen)
            seen[sha256] = None
        assert known.add_new(asked) == expected
    assert len(seen) == 270_000
