"""Reports name models and show votes: they open for those who see results, and tell others so in a sentence."""

import pytest
from fastapi.testclient import TestClient

pytestmark = pytest.mark.heavy


@pytest.mark.parametrize(("role", "status"), [("annotator", 403), ("curator", 200), ("trainer", 200), ("admin", 200)])
def test_a_report_opens_for_those_who_see_results(role: str, status: int, signed: dict[str, TestClient]) -> None:
    answer = signed[role].get("/report/1")

    assert answer.status_code == status
    assert ("Round 1" in answer.text) == (status == 200)
    assert answer.headers["cache-control"] == "no-store"


def test_without_a_session_it_leads_to_the_sign_in(signed: dict[str, TestClient]) -> None:
    answer = signed["nobody"].get("/report/1?save=1")

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/report/1%3Fsave%3D1")


@pytest.mark.parametrize("number", ["99", "x", "-1", "1.5", "9" * 30, "%00", "²", "a" * 500])
def test_what_is_no_round_is_told_on_a_page(number: str, signed: dict[str, TestClient]) -> None:
    answer = signed["admin"].get(f"/report/{number}")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "<h1>No report</h1>" in answer.text


def test_the_saved_file_is_sent_as_a_file(signed: dict[str, TestClient]) -> None:
    answer = signed["admin"].get("/report/1?save=1")

    assert answer.headers["content-disposition"] == 'attachment; filename="round-1.html"'
    assert "href=" not in answer.text
