"""What Gradio's page will ask for is known beforehand, as far as its scripts say it, and nothing where they do not."""

import re
from pathlib import Path

from studio.pages.preloads import Preloads, frontend


def test_every_file_that_is_announced_is_there_and_the_page_does_not_name_it_itself() -> None:
    folder = frontend()
    files = Preloads(folder).files({"html", "row", "column"})

    assert [name for name in files if not (folder / "assets" / name).is_file()] == []
    assert [name for name in files if name in (folder / "index.html").read_text("utf-8")] == []
    assert len(files) == len(set(files)) > 20


def test_what_the_components_of_a_page_need_is_announced_and_nothing_of_others() -> None:
    preloads = Preloads(frontend())
    html, plot = preloads.files({"html"}), preloads.files({"html", "plot"})

    assert {re.split("[-.]", name)[0] for name in html} >= {"core", "Blocks", "HTML"}
    assert set(plot) > set(html)
    assert preloads.files({"no such component"}) == preloads.files(set())


def test_another_gradio_is_loaded_step_by_step(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<script src='./assets/main.js'></script>")

    assert Preloads(tmp_path).links({"html"}) == ""

    (tmp_path / "index.html").write_text('<script src="./assets/index-a1.js"></script>')
    assert Preloads(tmp_path).links({"html"}) == ""


def test_scripts_and_styles_are_asked_for_each_in_its_way(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<script src="./assets/index-a1.js"></script>')
    (tmp_path / "assets" / "index-a1.js").write_text('const d=m.f=["./core-b2.js","./core-b2.css"]')
    (tmp_path / "assets" / "core-b2.js").write_text(
        'const d=m.f=["./Index-c3.js","./Index-c3.css"];'
        "x={html:{component:()=>v(()=>import(`./Index-c3.js`),__vite__mapDeps([0,1]),1)}}"
    )

    assert Preloads(tmp_path).links({"html"}) == (
        '<link rel="modulepreload" crossorigin href="/assets/core-b2.js">'
        '<link rel="preload" as="style" crossorigin href="/assets/core-b2.css">'
        '<link rel="modulepreload" crossorigin href="/assets/Index-c3.js">'
        '<link rel="preload" as="style" crossorigin href="/assets/Index-c3.css">'
    )
