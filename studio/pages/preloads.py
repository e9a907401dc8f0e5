"""Which files Gradio's page will ask for, told to the browser before any of them runs.

Gradio's page finds out in steps what it needs: its entry names the parts of the page, a part names the component, the
component its styles. Each step waits for the one before. Its scripts say all of it beforehand, in the lists by which
Vite loads them (`__vite__mapDeps`), so the lists are read here once, and the page's head asks for everything at once.

Where a release of Gradio writes them otherwise, nothing is found and announced, and the page loads step by step.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

ENTRY = re.compile(r'src="\./assets/(index-[\w-]+\.js)"')
LISTED = re.compile(r"m\.f=\[([^\]]*)\]")
LATER = re.compile(r"import\(`\./([\w.-]+)`\)[^`]{0,60}?,__vite__mapDeps\(\[([\d,]*)\]\)")
BLOCKS = re.compile(r"Blocks-[\w-]+\.js")  # the part that draws all components
MOST = 60  # files; a page of ours needs some thirty


def frontend() -> Path:
    """Where Gradio keeps its page."""
    import gradio

    return Path(gradio.__file__).parent / "templates" / "frontend"


class Preloads:
    """Gradio's scripts and styles by what needs them."""

    def __init__(self, folder: Path) -> None:
        self.assets = folder / "assets"
        document = (folder / "index.html").read_text("utf-8")
        found = ENTRY.search(document)
        self._there = set(re.findall(r"\./assets/([\w.-]+)", document))  # what the page names itself
        self._first = _listed(self._text(found[1])) if found else []
        self._parts: dict[str, Sequence[str]] = {}  # a part that comes later, with all that comes with it
        self._components = ""
        for name in self._first:
            text = self._text(name)
            self._parts.update(_later(text))
            if "component:()=>" in text:
                self._components = text

    def files(self, kinds: Collection[str]) -> list[str]:
        """The files of a page with components of these kinds, each once; empty where they cannot be told."""
        wanted = [*self._first, *self._with(next(filter(BLOCKS.fullmatch, self._parts), ""))]
        for kind in sorted(kinds):
            wanted += self._with(self._component(kind))
        return [name for name in dict.fromkeys(wanted) if name and name not in self._there][:MOST]

    def links(self, kinds: Collection[str]) -> str:
        """The head's elements that ask for them."""
        return "".join(_link(name) for name in self.files(kinds))

    def _with(self, part: str) -> Iterator[str]:
        yield part
        yield from self._parts.get(part, ())

    def _component(self, kind: str) -> str:
        """The script of a kind of component, "" where there is none."""
        place = re.search(rf"[,{{]{re.escape(kind)}:\{{(.*?)\}}", self._components)
        script = re.search(r"component:\(\)=>\w+\(\(\)=>import\(`\./([\w.-]+)`", place[1]) if place else None
        return script[1] if script else ""

    def _text(self, name: str) -> str:
        path = self.assets / name
        return path.read_text("utf-8") if path.suffix == ".js" and path.is_file() else ""


def _listed(text: str) -> list[str]:
    """The files that a script may ask for, by number."""
    found = LISTED.search(text)
    return [name.strip('"').removeprefix("./") for name in found[1].split(",")] if found else []


def _later(text: str) -> Mapping[str, list[str]]:
    """What a script loads when it is wanted, with what comes along."""
    names = _listed(text)
    return {
        part: [names[int(number)] for number in numbers.split(",") if number and int(number) < len(names)]
        for part, numbers in LATER.findall(text)
    }


def _link(name: str) -> str:
    address = f"/assets/{name}"
    if name.endswith(".js"):
        return f'<link rel="modulepreload" crossorigin href="{address}">'
    return f'<link rel="preload" as="style" crossorigin href="{address}">'
