"""`ratchet mix-models`, `propose`, `export-model` and `add-model --template` from the command line."""

import json
from pathlib import Path

import pytest

from storage.home import Home
from storage.models import add_model, get_model
from storage.store import Store
from studio.cli import main
from tests.studio.training.project import write_adapter, write_base


def run(home: Home, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    code = main([*words, "--home", str(home.path)])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def ready(home: Home, capsys: pytest.CaptureFixture[str]) -> Home:
    """A new home with the starter and two adapters on it, as far as can be told without loading them."""
    run(home, capsys, "models")
    store = Store.open(home)
    base = get_model(store, "starter")
    for name in ("terse", "warm"):
        folder = write_adapter(home.model(name), "starter")
        add_model(store, name, "adapter", base_id=base.id, parent_id=base.id, path=str(folder))
    store.close()
    return home


def test_a_model_from_elsewhere_is_proposed(ready: Home, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(ready, capsys, "propose", "warm")

    assert (code, out) == (0, '"warm" is the candidate of round 1; vote in round-1.\n')
    card = json.loads(run(ready, capsys, "rounds", "--json")[1])["rounds"][0]
    assert (card["model"], card["job"], card["against"]) == ("warm", None, "starter")


def test_what_cannot_be_mixed_is_one_sentence_on_the_error_output(
    ready: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(ready, capsys, "mix-models", "terse", "starter", "--name", "both")

    assert (code, out) == (1, "")
    assert err == '"starter" is of kind base; only adapters can be mixed.\n'


@pytest.mark.parametrize(
    "words",
    [
        ["mix-models", "terse", "warm"],
        ["mix-models", "terse", "warm", "--name", "n", "--weights", "much"],
        ["mix-models", "terse", "warm", "--name", "n", "--how", "soup"],
        ["export-model", "terse", "--as", "adapter"],
        ["export-model", "terse", "--as", "adapter", "--out", "x", "--to-hub", "me/x"],
        ["export-model", "terse", "--as", "onnx", "--out", "x"],
    ],
)
def test_wrong_use_exits_with_2(words: list[str], home: Home) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--home", str(home.path)])
    assert ended.value.code == 2


def test_an_export_to_the_hub_without_a_token_says_how_to_get_one(
    ready: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))

    code, _, err = run(ready, capsys, "export-model", "terse", "--as", "adapter", "--to-hub", "me/terse")

    assert (code, "set HF_TOKEN or log in with `hf auth login`" in err) == (1, True)


def test_a_base_gets_the_template_of_a_file(home: Home, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = write_base(tmp_path / "wordless")
    (folder / "tokenizer_config.json").write_text("{}")
    (tmp_path / "own.jinja").write_text("{% for m in messages %}{{ m['content'] }}{% endfor %}")

    refused = run(home, capsys, "add-model", str(folder), "--template", str(tmp_path / "none.jinja"))
    code, out, _ = run(home, capsys, "add-model", str(folder), "--template", str(tmp_path / "own.jinja"))

    assert (refused[0], "is neither chatml nor plain nor a readable file" in refused[2]) == (1, True)
    assert (code, out) == (0, 'model "wordless" added\n')
    assert (home.model("wordless") / "chat_template.jinja").read_text() == (tmp_path / "own.jinja").read_text()
