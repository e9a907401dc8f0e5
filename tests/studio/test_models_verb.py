"""`ratchet models`, `add-model` and `usage`: endpoints from the command line, with what was agreed and what it cost."""

import json
from io import StringIO

import pytest

from storage.endpoint_keys import key_of
from storage.home import Home
from storage.models import get_model
from storage.store import Store
from storage.usage import Spent, record
from studio.cli import main
from tests.studio.training.project import first_day

URL = "http://127.0.0.1:9/v1#big"


def run(home: Home, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    code = main([*words, "--home", str(home.path)])
    out, err = capsys.readouterr()
    return code, out, err


def test_an_endpoint_is_added_with_its_terms(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--dialect", "vllm", "--key-env", "K", "--at-once", "4", "--timeout", "30", "--price-in", "0.5",
             "--price-out", "2", "--serves", "starter"]  # fmt: skip

    code, out, _ = run(home, capsys, "add-model", URL, "--name", "far", *words)

    assert (code, out) == (0, 'model "far" added\n')
    line = json.loads(run(home, capsys, "models", "--json")[1])["models"][-1]
    said = {name: line[name] for name in ("name", "kind", "dialect", "key_env", "at_once", "timeout", "price_in",
                                          "price_out", "serves", "remote_name", "url")}  # fmt: skip
    assert said == {
        "name": "far", "kind": "endpoint", "dialect": "vllm", "key_env": "K", "at_once": 4, "timeout": 30.0,
        "price_in": 0.5, "price_out": 2.0, "serves": "starter", "remote_name": "big", "url": "http://127.0.0.1:9/v1",
    }  # fmt: skip


def test_models_that_were_put_away_or_deleted_are_listed_when_asked_for(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("near", "far", "lost"):
        run(home, capsys, "add-model", URL, "--name", name)
    run(home, capsys, "archive-model", "far")
    assert run(home, capsys, "delete-model", "lost")[1] == (
        '"lost" is forgotten here; http://127.0.0.1:9/v1 stays as it is.\n'
    )

    listed = json.loads(run(home, capsys, "models", "--json")[1])["models"]
    everything = json.loads(run(home, capsys, "models", "--all", "--json")[1])["models"]
    _, told, _ = run(home, capsys, "models", "--all")

    assert [(one["name"], one["archived"]) for one in listed] == [("starter", False), ("near", False)]
    assert [(one["name"], one["archived"], one["gone"]) for one in everything] == [
        ("starter", False, False), ("near", False, False), ("far", True, False), ("lost", True, True),
    ]  # fmt: skip
    assert [line.split(maxsplit=4)[4] for line in told.split("\n\n")[0].splitlines()] == [
        "state", "-", "-", "put away", "deleted",
    ]  # fmt: skip


def test_what_it_was_asked_is_told_in_all_and_by_day(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(home, capsys, "usage")[:2] == (0, "no endpoint was asked yet\n")
    run(home, capsys, "add-model", URL, "--price-in", "1", "--price-out", "3")
    store = Store.open(home)
    record(store, get_model(store, "big").id, Spent(requests=2, failures=1, prompt_tokens=1000, completion_tokens=500))
    store.close()

    told = json.loads(run(home, capsys, "usage", "--json")[1])
    _, words, _ = run(home, capsys, "usage")
    _, listed, _ = run(home, capsys, "models")

    assert [(one["model"], one["requests"], one["failures"], one["cost"]) for one in told["usage"]] == [
        ("big", 2, 1, 0.0025)
    ]
    assert [(day["model"], day["prompt_tokens"], day["completion_tokens"]) for day in told["days"]] == [
        ("big", 1000, 500)
    ]
    assert words.splitlines()[1].split()[:6] == ["big", "2", "1", "0", "1000", "500"]
    assert [line.split()[:3] for line in listed.splitlines() if line.startswith("big")] == [
        ["big", "endpoint", "-"], ["big", "openai", "8"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["add-model", URL, "--dialect", "soap"], 2, "invalid choice: 'soap'"),
        (["add-model", URL, "--at-once", "many"], 2, "is no count"),
        (["add-model", URL, "--at-once", "0"], 1, "At once lies between 1 and 1024, not 0."),
        (["add-model", "http://127.0.0.1:port/v1#m"], 1, "names no port from 0 to 65535"),
        (["add-model", "/tmp", "--price-in", "1"], 1, "is no endpoint, so nothing is to be agreed with it"),
    ],
)
def test_what_cannot_be_agreed_is_a_sentence(
    home: Home, capsys: pytest.CaptureFixture[str], words: list[str], code: int, sentence: str
) -> None:
    try:
        said, _, err = run(home, capsys, *words)
    except SystemExit as end:
        said, err = int(end.code or 0), capsys.readouterr().err

    assert said == code
    assert sentence in err


def test_a_key_is_read_from_standard_input_and_stands_in_no_answer(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("sk-first\n"))
    code, out, _ = run(home, capsys, "add-model", URL, "--name", "far", "--key", "--json")
    assert (code, "sk-first" in out, json.loads(out)["models"][-1]["key_env"]) == (0, False, "keys.json")
    store = Store.open(home)
    model = get_model(store, "far")
    assert key_of(home, model.id) == "sk-first"

    monkeypatch.setattr("sys.stdin", StringIO("sk-second\n"))
    _, said, _ = run(home, capsys, "endpoint-key", "far")
    assert (key_of(home, model.id), said) == ("sk-second", f"the key of far is kept in {home.keys_file}\n")

    run(home, capsys, "endpoint-key", "far", "--remove")
    assert (key_of(home, model.id), get_model(store, "far").key_env) == (None, None)
    store.close()


def test_a_key_is_refused_where_none_is_wanted_or_two_are_named(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("sk-first\nsk-second\n"))

    both = run(home, capsys, "add-model", URL, "--key", "--key-env", "BIG_KEY")
    base = run(home, capsys, "endpoint-key", "starter")

    assert (both[0], both[2]) == (1, "Give the key itself, or the variable that holds it; not both.\n")
    assert (base[0], base[2]) == (1, '"starter" answers here and needs no key.\n')
    assert not home.keys_file.exists()


def test_one_model_is_told_with_what_needs_it(home: Home, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    first_day(store)

    code, out, _ = run(home, capsys, "model", "starter")
    told = json.loads(run(home, capsys, "model", "starter", "--json")[1])

    assert code == 0
    assert out.splitlines()[:3] == [
        "model         starter (champion)", "kind          base", "line          starter",
    ]  # fmt: skip
    assert "needed        it is the champion; promote another first." in out
    assert (told["name"], told["children"], told["recipe"], told["champion"]) == ("starter", [], None, True)
    assert run(home, capsys, "model", "nobody")[0] == 1
