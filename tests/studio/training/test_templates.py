"""A base without a chat template gets one that its tokenizer can write; a person's own folder is left as it is."""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.errors import BadInput, RatchetError
from storage.models import list_models
from storage.store import Store
from studio.settings import Settings
from studio.training.adding import Choices, add_model
from studio.training.folders import chat_template
from studio.training.templates import CHATML, PLAIN
from tests.studio.training.project import write_base

OWN = "{% for m in messages %}{% generation %}{{ bos_token }}{{ m['content'] }}{% endgeneration %}{% endfor %}"
ENDLESS = "takes more than 5 seconds|was not done after 20 seconds"


@pytest.fixture
def settings(store: Store) -> Settings:
    return Settings.from_env({}, home=store.home.path)


def wordless(folder: Path, marks: tuple[str, ...] = (), end: str | None = "<end>") -> Path:
    """A base's folder without a chat template."""
    write_base(folder)
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": end} if end else {}))
    added = [{"id": number, "content": mark} for number, mark in enumerate(marks)]
    (folder / "tokenizer.json").write_text(json.dumps({"added_tokens": added}))
    return folder


@pytest.mark.parametrize(
    ("marks", "offered"), [((), "--template plain"), (("<|im_start|>", "<|im_end|>"), "--template chatml")]
)
def test_what_is_refused_for_want_of_a_template_is_offered_one(
    store: Store, settings: Settings, tmp_path: Path, marks: tuple[str, ...], offered: str
) -> None:
    with pytest.raises(BadInput, match=rf"has no chat template.*`{offered}`"):
        add_model(store, settings, str(wordless(tmp_path / "base", marks)))


@pytest.mark.parametrize(
    ("marks", "wish", "written"),
    [(("<|im_start|>", "<|im_end|>"), "chatml", CHATML), ((), "plain", PLAIN), ((), OWN, OWN)],
)
def test_the_model_has_the_template_and_the_folder_has_not(
    store: Store, settings: Settings, tmp_path: Path, marks: tuple[str, ...], wish: str, written: str
) -> None:
    folder = wordless(tmp_path / "base", marks)

    model = add_model(store, settings, str(folder), choices=Choices(template=wish))

    made = Path(str(model.path))
    assert (model.kind, made) == ("base", store.home.model("base"))
    assert chat_template(made) == written
    assert chat_template(folder) is None
    assert (made / "model.safetensors").stat().st_ino == (folder / "model.safetensors").stat().st_ino


def test_a_template_of_ones_own_takes_the_place_of_the_makers(store: Store, settings: Settings, tmp_path: Path) -> None:
    folder = wordless(tmp_path / "base")
    (folder / "chat_template.jinja").write_text("theirs")

    model = add_model(store, settings, str(folder), choices=Choices(template=OWN))

    assert chat_template(Path(str(model.path))) == OWN
    assert (folder / "chat_template.jinja").read_text() == "theirs"


@pytest.mark.parametrize(
    ("end", "wish", "sentence"),
    [
        ("<end>", "chatml", r"does not know <\|im_start\|> and <\|im_end\|>"),
        (None, "plain", "names no end mark"),
        ("<end>", "{{ messages", "The chat template cannot be used"),
        ("<end>", "{{ 'always the same' }}", "leaves out what the user says"),
        ("<end>", "{{ ''.__class__.__mro__ }}", "cannot be used|leaves out"),
        ("<end>", "no template", '"no template" is no chat template; name chatml, plain, or a file with one'),
        ("<end>", "{{ x }}" * 20_000, "at most 100,000 characters"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused_and_nothing_is_left(
    store: Store, settings: Settings, tmp_path: Path, end: str | None, wish: str, sentence: str
) -> None:
    with pytest.raises(RatchetError, match=sentence):
        add_model(store, settings, str(wordless(tmp_path / "base", end=end)), choices=Choices(template=wish))

    assert list_models(store) == []
    assert list(store.home.models.iterdir()) == []


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ("{{ 'x' * 23000000000 }}", "takes more than 1 GB of memory"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}{{ messages }}", ENDLESS),
        ("{{ 9 ** (9 ** 9) }}", ENDLESS),
        ("{{ raise_exception('x' * 9000000) }}", "cannot be used: x{300}\\.$"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "cannot be used"),
    ],
)  # fmt: skip
def test_a_template_that_takes_all_there_is_costs_this_process_nothing(
    store: Store, settings: Settings, tmp_path: Path, wish: str, sentence: str
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with bounded_memory(), pytest.raises(BadInput, match=sentence):
        add_model(store, settings, str(wordless(tmp_path / "base")), choices=Choices(template=wish))

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes
    assert list_models(store) == []


@contextmanager
def bounded_memory() -> Iterator[None]:
    """This process may take 6 GB and no more, so that a check that fails costs the machine nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = 6 << 30 if soft == resource.RLIM_INFINITY else min(soft, 6 << 30)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def test_an_adapter_takes_no_template(store: Store, settings: Settings, tmp_path: Path) -> None:
    from tests.studio.training.project import write_adapter

    with pytest.raises(BadInput, match="speaks by the chat template of its base"):
        add_model(store, settings, str(write_adapter(tmp_path / "a", "base")), choices=Choices(template="plain"))
