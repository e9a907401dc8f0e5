"""Endpoints: what is agreed with a server when it is added, and what its answers have cost since."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from storage.endpoint_keys import KEPT, checked, forget, keep
from storage.errors import BadInput, Refused
from storage.models import get_model, list_models, set_key_env
from storage.rows_training import Model
from storage.store import Store
from storage.usage import Spent, by_day, totals
from studio.clients.dialects import DIALECTS, dialect_of
from studio.people.roles import Action, Actor, require

_MOST_AT_ONCE = 1024
_LONGEST = 3600.0


@dataclass(frozen=True)
class Terms:
    """How an endpoint is asked. None: as is usual for its kind.

    `key_env`: the environment variable that holds its key. `key`: the key itself, which goes into keys.json of the home
    and not into the row. `dialect`: its kind (studio/clients/dialects.py).
    `at_once`: questions at a time. `timeout`: seconds that it may be silent. `price_in`, `price_out`: for a million
    tokens read and written. `serves`: the base of ours that it holds, so that adapters on it answer from there.
    """

    key_env: str | None = None
    key: str | None = field(default=None, repr=False)
    dialect: str | None = None
    at_once: int | None = None
    timeout: float | None = None
    price_in: float | None = None
    price_out: float | None = None
    serves: str | None = None

    @property
    def given(self) -> bool:
        """Whether anything is agreed."""
        return any(value is not None for value in asdict(self).values())

    def columns(self, store: Store) -> dict[str, Any]:
        """The columns of the model's row; raises BadInput for a value that cannot be, NotFound for `serves`."""
        _within("at once", self.at_once, 1, _MOST_AT_ONCE)
        _within("the timeout", self.timeout, 1, _LONGEST)
        _within("the price of what is read", self.price_in, 0, 1e6)
        _within("the price of what is written", self.price_out, 0, 1e6)
        dialect = dialect_of(self.dialect)
        columns = asdict(self) | {"dialect": dialect.name, "key_env": self._key_env()}
        del columns["key"]
        if self.serves:
            if not dialect.loads_adapters:
                able = ", ".join(one.name for one in DIALECTS.values() if one.loads_adapters)
                raise BadInput(f"Only {able} loads adapters while it runs; {dialect.name} cannot serve ours.")
            base = get_model(store, self.serves)
            if base.kind != "base":
                raise BadInput(f'"{base.name}" is no base; name the base whose adapters the endpoint shall answer for.')
            columns["serves"] = base.id
        return columns

    def _key_env(self) -> str | None:
        """Where the key is; raises BadInput where two places are named, or what is given cannot be a key."""
        if self.key is None:
            return self.key_env or None
        if self.key_env:
            raise BadInput("Give the key itself, or the variable that holds it; not both.")
        checked(self.key)
        return KEPT


def address(ref: str) -> tuple[str, str]:
    """An endpoint's address, and the model that is meant (empty where none is named); raises BadInput."""
    parts = urlsplit(ref)
    if not parts.hostname:
        raise BadInput(f'"{ref}" names no machine; an endpoint looks like https://host/v1#model.')
    try:
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError as error:
        raise BadInput(f'"{ref}" names no port from 0 to 65535.') from error
    if parts.username or parts.password:
        raise BadInput("Leave the key out of the address: name the environment variable that holds it instead.")
    url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    if not parts.path.rstrip("/").endswith("/v1"):
        raise BadInput(f'"{url}" should end in /v1, where the OpenAI protocol answers.')
    return url, parts.fragment


def set_key(store: Store, actor: Actor, reference: str, key: str | None) -> Model:
    """Keep another key of an endpoint in the home; None: none any more.

    Raises Forbidden, NotFound, Refused for a model that is no endpoint, BadInput for what cannot be a key.
    """
    require(actor, Action.MANAGE_MODELS)
    model = get_model(store, reference)
    if model.kind != "endpoint":
        raise Refused(f'"{model.name}" answers here and needs no key.')
    if key is None:
        forget(store, model.id)
    else:
        keep(store, model.id, key)
    return set_key_env(store, model, None if key is None else KEPT)


@dataclass(frozen=True)
class Usage:
    """What endpoints were asked: in all, and by day, the newest first."""

    models: Mapping[str, Model]
    total: Mapping[str, Spent]
    days: list[tuple[str, str, Spent]]

    def to_json(self) -> dict[str, Any]:
        """The keys of `ratchet usage`."""
        return {
            "usage": [
                {"model": self.models[model].name, **spent_line(self.models[model], spent)}
                for model, spent in sorted(self.total.items(), key=lambda item: self.models[item[0]].name)
            ],
            "days": [
                {"day": day, "model": self.models[model].name, **spent_line(self.models[model], spent)}
                for day, model, spent in self.days
            ],
        }


def usage(store: Store, days: int) -> Usage:
    """What was spent in all, and on each of the last days on which anything was."""
    return Usage({model.id: model for model in list_models(store, retired=True)}, totals(store), by_day(store, days))


def spent_line(model: Model, spent: Spent) -> dict[str, Any]:
    """Counts with their cost, rounded to a ten-thousandth; None where the endpoint has no prices."""
    cost = spent.cost(model)
    return {**spent._asdict(), "seconds": round(spent.seconds, 1), "cost": None if cost is None else round(cost, 4)}


def terms_of(model: Model) -> dict[str, Any]:
    """What is agreed with an endpoint, as `ratchet models` tells it; the key's variable, never the key."""
    return {
        "dialect": dialect_of(model.dialect).name,
        "remote_name": model.remote_name,
        "key_env": model.key_env,
        "at_once": model.at_once or dialect_of(model.dialect).at_once,
        "timeout": model.timeout,
        "price_in": model.price_in,
        "price_out": model.price_out,
    }


def _within(what: str, value: float | None, lowest: float, highest: float) -> None:
    if value is not None and not lowest <= value <= highest:
        raise BadInput(f"{what[0].upper()}{what[1:]} lies between {lowest:g} and {highest:g}, not {value:g}.")
