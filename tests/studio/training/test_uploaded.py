"""An adapter from the browser: a zip file or its files, safetensors alone, checked against its base."""

import zipfile
from pathlib import Path

import pytest

from storage.errors import BadInput, Conflict, Forbidden, NotFound, RatchetError, Refused
from storage.models import list_models
from storage.store import Store
from studio.curation.uploads import Incoming
from studio.people.roles import Actor
from studio.training.uploaded import add_uploaded
from tests.studio.training.project import add_starter, write_adapter

TIM, ANNA = Actor("tim", "trainer"), Actor("anna", "annotator")


@pytest.fixture
def ready(store: Store) -> Store:
    add_starter(store)
    return store


def sent(store: Store, name: str, content: bytes) -> str:
    """An upload, as the browser makes it."""
    with Incoming(store.home, name) as incoming:
        incoming.write(content)
    return incoming.id


def zipped(folder: Path, target: Path, inside: str = "tuned") -> bytes:
    """A folder as a zip file."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"{inside}/{path.name}")
    return target.read_bytes()


def _left(store: Store) -> tuple[list[str], list[str], list[str]]:
    """Models, their folders, and uploads."""
    return (
        [model.name for model in list_models(store)],
        sorted(path.name for path in store.home.models.iterdir()),
        [path.name for path in store.home.uploads.iterdir()],
    )


def test_a_zip_file_becomes_an_adapter_without_what_it_does_not_need(ready: Store, tmp_path: Path) -> None:
    folder = write_adapter(tmp_path / "tuned", "starter")
    (folder / "training_args.bin").write_bytes(b"\x80\x02}q\x00.")
    (folder / "run.py").write_text("import os")

    model = add_uploaded(ready, TIM, [sent(ready, "tuned.zip", zipped(folder, tmp_path / "z.zip"))], "mine")

    assert (model.name, model.kind, model.path) == ("mine", "adapter", str(ready.home.model("mine")))
    kept = sorted(path.name for path in ready.home.model("mine").iterdir())
    assert kept == ["adapter_config.json", "adapter_model.safetensors"]
    assert _left(ready) == (["starter", "mine"], ["mine", "starter"], [])


def test_the_files_may_come_one_by_one(ready: Store, tmp_path: Path) -> None:
    folder = write_adapter(tmp_path / "tuned", "starter")
    ids = [sent(ready, path.name, path.read_bytes()) for path in sorted(folder.iterdir())]

    assert add_uploaded(ready, TIM, ids).name == "adapter"


def _pickled(folder: Path) -> None:
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")


def _without_config(folder: Path) -> None:
    (folder / "adapter_config.json").unlink()


def _of_another_base(folder: Path) -> None:
    config = folder / "adapter_config.json"
    config.write_text(config.read_text().replace("starter", "other"))


def _torn(folder: Path) -> None:
    weights = folder / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-5])


@pytest.mark.parametrize(
    ("harm", "kind", "sentence"),
    [
        (_pickled, Refused, r"only as a pickle \(adapter_model\.bin\)"),
        (
            _without_config,
            BadInput,
            r"An adapter is adapter_config\.json and adapter_model\.safetensors; the upload",
        ),
        (_of_another_base, NotFound, 'belongs to the base "other", which is not here'),
        (_torn, BadInput, "is not a whole safetensors file"),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_is_left(
    ready: Store, tmp_path: Path, harm: object, kind: type[RatchetError], sentence: str
) -> None:
    folder = write_adapter(tmp_path / "tuned", "starter")
    assert callable(harm)
    harm(folder)

    with pytest.raises(kind, match=sentence):
        add_uploaded(ready, TIM, [sent(ready, "tuned.zip", zipped(folder, tmp_path / "z.zip"))], "mine")

    assert _left(ready) == (["starter"], ["starter"], [])


def test_two_adapters_at_once_are_refused(ready: Store, tmp_path: Path) -> None:
    folder = write_adapter(tmp_path / "tuned", "starter")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for inside in ("a", "b"):
            archive.write(folder / "adapter_config.json", f"{inside}/adapter_config.json")

    with pytest.raises(BadInput, match=r"holds several files named adapter_config\.json"):
        add_uploaded(ready, TIM, [sent(ready, "two.zip", (tmp_path / "z.zip").read_bytes())])


@pytest.mark.parametrize(("name", "kind"), [("../../evil", BadInput), ("starter", Conflict)])
def test_a_name_that_leads_out_or_is_taken_is_refused(
    ready: Store, tmp_path: Path, name: str, kind: type[RatchetError]
) -> None:
    folder = write_adapter(tmp_path / "tuned", "starter")

    with pytest.raises(kind):
        add_uploaded(ready, TIM, [sent(ready, "t.zip", zipped(folder, tmp_path / "z.zip"))], name)

    assert _left(ready) == (["starter"], ["starter"], [])


def test_who_only_judges_adds_nothing(ready: Store, tmp_path: Path) -> None:
    with pytest.raises(Forbidden):
        add_uploaded(ready, ANNA, [sent(ready, "t.zip", b"x")])
