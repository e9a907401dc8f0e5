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


HOSTILE += [
    "$<img src=x onerror=pwned=1>$",
    "$$\n<script>window.pwned = 1</script>\n$$",
    r"\(\text{<img src=x onerror=pwned=1>}\)",
    r"\[\href{javascript:pwned=1}{x}\]",
    r"$\htmlData{onclick=pwned=1}{x}$ $\url{https://evil.example/}$ $\includegraphics{https://evil.example/p.png}$",
    r"$\operatorname{<style>body{display:none}</style>}$",
    r"$\begin{array}{onclick=pwned=1}<b>\end{array}$ $\color{red;background:url(https://evil.example)}{x}$",
    '$" onload="window.pwned=1$',
    r"$\unicode{60}\class{evil}{x}\style{x}{y}\constructor\__proto__\toString{x}$",
    "```html\n<img src=x onerror=pwned=1><script>pwned=1</script>\n```",
    "```constructor\nx\n```\n```__proto__\nx\n```\n```py onclick=1\n'</code></pre><img src=x onerror=pwned=1>\n```",
    "- [x] <img src=x onerror=pwned=1>",
]


@pytest.fixture(scope="module")
def page(browser: Any, kit_url: str) -> Any:
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(kit_url)
    opened.wait_for_function("window.ratchet && window.ratchet.markdown")
    opened.evaluate("Promise.all(['markdown_math', 'markdown_code'].map(ratchet.need))")
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
        ("```\n1 < 2\n\n# no\n```\nafter", "<pre><code>1 &lt; 2\n\n# no</code></pre><p>after</p>"),
        ("```\nnever closed", "<pre><code>never closed</code></pre>"),
        ("- a\n- b\n  - c", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>"),
        ("- [ ] a\n- [x] b", "<ul><li><span>☐</span> a</li><li><span>☑</span> b</li></ul>"),
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


CODE = """(code) => code.map(([language, text]) => {
  const box = document.createElement("pre");
  box.append(...ratchet.highlight(text, language));
  return [box.textContent === text, [...box.children].map((part) => `${part.className.slice(5)} ${part.textContent}`)];
})"""


@pytest.mark.parametrize(
    ("language", "code", "marked"),
    [
        (
            "python",
            "def f(x):  # why\n    return 'a\\'b' + 1.5",
            ["keyword def", "name f", "comment # why", "keyword return", "string 'a\\'b'", "number 1.5"],
        ),
        ("py", '"""a\nb"""\n@wraps\nx', ['string """a\nb"""', "meta @wraps"]),
        ("typescript", "const a = `x ${1}`; /* no", ["keyword const", "string `x ${1}`", "comment /* no"]),
        ("c++", "#include <x>\nint a; // no", ["meta #include", "keyword int", "comment // no"]),
        (
            "bash",
            "for f in $HOME; do ls --all; done # x",
            ["keyword for", "keyword in", "name $HOME", "keyword do", "meta --all", "keyword done", "comment # x"],
        ),
        ("SQL", "select count(*) from t -- x", ["keyword select", "name count", "keyword from", "comment -- x"]),
        ("json", '{"a": ["b", -1.5e3, true]}', ['name "a"', 'string "b"', "number -1.5e3", "keyword true"]),
        ("yaml", "a: 1 # x\nb: 'c'", ["name a", "number 1", "comment # x", "name b", "string 'c'"]),
        (
            "html",
            '<a href="x">if &amp;</a><!-- y',
            ["name <a", "meta href", 'string "x"', "name >", "meta &amp;", "name </a", "name >", "comment <!-- y"],
        ),
        ("diff", "@@ 1 @@\n-a\n+b", ["meta @@ 1 @@", "removed -a", "added +b"]),
        ("rust", "fn f<'a>(x: &'a str) -> char { 'x' }", ["keyword fn", "keyword str", "string 'x'"]),
        ("", "def f(): pass", []),
        ("brainfuck", "def f(): pass", []),
    ],
)
def test_code_is_coloured_by_the_language_that_the_fence_names(
    language: str, code: str, marked: list[str], page: Any
) -> None:
    assert page.evaluate(CODE, [[language, code]]) == [[True, marked]]


def test_the_colours_of_code_take_and_add_no_character(page: Any) -> None:
    languages = [
        "python",
        "js",
        "c",
        "java",
        "go",
        "rust",
        "swift",
        "rb",
        "php",
        "sh",
        "sql",
        "lua",
        "r",
        "jl",
        "hs",
        "json",
        "yaml",
        "html",
        "css",
        "diff",
    ]
    texts = [*HOSTILE, Path(__file__).read_text("utf-8"), FAULTS]
    same = page.evaluate(CODE, [[language, text] for language in languages for text in texts])

    assert [at for at, (kept, _) in enumerate(same) if not kept] == []


MATH = """(sources) => sources.map((source) => {
  const drawn = ratchet.mathml(source);
  const tell = (node) => node.childElementCount
    ? `${node.localName.replace(/^m/, "")}(${[...node.children].map(tell).join(" ")})`
    : node.textContent.replaceAll("\u00a0", "_");
  return drawn && [...drawn.firstChild.children].map(tell).join(" ");
})"""


@pytest.mark.parametrize(
    ("source", "drawn"),
    [
        (r"x^2 + y_1", "sup(x 2) + sub(y 1)"),
        (r"\frac{-b \pm \sqrt{b^2-4ac}}{2a}", "frac(row(− b ± sqrt(row(sup(b 2) − 4 a c))) row(2 a))"),
        (r"\sqrt[3]{8}", "root(8 3)"),
        (r"\sum_{k=1}^{n} k", "underover(∑ row(k = 1) n) k"),
        (r"\int_0^1 f\,dx", "subsup(∫ 0 1) f  d x"),
        (r"\lim_{x \to 0}", "under(lim row(x → 0))"),
        (r"f''(x)", "sup(f ′′) ( x )"),
        (r"x^10", "sup(x 1) 0"),
        (r"\alpha \Omega \leq \infty", "α Ω ≤ ∞"),
        (r"\mathbb{R}^n \mathbf{x1} \mathcal{L}", "sup(ℝ n) row(𝐱 𝟏) ℒ"),
        (r"\text{if } n \text{ is 10\%}", "if_ n _is_10%"),
        (r"\left( \frac12 \right]", "row(( frac(1 2) ])"),
        (r"\left. x \right|", "row(x |)"),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", "row(( table(tr(td(1) td(2)) tr(td(3) td(4))) ))"),
        (r"\begin{cases} a & b \\ c \end{cases}", "row({ table(tr(td(a) td(b)) tr(td(c))))"),
        (r"a \\ b", "tr(td(a)) tr(td(b))"),
        (r"\overline{AB} \hat y", "over(row(A B) ‾) over(y ^)"),
        (r"\not= \not\in \operatorname{softmax}(z)", "≠ ∉ softmax ( z )"),
        (r"\binom{n}{k}", "row(( frac(n k) ))"),
        (r"\underbrace{a+b}_{c}", "under(under(row(a + b) ⏟) c)"),
        (r"a < b \& c", "a < b & c"),
        (r"\unknown{x}", None),
        (r"\frac{1}", None),
        (r"{x", None),
        (r"x}", None),
        (r"x^1^2", None),
        (r"\left( x", None),
        (r"\begin{matrix} x \end{pmatrix}", None),
        (r"a & b", None),
        (r"x_", None),
        ("{" * 60 + "x" + "}" * 60, None),
        ("x" * 5001, None),
        (" ", None),
    ],
)  # fmt: skip
def test_latex_becomes_mathml_or_nothing(source: str, drawn: str | None, page: Any) -> None:
    assert page.evaluate(MATH, [source]) == [drawn]


FORMULAS = """(text) => {
  const box = document.createElement("div");
  box.append(ratchet.markdown(text));
  return [...box.querySelectorAll("math")].map((one) =>
    `${one.getAttribute("display")} ${one.getAttribute("alttext")}`);
}"""


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        (r"so $a+b$ and \(c\), $$d$$ and \[e\]", ["inline a+b", "inline c", "block d", "block e"]),
        ("$$\na\n+ b\n$$\nafter", ["block a\n+ b"]),
        ("\\[\na\n\\]", ["block a"]),
        ("text\n\\begin{align*}\na &= b\n\\end{align*}", ["block \\begin{align*}\na &= b\n\\end{align*}"]),
        ("- $x$\n- **$y$**\n\n| a |\n|---|\n| $z$ |\n\n> $w$", ["inline x", "inline y", "inline z", "inline w"]),
        ("It costs $5 to $10, or $5-$10, or 5$ and 6$.", []),
        ("$HOME/$USER and ${x} and `$a$` and \\$a$", []),
        ("I had $20 and she had 30$ left", []),
        ("```\n$a$\n```", []),
        ("$a\n\nb$", []),
    ],
)  # fmt: skip
def test_what_is_a_formula_and_what_is_money(text: str, formulas: list[str], page: Any) -> None:
    assert page.evaluate(FORMULAS, text) == formulas


