"""Tokenizers read without their model's weights: counting and showing tokens must not wait for gigabytes.

Whatever imports parts of transformers or trl runs on the loader's one thread: their lazy imports fail where two
threads meet in them.
"""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storage.errors import BadInput, NotFound

_MOST = 4  # one with 150,000 words takes about 100 MB
_NO_LIMIT = 1 << 30  # transformers writes 1e30 where a tokenizer knows no limit


@dataclass
class HeldTokenizer:
    """A tokenizer. `sha256` names it together with its chat template; `context`: the most tokens its model reads."""

    tokenizer: Any
    sha256: str
    context: int | None
    stamp: tuple[int, ...]
    lock: threading.Lock = field(default_factory=threading.Lock)
    _template: tuple[str | None] | None = None

    def training_template(self, loader: Executor) -> str | None:
        """The template that marks the assistant's words, as `trainers/data.py` chooses it; looked up once."""
        if self._template is None:
            self._template = (loader.submit(_training_template, self.tokenizer).result(),)
        return self._template[0]


class Tokenizers:
    """The tokenizers that were used last, by folder; a changed folder is read again."""

    def __init__(self, loader: Executor) -> None:
        self.loader = loader
        self._held: OrderedDict[Path, HeldTokenizer] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def using(self, name: str, folder: Path) -> Iterator[HeldTokenizer]:
        """A tokenizer for one caller at a time: fast tokenizers raise "Already borrowed" when threads meet in one."""
        with self._lock:
            held = self._held.get(folder)
            if held is None or held.stamp != _stamp(folder):
                held = self._held[folder] = self.loader.submit(_read, name, folder).result()
            self._held.move_to_end(folder)
            while len(self._held) > _MOST:
                self._held.popitem(last=False)
        with held.lock:
            yield held


def _stamp(folder: Path) -> tuple[int, ...]:
    """Changes when the files of the tokenizer do."""
    names = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "config.json")
    return tuple(path.stat().st_mtime_ns if (path := folder / name).is_file() else 0 for name in names)


def _read(name: str, folder: Path) -> HeldTokenizer:
    from transformers import AutoTokenizer

    if not folder.is_dir():
        raise NotFound(f"There is no folder {folder} with the tokenizer of {name!r}.")
    stamp = _stamp(folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    except Exception as error:  # transformers raises many kinds for a damaged or foreign folder
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(f"The tokenizer of {name!r} in {folder} cannot be read: {first}") from error
    return HeldTokenizer(tokenizer, _sha256(tokenizer), _context(tokenizer, folder), stamp)


def _training_template(tokenizer: Any) -> str | None:
    from trainers.data import training_template

    return training_template(tokenizer) if tokenizer.chat_template else None


def _sha256(tokenizer: Any) -> str:
    """The hash of what decides how a text becomes tokens: vocabulary, rules, chat template."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    rules = backend.to_str() if backend is not None else json.dumps(sorted(tokenizer.get_vocab().items()))
    return hashlib.sha256(f"{rules}\0{tokenizer.chat_template or ''}".encode()).hexdigest()


def _context(tokenizer: Any, folder: Path) -> int | None:
    """The fewest of what the tokenizer and the model's config allow."""
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    positions = config.get("max_position_embeddings") or (config.get("text_config") or {}).get(
        "max_position_embeddings"
    )
    limits = [limit for limit in (positions, tokenizer.model_max_length) if limit and limit < _NO_LIMIT]
    return int(min(limits)) if limits else None
