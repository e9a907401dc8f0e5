"""A project goes to a dataset repository of the Hub and comes back whole; what stands against it is one sentence."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import DatasetCard

from storage.endpoint_keys import keep
from storage.errors import BadInput, Conflict, NotFound, NotReady, Refused
from storage.home import Home
from storage.models import add_model, get_model
from storage.store import Store
from studio.clients.hub import Place
from studio.packing.hub import pull, push
from studio.packing.keeping import PACK, load, save
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.hub import Hub
from tests.studio.training.project import first_day, run_to_the_end


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    made = Hub()
    yield made
    made.close()


@pytest.fixture
def played(store: Store) -> Store:
    """A project with a trained model."""
    first_day(store)
    settings = Settings.from_env({}, home=store.home.path)
    run_to_the_end(store, launch(store, settings, Request("sft", "starter", dataset="facts")))
    return store


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """An empty home."""
    return Store.open(Home(tmp_path / "elsewhere" / "home"))


def _place(hub: Hub, **more: bool) -> Place:
    return Place("me/sums", endpoint=hub.url, **more)


def test_it_comes_back_as_it_went(played: Store, other: Store, hub: Hub) -> None:
    sent = push(played, _place(hub), bases=True)

    found = pull(other, _place(hub))

    assert (sent["url"], sent["repository"]) == (f"{hub.url}/datasets/me/sums", "me/sums")
    assert sorted(hub.files) == ["README.md", "project.zip"]
    assert (found["repository"], found["missing"], found["models"]) == ("me/sums", [], 2)
    ours, theirs = get_model(played, "round-1-sft"), get_model(other, "round-1-sft")
    name = "adapter_model.safetensors"
    assert (Path(ours.path or "") / name).read_bytes() == (Path(theirs.path or "") / name).read_bytes()
    assert list(played.home.exports.iterdir()) == []
    assert list(other.home.uploads.iterdir()) == []


def test_it_is_private_and_its_card_is_one_that_the_hub_takes(played: Store, hub: Hub) -> None:
    push(played, _place(hub))

    made = hub.created[0]
    assert made.get("visibility", "private" if made.get("private") else "") == "private"
    card = DatasetCard(hub.files["README.md"].decode())
    assert (card.data.viewer, card.data.tags) == (False, ["ratchet"])
    assert "Its bases are not in it: starter." in card.text


def test_nothing_secret_is_sent(played: Store, hub: Hub) -> None:
    keep(played, "an endpoint", "sk-very-secret")

    push(played, _place(hub))

    with zipfile.ZipFile(io.BytesIO(hub.files["project.zip"])) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
        assert "keys.json" not in archive.namelist()
    assert str(played.home.path).encode() not in everything
    assert b"hf_secret" not in everything
    assert b"sk-very-secret" not in everything


def test_without_a_token_or_a_connection_or_a_pack_a_sentence_says_so(
    played: Store, other: Store, hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match=r"holds no project\.zip"):
        pull(other, _place(hub))
    with pytest.raises(BadInput, match="is no name on the Hub"):
        pull(other, Place("not a name", endpoint=hub.url))
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(Refused, match="There is no token for the Hub"):
        push(played, _place(hub))
    hub.close()
    with pytest.raises(NotReady, match="cannot be reached"):
        pull(other, _place(hub))

    assert other.value("select count(*) from models") == 0


def test_a_home_in_use_is_left_alone(played: Store, hub: Hub) -> None:
    push(played, _place(hub))

    with pytest.raises(Conflict, match="holds a project already"):
        pull(played, _place(hub))


def test_an_endpoint_of_others_gets_no_secret_of_this_machine(played: Store, other: Store, tmp_path: Path) -> None:
    add_model(played, "trap", "endpoint", url="http://evil.example/v1", remote_name="m", key_env="HF_TOKEN")
    save(played, tmp_path / "for-you.zip", PACK)

    load(other, tmp_path / "for-you.zip", foreign=True)

    assert get_model(other, "trap").key_env == "keys.json"