def test_a_formula_that_is_not_known_is_shown_as_its_source(page: Any) -> None:
    assert page.evaluate(DRAW, r"so $\foo{x}$ it is") == r"<p>so <code>$\foo{x}$</code> it is</p>"
    assert page.evaluate(DRAW, "$$\n\\foo\n$$") == "<pre><code>$$\n\\foo\n$$</code></pre>"


def test_an_answer_of_100_kilobytes_is_drawn_whole(page: Any) -> None:
    """Formulas and colours end where they would cost more than they tell; no character is lost."""
    part = (
        "Let $x_1 = \\frac{a}{b}$ be.\n\n```python\ndef f(n): return n + 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
    )
    counts = page.evaluate(
        """(text) => {
          const box = document.createElement("div");
          box.append(ratchet.markdown(text));
          return ["p", "pre", "table", "math", "p > code"].map((what) => box.querySelectorAll(what).length);
        }""",
        part * 1100,
    )

    assert len(part) * 1100 > 100_000
    assert counts == [1100, 1100, 1100, 1100, 0]


def test_past_so_many_formulas_the_source_is_shown(page: Any) -> None:
    assert len(page.evaluate(FORMULAS, "$a$ " * 25_000)) == 1499
    assert page.evaluate(DRAW, "$a$ " * 25_000).endswith("<code>$a$</code> <code>$a$</code></p>")


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
    "dollars": "$" * 200_000,
    "formulas": "$a$ " * 50_000,
    "brackets of formulas": "\\\\(" * 60_000,
    "displays": "\\[\n" * 60_000,
    "displays alone": "$$\nx\n\n" * 30_000,
    "braces": "$" + "{" * 900 + "$ ",
    "escapes": "$" + "\\\\" * 90_000,
    "quotes in code": "```python\n" + "'" * 29_000,
    "dashes in markup": "```html\n" + "<-" * 14_000,
    "digits in code": "```c\n" + "1_" * 14_000 + "x",
    "spaces in code": "```yaml\n" + (" " * 1000 + "\n") * 25,
    "backslashes in code": "```js\n" + '"' + "\\" * 29_000,
    "wide table": "|" * 900 + "\n|" + "-|" * 400 + "\n" + "|\n" * 50_000,
}


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW.keys())
def test_text_made_to_be_slow_is_drawn(text: str, page: Any) -> None:
    page.set_default_timeout(20_000)

    assert page.evaluate("(text) => ratchet.markdown(text).childNodes.length", text) > 0


LATER = """async () => {
  const box = document.createElement("div");
  box.append(ratchet.markdown("$x^2$ is\\n\\n$$\\\\nosuch{y}$$\\n\\n```python\\nreturn 1\\n```"));
  const before = box.innerHTML;
  await Promise.all(["markdown_math", "markdown_code"].map(ratchet.need));
  return [before, box.querySelectorAll("math").length, box.querySelectorAll("pre").length,
    box.querySelector(".code-keyword").textContent, document.querySelectorAll("head script[src*='/markdown_']").length];
}"""


def test_formulas_and_colours_come_with_the_first_text_that_wants_them(kit_url: str, browser: Any) -> None:
    """Until then the source stands there; what is not known stays its source."""
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(kit_url)
    opened.wait_for_function("window.ratchet && window.ratchet.markdown && !ratchet.mathml && !ratchet.highlight")
    before, *after = opened.evaluate(LATER)
    context.close()

    assert before == (
        "<p><code>$x^2$</code> is</p><pre><code>$$\\nosuch{y}$$</code></pre><pre><code>return 1</code></pre>"
    )
    assert after == [1, 2, "return", 2]
