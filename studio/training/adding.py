"""Models that come in: a local folder, an adapter's folder, a Hub id, an endpoint.

A base stays where it is (it may have gigabytes); an adapter is copied into the home, without anything that is
not safetensors or JSON. What a reference is, is told by its form: an address, a folder that exists, else a Hub id.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from storage.clock import new_id
from storage.endpoint_keys import keep
from storage.errors import BadInput, Conflict, NotFound, RatchetError
from storage.home import is_folder, read_json, write_json
from storage.leaving import BASE_FILES
from storage.models import add_model as insert_model
from storage.models import checked_name, free_name, list_models, taken_names
from storage.prompts import text_sha256
from storage.rows_training import ENCODER, Model
from storage.store import Store
from storage.usage import Spent, totals
from studio.settings import Settings
from studio.training.adapter_modules import settled
from studio.training.endpoints import Terms, address, spent_line, terms_of
from studio.training.fitting import check_layers, modules
from studio.training.folders import inspect_adapter, inspect_base, is_adapter
from studio.training.hub import download
from studio.training.templates import template_for

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors", "README.md")
"""What an adapter's folder may hold; the first two it must."""
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+|[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Choices:
    """What a person says of weights that do not say it themselves.

    `template`: of a base without a chat template, the name of one that is offered (`studio.training.templates`) or its
    text. `base`: of an adapter, the base here that it lies on, by name. `hub_id`: where it was fetched from.
    """

    template: str | None = None
    base: str | None = None
    hub_id: str | None = None


def add_model(
    store: Store,
    settings: Settings,
    ref: str,
    name: str | None = None,
    terms: Terms | None = None,
    choices: Choices | None = None,
) -> Model:
    """Add the model that `ref` names and return its row.

    `ref` is a folder, a Hub id (`owner/name`), or the address of an endpoint (`https://host/v1#model`). `terms`: how
    an endpoint is asked. Raises a RatchetError whose sentence says what is wrong.
    """
    ref, terms, choices = ref.strip(), terms or Terms(), choices or Choices()
    if name is not None:
        check_free(store, name)
    if re.match(r"https?://", ref):
        return _add_endpoint(store, ref, name, terms)
    if terms.given:
        raise BadInput(f'"{ref}" is no endpoint, so nothing is to be agreed with it: leave key, kind and prices out.')
    folder = Path(ref).expanduser() if ref.startswith("~/") else Path(ref)
    if ref and is_folder(folder):
        return add_folder(store, folder.resolve(), name, choices)
    if not _HUB_ID.fullmatch(ref) or ref.endswith((".gguf", ".bin", ".safetensors")):
        raise NotFound(
            f'"{ref}" is neither a folder on this machine, nor a Hub id (owner/name), nor an address (http://…/v1).'
        )
    wish = name or free_name(store, _name_from(ref.rpartition("/")[2]))
    return _add_fetched(store, ref, wish, replace(choices, hub_id=ref))


def check_free(store: Store, name: str) -> None:
    """Raise BadInput for what cannot be a name, Conflict for one that is taken."""
    checked_name(name)
    if name in taken_names(store):
        raise Conflict(f'A model named "{name}" exists already, or did before it was renamed; choose another name.')


def _add_fetched(store: Store, ref: str, name: str, choices: Choices) -> Model:
    """Add what the Hub sends. What cannot be used as it is stays aside, so that a second try fetches nothing again."""
    target, aside = store.home.model(name), store.home.models / f".fetched-{text_sha256(ref)[:16]}"
    if aside.is_dir() and not target.exists():
        aside.rename(target)
    else:
        download(ref, target)
    try:
        return add_folder(store, target, name, choices)
    except RatchetError:
        shutil.rmtree(aside, ignore_errors=True)
        target.rename(aside)
        raise


@dataclass(frozen=True)
class ModelList:
    """Models with base and parent by name, and what endpoints have spent."""

    models: Sequence[Model]
    names: Mapping[str, str]
    spent: Mapping[str, Spent]

    def to_json(self) -> dict[str, Any]:
        """The list with the keys of the command line, and more."""
        return {"models": [self._line(model) for model in self.models]}

    def _line(self, model: Model) -> dict[str, Any]:
        return {
            "name": model.name,
            "kind": model.kind,
            "base": self.names.get(model.base_id or ""),
            "parent": self.names.get(model.parent_id or ""),
            "adapter_sha256": model.adapter_sha256,
            "job": model.job_id,
            "base_sha256": model.base_sha256,
            "parameters": model.parameters,
            "path": model.path,
            "url": model.url,
            "created_at": model.created_at,
            "archived": model.retired_at is not None,
            "gone": model.gone_at is not None,
            **(self._endpoint(model) if model.kind == "endpoint" else {}),
        }

    def _endpoint(self, model: Model) -> dict[str, Any]:
        usage = spent_line(model, self.spent.get(model.id, Spent()))
        return {**terms_of(model), "serves": self.names.get(model.serves or ""), "usage": usage}


def list_all(store: Store, archived: bool = False) -> ModelList:
    """The models in use, oldest first; if asked for, those as well that were put away or whose weights are gone."""
    names = {model.id: model.name for model in list_models(store, retired=True)}
    return ModelList(list_models(store, retired=archived), names, totals(store))


def add_folder(store: Store, folder: Path, name: str | None, choices: Choices) -> Model:
    """Add a base or an adapter that lies in a folder; raises a RatchetError with what stands against it."""
    wish = name or free_name(store, _name_from(folder.name))
    if is_adapter(folder):
        return _add_adapter(store, folder, wish, choices)
    if choices.base:
        raise BadInput(f"{folder} holds no adapter, so it lies on no base; leave the base out.")
    made = _with_template(store, folder, wish, choices.template) if choices.template else folder
    try:
        weights = inspect_base(made)
        return insert_model(
            store,
            wish,
            "base" if weights.template_sha256 else ENCODER,
            path=str(made),
            base_sha256=weights.sha256,
            template_sha256=weights.template_sha256,
            parameters=weights.parameters,
            hub_id=choices.hub_id,
        )
    except RatchetError:
        if made != folder:
            shutil.rmtree(made, ignore_errors=True)
        raise


def _with_template(store: Store, folder: Path, name: str, wish: str) -> Path:
    """The base with the template: what was fetched gets it where it lies, a person's own folder is left as it is.

    Then its files stand in the home a second time, the weights as hard links where the disk allows, so that they take
    no room.
    """
    template = template_for(folder, wish)
    target = store.home.model(checked_name(name))
    if folder != target:
        if target.exists():
            raise Conflict(f"{target} exists already; choose another name for the model.")
        passing = target.with_name(f".new-{new_id()}")
        passing.mkdir(parents=True)
        for path in sorted({path for pattern in BASE_FILES for path in folder.glob(pattern) if path.is_file()}):
            _link(path, passing / path.name)
        passing.rename(target)
    (target / "chat_template.jinja").unlink(missing_ok=True)  # it may be a link to the person's own
    (target / "chat_template.jinja").write_text(template, encoding="utf-8")
    return target


def _link(path: Path, target: Path) -> None:
    """Weights as a hard link, if that can be; all else as a copy."""
    if path.suffix == ".safetensors":
        with suppress(OSError):  # another disk, or one that knows no links
            target.hardlink_to(path)
            return
    shutil.copyfile(path, target)


def _add_adapter(store: Store, folder: Path, name: str, choices: Choices) -> Model:
    """Copy an adapter into the home and add it under its base, files first."""
    if choices.template:
        raise BadInput("An adapter speaks by the chat template of its base; leave the template out.")
    weights = inspect_adapter(folder)
    base = _base_named(store, choices.base or weights.base)
    check_layers(folder / ADAPTER_FILES[1], Path(str(base.path)), base.name)
    config = read_json(folder / ADAPTER_FILES[0]) or {}
    plain = settled(config, modules(folder / ADAPTER_FILES[1], Path(str(base.path))))
    target = store.home.model(name)
    if folder != target:
        _copy_adapter(folder, target)
    if plain != config:
        write_json(target / ADAPTER_FILES[0], plain)
    return insert_model(
        store,
        name,
        "adapter",
        base_id=base.id,
        parent_id=base.id,
        path=str(target),
        base_sha256=base.base_sha256,
        adapter_sha256=weights.sha256,
        template_sha256=base.template_sha256,
        hub_id=choices.hub_id,
    )


def _copy_adapter(folder: Path, target: Path) -> None:
    """Copy what an adapter needs, and nothing else, whole or not at all."""
    if target.exists():
        raise Conflict(f"{target} exists already; choose another name for the adapter.")
    passing = target.with_name(f".new-{new_id()}")
    passing.mkdir(parents=True)
    for name in ADAPTER_FILES:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, passing / name)
    passing.rename(target)


