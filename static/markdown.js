/*
 * Markdown that a stranger may have written: what models answer and what datasets hold.
 *
 *   ratchet.markdown(text) -> DocumentFragment, to be put into an element with class "prose"
 *
 * Safe by construction: elements are made with createElement from a fixed list of tags, text is set as text, and
 * the only attributes ever written are an anchor's. HTML in the text is shown as the characters it is. Links
 * go to http and https alone, and open without a referrer; everything else is shown as text. Images are never
 * loaded: their alt text and address are shown, so an answer cannot report home that it was read.
 * Known: headings, paragraphs, bold, italic, struck, code, fenced code (coloured by markdown_code.js), quotes, lists,
 * task lists, tables, rules, links, LaTeX between $…$, $$…$$, \(…\), \[…\] (markdown_math.js; what it does not know is
 * shown as its source). Those two scripts come with the first text that wants them; until then the source stands there.
 * "$5 to $10" is money: a formula begins and ends with a character that is no space.
 * Time grows with the length of the text alone: every search ahead has a limit (SPAN), nesting too (DEPTH).
 */
(() => {
  "use strict";

  const DEPTH = 8; // quotes in lists in quotes … deeper ones are shown as text
  const SPAN = 1000; // how far the end of an emphasis or of a link's text may lie from its beginning
  const MOST = { formulas: 1500, coloured: 60_000 }; // drawn in one text: elements cost the browser more than we do
  const FORMULA = 3000; // how far the end of a formula may lie from its beginning
  const LONG = 200_000; // characters; what comes after is shown as plain text
  const TAGS = new Set(["p", "h3", "h4", "h5", "h6", "strong", "em", "del", "code", "pre", "ul", "ol", "li", "blockquote",
    "table", "thead", "tbody", "tr", "th", "td", "hr", "a", "span", "br"]);

  let left = MOST;

  /** An element with these children: nodes, strings, lists of them; of any length, so they are no arguments of one call. */
  function make(tag, ...children) {
    if (!TAGS.has(tag)) throw new Error(`markdown makes no <${tag}>`);
    const node = document.createElement(tag);
    for (const child of children.flat()) node.append(child);
    return node;
  }

  /* ---- Within a line ------------------------------------------------------------------------------- */

  const SPECIAL = /[\\`*_~[!<$]|https?:\/\//g;
  const URL_END = /[\s<>"`]|$/;
  const MARKS = [["***", "strong"], ["**", "strong"], ["__", "strong"], ["~~", "del"], ["*", "em"], ["_", "em"]];
  const word = (char) => char !== undefined && /[\p{L}\p{N}]/u.test(char);

  /** The text of one block as a list of nodes and strings. */
  function inline(text, depth = 0) {
    if (depth > DEPTH) return [text];
    const out = [];
    const put = (part) => { if (typeof part === "string" && typeof out.at(-1) === "string") out.push(out.pop() + part); else out.push(part); };
    let from = 0;
    let at = 0;
    const special = new RegExp(SPECIAL.source, "g");
    while (at < text.length) {
      special.lastIndex = at;
      const hit = special.exec(text);
      if (!hit) break;
      const found = span(text, hit.index, depth);
      if (found) {
        if (hit.index > from) put(text.slice(from, hit.index));
        for (const node of found.nodes) put(node);
        from = at = found.end;
      } else {
        at = hit.index + (hit[0] === "`" ? runLength(text, hit.index, "`") : 1);
      }
    }
    if (from < text.length) put(text.slice(from));
    return out;
  }

  /** What begins at this place: {nodes, end}, or null where it is a plain character. */
  function span(text, at, depth) {
    const char = text[at];
    if (char === "$" || (char === "\\" && (text[at + 1] === "(" || text[at + 1] === "["))) {
      const found = formula(text, at);
      if (found || char === "$") return found;
    }
    if (char === "\\") return /[!-/:-@[-`{-~]/.test(text[at + 1] || "") ? { nodes: [text[at + 1]], end: at + 2 } : null;
    if (char === "`") return codeSpan(text, at);
    if (char === "!") return text[at + 1] === "[" ? image(text, at) : null;
    if (char === "[") return link(text, at, depth);
    if (char === "<") return bracketed(text, at);
    if (char === "h") return bare(text, at);
    return emphasis(text, at, depth);
  }

  function runLength(text, at, char) {
    let end = at;
    while (text[end] === char) end += 1;
    return end - at;
  }

  function codeSpan(text, at) {
    const fence = "`".repeat(runLength(text, at, "`"));
    for (let close = text.indexOf(fence, at + fence.length); close !== -1 && close < at + SPAN;) {
      const run = runLength(text, close, "`");
      if (run === fence.length) {
        const body = text.slice(at + fence.length, close);
        return { nodes: [make("code", /^ .*[^ ].* $/s.test(body) ? body.slice(1, -1) : body)], end: close + run };
      }
      close = text.indexOf(fence, close + run);
    }
    return null;
  }

  const BRACKETS = { "\\(": ["\\)", false], "\\[": ["\\]", true], "$$": ["$$", true], "$": ["$", false] };
  const prose = (source) => !/[\\^_={}]/.test(source) && /(?:^|[\s,])[a-z]{2,}[\s,]/i.test(source); // a word, and no sign of a formula

  /** A formula at this place, drawn, or its source as code where something in it is not known. */
  function formula(text, at) {
    const open = ["$$", "$", "\\(", "\\["].find((one) => text.startsWith(one, at));
    const [close, display] = BRACKETS[open];
    const start = at + open.length;
    const end = formulaEnd(text, start, close);
    if (end === -1) return null;
    const source = text.slice(start, end);
    if (open === "$" && (/^\s|\s$/.test(source) || word(text[end + 1]) || word(text[at - 1]) || prose(source))) return null;
    return source.trim() ? { nodes: [drawnFormula(source, display, text.slice(at, end + close.length))], end: end + close.length } : null;
  }

  /** Where it closes: at the first sign that is not escaped, near enough and before a blank line. */
  function formulaEnd(text, start, close) {
    const limit = Math.min(text.length, start + (close === "$" ? SPAN : FORMULA));
    if (!text.slice(start, limit + 1).includes(close)) return -1;
    for (let end = start; end < limit; end += 1) {
      if (text.startsWith(close, end)) return end;
      if (text[end] === "\\") end += 1;
      else if (text[end] === "\n" && text[end + 1] === "\n") return -1;
    }
    return -1;
  }

  function drawnFormula(source, display, whole) {
    return drawn(source, display, (math) => math, make("code", whole.trim()));
  }

  /** A formula as `framed` puts it, or its source (`plain`) where it is not known, or for as long as nothing can draw it. */
  function drawn(source, display, framed, plain) {
    left.formulas -= 1;
    if (left.formulas <= 0) return plain;
    const draw = () => {
      const math = window.ratchet.mathml(source, display);
      return math ? framed(math) : plain;
    };
    return soon("mathml", "markdown_math", () => plain.replaceWith(draw())) ? plain : draw();
  }

  /** Whether a script is still to come that makes `ratchet[name]`; `then` runs when it is there. */
  function soon(name, part, then) {
    if (window.ratchet[name]) return false;
    window.ratchet.need(part).then(then, () => {}); // without it the source is what there is
    return true;
  }

  function emphasis(text, at, depth) {
    for (const [mark, tag] of MARKS) {
      if (!text.startsWith(mark, at)) continue;
      const start = at + mark.length;
      if (/\s/.test(text[start] || " ")) continue;
      if (mark.length === 1 && word(text[at - 1])) continue; // snake_case and 2*3*4 are not emphasis
      const close = closing(text, start, mark);
      if (close !== -1) return { nodes: [make(tag, inline(text.slice(start, close), depth + 1))], end: close + mark.length };
    }
    return null;
  }

  function closing(text, start, mark) {
    const limit = start + SPAN;
    for (let close = text.indexOf(mark, start + 1); close !== -1 && close < limit; close = text.indexOf(mark, close + 1)) {
      if (/\s/.test(text[close - 1])) continue;
      if (mark.length === 1 && (text[close + 1] === mark || text[close - 1] === mark)) continue;
      if (mark[0] === "_" && word(text[close + mark.length])) continue;
      return close;
    }
    return -1;
  }

  /** `[text](address "title")` at this place: {text, address, end}, or null. */
  function reference(text, at) {
    let depth = 0;
    let close = at;
    for (const limit = Math.min(text.length, at + SPAN); close < limit; close += 1) {
      if (text[close] === "\\") close += 1;
      else if (text[close] === "[") depth += 1;
      else if (text[close] === "]" && --depth === 0) break;
    }
    if (text[close] !== "]" || depth !== 0 || text[close + 1] !== "(") return null;
    const rest = /^\(\s*<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)/.exec(text.slice(close + 1, close + 1 + SPAN));
    return rest && { text: text.slice(at + 1, close), address: rest[1], end: close + 1 + rest[0].length };
  }

  function link(text, at, depth) {
    const found = reference(text, at);
    if (!found) return null;
    const label = inline(found.text, depth + 1);
    const href = safeAddress(found.address);
    const nodes = href ? [anchor(href, withoutLinks(label))] : [...label, ` (${found.address})`];
    return { nodes, end: found.end };
  }

  function image(text, at) {
    const found = reference(text, at + 1);
    return found && { nodes: [make("span", `[image: ${found.text || "no description"}] ${found.address}`)], end: found.end };
  }

  function bracketed(text, at) {
    const found = /^<(https?:\/\/[^\s<>]{1,2000})>/i.exec(text.slice(at, at + 2010));
    const href = found && safeAddress(found[1]);
    return href ? { nodes: [anchor(href, [found[1]])], end: at + found[0].length } : null;
  }

  function bare(text, at) {
    if (word(text[at - 1])) return null;
    const rest = text.slice(at, at + 2000);
    let end = rest.search(URL_END);
    while (".,:;!?'*_~)]".includes(rest[end - 1])) end -= 1;
    const address = rest.slice(0, end);
    const href = safeAddress(address);
    return href ? { nodes: [anchor(href, [address])], end: at + address.length } : null;
  }

  /** The address in its normal form where it is http or https and has a host; null for everything else. */
  function safeAddress(address) {
    if (!/^https?:\/\/[^/?#]/i.test(address)) return null;
    try {
      const url = new URL(address);
      return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
    } catch {
      return null;
    }
  }

  function anchor(href, label) {
    const node = make("a", label);
    node.setAttribute("href", href);
    node.setAttribute("title", href);
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer nofollow");
    return node;
  }

  /** A link in a link's text becomes its text. */
  const withoutLinks = (nodes) => nodes.map((node) => (node instanceof Element && (node.matches("a") || node.querySelector("a")) ? node.textContent : node));

  /* ---- Blocks -------------------------------------------------------------------------------------- */

  const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/;
  const HEADING = /^ {0,3}(#{1,6})(?=\s)/;
  const RULE = /^ {0,3}(?:(?:\*\s*){3,}|(?:-\s*){3,}|(?:_\s*){3,})$/;
  const QUOTE = /^ {0,3}> ?/;
  const ITEM = /^( *)([-*+]|\d{1,9}[.)])(\s+)(?=\S)/;
  const DISPLAY = /^ {0,3}(\$\$|\\\[|\\begin\{((?:equation|align|gather|multline|eqnarray|alignat)\*?)\})/;
  const TASK = /^\[([ xX])\](?=\s)/;
  const DELIMITER = /^\|? *:?-+:? *(?:\| *:?-+:? *)*\|?$/;

  function blocks(lines, depth = 0) {
    if (depth > DEPTH) return [make("p", lines.join("\n"))];
    const out = [];
    let at = 0;
    while (at < lines.length) {
      const step = block(lines, at, depth);
      if (step.node) out.push(step.node);
      at = step.next;
    }
    return out;
  }

  function block(lines, at, depth) {
    const line = lines[at];
    if (!line.trim()) return { node: null, next: at + 1 };
    const fence = FENCE.exec(line);
    if (fence) return fenced(lines, at, fence[1], /^\{?\.?([\w#+-]*)/.exec(fence[2])[1]);
    const heading = HEADING.exec(line);
    if (heading) return { node: make(`h${Math.min(heading[1].length + 2, 6)}`, inline(line.slice(heading[0].length).trim().replace(/\s#+$/, ""))), next: at + 1 };
    if (RULE.test(line)) return { node: make("hr"), next: at + 1 };
    if (QUOTE.test(line)) return quote(lines, at, depth);
    if (ITEM.test(line)) return list(lines, at, depth);
    if (line.includes("|") && delimits(lines[at + 1])) return table(lines, at);
    if (DISPLAY.test(line)) return displayed(lines, at);
    return paragraph(lines, at);
  }

  /** A formula over several lines; where it does not end soon, its first line is a paragraph like any other. */
  function displayed(lines, at) {
    const begun = DISPLAY.exec(lines[at]);
    const close = { "$$": "$$", "\\[": "\\]" }[begun[1]] || `\\end{${begun[2]}}`;
    const first = lines[at].indexOf(begun[1]);
    const [source, next] = untilClosed(lines, at, first + begun[1].length, close);
    if (source === null) return paragraph(lines, at);
    const whole = begun[1] + source + close;
    const inner = begun[2] ? whole : source;
    return { node: drawn(inner.trim(), true, (math) => make("p", math), make("pre", make("code", whole))), next };
  }

  /** [the text up to the closing sign, the line after it]; null where it is not the end of a line, or too far away. */
  function untilClosed(lines, at, from, close) {
    let text = "";
    for (let end = at; end < lines.length && text.length < FORMULA; end += 1) {
      const line = end === at ? lines[end].slice(from) : lines[end];
      const found = line.indexOf(close);
      if (found !== -1) return /^\s*[.,;:]?\s*$/.test(line.slice(found + close.length)) ? [text + line.slice(0, found), end + 1] : [null, at];
      if (end > at && !line.trim()) break;
      text += `${line}\n`;
    }
    return [null, at];
  }

  const delimits = (line) => line !== undefined && line.length < SPAN && DELIMITER.test(line.trim());

  function fenced(lines, at, mark, language) {
    let end = at + 1;
    while (end < lines.length && !(lines[end].trim().startsWith(mark) && /^[`~]+$/.test(lines[end].trim()))) end += 1;
    const code = lines.slice(at + 1, end).join("\n");
    left.coloured -= code.length;
    const node = make("code", code);
    const colour = () => node.replaceChildren(...window.ratchet.highlight(code, language));
    if (language && left.coloured > 0 && !soon("highlight", "markdown_code", colour)) colour();
    return { node: make("pre", node), next: end + 1 };
  }

  function quote(lines, at, depth) {
    let end = at;
    while (end < lines.length && QUOTE.test(lines[end])) end += 1;
    return { node: make("blockquote", blocks(lines.slice(at, end).map((line) => line.replace(QUOTE, "")), depth + 1)), next: end };
  }

  function list(lines, at, depth) {
    const [, indent, mark] = ITEM.exec(lines[at]);
    const ordered = /\d/.test(mark);
    const node = make(ordered ? "ol" : "ul");
    if (ordered) node.start = Number.parseInt(mark, 10);
    let next = at;
    while (next < lines.length) {
      const item = ITEM.exec(lines[next]);
      if (!item || item[1].length > indent.length + 3 || item[1].length < indent.length || /\d/.test(item[2]) !== ordered || RULE.test(lines[next])) break;
      const end = itemEnd(lines, next, item);
      node.append(listItem(lines.slice(next, end), item, depth));
      next = end;
    }
    return next > at ? { node, next } : paragraph(lines, at);
  }

  /** An item goes on while lines are indented under its text, or empty with such a line after them. */
  function itemEnd(lines, at, item) {
    const under = item[1].length + 2;
    const inside = (line) => line !== undefined && line.trim() && line.search(/\S/) >= under;
    let end = at + 1;
    while (end < lines.length && (inside(lines[end]) || (!lines[end].trim() && inside(lines[end + 1])))) end += 1;
    while (end < lines.length && !lines[end].trim() && ITEM.test(lines[end + 1] || "") && lines[end + 1].search(/\S/) === item[1].length) end += 1;
    return end;
  }

  function listItem(lines, item, depth) {
    const width = item[0].length;
    const [first, ...rest] = lines;
    const task = TASK.exec(first.slice(width));
    const inner = [first.slice(width + (task ? task[0].length : 0)), ...rest.map((line) => line.slice(Math.min(width, Math.max(line.search(/\S/), 0))))];
    const made = blocks(inner, depth + 1);
    // One paragraph alone needs no <p>: its text stands beside the bullet.
    const nodes = made[0]?.tagName === "P" ? [...made[0].childNodes, ...made.slice(1)] : made;
    return make("li", task ? [make("span", task[1] === " " ? "☐" : "☑"), " "] : [], nodes);
  }

  function cells(line) {
    return line.trim().replace(/^\||(?<!\\)\|$/g, "").split(/(?<!\\)\|/).map((cell) => inline(cell.trim().replaceAll("\\|", "|")));
  }

  function table(lines, at) {
    const head = cells(lines[at]);
    let end = at + 2;
    while (end < lines.length && lines[end].trim() && lines[end].includes("|")) end += 1;
    // Missing cells are not filled in: a wide head over many short rows would make millions of them.
    const row = (tag, content) => make("tr", content.slice(0, head.length).map((cell) => make(tag, cell)));
    const body = lines.slice(at + 2, end).map((line) => row("td", cells(line)));
    return { node: make("table", make("thead", row("th", head)), make("tbody", body)), next: end };
  }

  function paragraph(lines, at) {
    let end = at + 1;
    const stops = (line) => !line.trim() || FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line) || ITEM.test(line) || line.startsWith("\\begin{");
    while (end < lines.length && !stops(lines[end])) end += 1;
    return { node: make("p", inline(lines.slice(at, end).map((line) => line.trimEnd()).join("\n").trim())), next: end };
  }

  /** Hostile Markdown as a harmless fragment of elements. */
  function markdown(text) {
    const fragment = document.createDocumentFragment();
    const whole = String(text ?? "");
    left = { ...MOST };
    for (const node of blocks(whole.slice(0, LONG).replace(/\r\n?/g, "\n").split("\n"))) fragment.append(node);
    if (whole.length > LONG) fragment.append(make("p", whole.slice(LONG)));
    return fragment;
  }

  window.ratchet.markdown = markdown;
})();
