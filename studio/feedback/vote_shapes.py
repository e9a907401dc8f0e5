"""Votes as others write them, turned into our own shape: the Chatbot Arena's, MT-bench's, LLMBar's and PandaLM's.

A record becomes one vote or several. What is no known shape is given back as it is: it may be our own.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from storage.prompts import Messages
from studio.feedback.showing import as_text

Record = Mapping[str, Any]

_WINNERS: Mapping[str, str] = {
    "model_a": "a",
    "model_b": "b",
    "tie": "tie",
    "tie (bothbad)": "both_bad",
    "tie (both bad)": "both_bad",
    "bothbad": "both_bad",
    "both_bad": "both_bad",
}
_NUMBERS: Mapping[str, str] = {"0": "tie", "1": "a", "2": "b"}
_WINS = ("winner_model_a", "winner_model_b", "winner_tie")
_ANNOTATOR = re.compile(r"annotator\d+")


class Reject(Exception):
    """A record that cannot be used: which field (or character) and why."""

    def __init__(self, column: str | int, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message


def votes_of(row: Record) -> list[dict[str, Any]]:
    """The votes of a record in our own shape; raises Reject."""
    if "models" in row or "item" in row:
        return [dict(row)]
    if "winner" in row:
        return [_arena(row)]
    if set(_WINS) <= row.keys():
        return [_arena(_from_columns(row))]
    if {"output_1", "output_2"} <= row.keys():
        return _llmbar(row)
    if {"response1", "response2"} <= row.keys():
        return _pandalm(row)
    return [dict(row)]


def _arena(row: Record) -> dict[str, Any]:
    """A battle: `winner`, and two conversations or none.

    The turns that both sides share are the prompt; where each side went on by itself, the rest is its history. MT-bench
    (Zheng et al. 2023) tells in `turn` how many turns were judged, and its question_id is no id of a vote.
    """
    if not isinstance(row["winner"], str) or row["winner"].lower() not in _WINNERS:
        raise Reject("winner", f"winner is one of {', '.join(_WINNERS)}, not {_shown(row['winner'])}")
    identity = row.get("id") or row.get("question_id")
    found = {
        "id": identity if isinstance(identity, str) and not identity.isdigit() else None,
        "models": [row.get("model_a"), row.get("model_b")],
        "choice": _WINNERS[row["winner"].lower()],
        "annotator": _judge(row.get("judge")),
        "shown_order": [0, 1],
        "created_at": _moment(row),
    }
    talks = [_talk(row, column) for column in ("conversation_a", "conversation_b")]
    return {**found, **_parts(talks[0], talks[1])} if talks[0] and talks[1] else found


def _moment(row: Record) -> Any:
    return row.get("tstamp") if row.get("tstamp") is not None else row.get("timestamp")


def _judge(value: Any) -> Any:
    """Who judged; MT-bench names a model judge by a list."""
    return " ".join(map(str, value)) if isinstance(value, list) else value


def _talk(row: Record, column: str) -> Messages:
    """A conversation up to the answer that was judged; empty where there is none."""
    value = row.get(column)
    if isinstance(value, str) and value.startswith("["):
        value = _decoded(column, value)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(turn, dict) and "role" in turn for turn in value):
        raise Reject(column, f"{column} is a list of messages with role and content")
    if any(isinstance(part, dict) and part.get("image") for turn in value for part in _list(turn.get("content"))):
        raise Reject(column, f"{column} shows an image, and votes here are about text")
    turns = [{"role": turn["role"], "content": as_text(turn.get("content"))} for turn in value]
    answers = [place for place, turn in enumerate(turns) if turn["role"] == "assistant"]
    if not answers:
        raise Reject(column, f"{column} has no answer of an assistant")
    judged = row.get("turn")
    last = answers[judged - 1] if isinstance(judged, int) and 0 < judged <= len(answers) else answers[-1]
    return turns[: last + 1]


def _parts(one: Messages, other: Messages) -> dict[str, Any]:
    """Two conversations as the prompt that they share, the history of each side, and the answers."""
    shared = 0
    while shared < min(len(one), len(other)) - 1 and one[shared] == other[shared]:
        shared += 1
    histories = [one[shared:-1] or None, other[shared:-1] or None]
    return {
        "prompt": one[:shared] or None,
        "answers": [one[-1]["content"], other[-1]["content"]],
        "histories": histories if any(histories) else None,
    }


def _from_columns(row: Record) -> dict[str, Any]:
    """The Arena's table: the winner in three columns, prompt and answers as lists of turns."""
    won = [name for name in _WINS if str(row[name]).strip() in ("1", "1.0", "True", "true")]
    if len(won) != 1:
        raise Reject("winner_model_a", f"one of {', '.join(_WINS)} is 1 and the others are 0")
    found = {"winner": won[0].removeprefix("winner_"), **{name: row.get(name) for name in ("id", "model_a", "model_b")}}
    # Numbers of rows are no ids of votes: another file begins again at 1.
    found["id"] = None if str(found["id"]).isdigit() else found["id"]
    asked = _turns(row, "prompt")
    for side in ("a", "b"):
        said = _turns(row, f"response_{side}")
        if len(said) != len(asked):
            raise Reject(f"response_{side}", f"there are {len(said)} answers to {len(asked)} questions")
        found[f"conversation_{side}"] = [
            {"role": role, "content": text}
            for question, answer in zip(asked, said, strict=True)
            for role, text in (("user", question), ("assistant", answer))
        ]
    return found


