"""Markdown from models and datasets: what is drawn, and that nothing hostile ever runs or loads."""

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

DRAW = (
    "(text) => { const box = document.createElement('div'); box.append(ratchet.markdown(text)); return box.innerHTML; }"
)


def row(cell: str, text: str) -> str:
    return f"<tr><{cell}>{text}</{cell}></tr>"


def anchor(href: str, label: str) -> str:
    return f'<a href="{href}" title="{href}" target="_blank" rel="noopener noreferrer nofollow">{label}</a>'


HOSTILE = [
    "<script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 1'>",
    "<svg onload='window.pwned = 1'>",
    "<iframe srcdoc='<script>parent.pwned = 1</script>'></iframe>",
    "<details open ontoggle='window.pwned = 1'>x</details>",
    "<style>body { display: none }</style>",
    "<form action='https://evil.example/'><input type=submit></form>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=pwned=1&gt;'>",
    "[x](javascript:window.pwned=1)",
    "[x](JaVaScRiPt:window.pwned=1)",
    "[x](java\tscript:window.pwned=1)",
    "[x](&#106;avascript:window.pwned=1)",
    "[x](data:text/html,<script>pwned=1</script>)",
    "[x](vbscript:pwned)",
    "[x](//evil.example/)",
    '[x](https://evil.example/" onmouseover="window.pwned=1)',
    "[x](<https://evil.example/' onclick='pwned=1>)",
    "<javascript:window.pwned=1>",
    '<https://evil.example/"onclick=pwned=1>',
    "![x](https://evil.example/pixel.png)",
    "![x](javascript:window.pwned=1)",
    "[![x](https://evil.example/p.png)](javascript:pwned=1)",
    "[a]: javascript:pwned=1\n\n[a]",
    "```<img src=x onerror=pwned=1>\n<img src=x onerror=pwned=1>\n```",
    "`<img src=x onerror=pwned=1>`",
    "| <img src=x onerror=pwned=1> |\n|---|\n| [x](javascript:pwned=1) |",
    "# <img src=x onerror=pwned=1>",
    "> - 1. <img src=x onerror=pwned=1>",
    "${window.pwned=1} {{constructor.constructor('pwned=1')()}}",
    "https://evil.example/<img src=x onerror=pwned=1>",
    "\u202ehttps://evil.example\u0000<b>",
]
FAULTS = (Path(__file__).parent / "hostile.js").read_text("utf-8")


@pytest.fixture(scope="module")
def page(browser: Any, kit_url: str) -> Any:
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(f"{kit_url}/train")
    opened.wait_for_function("window.ratchet && window.ratchet.markdown")
    yield opened
    context.close()


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("One\ntwo\n\nthree", "<p>One\ntwo</p><p>three</p>"),
        ("# A #\n###### B", "<h3>A</h3><h6>B</h6>"),
        ("**b** __b__ *i* _i_", "<p><strong>b</strong> <strong>b</strong> <em>i</em> <em>i</em></p>"),
        ("~~gone~~", "<p><del>gone</del></p>"),
        ("snake_case_name 2*3*4 a * b", "<p>snake_case_name 2*3*4 a * b</p>"),
        ("`a < b` ``c`d``", "<p><code>a &lt; b</code> <code>c`d</code></p>"),
        ("```py\n1 < 2\n\n# no\n```\nafter", "<pre><code>1 &lt; 2\n\n# no</code></pre><p>after</p>"),
        ("```\nnever closed", "<pre><code>never closed</code></pre>"),
        ("- a\n- b\n  - c", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>"),
        ("3. x\n4. y", '<ol start="3"><li>x</li><li>y</li></ol>'),
        ("> q\n> > r", "<blockquote><p>q</p><blockquote><p>r</p></blockquote></blockquote>"),
        (
            "| a |\n|---|\n| x \\| y |",
            f"<table><thead>{row('th', 'a')}</thead><tbody>{row('td', 'x | y')}</tbody></table>",
        ),
        ("a\n\n---\n\nb", "<p>a</p><hr><p>b</p>"),
        (r"\*plain\* \<b>", "<p>*plain* &lt;b&gt;</p>"),
        ("[a *b*](https://x.org/p_(q))", f"<p>{anchor('https://x.org/p_(q)', 'a <em>b</em>')}</p>"),
        ("See https://x.org/a.", f"<p>See {anchor('https://x.org/a', 'https://x.org/a')}.</p>"),
        ("[x](javascript:alert(1))", "<p>x (javascript:alert(1))</p>"),
        ("![a cat](https://x.org/c.png)", "<p><span>[image: a cat] https://x.org/c.png</span></p>"),
        ("", ""),
    ],
)
def test_markdown_is_drawn(text: str, drawn: str, page: Any) -> None:
    assert page.evaluate(DRAW, text) == drawn


def faults_of(page: Any, texts: list[str]) -> list[list[str]]:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    faults: list[list[str]] = page.evaluate(FAULTS, texts)
    page.wait_for_timeout(200)
    assert page.evaluate("window.pwned") is None
    assert [url for url in asked if not url.startswith("http://127.0.0.1")] == []
    return faults


def test_nothing_hostile_runs_or_loads(page: Any) -> None:
    assert faults_of(page, HOSTILE) == []


def test_hostile_parts_stay_harmless_in_every_pair(page: Any) -> None:
    pairs = [first + second for first in HOSTILE for second in HOSTILE]
    pairs += [f"[{first}]({second})" for first in HOSTILE for second in HOSTILE]

    assert faults_of(page, pairs) == []


def test_the_big_list_of_naughty_strings_is_drawn_and_nothing_is_lost(page: Any, real_data: Path) -> None:
    naughty = json.loads((real_data / "messy" / "blns.json").read_text("utf-8"))
    lost = page.evaluate(
        """(texts) => texts.filter((text) => {
          const box = document.createElement("div");
          box.append(ratchet.markdown("```\\n" + text + "\\n```"));
          return box.textContent !== text.replace(/\\r\\n?/g, "\\n");
        })""",
        naughty,
    )

    assert faults_of(page, naughty) == []
    assert lost == []


SLOW = {
    "brackets": "[" * 200_000,
    "stars": "*" * 200_000,
    "quotes": ">" * 200_000,
    "bullets": "- " * 100_000,
    "underscores": "_a" * 100_000,
    "ticks": "`" * 200_000,
    "delimiter": "a|b\n---" + " " * 190_000 + "x",
    "nesting": "\n".join(" " * depth + "- a" for depth in range(600)),
    "wide table": "|" * 900 + "\n|" + "-|" * 400 + "\n" + "|\n" * 50_000,
}


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW.keys())
def test_text_made_to_be_slow_is_drawn(text: str, page: Any) -> None:
    page.set_default_timeout(20_000)

    assert page.evaluate("(text) => ratchet.markdown(text).childNodes.length", text) > 0
