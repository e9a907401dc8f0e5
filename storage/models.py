"""Models: bases, adapters on them, endpoints, and their lineage."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from storage.clock import new_id, now
from storage.errors import BadInput, Conflict, NotFound
from storage.rows_training import Model
from storage.store import Store

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def checked_name(name: str) -> str:
    """A name that is safe as a folder and in a URL; raises BadInput."""
    if not _NAME.fullmatch(name):
        raise BadInput(
            f'"{name[:80]}" cannot be a name: use 1 to 64 letters, digits, dots, dashes and underscores, '
            "beginning with a letter or a digit."
        )
    return name


def add_model(store: Store, name: str, kind: str, **values: Any) -> Model:
    """Add a model row; its files must be complete by now. Raises Conflict where the name is taken."""
    checked_name(name)
    row = {item.name: values.get(item.name) for item in fields(Model)}
    row |= {"id": values.get("id") or new_id(), "name": name, "kind": kind, "created_at": now()}
    for column in Model.json_columns():
        row[column] = json.dumps(row[column]) if row[column] is not None else None
    with store.write():
        if store.value("select 1 from models where name = ?", [name]):
            raise Conflict(f'A model named "{name}" exists already; choose another name.')
        store.insert("models", row)
    return get_model(store, name)


def get_model(store: Store, reference: str) -> Model:
    """A model by name or id, or by a name that it had before; raises NotFound with the names there are."""
    row = store.one("select * from models where name = ? or id = ?", [reference, reference])
    if row is None:
        row = store.one(
            "select * from models where exists (select 1 from json_each(former_names) where value = ?) "
            "order by created_at desc limit 1",
            [reference],
        )
    if row is None:
        names = ", ".join(model.name for model in list_models(store)) or "none yet"
        raise NotFound(f'There is no model "{reference}"; there are: {names}.')
    return Model.from_row(row)


def rename(store: Store, model: Model, name: str) -> Model:
    """Give a model another name; what named it before still finds it. Raises BadInput, Conflict."""
    checked_name(name)
    former = [one for one in (*(model.former_names or ()), model.name) if one != name]
    with store.write():
        if store.value("select 1 from models where name = ? and id <> ?", [name, model.id]):
            raise Conflict(f'A model named "{name}" exists already; choose another name.')
        store.execute("update models set name = ?, former_names = ? where id = ?", [name, json.dumps(former), model.id])
    return get_model(store, model.id)


def set_retired(store: Store, model: Model, retired: bool) -> Model:
    """Put a model away, or take it back."""
    store.execute("update models set retired_at = ? where id = ?", [now() if retired else None, model.id])
    return get_model(store, model.id)


def set_gone(store: Store, model: Model) -> Model:
    """Note that a model's weights were deleted; it is put away for good."""
    store.execute(
        "update models set gone_at = ?, retired_at = coalesce(retired_at, ?) where id = ?", [now(), now(), model.id]
    )
    return get_model(store, model.id)


def set_key_env(store: Store, model: Model, name: str | None) -> Model:
    """Say where an endpoint's key is: in which variable, or in the home (`storage.endpoint_keys.KEPT`)."""
    store.execute("update models set key_env = ? where id = ?", [name, model.id])
    return get_model(store, model.id)


def list_models(store: Store, retired: bool = False) -> list[Model]:
    """Models, oldest first; retired ones only if asked for."""
    where = "" if retired else "where retired_at is null"
    return [Model.from_row(row) for row in store.rows(f"select * from models {where} order by created_at, id")]


def base_of(store: Store, model: Model) -> Model:
    """The base under a model: itself unless it is an adapter."""
    return get_model(store, model.base_id) if model.base_id else model


def server_of(store: Store, model: Model) -> Model | None:
    """The endpoint that holds a model's base and so answers for it, the newest of several; None: our own engine."""
    row = store.one(
        "select * from models where serves = ? and retired_at is null order by created_at desc, id desc limit 1",
        [model.base_id or model.id],
    )
    return Model.from_row(row) if row else None


def lineage(store: Store, model: Model) -> list[Model]:
    """The model and all that it came from, each once: itself, its parents, theirs, down to the bases."""
    line = [model]
    for one in line:  # grows while it is read
        known = {each.id for each in line}
        line += [get_model(store, parent) for parent in parent_ids(store, one) if parent not in known]
    return line


def parent_ids(store: Store, model: Model) -> list[str]:
    """The models whose weights a model came from: all parts of a mixture, else its one parent, if any."""
    rows = store.rows("select parent_id from model_parents where model_id = ? order by place", [model.id])
    return [row["parent_id"] for row in rows] or ([model.parent_id] if model.parent_id else [])


def taken_names(store: Store) -> set[str]:
    """Names that a new model cannot have: of all models, and of folders in which one that was renamed still lies."""
    rows = store.rows("select name, path from models")
    folders = {Path(row["path"]) for row in rows if row["path"]}
    return {row["name"] for row in rows} | {folder.name for folder in folders if folder.parent == store.home.models}


def free_name(store: Store, wish: str) -> str:
    """The wish, or the wish with the first free number behind it."""
    taken = taken_names(store)
    if wish not in taken:
        return wish
    number = 2
    while f"{wish}-{number}" in taken:
        number += 1
    return f"{wish}-{number}"
