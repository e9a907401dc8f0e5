"""Models come in from folders, adapters and addresses; what cannot be used is refused and leaves nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage.errors import BadInput, Conflict, NotFound, Refused
from storage.models import get_model, list_models, rename, server_of
from storage.store import Store
from storage.usage import Spent, record
from studio.settings import Settings
from studio.training.adding import add_model, list_all
from studio.training.endpoints import Terms, usage
from tests.studio.training.project import write_adapter, write_base

OFFLINE = """
import sys
from pathlib import Path
from studio.training.hub import download
from storage.errors import NotReady
try:
    download("some-owner/some-model", Path(sys.argv[1]) / "some-model")
except NotReady as error:
    print(error)
"""


def test_a_base_stays_in_its_folder(store: Store, home_settings: Settings, tmp_path: Path) -> None:
    folder = write_base(tmp_path / "My Model (v2)")

    model = add_model(store, home_settings, str(folder))

    assert (model.name, model.kind, model.path, model.parameters) == ("My-Model-v2", "base", str(folder), 14)
    assert model.base_sha256 is not None


def test_the_same_folder_twice_gets_a_number_and_a_taken_name_is_refused(
    store: Store, home_settings: Settings, tmp_path: Path
) -> None:
    folder = write_base(tmp_path / "base")
    add_model(store, home_settings, str(folder))

    assert add_model(store, home_settings, str(folder)).name == "base-2"
    with pytest.raises(Conflict, match='A model named "base" exists already'):
        add_model(store, home_settings, str(folder), name="base")


def test_an_adapter_is_copied_under_its_base_without_foreign_files(
    store: Store, home_settings: Settings, tmp_path: Path
) -> None:
    base = add_model(store, home_settings, str(write_base(tmp_path / "base")))
    adapter = write_adapter(tmp_path / "tuned", str(tmp_path / "base"))
    (adapter / "training_args.bin").write_bytes(b"\x80\x02}q\x00.")

    model = add_model(store, home_settings, str(adapter), name="mine")

    assert (model.kind, model.base_id, model.path) == ("adapter", base.id, str(store.home.model("mine")))
    copied = sorted(path.name for path in store.home.model("mine").iterdir())
    assert copied == ["adapter_config.json", "adapter_model.safetensors"]


def test_the_former_name_of_a_model_is_not_given_away_for_its_files_lie_there(
    store: Store, home_settings: Settings, tmp_path: Path
) -> None:
    add_model(store, home_settings, str(write_base(tmp_path / "base")))
    adapter = write_adapter(tmp_path / "tuned", str(tmp_path / "base"))
    rename(store, add_model(store, home_settings, str(adapter)), "mine")

    assert add_model(store, home_settings, str(adapter)).name == "tuned-2"
    with pytest.raises(Conflict, match='A model named "tuned" exists already, or did before it was renamed'):
        add_model(store, home_settings, str(adapter), name="tuned")


@pytest.mark.parametrize("said", ["base", "some-owner/base"])
def test_an_adapter_finds_its_base_by_name_too(
    store: Store, home_settings: Settings, tmp_path: Path, said: str
) -> None:
    base = add_model(store, home_settings, str(write_base(tmp_path / "base")))

    assert add_model(store, home_settings, str(write_adapter(tmp_path / "tuned", said))).base_id == base.id


def test_an_adapter_without_its_base_is_refused_and_nothing_is_copied(
    store: Store, home_settings: Settings, tmp_path: Path
) -> None:
    add_model(store, home_settings, str(write_base(tmp_path / "base")))

    with pytest.raises(NotFound, match=r'belongs to the base "llama-9", which is not here.*Bases here: base'):
        add_model(store, home_settings, str(write_adapter(tmp_path / "tuned", "llama-9")))
    assert [model.name for model in list_models(store)] == ["base"]
    assert list(store.home.models.iterdir()) == []


def test_an_endpoint_is_an_address_and_a_name(store: Store, home_settings: Settings) -> None:
    model = add_model(store, home_settings, "https://host.example/v1/#big/model-7b", terms=Terms(key_env="HOST_KEY"))

    assert (model.name, model.kind) == ("model-7b", "endpoint")
    assert (model.url, model.remote_name, model.key_env) == ("https://host.example/v1", "big/model-7b", "HOST_KEY")
    assert add_model(store, home_settings, "http://127.0.0.1:8000/v1", name="local").remote_name == "local"


@pytest.mark.parametrize(
    ("ref", "sentence"),
    [
        ("https://host.example/v1", "Say which model of https://host.example/v1 is meant"),
        ("https://host.example#m", "should end in /v1"),
        ("https://me:secret@host.example/v1#m", "Leave the key out of the address"),
        ("https:///v1#m", "names no machine"),
    ],
)
def test_an_address_that_is_no_endpoint_is_refused(
    store: Store, home_settings: Settings, ref: str, sentence: str
) -> None:
    with pytest.raises(BadInput) as refusal:
        add_model(store, home_settings, ref)
    assert sentence in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_how_an_endpoint_is_asked_is_agreed_when_it_is_added(
    store: Store, home_settings: Settings, tmp_path: Path
) -> None:
    base = add_model(store, home_settings, str(write_base(tmp_path / "base")))
    terms = Terms(dialect="vllm", at_once=12, timeout=45.0, price_in=0.5, price_out=1.5, serves="base")

    model = add_model(store, home_settings, "http://gpu:8000/v1#big", terms=terms)

    agreed = (model.dialect, model.at_once, model.timeout, model.price_in, model.price_out, model.serves)
    assert agreed == ("vllm", 12, 45.0, 0.5, 1.5, base.id)
    assert server_of(store, base) == model
    assert server_of(store, model) is None


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        (Terms(dialect="soap"), '"soap" is no kind of endpoint; there are: openai, vllm, llama.cpp, ollama, tgi.'),
        (Terms(at_once=0), "At once lies between 1 and 1024, not 0."),
        (Terms(timeout=0.5), "The timeout lies between 1 and 3600, not 0.5."),
        (Terms(price_in=-1), "The price of what is read lies between 0 and 1e+06, not -1."),
        (Terms(serves="base"), "Only vllm loads adapters while it runs; openai cannot serve ours."),
        (Terms(dialect="vllm", serves="other"), '"other" is no base; name the base whose adapters'),
    ],
)
def test_terms_that_cannot_be_are_refused_and_nothing_is_added(
    store: Store, home_settings: Settings, terms: Terms, sentence: str
) -> None:
    add_model(store, home_settings, "http://127.0.0.1:8000/v1#m", name="other")

    with pytest.raises(BadInput) as refusal:
        add_model(store, home_settings, "http://127.0.0.1:8000/v1#m", terms=terms)

    assert sentence in str(refusal.value)
    assert [model.name for model in list_models(store)] == ["other"]


def test_a_folder_has_no_terms(store: Store, home_settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is no endpoint, so nothing is to be agreed with it"):
        add_model(store, home_settings, str(write_base(tmp_path / "base")), terms=Terms(price_in=1))


def test_what_an_endpoint_was_asked_and_cost_stands_in_the_list(store: Store, home_settings: Settings) -> None:
    terms = Terms(price_in=2.0, price_out=10.0)
    model = add_model(store, home_settings, "http://127.0.0.1:8000/v1#m", terms=terms)
    record(store, model.id, Spent(1, 2, 0, 0, 1000, 300, 1.5))
    record(store, model.id, Spent(1, 0, 1, 1, 500, 0, 0.25))

    (line,) = list_all(store).to_json()["models"]

    spent = {"requests": 2, "retries": 2, "failures": 1, "estimated": 1, "prompt_tokens": 1500,
             "completion_tokens": 300, "seconds": 1.8, "cost": 0.006}  # fmt: skip
    assert line["usage"] == spent
    assert (line["dialect"], line["at_once"], line["key_env"], line["serves"]) == ("openai", 8, None, None)
    told = usage(store, 30).to_json()
    assert told["usage"] == [{"model": "m", **spent}]
    assert [(day["model"], day["requests"]) for day in told["days"]] == [("m", 2)]


def test_an_endpoint_without_prices_costs_nobody_knows_what(store: Store, home_settings: Settings) -> None:
    model = add_model(store, home_settings, "http://127.0.0.1:8000/v1#m")
    record(store, model.id, Spent(1, 0, 0, 0, 10, 10, 0.1))

    assert usage(store, 1).to_json()["usage"][0]["cost"] is None


@pytest.mark.parametrize("ref", ["/no/such/folder", "a/b/c", "model.gguf", "weights.bin", ""])
def test_what_is_neither_folder_nor_hub_id_is_refused(store: Store, home_settings: Settings, ref: str) -> None:
    with pytest.raises(NotFound, match="is neither a folder on this machine"):
        add_model(store, home_settings, ref)


def test_a_name_that_could_lead_out_of_the_home_is_refused(
    store: Store, home_settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="cannot be a name"):
        add_model(store, home_settings, str(write_base(tmp_path / "base")), name="../outside")


def test_a_pickle_is_refused_and_not_added(store: Store, home_settings: Settings, tmp_path: Path) -> None:
    folder = write_base(tmp_path / "base")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")

    with pytest.raises(Refused, match="as a pickle"):
        add_model(store, home_settings, str(folder))
    assert list_models(store) == []


def test_without_the_hub_a_sentence_says_what_to_do(tmp_path: Path) -> None:
    """In a process of its own, because the Hub's client reads its switches once, when it is imported."""
    out = subprocess.run(
        [sys.executable, "-c", OFFLINE, str(tmp_path)],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=True,
    )

    assert 'The Hub could not be reached for "some-owner/some-model"' in out.stdout
    assert not (tmp_path / "some-model").exists()


def test_the_list_names_base_and_parent(store: Store, home_settings: Settings, tmp_path: Path) -> None:
    add_model(store, home_settings, str(write_base(tmp_path / "base")))
    add_model(store, home_settings, str(write_adapter(tmp_path / "tuned", "base")))

    listed = list_all(store).to_json()["models"]

    assert [(line["name"], line["base"], line["parent"]) for line in listed] == [
        ("base", None, None),
        ("tuned", "base", "base"),
    ]
    assert listed[1]["adapter_sha256"] == get_model(store, "tuned").adapter_sha256
