"""The text of a space, the goals of a search, and what cannot be searched."""

import pytest

from storage.errors import BadInput
from storage.specs.registry import method_named
from storage.specs.search import Range, checked_goals, checked_ranges, parse_space, usual_space, write_space

SFT = method_named("sft")


def test_a_space_is_read_and_written_back() -> None:
    text = "learning_rate=0.0001..0.01,epochs=1..4,lora_r=8|16|32,scheduler=linear|cosine"

    ranges = parse_space(SFT, f" {text} ")

    assert ranges == (
        Range("learning_rate", 0.0001, 0.01),
        Range("epochs", 1.0, 4.0),
        Range("lora_r", choices=(8, 16, 32)),
        Range("scheduler", choices=("linear", "cosine")),
    )
    assert [one.logarithmic for one in ranges] == [True, False, False, False]
    assert write_space(ranges) == text


def test_whole_numbers_stay_whole() -> None:
    assert parse_space(SFT, "batch_size=2..64")[0] == Range("batch_size", 2.0, 64.0, whole=True)


def test_the_usual_space_lies_around_what_is_advised_and_within_the_limits() -> None:
    assert write_space(usual_space(SFT, {"learning_rate": 5e-4, "epochs": 2.0})) == (
        "learning_rate=6.25e-05..0.002,epochs=1..3,lora_r=8|16|32"
    )
    assert usual_space(SFT, {"learning_rate": 0.1, "epochs": 90.0})[:2] == (
        Range("learning_rate", 0.0125, 0.1),
        Range("epochs", 45.0, 100.0),
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Name at least one option to search over"),
        ("colour=1..2", 'There is no option "colour"; the options are'),
        ("loss_on=assistant|all", 'Option "loss_on" changes what is measured'),
        ("learning_rate=1..2", 'Option "learning_rate" lies between 1e-08 and 0.1, not 1.0.'),
        ("epochs=4..1", 'Option "epochs" needs a lower limit before the higher one, not "4..1".'),
        ("epochs=4", 'Option "epochs" needs two values or more'),
        ("scheduler=a..b", 'Option "scheduler" is no number; name its values'),
        ("epochs=1..2,epochs=3..4", 'Option "epochs" stands in the space twice'),
        ("epochs=one..two", 'Option "epochs" needs a number, not "one".'),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_space(SFT, text)

    assert str(refused.value).startswith(sentence)


def test_each_sampler_has_its_goals() -> None:
    assert checked_goals("tpe", ()) == checked_goals("cmaes", ()) == ("held_out_loss",)
    assert checked_goals("nsga2", ()) == ("held_out_loss", "forgetting", "seconds")
    assert checked_goals("tpe", ("held_out_loss", "seconds")) == ("held_out_loss", "seconds")
    for sampler, goals in (("magic", ()), ("tpe", ("beauty",)), ("cmaes", ("held_out_loss", "seconds"))):
        with pytest.raises(BadInput):
            checked_goals(sampler, goals)


def test_cma_es_wants_two_numbers() -> None:
    checked_ranges("cmaes", parse_space(SFT, "learning_rate=1e-5..1e-3,epochs=1..4"))
    checked_ranges("tpe", parse_space(SFT, "lora_r=8|16"))
    for text in ("learning_rate=1e-5..1e-3", "learning_rate=1e-5..1e-3,lora_r=8|16"):
        with pytest.raises(BadInput, match="CMA-ES"):
            checked_ranges("cmaes", parse_space(SFT, text))
