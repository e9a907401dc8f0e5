"""Where a training starts: the weights of a base, or of an adapter on it."""

from pathlib import Path

import pytest

from storage import models
from storage.errors import NotReady, Refused
from storage.rows_training import ENCODER
from storage.store import Store
from studio.training.origins import find_origin


def _weights(tmp_path: Path, name: str) -> str:
    folder = tmp_path / name
    folder.mkdir()
    return str(folder)


def test_a_probed_adapter_is_its_own_reference(store: Store, tmp_path: Path) -> None:
    base = models.add_model(store, "starter", "base", path=_weights(tmp_path, "starter"))
    probe = {"finite": True, "max_logit_difference": 2.5}
    adapter = models.add_model(
        store, "round-1", "adapter", path=_weights(tmp_path, "round-1"), base_id=base.id, parent_id=base.id, probe=probe
    )

    origin = find_origin(store, "round-1")

    assert (origin.model, origin.base, origin.reference) == (adapter, base, "previous")
    assert find_origin(store, "starter").reference == "base"


def test_weights_that_are_gone_are_named(store: Store, tmp_path: Path) -> None:
    models.add_model(store, "starter", "base", path=str(tmp_path / "gone"))

    with pytest.raises(NotReady, match='The weights of "starter" are no longer in'):
        find_origin(store, "starter")


def test_an_endpoint_cannot_be_trained(store: Store) -> None:
    models.add_model(store, "hosted", "endpoint", url="http://127.0.0.1:9/v1")

    with pytest.raises(Refused, match=r'"hosted" answers from http://127\.0\.0\.1:9/v1'):
        find_origin(store, "hosted")


def test_an_encoder_is_read_by_classifiers_and_trained_by_nothing_else(store: Store, tmp_path: Path) -> None:
    models.add_model(store, "bert", ENCODER, path=_weights(tmp_path, "bert"))

    with pytest.raises(Refused, match='"bert" is an encoder: it reads and cannot answer'):
        find_origin(store, "bert")
    found = find_origin(store, "bert", reads=True)

    assert (found.model.name, found.base.name, found.adapter_path) == ("bert", "bert", None)
