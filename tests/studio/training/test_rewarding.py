from pathlib import Path

import pytest

from storage.errors import BadInput, NotFound, Refused
from storage.specs.advice import advise
from storage.specs.options import parse_options
from storage.specs.registry import METHODS
from studio.settings import Settings
from studio.training.request import Request
from studio.training.rewarding import functions_in, programs_of, refuse_unrewarded


def settings(tmp_path: Path, folder: Path | None) -> Settings:
    environ = {"RATCHET_HOME": str(tmp_path / "home")} | ({"RATCHET_REWARDS": str(folder)} if folder else {})
    return Settings.from_env(environ)


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    folder = tmp_path / "allowed"
    folder.mkdir()
    (folder / "polite.py").write_text("def reward(prompt, answer, reference):\n    return 1.0\n")
    return folder


@pytest.mark.parametrize("method", ["rloo", "grpo"])
def test_a_training_that_nothing_rewards_is_refused(method: str) -> None:
    known = METHODS[method]

    with pytest.raises(BadInput, match=f"{known.title} needs something that rewards answers"):
        refuse_unrewarded(known, {"rules": " "}, Request(method, "starter"))
    refuse_unrewarded(known, {"rules": "words<4"}, Request(method, "starter"))
    refuse_unrewarded(known, {"rules": ""}, Request(method, "starter", rewards=("taste",)))
    refuse_unrewarded(METHODS["sft"], {}, Request("sft", "starter"))


def test_the_run_gets_the_text_of_the_function(tmp_path: Path, allowed: Path) -> None:
    found = programs_of(settings(tmp_path, allowed), {"rules": "words<4, 2*code:polite.py"})

    assert found == {"polite.py": (allowed / "polite.py").read_text()}
    assert functions_in(settings(tmp_path, allowed)) == ["polite.py"]


def test_without_an_allowed_folder_no_program_runs(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no folder is allowed for those"):
        programs_of(settings(tmp_path, None), {"rules": "code:polite.py"})
    assert functions_in(settings(tmp_path, None)) == []
    assert programs_of(settings(tmp_path, None), {"rules": "words<4"}) == {}
    assert programs_of(settings(tmp_path, None), {}) == {}


def test_a_link_out_of_the_folder_is_refused_and_an_absent_file_is_told(tmp_path: Path, allowed: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text("raise SystemExit\n")
    (allowed / "link.py").symlink_to(outside)

    with pytest.raises(Refused, match=r'"link.py" leads out of the folder'):
        programs_of(settings(tmp_path, allowed), {"rules": "code:link.py"})
    with pytest.raises(NotFound, match=r'no file "other.py" .*polite.py'):
        programs_of(settings(tmp_path, allowed), {"rules": "code:other.py"})


@pytest.mark.parametrize("method", ["rloo", "grpo"])
@pytest.mark.parametrize("parameters", [3_000_000, 90_000_000, None])
@pytest.mark.parametrize("rows", [3, 90, 20_000])
def test_what_is_advised_keeps_the_answers_to_a_prompt_together(method: str, parameters: int | None, rows: int) -> None:
    options = parse_options(METHODS[method].options, advise(method, parameters, rows).options)

    assert options.batch_size % options.answers == 0


def test_a_batch_that_splits_the_answers_to_a_prompt_is_refused_with_one_that_does_not() -> None:
    with pytest.raises(BadInput, match=r'"batch_size" \(30\) must be a multiple of "answers" \(8\); choose 24'):
        parse_options(METHODS["rloo"].options, {"batch_size": 30})
