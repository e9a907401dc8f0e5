"""The decode loop of one base: a thread that owns the model, so that nothing else needs a lock on it.

Between two turns it does what other threads asked of the model (attach, detach) and lets waiting rows in. In a turn
each level that is due (`trainers.engine.pace`) has a piece of its prompts read and runs one step of its batches. Rows
without an adapter and with any adapters share one batch; an adapter that PEFT cannot mix has a batch of its own, and
so has every row of an architecture whose cache cannot be padded, and every row that is asked exactly.
"""

import inspect
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from storage.errors import NotReady, RatchetError
from trainers.engine.batch import Batch, Kind, new_cache, paddable
from trainers.engine.entry import Entry
from trainers.engine.mixing import Adapters
from trainers.engine.pace import Pace, level_of
from trainers.engine.prefixes import Prefixes
from trainers.engine.roster import Roster
from trainers.engine.row import Row
from trainers.engine.sampling import choose_tokens
from trainers.engine.weights import Base

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

# Tokens of prompts that are read in one turn, so that rows being written go on in between; fewer where nobody waits
# for the answer, because whoever comes meanwhile waits for this piece.
_PIECE, _BACKGROUND_PIECE = 512, 128
# Threads of exact rows: the one number that every machine has, whatever was measured to be fastest on it.
_EXACT_THREADS = 1
# More rows than this wait: on a CPU each further row costs the others time, on a GPU memory.
MOST_ROWS = 16


class Load(NamedTuple):
    """How busy a lane is: rows that somebody waits for, rows that nobody does, and how many have a place at once."""

    urgent: int
    background: int
    most: int


