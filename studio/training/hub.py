"""Models from the Hugging Face Hub: safetensors, JSON and tokenizer files only, no code, no pickles."""

import shutil
from pathlib import Path

from storage.errors import BadInput, NotFound, NotReady, Refused

_WANTED = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "tokenizer*", "README.md", "LICENSE*")
_UNWANTED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.py", "*.gguf", "*.onnx", "original/*", "onnx/*")


def download(repository: str, target: Path) -> Path:
    """Fetch a model repository into `target`, whole or not at all; a broken download goes on where it stopped.

    Raises NotReady where the Hub cannot be reached, Refused for a gated model, NotFound for an unknown one.
    """
    if target.exists():
        raise BadInput(f"{target} exists already; choose another name for the model.")
    passing = target.with_name(f".downloading-{target.name}")
    _fetch(repository, passing)
    if not any(passing.glob("*.safetensors")):
        shutil.rmtree(passing)
        raise Refused(
            f'"{repository}" has no safetensors on the Hub, and pickles can run code when they are read; '
            "take a model that has them."
        )
    shutil.rmtree(passing / ".cache", ignore_errors=True)
    passing.rename(target)
    return target


def _fetch(repository: str, folder: Path) -> None:
    """Let the Hub's own client fetch the files; its errors become sentences."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )
    from huggingface_hub.errors import HTTPError as AnyHTTPError  # type: ignore[attr-defined]

    try:
        snapshot_download(
            repository, local_dir=folder, allow_patterns=list(_WANTED), ignore_patterns=list(_UNWANTED), max_workers=4
        )
    except GatedRepoError as error:
        raise Refused(
            f'"{repository}" is gated: accept its terms on huggingface.co, log in with `hf auth login` (or set '
            "HF_TOKEN), and try again."
        ) from error
    except RepositoryNotFoundError as error:
        raise NotFound(
            f'The Hub has no model "{repository}", or it is private; check the name, or log in with `hf auth login`.'
        ) from error
    except HFValidationError as error:
        raise BadInput(f'"{repository}" is not a Hub id; it looks like owner/name.') from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, HfHubHTTPError, AnyHTTPError, OSError) as error:
        raise NotReady(
            f'The Hub could not be reached for "{repository}": fetch the model on another machine and add its folder, '
            "or try again when there is a connection."
        ) from error
