/*
 * Colours for code in a fence, by the language that the fence names; no guess where it names none, so that the same
 * code looks the same on every side.
 *
 *   ratchet.highlight(code, language) -> list of strings and <span class="code-…">
 *
 * One regular expression a language, read from left to right: comments, strings, numbers and words of the language are
 * marked and everything else stays text. Each alternative takes what it begins to the end of the line or of the text, so
 * the time grows with the length alone. Blocks over LONG characters stay plain: colours are not worth a frozen page.
 */
(() => {
  "use strict";

  const LONG = 30_000;
  const words = (text) => new Set(text.split(" "));

  // The pieces of a language: regular expressions as text, joined by language().
  const HASH = "#[^\\n]*";
  const SLASHES = "\\/\\/[^\\n]*|\\/\\*[\\s\\S]*?(?:\\*\\/|$)";
  const DASHES = "--[^\\n]*";
  const QUOTED = '"(?:\\\\[\\s\\S]|[^"\\\\\\n])*"?|\'(?:\\\\[\\s\\S]|[^\'\\\\\\n])*\'?';
  const TRIPLE = '(?:[rbfuRBFU]{1,2})?(?:"""[\\s\\S]*?(?:"""|$)|\'\'\'[\\s\\S]*?(?:\'\'\'|$))';
  const TICKED = "`(?:\\\\[\\s\\S]|[^`\\\\])*`?";
  const DOUBLE = '"(?:\\\\[\\s\\S]|[^"\\\\])*"?|\'[^\']*\'?'; // of shells and SQL: over several lines
  const NUMBER = "\\b(?:0[xX][\\da-fA-F_]+|0[bB][01_]+|\\d[\\d_]*(?:\\.\\d[\\d_]*)?(?:[eE][+-]?\\d+)?)[a-zA-Z]{0,3}\\b";
  const WORD = "[\\p{L}_$][\\p{L}\\p{N}_$]*";

  const C_WORDS = "if else for while do switch case default break continue return goto sizeof struct union enum typedef static extern const volatile register inline void int char short long float double signed unsigned bool true false NULL";
  const KEYWORDS = {
    python: words("and as assert async await break class continue def del elif else except finally for from global if import in is lambda match case nonlocal not or pass raise return try while with yield None True False self"),
    script: words("abstract any as async await boolean break case catch class const continue debugger default delete do else enum export extends false finally for from function get if implements import in instanceof interface keyof let namespace never new null number of private protected public readonly return set static string super switch this throw true try type typeof undefined unknown var void while with yield"),
    c: words(`${C_WORDS} auto class namespace using template typename public private protected virtual override new delete this throw try catch constexpr nullptr operator friend explicit noexcept include define ifdef ifndef endif pragma`),
    java: words("abstract as async await base bool boolean break byte case catch char class const continue data default do double else enum extends false final finally float for foreach fun get if implements import in init int interface internal is let long namespace native new null object open out override package private protected public readonly record return sealed set short static string super suspend switch synchronized this throw throws true try typeof using val var virtual void volatile when where while yield"),
    go: words("break case chan const continue default defer else fallthrough for func go goto if import interface map package range return select struct switch type var nil true false iota string int int64 float64 bool byte rune error any"),
    rust: words("as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut pub ref return self Self static struct super trait true type unsafe use where while Some None Ok Err i32 i64 u8 u32 u64 usize f32 f64 bool str String Vec Option Result"),
    swift: words("actor as async await break case catch class continue default defer do else enum extension false for func guard if import in init inout internal is let nil open override private protocol public repeat return self static struct subscript super switch throw throws true try var where while"),
    ruby: words("alias and begin break case class def defined do else elsif end ensure false for if in module next nil not or redo rescue retry return self super then true undef unless until when while yield require attr_accessor puts"),
    php: words("abstract and array as break case catch class clone const continue declare default do echo else elseif extends false final finally fn for foreach function global if implements include instanceof interface isset match namespace new null or private protected public readonly require require_once return static switch this throw trait true try unset use var while yield"),
    shell: words("if then elif else fi for while until do done case esac in function return local export readonly declare set unset shift exit break continue source alias echo cd true false test"),
    sql: words("add all alter and any as asc begin between by case check column commit constraint create cross database default delete desc distinct drop else end exists false foreign from full group having if in index inner insert into is join key left like limit not null offset on or order outer over partition primary references returning right rollback select set table then true union unique update using values view when where with integer int text varchar boolean date timestamp numeric"),
    lua: words("and break do else elseif end false for function goto if in local nil not or repeat return then true until while"),
    r: words("if else repeat while function for next break TRUE FALSE NULL NA NaN Inf in library return"),
    julia: words("abstract baremodule begin break catch const continue do else elseif end export false finally for function global if import in let local macro module mutable nothing primitive quote return struct true try type using where while"),
    haskell: words("case class data default deriving do else family forall foreign if import in infix infixl infixr instance let module newtype of otherwise qualified then type where True False Nothing Just"),
    data: words("true false null yes no on off none"),
    css: words("important media import supports keyframes font-face from to and not only"),
  };

  /** A language: [kind, regular expression as text] in the order in which they are tried. */
  function language(keywords, rules, folds = false) {
    const source = rules.map(([kind, text], at) => `(?<${kind}_${at}>${text})`).join("|");
    return { keywords, folds, pattern: new RegExp(`${source}|(?<word>${WORD})`, "gu") };
  }

  const usual = (keywords, comment, string, ...more) =>
    language(KEYWORDS[keywords], [["comment", comment], ["string", string], ...more, ["number", NUMBER]]);
  const DECORATOR = ["meta", "@[\\w.]+"];
  const PREPROCESSOR = ["meta", "(?<=^|\\n)[ \\t]*#[ \\t]*\\w+"];
  const TAG = ["name", "<\\/?[A-Za-z][\\w:.\\-]*|\\/?>"];

  const LANGUAGES = {
    python: () => usual("python", HASH, `${TRIPLE}|(?:[rbfuRBFU]{1,2})?(?:${QUOTED})`, DECORATOR),
    javascript: () => usual("script", SLASHES, `${TICKED}|${QUOTED}`, DECORATOR),
    c: () => usual("c", SLASHES, QUOTED, PREPROCESSOR),
    java: () => usual("java", SLASHES, `"""[\\s\\S]*?(?:"""|$)|${QUOTED}`, DECORATOR),
    go: () => usual("go", SLASHES, `${TICKED}|${QUOTED}`),
    rust: () => usual("rust", SLASHES, "\"(?:\\\\[\\s\\S]|[^\"\\\\])*\"?|'(?:\\\\.|[^'\\\\\\n])'", ["meta", "#!?\\[[^\\]\\n]*\\]?"]),
    swift: () => usual("swift", SLASHES, QUOTED, DECORATOR),
    ruby: () => usual("ruby", HASH, QUOTED, ["name", ":\\w+|@\\w+"]),
    php: () => usual("php", `${SLASHES}|${HASH}`, QUOTED, ["meta", "<\\?(?:php|=)?|\\?>"]),
    shell: () => usual("shell", "(?<=^|[\\s;])#[^\\n]*", DOUBLE, ["name", "\\$\\{?[\\w@#?*!]+\\}?"], ["meta", "(?<=\\s)--?[A-Za-z][\\w\\-]*"]),
    sql: () => language(KEYWORDS.sql, [["comment", `${DASHES}|\\/\\*[\\s\\S]*?(?:\\*\\/|$)`], ["string", DOUBLE], ["number", NUMBER]], true),
    lua: () => usual("lua", `--\\[\\[[\\s\\S]*?(?:\\]\\]|$)|${DASHES}`, QUOTED),
    r: () => usual("r", HASH, QUOTED),
    julia: () => usual("julia", HASH, `"""[\\s\\S]*?(?:"""|$)|${QUOTED}`, DECORATOR),
    haskell: () => usual("haskell", `${DASHES}|\\{-[\\s\\S]*?(?:-\\}|$)`, '"(?:\\\\[\\s\\S]|[^"\\\\\\n])*"?'),
    json: () => language(KEYWORDS.data, [["name", '"(?:\\\\.|[^"\\\\\\n])*"(?=\\s{0,9}:)'], ["comment", SLASHES], ["string", QUOTED], ["number", `-?${NUMBER}`]]),
    yaml: () => language(KEYWORDS.data, [["comment", "(?<=^|\\s)#[^\\n]*"], ["name", "(?<=^|\\n)[ \\t]{0,40}(?:- )?[\\w.\\-]+(?=:)|(?<=^|\\n)\\[[^\\]\\n]*\\]|(?<=^|\\n)[\\w.\\-]+(?= {0,9}=)"], ["string", QUOTED], ["number", NUMBER]]),
    markup: () => language(new Set(), [["comment", "<!--[\\s\\S]*?(?:-->|$)|<!\\w[^>\\n]*>?"], TAG, ["string", '"[^"<]*"?|(?<==)\'[^\'<]*\'?'], ["meta", "(?<![\\w:\\-])[\\w:\\-]+(?==[\"'])|&#?\\w{1,30};"]]),
    css: () => language(KEYWORDS.css, [["comment", "\\/\\*[\\s\\S]*?(?:\\*\\/|$)"], ["string", QUOTED], ["meta", "@[\\w\\-]+|#[\\da-fA-F]{3,8}\\b"], ["name", "(?<![\\w\\-])[\\w\\-]+(?=\\s{0,9}:)"], ["number", "\\b\\d+(?:\\.\\d+)?(?:[a-z]+|%)?"]]),
    diff: () => language(new Set(), [["meta", "(?<=^|\\n)(?:@@|diff |index |\\+\\+\\+|---)[^\\n]*"], ["added", "(?<=^|\\n)\\+[^\\n]*"], ["removed", "(?<=^|\\n)-[^\\n]*"], ["comment", "(?<=^|\\n) [^\\n]*"]]),
  };

  const NAMES = {};
  for (const [name, others] of Object.entries({
    python: "py python3 pycon ipython", javascript: "js jsx ts tsx typescript mjs node", c: "cpp c++ cc h hpp objective-c objc cuda arduino glsl",
    java: "kotlin kt scala csharp c# cs dart groovy", go: "golang", rust: "rs", swift: "", ruby: "rb", php: "",
    shell: "sh bash zsh console shell-session terminal powershell ps1 fish dockerfile makefile make", sql: "postgresql mysql sqlite psql tsql", lua: "", r: "",
    julia: "jl", haskell: "hs", json: "jsonc json5 jsonl", yaml: "yml toml ini conf properties env", markup: "html xml svg xhtml vue", css: "scss less sass", diff: "patch",
  })) for (const other of [name, ...others.split(" ")]) NAMES[other] = name;
  delete NAMES[""];

  const made = {};

  function mark(kind, text) {
    const node = document.createElement("span");
    node.className = `code-${kind}`;
    node.textContent = text;
    return node;
  }

  /** Strings and marked spans whose text is exactly the code. */
  function highlight(code, fence) {
    const named = String(fence || "").toLowerCase();
    const name = Object.hasOwn(NAMES, named) ? NAMES[named] : null;
    if (!name || code.length > LONG) return [code];
    const { keywords, folds, pattern } = (made[name] ??= LANGUAGES[name]());
    const out = [];
    let from = 0;
    for (const hit of code.matchAll(pattern)) {
      const kind = kindOf(hit, keywords, folds, code);
      if (!kind) continue;
      if (hit.index > from) out.push(code.slice(from, hit.index));
      out.push(mark(kind, hit[0]));
      from = hit.index + hit[0].length;
    }
    if (from < code.length) out.push(code.slice(from));
    return out;
  }

  function kindOf(hit, keywords, folds, code) {
    const word = hit.groups.word;
    if (word === undefined) return Object.entries(hit.groups).find(([, text]) => text !== undefined)[0].split("_")[0];
    if (keywords.has(folds ? word.toLowerCase() : word)) return "keyword";
    return code[hit.index + word.length] === "(" ? "name" : null;
  }

  window.ratchet.highlight = highlight;
})();
