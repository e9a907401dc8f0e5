"""The run doctor: what a run's curves say, in plain sentences with their evidence and what to do.

Pure rules, each a function from the curves to a symptom or nothing. A symptom asks for enough points to be more than
chance; where a rule's numbers come from stands beside them. Nothing is said of a run that has hardly begun.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

Point = tuple[float, float | None]

LN_2 = math.log(2)
_FEW = 8  # points of a curve below which its course is chance
_WINDOW = 5  # points that are averaged where two moments are compared


@dataclass(frozen=True)
class Symptom:
    """One finding: level is good, warning or bad."""

    level: str
    name: str
    sentence: str
    evidence: str
    fix: str = ""

    def to_json(self) -> dict[str, str]:
        """The finding for the page."""
        return dict(vars(self))


class Course(NamedTuple):
    """A run as the rules see it: its curves by metric, its method and options, and whether it has ended."""

    series: Mapping[str, Sequence[Point]]
    method: str
    options: Mapping[str, Any]
    ended: bool = False

    def values(self, name: str) -> list[float]:
        """The finite values of a metric in order; none where it was not logged."""
        return [value for _, value in self.series.get(name, ()) if value is not None and math.isfinite(value)]

    def steps(self, name: str) -> list[float]:
        """The steps of a metric's finite values."""
        return [step for step, value in self.series.get(name, ()) if value is not None and math.isfinite(value)]

    def number(self, option: str) -> float:
        """An option as a number; 0 where it is none."""
        value = self.options.get(option)
        return float(value) if isinstance(value, int | float) else 0.0


def symptoms(course: Course) -> list[Symptom]:
    """Everything that the rules find, the worst first; one good word where there is enough to see and nothing wrong."""
    found = [symptom for rule in RULES if (symptom := rule(course)) is not None]
    if not found and len(course.values("loss")) >= _FEW:
        return [_well(course)]
    return sorted(found, key=lambda symptom: ("bad", "warning", "good").index(symptom.level))


