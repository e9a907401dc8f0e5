"""The decode loop of one base: a thread that owns the model, so that nothing else needs a lock on it.

Between two steps it does what other threads asked of the model (attach, detach), lets one waiting row in
after its prefill, then runs one step of every batch. Rows without an adapter and with any adapters share one
batch; an adapter that PEFT cannot mix has a batch of its own, and so has every row of an architecture whose
cache cannot be padded.
"""

import inspect
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from storage.errors import NotReady, RatchetError
from trainers.engine.batch import Batch, new_cache, paddable
from trainers.engine.mixing import Adapters
from trainers.engine.row import Row
from trainers.engine.sampling import choose_tokens
from trainers.engine.weights import Base

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

# A long prompt is read in pieces, so that rows being written go on in between.
_PREFILL = 512
# More rows than this wait: on a CPU each further row costs the others time, on a GPU memory.
MOST_ROWS = 16


class Lane:
    """One base, its adapters and the rows that it answers. Public methods may be called from any thread."""

    def __init__(self, base: Base, most_rows: int = MOST_ROWS) -> None:
        self.base = base
        self.adapters = Adapters(base.model, base.name)
        self._most_rows = most_rows
        self._device: torch.device = base.model.device
        self._paddable = paddable(base.model.config)
        self._change = threading.Condition()
        self._waiting: list[Row] = []
        self._jobs: list[tuple[Callable[[], Any], Future[Any]]] = []
        self._batches: list[Batch] = []
        self._retiring: list[str] = []  # adapters to detach when their last row has ended
        self._entering: list[Row] = []  # the row whose prefill runs
        self._last_only = {"logits_to_keep": 1} if _keeps_logits(base.model) else {}
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"lane {base.name}", daemon=True)
        self._thread.start()

    def submit(self, row: Row) -> None:
        """Queue a row: lower priority numbers first, then in order of arrival."""
        with self._change:
            if self._stopping:
                row.fail(_gone(self.base.name))
                return
            self._waiting.append(row)
            self._waiting.sort(key=lambda waiting: waiting.priority)
            self._change.notify()

    def call(self, job: Callable[[], Any]) -> Any:
        """Run something on the lane's thread between two steps, and wait for what it returns or raises."""
        future: Future[Any] = Future()
        with self._change:
            if self._stopping:
                raise _gone(self.base.name)
            self._jobs.append((job, future))
            self._change.notify()
        return future.result()

    def retire(self, adapter: str) -> None:
        """Detach an adapter as soon as none of its rows is left; returns at once."""
        with self._change:
            self._retiring.append(adapter)
            self._change.notify()

    def busy(self, adapter: str | None = None) -> bool:
        """Whether rows are waiting or being written: of one adapter, or any at all."""
        with self._change:
            rows = self._rows()
        return any(adapter is None or row.adapter == adapter for row in rows)

    def _rows(self) -> list[Row]:
        return [*self._waiting, *self._entering, *(row for batch in self._batches for row in batch.rows)]

    def stop(self, wait: float = 0.0) -> None:
        """End the thread after its present step; every row of it fails with a sentence."""
        with self._change:
            self._stopping = True
            self._change.notify()
        if wait:
            self._thread.join(wait)

    def _run(self) -> None:
        while True:
            with self._change:
                while not (self._stopping or self._jobs or self._waiting or self._batches or self._retiring):
                    self._change.wait()
                jobs, self._jobs = self._jobs, []
                stopping = self._stopping
            _do(jobs)
            if stopping:
                break
            self._admit()
            for batch in list(self._batches):
                self._step(batch)
            self._detach_retired()
        self._abandon()

    def _detach_retired(self) -> None:
        with self._change:
            used = {row.adapter for row in self._rows()}
            done = [key for key in self._retiring if key not in used]
            self._retiring = [key for key in self._retiring if key in used]
        for key in done:
            self.adapters.detach(key)

    def _admit(self) -> None:
        """Prefill the first waiting row and let it into its batch, if there is room."""
        with self._change:
            if not self._waiting or sum(len(batch.rows) for batch in self._batches) >= self._most_rows:
                return
            row = self._waiting.pop(0)
            self._entering = [row]
        try:
            self._prefill(row)
        except Exception as error:  # whatever the model raises ends this row, not the lane
            log.exception("the prompt of a row of %s failed", self.base.name)
            row.fail(_explain(error))
        self._entering = []

    def _prefill(self, row: Row) -> None:
        import torch

        cache = new_cache(self.base.model.config)
        batch = self._batch_for(row)
        with torch.inference_mode():
            logits = self._read(row, cache, batch)
            if row.cancelled:
                row.finish("cancelled")
                return
            row.take(choose_tokens(logits, [row])[0])
            if row.over:
                return
            batch.join(row, cache)
        if batch not in self._batches:
            self._batches = [*self._batches, batch]

    def _read(self, row: Row, cache: Any, batch: Batch) -> "torch.Tensor":
        """Put the prompt into `cache`, piece by piece with steps of the others between; the last logits."""
        import torch

        piece = _PREFILL if self._paddable else len(row.prompt)
        prompt = torch.tensor([row.prompt], device=self._device)
        logits = torch.empty(0)
        for start in range(0, len(row.prompt), piece):
            if start:
                for other in list(self._batches):
                    self._step(other)
            if row.cancelled:
                break
            part = prompt[:, start : start + piece]
            reached = start + part.shape[1]
            output = self._forward(
                [row],
                batch,
                input_ids=part,
                attention_mask=torch.ones(1, reached, dtype=torch.long, device=self._device),
                position_ids=torch.arange(start, reached, device=self._device)[None],
                past_key_values=cache,
                use_cache=True,
                **self._last_only,
            )
            row.length = reached
            logits = output.logits[:, -1]
        return logits

    def _batch_for(self, row: Row) -> Batch:
        alone = row.adapter if row.adapter and not self.adapters.mixable[row.adapter] else None
        if self._paddable:
            for batch in self._batches:
                if batch.adapter == alone:
                    return batch
        return Batch(alone)

    def _step(self, batch: Batch) -> None:
        """One token for each row of a batch; an error ends the rows of this batch and nothing else."""
        import torch

        try:
            with torch.inference_mode():
                batch.leave()
                if batch.rows:
                    logits = batch.step(lambda **inputs: self._forward(batch.rows, batch, **inputs), self._device)
                    for row, token in zip(batch.rows, choose_tokens(logits, batch.rows), strict=True):
                        row.take(token)
                    batch.leave()
        except Exception as error:  # out of memory, a bug in a kernel: the lane must go on
            log.exception("a step of %s failed", self.base.name)
            for row in batch.rows:
                row.fail(_explain(error))
            batch.rows = []
        if not batch.rows:
            self._batches = [other for other in self._batches if other is not batch]

    def _forward(self, rows: Sequence[Row], batch: Batch, **inputs: Any) -> Any:
        if batch.adapter is not None:
            with self.adapters.alone(batch.adapter):
                return self.base.model(**inputs)
        with self.adapters.rows([row.adapter for row in rows]):
            return self.base.model(**inputs)

    def _abandon(self) -> None:
        with self._change:
            rows = self._rows()
            jobs, self._jobs = self._jobs, []
            self._waiting, self._batches = [], []
        for row in rows:
            row.fail(_gone(self.base.name))
        for _, future in jobs:
            future.set_exception(_gone(self.base.name))


def _keeps_logits(model: Any) -> bool:
    """Whether the model can leave out the logits of all prompt tokens but the last."""
    return "logits_to_keep" in inspect.signature(model.forward).parameters


def _do(jobs: Sequence[tuple[Callable[[], Any], Future[Any]]]) -> None:
    for job, future in jobs:
        try:
            future.set_result(job())
        except BaseException as error:  # noqa: BLE001 - it belongs to the thread that asked
            future.set_exception(error)


def _gone(base: str) -> NotReady:
    return NotReady(f"The engine has put the base {base!r} out or is ending; ask again.")


def _explain(error: Exception) -> RatchetError:
    """A sentence for whatever the model raised."""
    if isinstance(error, RatchetError):
        return error
    if "out of memory" in str(error).lower():
        return NotReady("The device ran out of memory while answering; shorten the prompt or ask for fewer at once.")
    return RatchetError(f"The model failed while answering ({type(error).__name__}: {error}).")
