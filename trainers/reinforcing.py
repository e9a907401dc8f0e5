"""What RLOO and GRPO share: prompts to try answers to, rewards from models and rules, and TRL's trainers on them.

TRL is given a prompt by its place and asks us for its tokens, so that tools, templates and messages of any form go
through our own code, and every reward sees the row that the answer belongs to.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from trl import GRPOTrainer, RLOOTrainer

from storage.errors import BadInput
from storage.specs.reinforcement import ReinforcementOptions
from storage.specs.rewards import parse_rules
from storage.specs.run import Helper
from trainers.arguments import plan, trainer_arguments
from trainers.data import Conversation, Messages, encode_prompt, messages_in
from trainers.events import EventWriter
from trainers.judges import Judge
from trainers.reference import compare_weights
from trainers.rewards import Judged, Reward, check_references, reward_of
from trainers.run import Run
from trainers.starting import Start
from trainers.tunings import continues

_MOST_WATCHED = 32  # held-out prompts at each look: every one of them is answered


class Asked(NamedTuple):
    """A prompt with its tokens, and the answer that is known to be right."""

    messages: Messages
    ids: list[int]
    reference: str | None


class Questions(NamedTuple):
    """The prompts that fit, and how many were too long."""

    asked: list[Asked]
    dropped: int

    @property
    def longest(self) -> int:
        """Tokens of the longest prompt."""
        return max((len(one.ids) for one in self.asked), default=0)

    def losses(self, options: ReinforcementOptions) -> list[str]:
        """A sentence about prompts that were left out."""
        if not self.dropped:
            return []
        rows = "1 prompt was" if self.dropped == 1 else f"{self.dropped} prompts were"
        room = options.max_length - options.answer_tokens
        return [f"{rows} left out: longer than {room} tokens, which leaves no room for an answer."]


class Rewarding(NamedTuple):
    """What TRL is given: functions with names, and their weights."""

    functions: list[Callable[..., list[float | None]]]
    weights: list[float]


def read_questions(tokenizer: Any, rows: Sequence[dict[str, Any]], options: ReinforcementOptions) -> Questions:
    """Prompts of the frozen table that leave room for an answer."""
    found = []
    for row in rows:
        messages = messages_in(row, "prompt")
        ids = encode_prompt(tokenizer, Conversation(str(row.get("id")), messages, None))
        found.append(Asked(messages, ids, row.get("reference")))
    room = options.max_length - options.answer_tokens
    kept = [one for one in found if len(one.ids) <= room]
    return Questions(kept, len(found) - len(kept))


def rewarding(run: Run, asked: Sequence[Asked]) -> Rewarding:
    """The rewards that the run asks for: its models, then its rules. Raises BadInput where there are none."""
    options: ReinforcementOptions = run.options
    rules = parse_rules(options.rules)
    check_references(rules, [one.reference for one in asked])
    helpers = [Helper(**said) for said in run.spec.rewards]
    if not rules and not helpers:
        raise BadInput("Nothing rewards the answers: name a reward model (--reward) or rules (--set rules=...).")
    functions: list[Callable[..., list[float | None]]] = []
    for helper in helpers:
        functions.append(_named(f"model-{helper.name}", _by_model(_judge(run, helper), asked), functions))
    for rule in rules:
        functions.append(_named(rule.label, _by_rule(reward_of(rule, run.spec.programs), asked), functions))
    return Rewarding(functions, [options.model_weight] * len(helpers) + [rule.weight for rule in rules])


def _judge(run: Run, helper: Helper) -> Judge:
    spec = replace(run.spec, base_path=helper.base_path, adapter_path=None, options={})
    return Judge.load(spec, Path(helper.adapter_path) if helper.adapter_path else None)


def _by_model(judge: Judge, asked: Sequence[Asked]) -> Callable[..., list[float | None]]:
    def reward(prompts: Sequence[str], completions: Sequence[str], **_: Any) -> list[float | None]:
        said = [{"role": "assistant", "content": text} for text in completions]
        places = [int(place) for place in prompts]
        return list(judge.scores([[*asked[at].messages, turn] for at, turn in zip(places, said, strict=True)]))

    return reward


def _by_rule(rule: Reward, asked: Sequence[Asked]) -> Callable[..., list[float | None]]:
    def reward(prompts: Sequence[str], completions: Sequence[str], **_: Any) -> list[float | None]:
        return [
            rule(Judged(asked[int(at)].messages, text, asked[int(at)].reference))
            for at, text in zip(prompts, completions, strict=True)
        ]

    return reward


def _named(name: str, function: Any, others: Sequence[Any]) -> Any:
    """The function under a name that no other has: TRL logs each by its name."""
    taken = {other.__name__ for other in others}
    number = 2
    wish = name
    while name in taken:
        name, number = f"{wish}-{number}", number + 1
    function.__name__ = name
    return function


def places(first: int, count: int, fewest: int) -> list[dict[str, str]]:
    """Rows for TRL, which leaves out what fills no step: few prompts are asked several times."""
    times = max(1, math.ceil(fewest / max(1, count)))
    return [{"prompt": str(at)} for at in range(first, first + count)] * times


def held_places(questions: Questions, held: Questions) -> list[dict[str, str]]:
    """The held-out prompts that are answered at each look, by their places behind the others."""
    return places(len(questions.asked), min(_MOST_WATCHED, len(held.asked)), 0)


def reinforcement_arguments(
    run: Run, start: Start, questions: Questions, config: type, weights: Sequence[float]
) -> dict[str, Any]:
    """Keyword arguments of `RLOOConfig` and `GRPOConfig`."""
    options: ReinforcementOptions = run.options
    tried = len(questions.asked) * options.answers
    shares = plan(options, start.loaded, tried, questions.longest + options.answer_tokens)
    arguments = trainer_arguments(run, options, start.loaded, shares)
    known = {item.name for item in fields(config)}
    return {name: value for name, value in arguments.items() if name in known} | {
        "num_generations": options.answers,
        "num_generations_eval": 1,
        "max_completion_length": options.answer_tokens,
        "temperature": options.temperature,
        "beta": options.beta,
        "num_iterations": options.reuse,
        "reward_weights": list(weights),
        "include_num_input_tokens_seen": "no",  # TRL counts here, prompts and answers
        "generation_kwargs": {"use_cache": True},  # the model itself is told not to, for training
    }


class _Asking:
    """Prompts come as places in `asked`."""

    asked: Sequence[Asked] = ()

    def _tokenize_prompts(self, prompts: Sequence[str]) -> tuple[list[list[int]], None, dict[str, Any]]:
        return [list(self.asked[int(at)].ids) for at in prompts], None, {}


class AskingRLOO(_Asking, RLOOTrainer):
    """An RLOOTrainer on our own prompts."""


class AskingGRPO(_Asking, GRPOTrainer):
    """A GRPOTrainer on our own prompts."""


class ReinforcementWriter(EventWriter):
    """Events of a run by rewards; before the first step policy and reference must hold the same weights."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Look at the reference, where there is one."""
        super().on_train_begin(args, state, control, **more)
        if state.global_step == 0 and args.beta:
            compare_weights(more["model"], continued=continues(self.run.spec))
