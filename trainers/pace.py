"""How fast a run goes and how much memory it takes: told with each metric event, so that both have a curve.

Tokens a second are counted from one event to the next, looks at held-out rows and saving included: it is what the
run really takes. Memory is what the process holds now, or the peak on the accelerator since the event before.
"""

from collections.abc import Mapping

from storage.clock import now

_GIB = 1024**3


class Pace:
    """Remembers the tokens of the event before, and when it was."""

    def __init__(self) -> None:
        self._tokens: float | None = None
        self._moment = 0.0

    def told(self, values: Mapping[str, float]) -> dict[str, float]:
        """`tokens_per_second`, from the second count of tokens on (`num_tokens`, since the start), and `memory_gb`."""
        moment, tokens = now(), values.get("num_tokens")
        found = {"memory_gb": round(_memory() / _GIB, 3)}
        if tokens is not None and self._tokens is not None and tokens > self._tokens and moment > self._moment:
            found["tokens_per_second"] = round((tokens - self._tokens) / (moment - self._moment), 1)
        self._tokens, self._moment = tokens, moment
        return found


def _memory() -> int:
    import torch

    if torch.cuda.is_available():
        peak = int(torch.cuda.max_memory_allocated())
        torch.cuda.reset_peak_memory_stats()
        return peak
    import psutil

    return int(psutil.Process().memory_info().rss)
