"""Preference losses that need no reference, and the trainer that computes them: CPO, SimPO, ORPO.

The formulas are those of TRL's experimental CPOTrainer and ORPOTrainer (a test holds them equal). The trainer is our
DPO trainer, which takes rows as token ids and never builds the whole table of logits; theirs tokenizes texts by rules
of its own and builds it. ORPO's first term is learnt on the answer alone, as in its paper; TRL also learns the prompt.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from storage.errors import BadInput
from storage.specs.cpo import PER_TOKEN
from trainers.data_pairs import Preference
from trainers.pair_loss import PROMPT_TOKENS, TOLD
from trainers.preferences import PreferenceTrainer
from trainers.rows import NUMBER


class Said(NamedTuple):
    """Log-probabilities of the answers of a batch, summed over their tokens, and how many tokens they have."""

    chosen: Any
    rejected: Any
    chosen_tokens: Any
    rejected_tokens: Any

    @property
    def per_token(self) -> tuple[Any, Any]:
        """The mean of a token, of the chosen and of the rejected answers."""
        return self.chosen / self.chosen_tokens, self.rejected / self.rejected_tokens


class Objective(NamedTuple):
    """What a method minimises. `pairs`: the loss of each pair; `rewards`: of both sides, as the metrics tell them.

    `learning`: weight of the chosen answers' own loss, per token.
    """

    pairs: Callable[[Said], Any]
    rewards: Callable[[Said], tuple[Any, Any]]
    learning: float


def cpo_objective(options: Any) -> Objective:
    """CPO or SimPO, by `options` (`storage.specs.cpo`)."""
    beta, kind = options.sharpness, options.loss_type

    def sides(said: Said) -> tuple[Any, Any]:
        return said.per_token if kind in PER_TOKEN else (said.chosen, said.rejected)

    def pairs(said: Said) -> Any:
        chosen, rejected = sides(said)
        return cpo_losses(chosen - rejected, kind, beta, options.simpo_gamma, options.label_smoothing)

    def rewards(said: Said) -> tuple[Any, Any]:
        chosen, rejected = sides(said)
        return beta * chosen, beta * rejected

    return Objective(pairs, rewards, 0.0 if kind == "simpo" else options.sft_weight)


def cpo_losses(lead: Any, kind: str, beta: float, gamma: float, smoothing: float) -> Any:
    """The loss of each pair by its lead in log-probability (CPO eq. 3; SimPO eq. 6; IPO eq. 17)."""
    import torch
    from torch.nn.functional import logsigmoid

    if kind == "hinge":
        return torch.relu(1 - beta * lead)
    if kind == "ipo":
        return (lead - 1 / (2 * beta)) ** 2
    logits = beta * lead - (gamma if kind in ("simpo", "cpo_simpo") else 0.0)
    return -logsigmoid(logits) * (1 - smoothing) - logsigmoid(-logits) * smoothing


def orpo_objective(options: Any) -> Objective:
    """ORPO, by `options` (`storage.specs.orpo`)."""

    def rewards(said: Said) -> tuple[Any, Any]:
        chosen, rejected = said.per_token
        return options.beta * chosen, options.beta * rejected

    return Objective(lambda said: orpo_losses(*said.per_token, options.beta), rewards, 1.0)


def orpo_losses(chosen: Any, rejected: Any, beta: float) -> Any:
    """The odds ratio loss of each pair, from mean log-probabilities of a token (ORPO eqs. 4 and 7)."""
    from torch.nn.functional import logsigmoid

    odds = (chosen - rejected) - (_log_one_minus_exp(chosen) - _log_one_minus_exp(rejected))
    return -beta * logsigmoid(odds)


def _log_one_minus_exp(log_p: Any) -> Any:
    """log(1 - p), exact near p = 0 and near p = 1 (Maechler 2012)."""
    import torch

    certain = log_p > -math.log(2)
    near_one = torch.log(-torch.expm1(torch.where(certain, log_p, -1.0)))
    near_zero = torch.log1p(-torch.exp(torch.where(certain, -1.0, log_p)))
    return torch.where(certain, near_one, near_zero)


class ReferenceFreeTrainer(PreferenceTrainer):
    """A trainer of pairs by an `Objective`."""

    def __init__(self, *, objective: Objective, **more: Any) -> None:
        super().__init__(**more)
        self.objective = objective
        self.ref_model = None
        if "ref" in getattr(self.model, "peft_config", {}):
            self.model.delete_adapter("ref")  # TRL's frozen copy of a continued adapter, which nothing would ask

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False) -> Any:
        """The objective, weighted where rows say how surely."""
        told = {name: inputs.pop(name) for name in (*TOLD, NUMBER) if name in inputs}
        model = self.frugal(model, inputs.pop(PROMPT_TOKENS).tolist())
        mask = inputs.pop("completion_mask")
        labels = inputs["input_ids"].masked_fill(mask == 0, -100)
        width = mask.shape[1] - 1
        logps = model(**inputs, labels=labels, use_cache=False, fused_lm_head=True).log_probs[:, -width:].sum(dim=1)
        said = Said(*logps.chunk(2), *mask[:, 1:].sum(dim=1).clamp(min=1).chunk(2))
        weight = told.get("weight", 1.0)
        learning = -(said.chosen * weight).sum() / said.chosen_tokens.sum()
        with_rewards = self.objective.rewards(said)
        self._tell(said, with_rewards, learning)
        return (self.objective.pairs(said) * weight).mean() + self.objective.learning * learning

    def _tell(self, said: Said, rewards: tuple[Any, Any], learning: Any) -> None:
        """The metrics that events show, named as DPO's."""
        good, bad = (self.accelerator.gather(one.detach()) for one in rewards)
        values = {
            "rewards/chosen": good, "rewards/rejected": bad, "rewards/margins": good - bad,
            "rewards/accuracies": (good > bad).float(), "logps/chosen": said.chosen, "logps/rejected": said.rejected,
            "nll_loss": learning,
        }  # fmt: skip
        for name, value in values.items():
            self._metrics["train" if self.model.training else "eval"][name].append(value.detach().mean().item())


def without_ties(rows: Sequence[Preference], title: str) -> list[Preference]:
    """The rows, without margins, which these losses do not know; raises BadInput where some say that both are equal."""
    if any(row.tie for row in rows):
        raise BadInput(f"{title} knows no ties; choose a policy that drops them (ties=drop), or DPO's sigmoid loss.")
    return [row._replace(margin=0.0) for row in rows]