def _turns(row: Record, column: str) -> list[str]:
    value = row.get(column)
    if isinstance(value, str) and value.startswith("["):
        value = _decoded(column, value)
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or not value:
        raise Reject(column, f"{column} is a text or a list of texts")
    return ["" if text is None else str(text) for text in value]


def _llmbar(row: Record) -> list[dict[str, Any]]:
    """An instruction, two outputs and which is better (Zeng et al. 2023); a judge's results beside it are a vote too.

    A judge was asked in both orders: where it named another winner the second time, its vote is a tie, as in MT-bench.
    """
    shared = {
        "prompt": row.get("input"),
        "models": ["output_1", "output_2"],
        "answers": [row["output_1"], row["output_2"]],
    }
    votes = [{**shared, "annotator": row.get("annotator") or "LLMBar", "choice": _number(row, "label", row["label"])}
             ] if row.get("label") is not None else []  # fmt: skip
    said = {_number(one, "results", one["winner"]) for one in _results(row) if one.get("winner") is not None}
    if said:
        votes.append({**shared, "annotator": "judge", "choice": said.pop() if len(said) == 1 else "tie"})
    if not votes:
        raise Reject("label", "label is 1 or 2, and there is none")
    return votes


def _results(row: Record) -> list[Record]:
    """What a judge said, in each order in which it was asked."""
    found = row.get("results")
    orders = [one for entry in (found if isinstance(found, list) else [found]) if isinstance(entry, dict)
              for one in entry.values()]  # fmt: skip
    return [one for one in orders if isinstance(one, dict)]


def _pandalm(row: Record) -> list[dict[str, Any]]:
    """An instruction, two responses and a column for each annotator: 0 for a tie, 1, 2 (Wang et al. 2023)."""
    instruction, more = (row.get(name) or "" for name in ("instruction", "input"))
    pair = str(row.get("cmp_key") or "").split("_")
    shared = {
        "prompt": f"{instruction}\n\n{more}" if more else instruction,
        "models": pair if len(pair) == 2 and all(pair) and pair[0] != pair[1] else ["response1", "response2"],
        "answers": [row["response1"], row["response2"]],
    }
    people = [name for name in row if _ANNOTATOR.fullmatch(name) and row[name] is not None]
    if not people:
        raise Reject("annotator1", "there is no vote: annotator1 and the like are 0, 1 or 2")
    return [{**shared, "annotator": name, "choice": _number(row, name, row[name])} for name in people]


def _number(row: Record, column: str, value: Any) -> str:
    word = str(value).strip().removesuffix(".0")
    if isinstance(value, bool) or word not in _NUMBERS:
        raise Reject(column, f"{column} is 1, 2 or 0 for a tie, not {_shown(value)}")
    return _NUMBERS[word]


def _decoded(column: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise Reject(column, f"{column} begins like a list and is none") from error


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _shown(value: Any) -> str:
    return json.dumps(value)[:40]
