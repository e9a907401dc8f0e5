"""Models from a Hub of our own, over real HTTP: what is fetched, what is refused, and a second try without fetching."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.home import Home
from tests.studio.curation.small_hub import TOKEN, SmallHub
from tests.studio.training.project import write_base

pytestmark = pytest.mark.heavy

# A process of its own: the Hub's client reads its address when it is imported.
ADD = """
import sys
from pathlib import Path
from storage.errors import RatchetError
from storage.home import Home
from storage.store import Store
from studio.settings import Settings
from studio.training.adding import Choices, add_model
store = Store.open(Home(Path(sys.argv[1])))
settings = Settings.from_env({}, home=sys.argv[1])
try:
    model = add_model(store, settings, "owner/base", choices=Choices(template=sys.argv[2] or None))
    print(model.name, model.kind, model.hub_id)
except RatchetError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[SmallHub]:
    """A model with a pickle and a script beside its weights."""
    folder = write_base(tmp_path / "repository")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x02}q\x00.")
    (folder / "modeling.py").write_text("import os")
    made = SmallHub(folder, "owner/base", "models")
    yield made
    made.close()


def add(hub: SmallHub, home: Home, template: str = "") -> str:
    """What adding the model says."""
    told = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0",
            "HF_HOME": str(hub.folder.parent / "cache")}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", ADD, str(home.path), template],
        env=os.environ | told, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_a_base_is_fetched_without_pickles_and_code_and_keeps_its_id(hub: SmallHub, home: Home) -> None:
    assert add(hub, home) == "base base owner/base"

    names = sorted(path.name for path in home.model("base").iterdir())
    assert names == ["config.json", "model.safetensors", "tokenizer_config.json"]


def test_what_lacked_a_template_is_not_fetched_a_second_time(hub: SmallHub, home: Home) -> None:
    (hub.folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<end>"}))

    refused = add(hub, home)
    assert "has no chat template" in refused
    assert not home.model("base").exists()
    hub.asked.clear()

    assert add(hub, home, "plain") == "base base owner/base"
    assert hub.asked == []
    assert "Assistant:" in (home.model("base") / "chat_template.jinja").read_text()
    assert [path.name for path in home.models.iterdir()] == ["base"]


def test_a_gated_model_says_what_to_do(hub: SmallHub, home: Home) -> None:
    hub.gated = True

    assert add(hub, home) == (
        'Refused "owner/base" is gated: accept its terms on huggingface.co, log in with `hf auth login` '
        "(or set HF_TOKEN), and try again."
    )
    assert not home.model("base").exists()
