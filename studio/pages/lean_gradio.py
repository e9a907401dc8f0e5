"""Gradio without what the studio does not need of it: imported in less than half the time, and 70 MB lighter.

For every class of component Gradio parses its source, renders a stub for code editors beside it and parses that as
well, at each import (1.7 of 4.0 s of processor time on a busy machine); and it loads pandas for a cache that the studio
does not use (0.8 s, 70 MB). Here the stubs are left as they are, and pandas comes when somebody asks something of it.
A Gradio in which these places have moved is imported as it is.

It also builds its whole web application anew whenever a page is closed, eight times for our six pages, of which the one
that is mounted counts.
"""

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

STUBS = ("gradio.component_meta", "create_or_modify_pyi")
LATER = ("pandas",)


def import_gradio() -> None:
    """Import Gradio, unless it has been imported already."""
    if "gradio" in sys.modules:
        return
    finder = _WithoutStubs()
    sys.meta_path.insert(0, finder)
    postponed = [Postponed(name) for name in LATER if name not in sys.modules]
    sys.modules.update({module.__name__: module for module in postponed})
    try:
        importlib.import_module("gradio")
    finally:
        sys.meta_path.remove(finder)
        for module in postponed:  # who imports it from now on gets it at once
            if sys.modules.get(module.__name__) is module:
                del sys.modules[module.__name__]


@contextmanager
def without_rehearsals() -> Iterator[None]:
    """Within it pages can be built, and Gradio builds no application of them; mounting them does."""
    from gradio.routes import App

    create = App.create_app
    App.create_app = staticmethod(lambda *_, **__: None)
    try:
        yield
    finally:
        App.create_app = staticmethod(create)


class Postponed(ModuleType):
    """Stands for a module until somebody asks something of it; then the real one answers."""

    def __getattr__(self, name: str) -> Any:
        """An attribute of the real module, which is imported for it; marks of modules themselves import nothing."""
        if name.startswith("__") and name != "__path__":  # asked of all modules by whoever looks through them
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


class _WithoutStubs(MetaPathFinder):
    """Finds the module that writes the stubs and takes the writing out of it."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec of that one module; None for all others."""
        module_name, function = STUBS
        spec = PathFinder.find_spec(name, path) if name == module_name else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def without_stubs(module: ModuleType) -> None:
            execute(module)
            if hasattr(module, function):
                setattr(module, function, lambda *_: None)

        spec.loader.exec_module = without_stubs  # type: ignore[method-assign]
        return spec
