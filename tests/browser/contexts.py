"""Browser contexts handed on from test to test, emptied in between.

A new context knows no script yet: the first page in it takes Chromium three times as long as one whose scripts are read
and compiled already. What a page may leave behind (storage, cookies, permissions, routes, being offline) is taken away.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

KEPT = "local_storage,indexeddb,cache_storage,service_workers"


class Contexts:
    """Idle contexts by how they were made."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self._idle: dict[str, list[Any]] = defaultdict(list)

    def take(self, fresh: bool = False, **options: Any) -> tuple[str, Any]:
        """A context of this kind that nobody uses (`fresh`: nor ever used), and its key for `give_back`."""
        key = repr(sorted(options.items()))
        context = self._idle[key].pop() if self._idle[key] and not fresh else self.browser.new_context(**options)
        context.set_default_timeout(60_000)
        return key, context

    def give_back(self, key: str, context: Any, origins: Iterable[str]) -> None:
        """Empty a context and keep it; one that a test has closed is forgotten."""
        if context not in self.browser.contexts:
            return
        context.unroute_all()
        context.set_offline(False)
        context.clear_permissions()
        for page in context.pages:
            page.close()
        self._forget(context, origins)
        self._idle[key].append(context)

    def _forget(self, context: Any, origins: Iterable[str]) -> None:
        """After the pages are gone, so that none writes once more."""
        context.clear_cookies()
        blank = context.new_page()
        session = context.new_cdp_session(blank)
        for origin in origins:
            session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": KEPT})
        blank.close()

    def close(self) -> None:
        """End them all."""
        for contexts in self._idle.values():
            for context in contexts:
                context.close()
