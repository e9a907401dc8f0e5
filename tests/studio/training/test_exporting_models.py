"""Models that leave: what is refused before a process is started, and what the benchmarks are told."""

from pathlib import Path

import pytest

from storage.errors import BadInput, RatchetError, Refused
from storage.models import add_model, get_model, set_gone
from storage.store import Store
from studio.training.benchmarking import benchmark, command
from studio.training.exporting_models import Leaving, exportable, wish_of
from tests.studio.training.project import add_starter, write_adapter


@pytest.fixture
def ready(store: Store) -> Store:
    starter = add_starter(store)
    add_model(store, "taught", "adapter", base_id=starter.id, path=str(write_adapter(store.home.model("taught"), "x")))
    add_model(store, "far", "endpoint", url="http://127.0.0.1:9/v1", remote_name="x")
    add_model(store, "judge", "reward", base_id=starter.id, path=str(store.home.model("judge")))
    return store


@pytest.mark.parametrize(
    ("name", "form", "sentence"),
    [
        ("taught", "onnx", 'A model is exported as adapter, merged, full, trl, ollama, gguf, not as "onnx".'),
        ("starter", "trl", '"starter" is a whole model and no adapter; export it as merged or full.'),
        ("starter", "adapter", '"starter" is a whole model and no adapter; export it as merged or full.'),
        ("far", "merged", '"far" answers from http://127.0.0.1:9/v1: its weights are not on this machine.'),
        ("judge", "merged", '"judge" judges answers and gives none'),
        ("nobody", "merged", "nobody"),
    ],
)
def test_what_cannot_leave_is_refused(name: str, form: str, sentence: str, ready: Store) -> None:
    with pytest.raises(RatchetError, match=r".+") as refused:
        exportable(ready, name, form)
    assert sentence in str(refused.value)


def test_what_was_deleted_cannot_leave(ready: Store) -> None:
    set_gone(ready, get_model(ready, "taught"))

    with pytest.raises(Refused, match='The weights of "taught" were deleted'):
        exportable(ready, "taught", "adapter")


def test_the_process_is_told_base_adapter_and_place(ready: Store, tmp_path: Path) -> None:
    leaving = Leaving("merged", "apache-2.0", tmp_path / "llama.cpp")
    wish = wish_of(ready, get_model(ready, "taught"), leaving, tmp_path / "out")

    assert wish.pop("card").startswith("---\n")
    assert wish == {
        "name": "taught",
        "base": str(ready.home.model("starter")),
        "adapter": str(ready.home.model("taught")),
        "form": "merged",
        "out": str(tmp_path / "out"),
        "hub_id": None,
        "llama_cpp": str(tmp_path / "llama.cpp"),
    }


def test_benchmarks_without_their_package_say_what_to_install(ready: Store) -> None:
    with pytest.raises(Refused, match=r"pip install 'ratchet\[lm-eval\]'"):
        benchmark(ready, "taught", ["arc_easy"])
    with pytest.raises(BadInput, match="Name at least one task"):
        benchmark(ready, "taught", [])
    with pytest.raises(Refused, match="of kind endpoint"):
        benchmark(ready, "far", ["arc_easy"])


def test_benchmarks_run_the_adapter_on_its_base_without_foreign_code(ready: Store, tmp_path: Path) -> None:
    argv = command(ready, get_model(ready, "taught"), ["arc_easy", "piqa"], 10, tmp_path)

    told = argv[argv.index("--model_args") + 1]
    assert told.split(",") == [
        f"pretrained={ready.home.model('starter')}",
        "trust_remote_code=False",
        f"peft={ready.home.model('taught')}",
    ]
    assert argv[argv.index("--tasks") + 1] == "arc_easy,piqa"
    assert argv[-2:] == ["--limit", "10"]
