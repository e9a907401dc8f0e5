"""People who judge in Chromium: a served studio with accounts, studies whose answers are there, keys and rows."""

from typing import TYPE_CHECKING, Any, NamedTuple

from storage import comparisons, models
from storage.people import get_person
from storage.rows import Study
from storage.store import Store
from studio.people import accounts, sessions
from studio.people.roles import Actor
from tests.studio.training import project

if TYPE_CHECKING:
    from studio.studio import Studio
    from tests.browser.conftest import Visit

ROOT = "[data-widget=compare]"
OWNER = Actor("owner", "admin")
PASSWORD = "correct horse"
PEOPLE = {"ada": "admin", "ann": "annotator", "bob": "annotator"}
NAMES = ("nimble-otter", "grand-walrus")
WORDS = ("The first", "The second")
"""How the answers at position 0 and 1 begin."""


class Room(NamedTuple):
    """A studio in which ada, ann and bob have accounts."""

    url: str
    store: Store

    @property
    def cookie(self) -> str:
        """The name of a session's cookie."""
        return f"ratchet_session_{self.url.rsplit(':', 1)[1]}"

    def enter(self, one: "Visit", name: str) -> "Visit":
        """Sign somebody in, as far as the browser can tell."""
        self.sign_in(one.page, name)
        return one

    def sign_in(self, page: Any, name: str) -> None:
        """Put a session's cookie in the place of the one there was."""
        token = sessions.begin(self.store, get_person(self.store, name)).token
        page.context.add_cookies([{"name": self.cookie, "value": token, "url": self.url}])

    def rows(self, study: str, columns: str) -> list[tuple[Any, ...]]:
        """Columns of all rows of votes of a study, in the order in which they came."""
        sql = f"select {columns} from votes where study_id = (select id from studies where name = ?) order by rowid"
        return list(self.store.db.conn.execute(sql, [study]))


def add_people(studio: "Studio") -> None:
    """An administrator and two annotators, and two models that nobody asks."""
    for name, role in PEOPLE.items():
        accounts.add(studio.store, OWNER, name, role, PASSWORD)
    add_models(studio.store)


def add_models(store: Store) -> None:
    """Two models that nobody asks."""
    for name in NAMES:
        models.add_model(store, name, "endpoint", url="http://127.0.0.1:9/v1", remote_name=name)


def add_study(store: Store, name: str, count: int, sides: int = 2, **settings: Any) -> Study:
    """A study of so many comparisons whose answers are there; side n says "The first", "The second" and so on."""
    made = [models.get_model(store, name) for name in NAMES]
    study = comparisons.create_study(store, name, made, None, settings, seed=7)
    contestants = [(made[place % 2].id, f"{made[place % 2].name}{place // 2 or ''}") for place in range(sides)]
    for number in range(count):
        begun = [*WORDS, *(f"Number {place}" for place in range(2, sides))][:sides]
        texts = [f"{words} answer to question {number}." for words in begun]
        new = comparisons.NewComparison(project.prompt(f"Question {number} of {name}?"), contestants, texts=texts)
        comparisons.add_comparison(store, study, new)
    return study


def ready(page: Any) -> str:
    """Wait until a pair takes votes; the id of the comparison."""
    page.wait_for_selector(f"{ROOT}[data-state=ready]")
    return str(page.get_attribute(ROOT, "data-comparison"))


def press(page: Any, *keys: str) -> list[str]:
    """Press keys as a person does: one a pair, and wait for the next pair; what was on the screen."""
    seen = []
    for key in keys:
        seen.append(ready(page))
        page.keyboard.press(key)
        page.wait_for_function(
            "([root, before]) => document.querySelector(root).dataset.comparison !== before", arg=[ROOT, seen[-1]]
        )
    return seen


def order_on_screen(page: Any) -> list[int]:
    """Positions from left to right, told from the texts."""
    return [0, 1] if page.inner_text(".pane-a .pane-body").strip().startswith(WORDS[0]) else [1, 0]


def all_saved(page: Any) -> None:
    """Wait until nothing waits to be saved."""
    page.wait_for_selector(f"{ROOT}[data-unsaved='0']")
    ready(page)


def says_waiting(page: Any, count: int) -> None:
    """Wait until the page says so."""
    page.wait_for_selector(f".vote-more .chip:visible:text-is('{count} waiting to be saved')")
