"""A candidate that is no better is hardly ever promoted, however often somebody looks while votes come in."""

from random import Random

from storage import promotions, rounds
from storage.comparisons import get_study
from storage.rows_training import Round
from storage.store import Store
from studio.rounds import gate, ledger
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.studio.training.project import add_dataset, first_day, prompt, prompts_of, run_to_the_end, vote

STREAMS, VOTES, LOOK_EVERY = 20, 60, 5


def test_of_twenty_equal_candidates_at_most_one_passes_the_gate(store: Store) -> None:
    first_day(store)
    add_dataset(store, "starter-prompts", "prompts", [{"prompt": prompt("p")}])
    settings = Settings.from_env({}, home=store.home.path)

    passed = [seed for seed in range(STREAMS) if _passes(store, _candidate(store, settings), seed)]

    assert len(passed) <= 1
    assert len(promotions.list_promotions(store)) <= 1


def _candidate(store: Store, settings: Settings) -> Round:
    """A round of its own, from the starter."""
    run_to_the_end(store, launch(store, settings, Request("sft", "starter", dataset="facts")))
    ledger.catch_up(store)
    return rounds.list_rounds(store)[-1]


def _passes(store: Store, turn: Round, seed: int) -> bool:
    """Whether the gate would let a candidate pass at any look, where every vote is the toss of a coin."""
    rng = Random(seed)
    study = get_study(store, turn.measuring_study_id or "")
    for number, asked in enumerate(prompts_of("measure", VOTES, f"stream {seed}"), 1):
        vote(store, study, asked, rng.choice("ab"))
        found = gate.report(store, turn) if number % LOOK_EVERY == 0 else None
        if found is not None and found.passes:
            return True
    return False
