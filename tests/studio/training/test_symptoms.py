"""The run doctor: each rule on curves that have its illness, and on curves that look like it and are well."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from studio.training.symptoms import LN_2, RULES, Course, Symptom, symptoms

Values = Sequence[float | None]


def course(method: str = "sft", options: Mapping[str, Any] | None = None, **curves: Values) -> Course:
    """A run whose metrics took these values at steps 1, 2, 3, …; "__" in a name stands for "/"."""
    series = {
        name.replace("__", "/"): [(float(at + 1), value) for at, value in enumerate(values)]
        for name, values in curves.items()
    }
    return Course(series, method, options or {}, ended=True)


def line(start: float, end: float, count: int = 20, noise: float = 0.0) -> list[float]:
    """Values from one to the other, every second one off by `noise`."""
    return [start + (end - start) * at / (count - 1) + (noise if at % 2 else -noise) for at in range(count)]


def growth(start: float, end: float, count: int = 20) -> list[float]:
    """Values from one to the other by the same factor each step."""
    return [start * (end / start) ** (at / (count - 1)) for at in range(count)]


def names(found: list[Symptom]) -> list[str]:
    return [symptom.name for symptom in found]


PAIRS = {"rewards__margins": line(0, 2), "rewards__accuracies": line(0.5, 0.95)}

ILL: dict[str, Course] = {
    "not-a-number": course(loss=[2.0, 1.5, None]),
    "not-a-number in gradients": course(loss=[2.0, 1.5], gradient_norm=[1.0, math.nan]),
    "loss-on-nothing": course(loss=[0.0] * 4, gradient_norm=[0.0] * 4),
    "flat-at-0.693": course("dpo", loss=line(LN_2, LN_2 - 0.004), rewards__margins=line(0, 0.01)),
    "learning-rate-too-high": course(loss=line(1.0, 4.0), options={"learning_rate": 0.05}),
    "chosen-collapses": course("dpo", loss=line(LN_2, 0.1), logps__chosen=line(-40, -90), **PAIRS),
    "over-fitting": course(loss=line(2.0, 0.1), held_out_loss=[2.0, 1.4, 1.2, 1.3, 1.5]),
    "by-heart": course(loss=growth(2.0, 0.001)),
    "spikes": course(loss=[*line(2.0, 1.0, 12, 0.02), 9.0, *line(1.0, 0.9, 10, 0.02)]),
    "gradients-grow": course(loss=line(2.0, 1.5), gradient_norm=growth(0.5, 60)),
    "accuracy-pinned": course("dpo", loss=line(0.6, 0.01), rewards__accuracies=[0.8, 0.9, 0.95] + [1.0] * 20),
    "accuracy-at-chance": course("dpo", loss=line(0.69, 0.66), rewards__accuracies=line(0.45, 0.55)),
    "reward-hacking": course("rloo", loss=line(0.1, 0.0), reward=line(0.0, 3.0), kl=line(0.0, 40.0)),
    "reward-hacking by one answer": course("grpo", loss=line(0.1, 0), reward=line(0, 3), entropy=line(2.0, 0.1)),
    "length-drift": course("grpo", loss=line(0.1, 0), reward=line(0, 1), completions__mean_length=line(20, 90)),
    "no-difference": course("grpo", loss=[0.0] * 20, reward=[1.0] * 20, frac_reward_zero_std=[0.95] * 20),
    "flat": course(loss=line(1.5, 1.499, 40, 0.01)),
}


@pytest.mark.parametrize("name", ILL)
def test_an_illness_is_found_with_evidence_and_a_fix(name: str) -> None:
    found = {symptom.name: symptom for symptom in symptoms(ILL[name])}

    symptom = found[name.partition(" ")[0]]
    assert symptom.level in ("warning", "bad")
    assert symptom.sentence.endswith(".") and symptom.evidence.endswith(".") and symptom.fix.endswith(".")
    assert any(sign.isdigit() for sign in symptom.evidence) or "not finite" in symptom.evidence


def test_every_rule_has_an_illness_that_it_finds() -> None:
    assert {rule.__name__ for rule in RULES if any(rule(one) for one in ILL.values())} == {
        rule.__name__ for rule in RULES
    }


WELL: dict[str, Course] = {
    "supervised": course(loss=line(2.5, 0.9, 40, 0.05), gradient_norm=line(2, 0.8, 40), held_out_loss=[1.9, 1.4, 1.2]),
    "preferences": course("dpo", loss=line(LN_2, 0.35, 30), logps__chosen=line(-40, -42, 30),
                          rewards__margins=line(0, 1.2, 30), rewards__accuracies=line(0.5, 0.9, 30)),
    "preferences, where both log-probabilities sink a little": course(
        "dpo", loss=line(LN_2, 0.4), logps__chosen=line(-40, -44), **PAIRS),
    "reward climbs and stays near": course("rloo", loss=line(0.1, 0), reward=line(0, 2), kl=line(0, 1.5),
                                           entropy=line(2.0, 1.5), completions__mean_length=line(20, 24)),
    "held-out loss still falls": course(loss=line(2.0, 0.5), held_out_loss=[2.0, 1.5, 1.2, 1.1]),
    "held-out loss wavers": course(loss=line(2.0, 0.5), held_out_loss=[2.0, 1.2, 1.21, 1.22]),
    "noisy but falling": course(loss=line(2.0, 1.0, 60, 0.3)),
    "gradients shrink": course(loss=line(2.0, 1.0), gradient_norm=line(9.0, 0.5)),
    "policy gradient around zero": course("grpo", loss=line(-0.01, 0.01), reward=line(0, 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", WELL)
def test_a_run_that_is_well_is_told_so_and_nothing_else(name: str) -> None:
    (symptom,) = symptoms(WELL[name])

    assert (symptom.level, symptom.name, symptom.fix) == ("good", "well", "")


@pytest.mark.parametrize("count", [0, 1, 3, 7])
def test_nothing_is_said_of_a_run_that_has_hardly_begun(count: int) -> None:
    assert symptoms(course("dpo", loss=[LN_2] * count, rewards__margins=[0.0] * count)) == []


def test_the_worst_comes_first() -> None:
    both = course(
        "dpo", loss=line(LN_2, 0.1), logps__chosen=line(-40, -90), rewards__margins=line(0, 3),
        rewards__accuracies=[0.8, 0.9, 0.95] + [1.0] * 17,
    )  # fmt: skip

    assert names(symptoms(both)) == ["chosen-collapses", "accuracy-pinned"]


def test_another_loss_may_stand_at_0_693_without_being_ill() -> None:
    ipo = course("dpo", {"loss_type": "ipo"}, loss=[LN_2] * 20, rewards__margins=line(0, 1))

    assert "flat-at-0.693" not in names(symptoms(ipo))


def test_values_that_are_no_numbers_do_not_break_the_other_rules() -> None:
    holes: list[float | None] = [None if at % 3 == 0 else 1.0 for at in range(30)]

    assert names(symptoms(course(loss=holes)))[0] == "not-a-number"


def test_the_fix_names_the_option_and_the_evidence_the_step() -> None:
    (symptom,) = symptoms(ILL["over-fitting"])

    assert "best at step 3 (1.200) and is 1.500 now" in symptom.evidence
    assert "patience" in symptom.fix
    kept = course("sft", {"keep": "best"}, loss=line(2.0, 0.1), held_out_loss=[2.0, 1.4, 1.2, 1.3, 1.5])
    assert symptoms(kept)[0].fix.endswith("The weights of that step are kept.")


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
@pytest.mark.parametrize("count", [0, 1, 2, 9, 500])
def test_no_rule_breaks_on_any_curve(scale: float, count: int) -> None:
    metrics = (
        "loss gradient_norm held_out_loss rewards__margins rewards__accuracies logps__chosen reward kl entropy "
        "completions__mean_length frac_reward_zero_std"
    )
    wild = [scale * ((at * 7919) % 13 - 6) for at in range(count)]

    for symptom in symptoms(course("dpo", None, **dict.fromkeys(metrics.split(), wild))):
        assert symptom.level in ("good", "warning", "bad")
        assert "nan" not in symptom.evidence
