"""A request is one record: what the button sends, the job keeps, and the command line shows."""

import shlex

import pytest

from studio.cli import parser
from studio.training.request import Request, command_line

REQUESTS = [
    Request("sft", "starter", dataset="starter"),
    Request("dpo", "round-1-sft", study="round-1", votes="each", name="bolder", options={"epochs": 2.5}),
    Request("sft", "starter", dataset="my-data", options={"packing": True, "loss_on": "all"}),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: command_line(one))
def test_the_command_that_a_page_shows_is_one_that_the_command_line_takes(request_: Request) -> None:
    words = shlex.split(command_line(request_))
    read = parser().parse_args(words[1:])

    assert (read.method, read.base, read.dataset) == (request_.method, request_.base, request_.dataset)
    assert (read.study, read.votes, read.name) == (request_.study, request_.votes, request_.name)
    assert dict(read.set) == {name: str(value).lower() for name, value in request_.options.items()}


def test_votes_without_a_policy_name_the_usual_one_on_the_command_line() -> None:
    assert command_line(Request("dpo", "m", study="s")) == "ratchet train dpo --base m --votes majority --study s"


def test_a_request_is_kept_without_its_start_id_and_read_back() -> None:
    request = Request("dpo", "m", study="s", options={"beta": 0.2}, start_id="0" * 26)

    assert request.to_json() == {"method": "dpo", "base": "m", "study": "s", "options": {"beta": 0.2}}
    assert Request.from_json({**request.to_json(), "of": "a newer version"}).options == {"beta": 0.2}


def test_empty_fields_of_a_form_count_as_absent() -> None:
    request = Request.from_json({"method": "sft", "base": "m", "dataset": "", "name": "", "study": None})

    assert request == Request("sft", "m")
