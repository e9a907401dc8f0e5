"""Every verb is a tool that takes what the verb takes; from elsewhere, only what names no file of this machine."""

import argparse
from pathlib import Path

import pytest

from storage.datasets import list_datasets
from storage.errors import BadInput, NotFound
from studio.api.mcp import ALLOWED
from studio.cli import VERBS
from studio.settings import Settings
from studio.studio import Studio
from studio.tools.toolbox import Toolbox
from tests.studio.training.project import add_dataset, conversation, first_day

HELD = {"serve", "mcp", "people", "keys", "endpoint-key", "bench"}


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    studio = Studio(settings=Settings.from_env({}, home=tmp_path / "home"))
    first_day(studio.store)
    studio.__dict__["ready"] = studio.store
    return studio


def test_every_verb_is_a_tool_but_those_that_hold_the_terminal(studio: Studio) -> None:
    listed = Toolbox(studio).listed()

    assert {tool["description"].split("`ratchet ")[1].split()[0].rstrip("`.") for tool in listed} == {
        verb.name for verb in VERBS
    } - HELD
    assert {"votes-export", "votes-import", "train", "rounds"} < {tool["name"] for tool in listed}


def test_a_schema_says_what_the_flags_say(studio: Studio) -> None:
    tools = {tool["name"]: tool for tool in Toolbox(studio).listed()}

    show = tools["show"]["inputSchema"]
    assert show["required"] == ["name"]
    assert show["properties"]["limit"] == {"type": "integer", "description": "rows at most (default 25)"}
    assert show["properties"]["tag"]["type"] == "array"
    train = tools["train"]["inputSchema"]
    assert sorted(train["required"]) == ["base", "method"]
    assert "dpo" in train["properties"]["method"]["enum"]
    assert train["properties"]["wait"]["type"] == "boolean"
    assert tools["rounds"]["annotations"] == {"readOnlyHint": True, "destructiveHint": False}
    assert "key" not in tools["add-model"]["inputSchema"]["properties"]


def test_a_tool_answers_the_verbs_json(studio: Studio) -> None:
    add_dataset(studio.store, "sums", "sft", [conversation("2 + 2?", "4"), conversation("-1 + 1?", "0")])

    said = Toolbox(studio).call("show", {"name": "sums", "search": "-1", "limit": 5})

    assert (said.failed, len(said.data["rows"])) == (False, 1)


def test_what_goes_wrong_is_an_answer(studio: Studio) -> None:
    box = Toolbox(studio)

    missing = box.call("show", {"name": "no-such"})
    wrong = box.call("show", {})
    unknown = box.call("show", {"name": "facts", "colour": "red"})
    strange = box.call("show", {"name": {"a": 1}})

    assert [one.failed for one in (missing, wrong, unknown, strange)] == [True] * 4
    assert missing.data["error"]["kind"] == "not-found"
    assert "the following arguments are required: NAME" in wrong.text
    assert unknown.text == '"show" takes no colour.'
    assert "neither a text nor a number" in strange.text
    with pytest.raises(NotFound, match='no tool "serve"'):
        box.call("serve", {})


@pytest.mark.parametrize("value", ["--help", "-h", "--home=/tmp/elsewhere", "--json"])
def test_a_value_is_never_read_as_a_flag(studio: Studio, value: str) -> None:
    said = Toolbox(studio).call("show", {"name": value})

    assert said.data["error"]["kind"] == "not-found"
    assert list_datasets(studio.store)[0].dataset.name == "facts"


def test_from_elsewhere_no_tool_takes_a_path_or_waits(studio: Studio) -> None:
    tools = {tool["name"]: tool for tool in Toolbox(studio, ALLOWED.keys(), remote=True).listed()}

    assert set(tools) == set(ALLOWED)
    assert "prompts" not in tools["generate"]["inputSchema"]["properties"]
    assert "guidelines" not in tools["study"]["inputSchema"]["properties"]
    assert "out" not in tools["report"]["inputSchema"]["properties"]
    assert not [name for name, tool in tools.items() if "wait" in tool["inputSchema"]["properties"]]
    assert not {"import", "export", "backup", "pack", "add-model", "plan", "votes-import"} & set(tools)


def test_the_parser_of_the_tools_ends_no_process(studio: Studio) -> None:
    with pytest.raises(BadInput):
        from studio.tools.toolbox import _Strict

        parser = _Strict(prog="ratchet x")
        parser.add_argument("--n", type=int)
        parser.parse_args(["--n", "many"])
    assert issubclass(_Strict, argparse.ArgumentParser)
