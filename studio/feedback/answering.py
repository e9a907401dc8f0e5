"""The service that answers comparisons ahead of the voter, in a thread of the web process.

It keeps a few comparisons ready in each study that somebody looks at, and in the newest open one, so that the first
pair after a training is there before anybody asks. What somebody waits for is begun at once, past all others; then
comes what is nearest to be judged, then what waits in other open studies, as far as the engine has room
(`studio.feedback.ahead`, `studio.feedback.room`). What it knows beyond the store is who looked when: after a restart
the next look tells it again.
"""

import sqlite3
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from storage.comparisons import claim, claim_waiting, get_study, waited_for, waiting_studies
from storage.errors import RatchetError
from storage.judgements import failed_in_a_row
from storage.rows import Comparison, Study
from studio.bugs import report_bug
from studio.feedback.ahead import open_studies
from studio.feedback.choosing import Chooser
from studio.feedback.comparing import add_next
from studio.feedback.filling import AT_ONCE, GIVE_UP, Filler
from studio.feedback.hub import Hub
from studio.feedback.queue import AHEAD, available
from studio.feedback.room import BULK, NEXT, WAITED_FOR, Room
from studio.feedback.studies import newest_open
from studio.feedback.study_settings import settings_of

if TYPE_CHECKING:
    from studio.studio import Studio

_LOOKED = 600.0  # seconds for which a look counts
_PAUSE = 1.0
_REST = 0.05  # between two rounds, whoever calls: many people at the end of a study call all the time
_ENDING = 1.5  # `serve` ends within two seconds


class Look(NamedTuple):
    """Somebody looked at a study."""

    study_id: str
    annotator: str


class Answerer:
    """Answers comparisons in the background; `hub` shows what is being said."""

    def __init__(self, studio: "Studio") -> None:
        self.studio = studio
        self.hub = Hub()
        self._looks: dict[Look, float] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._chooser = Chooser(studio.store)
        self._filler = Filler(studio.store, studio.engine, self.hub, self._stopping)
        self._room = Room(studio.engine)
        self._busy: dict[threading.Thread, int] = {}  # with the priority of what it answers

    def start(self) -> None:
        """Begin, unless it runs already."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._stopping.clear()
                self._thread = threading.Thread(target=self._run, name="answerer", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End; what is being answered waits again."""
        self._stopping.set()
        self._wake.set()
        deadline = time.monotonic() + _ENDING
        for thread in [self._thread, *self._working()]:
            if thread is not None:
                thread.join(max(0.0, deadline - time.monotonic()))

    def look(self, study_id: str, annotator: str, short: bool = True) -> None:
        """Somebody looks at a study: keep comparisons ready there, at once where they run `short` of them."""
        look = Look(study_id, annotator)
        with self._lock:
            short = short or look not in self._looks
            self._looks[look] = time.monotonic()
        if short:
            self._wake.set()

    def answer_now(self, study_id: str, comparison_id: str) -> bool:
        """Somebody has typed a question and waits for it: it is begun by the caller's thread, past rounds and hands.

        Answers whether it is; not where nothing is asked in this study any more, or this service does not run.
        """
        running = self._thread is not None and self._thread.is_alive() and not self._stopping.is_set()
        if not running or failed_in_a_row(self.studio.store, study_id, GIVE_UP) >= GIVE_UP:
            return False
        comparison = claim(self.studio.store, comparison_id)
        if comparison is None:
            return False
        self._begin(comparison, WAITED_FOR)
        return True

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._wake.clear()
                try:
                    self._round()
                except sqlite3.Error:  # the disk is full, the database busy: who looks again is served again
                    report_bug("answering ahead")
                self._wake.wait(_PAUSE)
                self._stopping.wait(_REST)
        finally:
            self.studio.store.close()

    def _round(self) -> None:
        """First what people look at, then what waits in other open studies."""
        looks = self._current()
        for look in looks:
            self._serve(look)
        looked = {look.study_id for look in looks}
        for study in open_studies(self.studio.store):
            if study.id not in looked:
                self._answer(study, BULK)

    def _current(self) -> list[Look]:
        """The looks that count, the newest first, and the newest open study last."""
        now = time.monotonic()
        with self._lock:
            self._looks = {look: at for look, at in self._looks.items() if now - at < _LOOKED}
            looks = sorted(self._looks, key=lambda look: -self._looks[look])
        newest = newest_open(self.studio.store)
        if newest is not None:
            looks.append(Look(newest.id, self.studio.settings.annotator))
        return list(dict.fromkeys(looks))

    def _serve(self, look: Look) -> None:
        """Top a study up for somebody and have what waits there answered, what people wait for at once."""
        try:
            study = get_study(self.studio.store, look.study_id)
            self._chooser.refresh(study)
            if failed_in_a_row(self.studio.store, study.id, GIVE_UP) >= GIVE_UP:
                return
            self._top_up(study, look.annotator)
            while not self._stopping.is_set() and (urgent := waited_for(self.studio.store, study.id)):
                if comparison := claim(self.studio.store, urgent):
                    self._begin(comparison, WAITED_FOR)
            self._answer(study, NEXT)
        except RatchetError:
            return  # a study without its dataset or models: the page says so when it asks for the next pair

    def _answer(self, study: Study, priority: int) -> None:
        """Have what waits in a study answered, as far as hands are free and the engine has room."""
        if failed_in_a_row(self.studio.store, study.id, GIVE_UP) >= GIVE_UP:
            return
        sides = settings_of(study).sides
        while not self._stopping.is_set() and self._hands(sides, priority):
            comparison = claim_waiting(self.studio.store, study.id)
            if comparison is None:
                return
            self._begin(comparison, priority)

    def _hands(self, sides: int, priority: int) -> int:
        """How many more comparisons may be begun; one hand stays free of what nobody looks at."""
        busy = sum(held > WAITED_FOR for held in self._working().values())
        most = AT_ONCE if priority == NEXT else AT_ONCE - 1
        if busy >= most or not waiting_studies(self.studio.store):
            return 0
        return min(most, max(1, self._room.rows(busy * sides) // sides)) - busy

    def _top_up(self, study: Study, annotator: str) -> None:
        if study.state != "open":
            return
        missing = AHEAD - available(self.studio.store, study, annotator)
        if missing > 0:
            add_next(self.studio.store, study, missing, known=self._chooser.known(study))

    def _working(self) -> dict[threading.Thread, int]:
        with self._lock:
            self._busy = {thread: priority for thread, priority in self._busy.items() if thread.is_alive()}
            return dict(self._busy)

    def _begin(self, comparison: Comparison, priority: int) -> None:
        thread = threading.Thread(target=self._fill, args=(comparison, priority), daemon=True)
        thread.start()
        with self._lock:
            self._busy[thread] = priority

    def _fill(self, comparison: Comparison, priority: int) -> None:
        try:
            self._filler.fill(comparison, priority)
        finally:
            self.studio.store.close()
            self._wake.set()