class Lane:
    """One base, its adapters and the rows that it answers. Public methods may be called from any thread."""

    def __init__(self, base: Base, most_rows: int = MOST_ROWS) -> None:
        self.base = base
        self.most_rows = most_rows
        self.adapters = Adapters(base.model, base.name)
        self._device: torch.device = base.model.device
        self._paddable = paddable(base.model.config)
        if self._paddable:
            _attend_quickly(base.model)
        self._change = threading.Condition()
        self._roster = Roster(most_rows, lambda: new_cache(base.model.config), self._kind_of)
        self._pace = Pace()
        self.prefixes = Prefixes()
        self._jobs: list[tuple[Callable[[], Any], Future[Any]]] = []
        self._retiring: list[str] = []  # adapters to detach when their last row has ended
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
            self._roster.add(row)
            self._change.notify()

    def call(self, job: Callable[[], Any]) -> Any:
        """Run something on the lane's thread between two turns, and wait for what it returns or raises."""
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
            rows = self._roster.all()
        return any(adapter is None or row.adapter == adapter for row in rows)

    def load(self) -> Load:
        """How busy it is now."""
        with self._change:
            levels = [level_of(row.priority) for row in self._roster.all()]
        urgent = levels.count(0)
        return Load(urgent, len(levels) - urgent, self.most_rows)

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
                while not (self._stopping or self._jobs or self._retiring or len(self._roster)):
                    self._change.wait()
                jobs, self._jobs = self._jobs, []
                stopping = self._stopping
            _do(jobs)
            if stopping:
                break
            self._turn()
            self._detach_retired()
        self._abandon()

    def _turn(self) -> None:
        """Let rows in, then one piece and one step for each level that is due."""
        with self._change:
            self._roster.drop_cancelled()
            self._roster.let_in()
        for level in self._pace.due(self._roster.levels()):
            start = time.monotonic()
            self._read_prompts(level)
            for batch in self._roster.batches:
                if batch.kind.level == level:
                    self._step(batch)
            self._pace.spent(level, time.monotonic() - start)

    def _detach_retired(self) -> None:
        with self._change:
            used = {row.adapter for row in self._roster.all()}
            done = [key for key in self._retiring if key not in used]
            self._retiring = [key for key in self._retiring if key in used]
        for key in done:
            self.adapters.detach(key)
            self.prefixes.forget(key)

    def _read_prompts(self, level: int) -> None:
        """Read a piece of the prompts of a level, in their order; who has read all of it joins its batch."""
        left = _PIECE if level == 0 else _BACKGROUND_PIECE
        for entry in [one for one in self._roster.entering if level_of(one.row.priority) == level]:
            if left <= 0:
                return
            try:
                left -= self._read(entry, left)
            except Exception as error:  # whatever the model raises ends this row, not the lane
                log.exception("the prompt of a row of %s failed", self.base.name)
                self._fail([entry.row], error)

    def _piece(self, row: Row, left: int) -> int:
        """Tokens to read at once; who is asked exactly reads the same pieces whoever else is there."""
        if not self._paddable:
            return len(row.past)
        return _PIECE if row.exact else left

    def _shares(self, row: Row) -> bool:
        """Whether it takes part in what `Prefixes` keeps: only where somebody waits is that worth the memory."""
        return self._paddable and not row.exact and level_of(row.priority) == 0

    def _read(self, entry: Entry, left: int) -> int:
        """Read a piece of a prompt; returns its tokens."""
        import torch

        row = entry.row
        with torch.inference_mode():
            if not row.length and self._shares(row):
                self.prefixes.lend(entry)
            inputs = entry.piece(self._piece(row, left), self._device)
            output = self._forward([row], self._kind_of(row), **inputs, **self._last_only)
            read = int(inputs["input_ids"].shape[1])
            row.length += read
            if entry.left:
                return read
            if not row.tokens:
                row.take(choose_tokens(output.logits[:, -1], [row])[0])
            if self._shares(row) and not row.over:
                self.prefixes.keep(entry)
            self._roster.join(entry)
            return read

    def _kind_of(self, row: Row) -> Kind:
        if row.adapter is None:
            return Kind.of(row, True, self._paddable)
        if row.adapter not in self.adapters.mixable:
            raise NotReady("The adapter was unloaded while the question was on its way; ask again.")
        return Kind.of(row, self.adapters.mixable[row.adapter], self._paddable)

    def _step(self, batch: Batch) -> None:
        """One token for each row of a batch; an error ends the rows of this batch and nothing else."""
        import torch

        try:
            with torch.inference_mode():
                batch.leave()
                if batch.rows:
                    logits = batch.step(lambda **inputs: self._forward(batch.rows, batch.kind, **inputs), self._device)
                    for row, token in zip(batch.rows, choose_tokens(logits, batch.rows), strict=True):
                        row.take(token)
                    batch.leave()
        except Exception as error:  # out of memory, a bug in a kernel: the lane must go on
            log.exception("a step of %s failed", self.base.name)
            self._fail(batch.rows, error)
            batch.rows = []
        self._roster.drop_empty()

    def _forward(self, rows: Sequence[Row], kind: Kind, **inputs: Any) -> Any:
        chosen = (
            self.adapters.alone(kind.adapter) if kind.adapter else self.adapters.rows([row.adapter for row in rows])
        )
        with _threads(_EXACT_THREADS if rows[0].exact else None), chosen:
            return self.base.model(**inputs)

    def _fail(self, rows: Sequence[Row], error: Exception) -> None:
        self.prefixes.clear()  # where memory was short, this is some
        self.adapters.spare()
        with self._change:
            self._roster.fail(rows, _explain(error))

    def _abandon(self) -> None:
        with self._change:
            self._roster.fail(self._roster.all(), _gone(self.base.name))
            self._roster.clear()
            self.prefixes.clear()
            jobs, self._jobs = self._jobs, []
        for _, future in jobs:
            future.set_exception(_gone(self.base.name))


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """Within it, torch computes with so many threads; None: with as many as it does."""
    import torch

    before = torch.get_num_threads()
    if count in (None, before):
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _keeps_logits(model: Any) -> bool:
    """Whether the model can leave out the logits of all prompt tokens but the last."""
    return "logits_to_keep" in inspect.signature(model.forward).parameters


def _attend_quickly(model: Any) -> None:
    from trainers.engine.attention import widen

    widen(model)


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