def _base_named(store: Store, said: str) -> Model:
    """The known base that an adapter's config names, by path, by name or by the last part of its Hub id."""
    bases = [model for model in list_models(store) if model.kind == "base"]
    for base in bases:
        if said and base.path and Path(base.path) == Path(said).expanduser():
            return base
    for base in bases:
        if said and base.name in (said, _name_from(said.rpartition("/")[2])):
            return base
    names = ", ".join(base.name for base in bases) or "none yet"
    raise NotFound(
        f'The adapter belongs to the base "{said or "unknown"}", which is not here; add that base first '
        f"(`ratchet add-model`). Bases here: {names}."
    )


def _add_endpoint(store: Store, ref: str, name: str | None, terms: Terms) -> Model:
    """Add a model that answers from an address under the OpenAI protocol."""
    url, named = address(ref)
    remote = named or name
    if not remote:
        raise BadInput(f"Say which model of {url} is meant: {url}#model, or --name.")
    wish = name or free_name(store, _name_from(remote.rpartition("/")[2]))
    made = new_id()
    columns = terms.columns(store)
    if terms.key is not None:
        keep(store, made, terms.key)  # first: a row without its key would be asked in vain
    return insert_model(store, wish, "endpoint", id=made, url=url, remote_name=remote, **columns)


def _name_from(words: str) -> str:
    """A valid name made from a folder's or a Hub id's last part."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", words).strip("-._")[:64]
    return name or "model"
