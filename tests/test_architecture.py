"""The rooms of the project: imports point one way, nothing goes round in a circle, files stay short."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"torch", "transformers", "trl", "peft", "accelerate"}
PACKAGES = ("storage", "studio", "trainers")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

# folder → what it must never import, inside functions neither
FORBIDDEN = {
    "storage": {"studio", "trainers", "gradio", "fastapi", *HEAVY},
    "trainers": {"studio", "gradio"},
    "studio": {"trainers", *HEAVY},
}
GRADIO_ROOMS = ("studio/pages/", "studio/widgets/", "studio/app.py")
WEB_ROOMS = (*GRADIO_ROOMS, "studio/api/")
DOMAIN = ("studio/curation/", "studio/feedback/", "studio/training/", "studio/rounds/", "studio/clients/",
          "studio/demos/")  # fmt: skip


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _imports(path: Path, top_level_only: bool = False) -> Iterator[tuple[int, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, _imported(node.module, alias.name)) for alias in node.names)


def _imported(module: str, name: str) -> str:
    """`from package import module` imports the module; `from module import name` the module that holds the name."""
    inner = ROOT / Path(*module.split(".")) / name
    return f"{module}.{name}" if inner.with_suffix(".py").exists() or inner.is_dir() else module


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_imports_point_one_way(path: Path) -> None:
    name = _name(path)
    forbidden = set(FORBIDDEN[name.split("/")[0]])
    if name.startswith("studio/") and not name.startswith(GRADIO_ROOMS):
        forbidden.add("gradio")

    against = [
        f"{name}:{line} imports {module}" for line, module in _imports(path) if module.split(".")[0] in forbidden
    ]

    assert against == []


@pytest.mark.parametrize("path", [path for path in SOURCES if _name(path).startswith(DOMAIN)], ids=_name)
def test_the_domain_knows_nothing_of_pages_and_routes(path: Path) -> None:
    rooms = {"pages", "widgets", "api", "app", "cli", "verbs", "serve"}
    imported = [module.split(".") for _, module in _imports(path)]

    assert [module for module in imported if module[0] == "studio" and set(module[1:2]) & rooms] == []


def test_no_module_imports_itself_by_a_detour() -> None:
    modules = {_module(path): path for path in SOURCES}
    arrows = {
        name: {target for _, target in _imports(path, top_level_only=True) if target in modules and target != name}
        for name, path in modules.items()
    }

    assert _circle(arrows) == []


def _module(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _circle(arrows: dict[str, set[str]]) -> list[str]:
    """The first circle found, or nothing: repeatedly take away what imports nothing that is left."""
    left = dict(arrows)
    while free := [name for name, targets in left.items() if not targets & left.keys()]:
        for name in free:
            del left[name]
    return sorted(left)


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_files_and_functions_stay_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [f"{node.name}: {_length(node)} lines" for node in functions if _length(node) > 60]

    assert (len(text.splitlines()) <= 400, long) == (True, [])


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_the_environment_is_read_in_one_place(path: Path) -> None:
    """Setting a variable for libraries or children is no reading: `os.environ["X"] = …`, `dict(os.environ)`."""
    if _name(path) in {"studio/settings.py", "studio/studio.py", "studio/cli.py"}:
        return

    assert [ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if _reads_environment(node)] == []


def _reads_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.Subscript):
        return ast.unparse(node.value) == "os.environ" and isinstance(node.ctx, ast.Load)
    return isinstance(node, ast.Call) and ast.unparse(node.func) in {"os.getenv", "os.environ.get"}


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_names_say_what_a_module_is(path: Path) -> None:
    assert not set(path.with_suffix("").parts) & {"utils", "util", "helpers", "helper", "manager", "misc", "common"}
