"""Events are whole lines, frozen rows are named by their content, specs of every age load."""

from pathlib import Path

import pytest

from storage import runs
from storage.errors import BadInput
from storage.home import read_json, write_json
from storage.specs.advice import advise
from storage.specs.dpo import DPOOptions
from storage.specs.options import option_fields, parse_options
from storage.specs.registry import METHODS, method_named
from storage.specs.run import RunSpec
from storage.specs.sft import SFTOptions


def test_events_are_read_on_from_where_one_stopped(tmp_path: Path) -> None:
    runs.append_event(tmp_path, "progress", step=1)
    first = runs.read_events(tmp_path)
    runs.append_event(tmp_path, "metric", step=1, loss=0.5)

    second = runs.read_events(tmp_path, first.offset)

    assert [event["kind"] for event in first.events] == ["progress"]
    assert [(event["kind"], event["loss"]) for event in second.events] == [("metric", 0.5)]


def test_a_torn_last_line_waits_until_it_is_whole(tmp_path: Path) -> None:
    runs.append_event(tmp_path, "progress", step=1)
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write('{"t": 1, "kind": "me')
    torn = runs.read_events(tmp_path)
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write('tric", "loss": 2}\n')

    assert [event["kind"] for event in torn.events] == ["progress"]
    assert [event["kind"] for event in runs.read_events(tmp_path, torn.offset).events] == ["metric"]


def test_the_same_rows_freeze_to_the_same_hash_and_come_back(tmp_path: Path) -> None:
    rows = [{"id": "1", "messages": '[{"role": "user"}]'}, {"id": "2", "messages": "[]"}]
    first = runs.freeze_rows(tmp_path / "a.parquet", rows)
    second = runs.freeze_rows(tmp_path / "b.parquet", rows)
    changed = runs.freeze_rows(tmp_path / "c.parquet", rows[:1])

    assert (first.rows, first.sha256) == (2, second.sha256)
    assert changed.sha256 != first.sha256
    assert runs.thaw_rows(tmp_path / "a.parquet") == rows


def test_a_spec_comes_back_and_one_of_a_newer_version_loads(tmp_path: Path) -> None:
    spec = RunSpec(job="j", method="sft", name="n", base_path="/b", options={"epochs": 2.0})
    spec.write(tmp_path)
    assert RunSpec.read(tmp_path) == spec

    written = read_json(tmp_path / "spec.json")
    assert written is not None
    write_json(tmp_path / "spec.json", {**written, "something_new": 1})
    assert RunSpec.read(tmp_path) == spec


def test_a_log_shows_its_end(tmp_path: Path) -> None:
    (tmp_path / "train.log").write_text("first\n" + "x" * 100 + "\nlast")

    assert runs.tail_log(tmp_path, 10) == "xxxxx\nlast"
    assert runs.tail_log(tmp_path / "absent") == ""


def test_options_are_typed_from_words_and_checked() -> None:
    assert parse_options(SFTOptions, {"learning_rate": "2e-4", "packing": "yes", "batch_size": "4"}) == SFTOptions(
        learning_rate=2e-4, packing=True, batch_size=4
    )


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"lr": 1}, 'There is no option "lr"; the options are batch_size'),
        ({"epochs": "many"}, 'Option "epochs" needs a number, not "many"'),
        ({"batch_size": "2.5"}, 'Option "batch_size" needs a whole number, not "2.5"'),
        ({"learning_rate": "nan"}, 'Option "learning_rate" lies between 1e-08 and 0.1, not nan'),
        ({"loss_on": "user"}, 'Option "loss_on" is one of assistant, completion, all, not "user"'),
        ({"packing": "perhaps"}, 'Option "packing" needs true or false, not "perhaps"'),
    ],
)
def test_a_wrong_option_is_named_with_its_value(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        parse_options(SFTOptions, values)


@pytest.mark.parametrize("options", [SFTOptions, DPOOptions])
def test_every_default_lies_within_its_own_limits(options: type) -> None:
    defaults = {item.name: item.default for item in option_fields(options)}

    assert parse_options(options, defaults) == options()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("parameters", [3_000_000, 100_000_000, 7_000_000_000, None])
def test_advice_can_always_be_taken(method: str, parameters: int | None) -> None:
    advice = advise(method, parameters, rows=40)

    parse_options(method_named(method).options, advice.options)
    assert "40 rows are seen" in advice.why


@pytest.mark.parametrize(("compared", "learning_rate"), [(False, 2.1e-4), (True, 1e-4)])
def test_a_small_adapter_that_is_trained_on_takes_shorter_steps(compared: bool, learning_rate: float) -> None:
    assert advise("dpo", 3_000_000, 40).options["learning_rate"] == 3e-4
    assert advise("dpo", 3_000_000, 40, continued=True, compared=compared).options["learning_rate"] == learning_rate


def test_other_weights_are_advised_another_step_size() -> None:
    def rate(tuning: str, parameters: int = 1_000_000_000) -> float:
        return float(
            advise("sft", parameters, 40, tuning=tuning).options.get("learning_rate", SFTOptions.learning_rate)
        )

    assert (rate("lora"), rate("rslora"), rate("full"), rate("ia3")) == (2e-4, 2e-4, 2e-5, 2e-3)
    assert rate("full", 3_000_000) == 1.5e-4
