"""What the votes of a study amount to: how many there are, and how many training pairs they make.

The page of whoever runs a study asks this after every vote, and every vote is read for it: 20 ms at a thousand votes,
seconds at a hundred thousand. What took long is therefore kept with a mark of the votes, and is good enough for fifty
times as long as counting took, so that counting takes a fiftieth of the machine at most.
"""

import json
import time
from typing import Any, NamedTuple

from storage.clock import now
from storage.judgements import counting_mark
from storage.rows import Study
from storage.store import Store
from storage.votes import current_votes
from studio.feedback.preferences import preferences

# Processor seconds, which a busy machine does not stretch: what takes less is counted every time, and nothing written.
_LONG = 0.1
_STAYS = 50.0
# Of what is kept; another number makes every study count again.
_FORM = 1


class Amount(NamedTuple):
    """Votes without skips, the pairs that they make one by one, and what was left out for which reason."""

    votes: int
    pairs: int
    dropped: dict[str, int]


def amount(store: Store, study: Study) -> Amount:
    """What the votes of a study amount to; in a large one as of a moment ago."""
    key = f"amount:{study.id}"
    mark = [_FORM, study.settings.get("scale"), counting_mark(store, study.id)]
    kept = store.value("select value from meta where key = ?", [key])
    if kept and _holds(known := json.loads(kept), mark):
        return Amount(**known["amount"])
    begun = time.thread_time()
    found = _counted(store, study)
    took = time.thread_time() - begun
    if took > _LONG:
        text = json.dumps({"mark": mark, "until": now() + _STAYS * took, "amount": found._asdict()})
        store.execute("insert or replace into meta (key, value) values (?, ?)", [key, text])
    return found


def _holds(known: dict[str, Any], mark: list[Any]) -> bool:
    """Whether what is kept may be told still: nothing has changed since, or it was counted just now."""
    if known["mark"][0] != _FORM:
        return False
    return bool(json.loads(json.dumps(mark)) == known["mark"] or now() < known["until"])


def _counted(store: Store, study: Study) -> Amount:
    votes = [vote for vote in current_votes(store, study.id) if vote.choice != "skip"]
    made = preferences(store, study.name, "each")
    return Amount(len(votes), len(made.pairs), made.dropped)