def _ends(values: Sequence[float]) -> tuple[float, float]:
    """The mean of the first and of the last points."""
    width = min(_WINDOW, max(1, len(values) // 3))
    return sum(values[:width]) / width, sum(values[-width:]) / width


def _enough(*curves: Sequence[float]) -> bool:
    return all(len(curve) >= _FEW for curve in curves)


def broken_numbers(course: Course) -> Symptom | None:
    """A metric that is no number any more."""
    for name in ("loss", "gradient_norm", "held_out_loss"):
        for step, value in course.series.get(name, ()):
            if value is None or not math.isfinite(value):
                return Symptom(
                    "bad", "not-a-number", "A number of the run is no number any more: the training has run away.",
                    f"{name} at step {step:g} is not finite.",
                    "Start again with a tenth of the learning_rate, and look for broken rows.",
                )  # fmt: skip
    return None


def flat_at_ln2(course: Course) -> Symptom | None:
    """A preference loss that stays where equal models put it: nothing is learnt."""
    losses = course.values("loss")
    margins = course.values("rewards/margins")
    if not _enough(losses, margins) or course.options.get("loss_type", "sigmoid") != "sigmoid":
        return None
    # 0.01 nats: a tenth of what the gentlest useful DPO run on the starter moves within its first eight steps.
    if max(abs(loss - LN_2) for loss in losses) > 0.01:
        return None
    return Symptom(
        "bad", "flat-at-0.693", "The loss stands at 0.693, where policy and reference are equal: nothing is learnt.",
        f"All {len(losses)} losses lie between {min(losses):.4f} and {max(losses):.4f}.",
        "Raise learning_rate three to ten times, or give it more steps.",
    )  # fmt: skip


def flat(course: Course) -> Symptom | None:
    """A loss that does not fall, of a method that is not about preferences."""
    losses = course.values("loss")
    if len(losses) < 2 * _FEW or course.values("rewards/margins") or _by_reward(course):
        return None
    first, last = _ends(losses)
    noise = median(abs(later - sooner) for sooner, later in pairwise(losses))
    if first < 0.05 or first - last > max(0.02 * first, noise / 2) or last > 1.3 * first:
        return None
    return Symptom(
        "warning", "flat", "The loss does not fall: either nothing is learnt, or the model knows the rows already.",
        f"It was {first:.3f} at the start and is {last:.3f} now.",
        "Look at the rows: do they say something that the model does not know? If so, raise learning_rate.",
    )  # fmt: skip


def nothing_learnt(course: Course) -> Symptom | None:
    """A loss of zero from the first step: no token counts."""
    losses, gradients = course.values("loss"), course.values("gradient_norm")
    if len(losses) < 2 or _by_reward(course) or any(abs(loss) > 1e-7 for loss in losses):
        return None
    if any(norm > 1e-7 for norm in gradients):
        return None
    return Symptom(
        "bad", "loss-on-nothing", "The loss is zero from the first step: no token of the rows is learnt.",
        f"All {len(losses)} losses and gradients are 0.",
        "Stop it; look at the preflight's coloured rows, and raise max_length or set loss_on to all.",
    )  # fmt: skip


def spikes(course: Course) -> Symptom | None:
    """Single losses far above their neighbours, or one that the run did not come back from."""
    losses, steps = course.values("loss"), course.steps("loss")
    if len(losses) < 2 * _FEW:
        return None
    usual = median(losses)
    spread = median(abs(loss - usual) for loss in losses) or 0.05 * abs(usual) or 1e-3
    high = [at for at in range(2, len(losses)) if losses[at] > usual + 10 * spread and losses[at] > 2 * losses[at - 1]]
    if not high:
        return None
    at = max(high, key=lambda index: losses[index])
    return Symptom(
        "warning", "spikes", "The loss jumps: some batches hit the model far harder than others.",
        f"{len(high)} jumps; the highest is {losses[at]:.3f} at step {steps[at]:g}, the usual loss {usual:.3f}.",
        "Halve learning_rate, lengthen warmup, or look at the longest and strangest rows.",
    )  # fmt: skip


def too_fast(course: Course) -> Symptom | None:
    """A loss that rises well above its start and stays there."""
    losses = course.values("loss")
    if not _enough(losses) or _by_reward(course):
        return None
    first, last = _ends(losses)
    if first <= 0 or last < 1.3 * first or last - first < 0.1:
        return None
    return Symptom(
        "bad", "learning-rate-too-high", "The loss climbs: the steps are too large, and the model is being undone.",
        f"It was {first:.3f} at the start and is {last:.3f} now, at a peak learning_rate of "
        f"{course.number('learning_rate'):g}.",
        "Stop it and start again with a fifth of the learning_rate.",
    )  # fmt: skip


def steep_gradients(course: Course) -> Symptom | None:
    """Gradients that grow and grow: the usual herald of a run that runs away."""
    norms = course.values("gradient_norm")
    if len(norms) < 2 * _FEW:
        return None
    first, last = _ends(norms)
    if last < 10 * max(first, 1e-3) or last < 5:
        return None
    return Symptom(
        "warning", "gradients-grow", "The gradients grow from step to step; a run often breaks soon after.",
        f"Their norm was {first:.2f} at the start and is {last:.2f} now.",
        "Halve learning_rate, or lengthen warmup.",
    )  # fmt: skip


def overfitting(course: Course) -> Symptom | None:
    """The held-out loss rises while the training loss falls on."""
    held, losses = course.values("held_out_loss"), course.values("loss")
    if len(held) < 3 or not losses:
        return None
    best = min(range(len(held)), key=lambda index: held[index])
    first, last = _ends(losses)
    if best >= len(held) - 2 or held[-1] < 1.03 * held[best] or last > first:
        return None
    step = course.steps("held_out_loss")[best]
    kept = " The weights of that step are kept." if course.options.get("keep") == "best" else ""
    return Symptom(
        "warning", "over-fitting", "It learns its rows by heart: on rows that it never saw it has become worse.",
        f"The held-out loss was best at step {step:g} ({held[best]:.3f}) and is {held[-1]:.3f} now, while the training "
        f"loss fell from {first:.3f} to {last:.3f}.",
        f"Fewer epochs or more rows; patience ends a run there by itself.{kept}",
    )  # fmt: skip


def by_heart(course: Course) -> Symptom | None:
    """Without held-out rows: a supervised loss near zero."""
    losses = course.values("loss")
    if not _enough(losses) or course.method not in ("sft", "pretrain") or course.values("held_out_loss"):
        return None
    first, last = _ends(losses)
    if last > 0.02 or first < 0.2:
        return None
    return Symptom(
        "warning", "by-heart", "The loss is nearly zero: the rows are known by heart, and nothing else was measured.",
        f"It fell from {first:.3f} to {last:.4f}, and no rows are held out.",
        "Fewer epochs, or hold some rows out (held_out) to see what it does to others.",
    )  # fmt: skip


def pinned_accuracy(course: Course) -> Symptom | None:
    """All pairs told apart almost at once, or none better than by chance to the end."""
    shares = course.values("rewards/accuracies")
    if len(shares) < 2 * _FEW:
        return None
    half = shares[len(shares) // 2 :]
    if min(half) >= 0.999 and min(shares[_FEW // 2 : _FEW]) >= 0.999:
        return Symptom(
            "warning", "accuracy-pinned", "Every pair is told apart from early on: there is nothing left to learn.",
            f"The accuracy has been 1.0 since step {course.steps('rewards/accuracies')[_FEW // 2]:g}.",
            "Fewer steps or a higher beta; what goes on now only pushes the answers further apart.",
        )  # fmt: skip
    mean = sum(half) / len(half)
    if 0.4 <= mean <= 0.6 and len(half) >= _FEW:
        return Symptom(
            "warning", "accuracy-at-chance", "The better answer is told from the worse no better than by chance.",
            f"The accuracy of the second half is {mean:.2f}; 0.5 is chance.",
            "Raise learning_rate or the number of steps; if that does not help, the votes may contradict each other.",
        )  # fmt: skip
    return None


def collapse(course: Course) -> Symptom | None:
    """The margin grows because the worse answer sinks faster, and the better one sinks with it.

    Pal et al. 2024 (arXiv:2402.13228) describe it; log-probabilities are sums over an answer, in nats.
    """
    margins, chosen = course.values("rewards/margins"), course.values("logps/chosen")
    if not _enough(margins, chosen):
        return None
    (margin, wide), (sooner, later) = _ends(margins), _ends(chosen)
    if wide <= margin or sooner - later < max(5.0, 0.25 * abs(sooner)):
        return None
    return Symptom(
        "bad", "chosen-collapses",
        "The margin grows while the good answers themselves become less likely: the model forgets how to say them.",
        f"The margin went from {margin:.2f} to {wide:.2f}, the good answers' log-probability from {sooner:.1f} to "
        f"{later:.1f}.",
        "Raise beta, lower learning_rate, take fewer steps, or choose the loss apo_zero, which holds good answers up.",
    )  # fmt: skip


def length_drift(course: Course) -> Symptom | None:
    """Answers that grow or shrink by half or more while they are being rewarded."""
    lengths = course.values("completions/mean_length")
    if not _enough(lengths):
        return None
    first, last = _ends(lengths)
    if first <= 0 or 0.5 < last / first < 1.5:
        return None
    way = "longer" if last > first else "shorter"
    return Symptom(
        "warning", "length-drift", f"Answers grow {way} and {way}: often the reward likes length rather than sense.",
        f"They had {first:.0f} tokens at the start and have {last:.0f} now.",
        "Read the samples; add a length rule to the reward, or train the reward model on pairs of equal length.",
    )  # fmt: skip


def reward_hacking(course: Course) -> Symptom | None:
    """The reward climbs while the policy runs far from where it began, or its answers lose all variety."""
    rewards, kl, entropy = course.values("reward"), course.values("kl"), course.values("entropy")
    if not _enough(rewards):
        return None
    first, last = _ends(rewards)
    if last <= first:
        return None
    # Gao et al. 2022 (arXiv:2210.10760): the true reward turns down at a few tens of nats for large reward models,
    # sooner for small ones.
    if _enough(kl) and _ends(kl)[1] > 10:
        said = f"the distance from the start (KL) is {_ends(kl)[1]:.1f} nats"
    elif _enough(entropy) and 0 < _ends(entropy)[1] < 0.2 * _ends(entropy)[0]:
        said = f"the variety of its answers (entropy) fell from {_ends(entropy)[0]:.2f} to {_ends(entropy)[1]:.2f}"
    else:
        return None
    return Symptom(
        "warning", "reward-hacking", "The reward climbs and the model runs away from its start: it may please the "
        "reward with answers that people would not like.",
        f"The reward went from {first:.2f} to {last:.2f}, and {said}.",
        "Read the samples; raise beta, take fewer steps, or add a rule that forbids the trick.",
    )  # fmt: skip


def no_reward(course: Course) -> Symptom | None:
    """Groups whose answers all earn the same: nothing to learn from."""
    same = course.values("frac_reward_zero_std")
    if not _enough(same) or _ends(same)[1] < 0.9:
        return None
    return Symptom(
        "warning", "no-difference", "The answers to a prompt nearly all earn the same reward, so there is nothing to "
        "prefer.",
        f"In {100 * _ends(same)[1]:.0f} % of the groups all rewards are equal.",
        "Raise the temperature or the number of answers, or take a reward that tells good from better.",
    )  # fmt: skip


def _by_reward(course: Course) -> bool:
    """Methods whose loss says nothing by its height."""
    return bool(course.values("reward"))


def _well(course: Course) -> Symptom:
    first, last = _ends(course.values("reward" if _by_reward(course) else "loss"))
    what = "reward" if _by_reward(course) else "loss"
    return Symptom(
        "good",
        "well",
        "Nothing about this run looks wrong.",
        f"The {what} went from {first:.3f} to {last:.3f} over {len(course.values('loss'))} looks.",
    )


RULES = (
    broken_numbers, nothing_learnt, flat_at_ln2, too_fast, collapse, overfitting, by_heart, spikes, steep_gradients,
    pinned_accuracy, reward_hacking, length_drift, no_reward, flat,
)  # fmt: skip
