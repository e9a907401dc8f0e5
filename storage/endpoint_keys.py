"""Keys of endpoints, in `keys.json` of the home: readable by its owner alone, and nowhere else.

They are in no database, so that no backup, pack, copy or export of it can carry them away; the model's row says only
that its key is kept here (`key_env` is the file's name, which no variable can have).
"""

import stat

from storage.errors import BadInput
from storage.home import Home, read_json, write_json
from storage.store import Store

KEPT = "keys.json"
"""What `models.key_env` says where the key lies in the home and not in the environment."""
_LONGEST = 4096
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def keep(store: Store, model_id: str, key: str) -> None:
    """Keep the key of an endpoint, instead of the one before; raises BadInput for what cannot be a key."""
    key = checked(key)
    with store.write():  # one writer at a time, also from other processes
        write_json(store.home.keys_file, {**_all(store.home), model_id: key})


def checked(key: str) -> str:
    """A key without the blanks around it; raises BadInput with a sentence that does not repeat it."""
    key = key.strip()
    if not 1 <= len(key) <= _LONGEST or not key.isascii() or not key.isprintable() or " " in key:
        raise BadInput(f"A key is one word of up to {_LONGEST} printable ASCII characters; nothing was kept.")
    return key


def forget(store: Store, model_id: str) -> bool:
    """Keep the key of an endpoint no more; whether there was one."""
    with store.write():
        known = _all(store.home)
        if model_id not in known:
            return False
        write_json(store.home.keys_file, {name: key for name, key in known.items() if name != model_id})
    return True


def key_of(home: Home, model_id: str) -> str | None:
    """The key of an endpoint, if one is kept."""
    found = _all(home).get(model_id)
    return found if isinstance(found, str) and found else None


def _all(home: Home) -> dict[str, object]:
    """Every key by its model's id; a file that others may read is closed to them first."""
    path = home.keys_file
    if not path.is_file():
        return {}
    mode = path.stat().st_mode
    if mode & _OTHERS:
        path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
    return dict(read_json(path) or {})
