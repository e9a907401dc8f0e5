"""Settings: one frozen object, built once from an environment that is passed in."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from storage.errors import BadInput
from storage.home import Home

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def static_folder() -> Path:
    """Where css, js, icons and the starter lie: beside the package in a checkout, inside it once installed."""
    installed = Path(__file__).resolve().parent / "static"
    return installed if installed.is_dir() else Path(__file__).resolve().parent.parent / "static"


@dataclass(frozen=True)
class Settings:
    """What a person can set, from the command line first, then the environment, then the default."""

    home: Home
    """RATCHET_HOME, --home: the project's folder (default ~/.ratchet)."""

    host: str = "127.0.0.1"
    """RATCHET_HOST, --host: the address to listen on; any but loopback needs an account."""

    port: int = 7860
    """RATCHET_PORT, --port: the port to listen on."""

    max_upload_mb: int = 512
    """RATCHET_MAX_UPLOAD_MB: the largest file that the browser may send, in megabytes."""

    annotator: str = "me"
    """RATCHET_ANNOTATOR: the name under which votes and edits of this machine are kept."""

    threads: int = 0
    """RATCHET_THREADS: threads of a training run; 0 means all cores but one, at least one."""

    allow_folder: tuple[Path, ...] = ()
    """RATCHET_ALLOW_FOLDER (separated as in PATH), --allow-folder: folders whose files the page may import."""

    allow_host: tuple[str, ...] = ()
    """RATCHET_ALLOW_HOST (separated by commas), --allow-host: further names under which people open the studio."""

    root_path: str = ""
    """RATCHET_ROOT_PATH, --root-path: where a proxy shows the studio, such as /ratchet; none: at the top."""

    rewards: Path | None = None
    """RATCHET_REWARDS: the folder whose Python files may reward training (rule `code:FILE.py`); none unless set."""

    llama_cpp: Path | None = None
    """RATCHET_LLAMA_CPP: the folder of llama.cpp with its converter, for exports as GGUF; none unless set."""

    webhook: str = ""
    """RATCHET_WEBHOOK: address that is told by a POST of JSON when a training ends; redirects are not followed."""

    zygote: bool = True
    """RATCHET_ZYGOTE (on or off): whether a process waits with all libraries imported, from which training forks."""

    engine: str = ""
    """RATCHET_ENGINE: options of the engine, such as `--memory 20 --quantise 4bit`; it reads them when it starts."""

    static: Path = Path()
    """Not set by hand: where the package's static files lie."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str], **given: object) -> "Settings":
        """Settings from an environment; `given` (from the command line) wins where it is not None.

        Raises BadInput for a value that is not of its type.
        """
        values = {name: value for name, value in given.items() if value is not None}
        folder = values.pop("home", None) or environ.get("RATCHET_HOME") or Path.home() / ".ratchet"
        return cls(
            home=Home(Path(str(folder)).expanduser().resolve()),
            host=str(values.get("host", environ.get("RATCHET_HOST", cls.host))),
            port=_number("RATCHET_PORT", values.get("port", environ.get("RATCHET_PORT", cls.port)), 0, 65535),
            max_upload_mb=_number(
                "RATCHET_MAX_UPLOAD_MB", environ.get("RATCHET_MAX_UPLOAD_MB", cls.max_upload_mb), 1, 1_000_000
            ),
            annotator=environ.get("RATCHET_ANNOTATOR", cls.annotator).strip() or cls.annotator,
            threads=_number("RATCHET_THREADS", environ.get("RATCHET_THREADS", cls.threads), 0, 4096),
            allow_folder=_folders(
                values.get("allow_folder") or environ.get("RATCHET_ALLOW_FOLDER", "").split(os.pathsep)
            ),
            allow_host=_names(values.get("allow_host") or environ.get("RATCHET_ALLOW_HOST", "").split(",")),
            root_path=_root_path(str(values.get("root_path", environ.get("RATCHET_ROOT_PATH", "")))),
            rewards=Path(named).expanduser().resolve() if (named := environ.get("RATCHET_REWARDS", "")) else None,
            llama_cpp=Path(named).expanduser().resolve() if (named := environ.get("RATCHET_LLAMA_CPP", "")) else None,
            webhook=_address(environ.get("RATCHET_WEBHOOK", "")),
            zygote=_switch("RATCHET_ZYGOTE", environ.get("RATCHET_ZYGOTE", "on")),
            engine=environ.get("RATCHET_ENGINE", "").strip(),
            static=static_folder(),
        )

    @property
    def only_here(self) -> bool:
        """Whether only this machine's programs reach the studio.

        A name to answer to means a way in from elsewhere, and so does a path: a proxy shows it there, perhaps under
        the name of this machine.
        """
        return self.host in LOOPBACK and not self.allow_host and not self.root_path

    def check_folders(self) -> None:
        """Refuse an allowed folder that is not there, before anybody waits for its files."""
        for folder in self.allow_folder:
            if not folder.is_dir():
                raise BadInput(f'There is no folder "{folder}" to allow imports from.')


def _folders(value: object) -> tuple[Path, ...]:
    """Folders by their real paths, each once."""
    given = value if isinstance(value, Iterable) else ()
    return tuple(dict.fromkeys(Path(str(folder)).expanduser().resolve() for folder in given if str(folder).strip()))


def _names(value: object) -> tuple[str, ...]:
    """Names of hosts, small, each once; raises BadInput for an address with a scheme, a port or a path."""
    given = value if isinstance(value, Iterable) else ()
    names = tuple(dict.fromkeys(str(name).strip().lower() for name in given if str(name).strip()))
    for name in names:
        if "/" in name or name.count(":") == 1:
            raise BadInput(f'--allow-host takes a name such as studio.example, without scheme and port, not "{name}".')
    return names


def _root_path(value: str) -> str:
    """A path without the slash at its end, or nothing; raises BadInput for what could not stand in an address."""
    path = value.strip().rstrip("/")
    if path and not re.fullmatch(r"(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+", path):
        raise BadInput(f'--root-path is a path such as /ratchet, of letters, digits, dots and dashes, not "{value}".')
    return path


def _switch(name: str, value: str) -> bool:
    """On or off; raises BadInput for anything else."""
    word = value.strip().lower()
    if word not in ("on", "off"):
        raise BadInput(f'{name} is on or off, not "{value}".')
    return word == "on"


def _address(value: str) -> str:
    """The address of a webhook, or nothing; raises BadInput for what cannot be asked."""
    parts = urlsplit(value.strip())
    if value.strip() and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise BadInput("RATCHET_WEBHOOK needs a whole address such as https://chat.example/hook.")
    return value.strip()


def _number(name: str, value: object, lowest: int, highest: int) -> int:
    """A whole number within limits; raises BadInput naming the setting."""
    try:
        number = int(str(value))
    except ValueError:
        raise BadInput(f'{name} needs a whole number, not "{value}".') from None
    if not lowest <= number <= highest:
        raise BadInput(f"{name} lies between {lowest} and {highest}, not {number}.")
    return number
