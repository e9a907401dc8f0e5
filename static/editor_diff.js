/*
 * What changed between two texts, by words: Myers' shortest edit script ("An O(ND) Difference Algorithm", 1986).
 *
 *   ratchet.diff.pieces(before, after)   [{kind: "same" | "gone" | "new", text}]
 *   ratchet.diff.inline(before, after)   the second text with what was added and removed, as nodes
 *   ratchet.diff.sides(before, after)    [nodes of the first, nodes of the second], each with its own words marked
 */
(() => {
  "use strict";

  const { el } = window.ratchet;
  const MOST_EDITS = 1200; // the way back needs the square of this in memory: 6 MB
  const SEGMENTED = 200_000; // characters; longer texts are cut at spaces alone

  /** Words, spaces and signs; Chinese, Japanese and Thai are cut by the browser's dictionary. */
  function words(text) {
    if (text.length > SEGMENTED || !Intl.Segmenter) return text.match(/\s+|[^\s]+/g) || [];
    return Array.from(new Intl.Segmenter(undefined, { granularity: "word" }).segment(text), (part) => part.segment);
  }

  function pieces(before, after) {
    const [a, b] = [words(before), words(after)];
    let head = 0;
    while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
    let tail = 0;
    while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
    const out = [];
    const put = (kind, text) => {
      if (!text) return;
      if (out.at(-1)?.kind === kind) out.at(-1).text += text;
      else out.push({ kind, text });
    };
    put("same", a.slice(0, head).join(""));
    for (const [kind, text] of script(a.slice(head, a.length - tail), b.slice(head, b.length - tail))) put(kind, text);
    put("same", a.slice(a.length - tail).join(""));
    return gathered(out);
  }

  /** Changes with nothing but spaces or a sign between them as one: "a b" for "c d" reads better than word for word. */
  function gathered(all) {
    const out = [];
    let [gone, fresh] = ["", ""];
    function flush() {
      if (gone) out.push({ kind: "gone", text: gone });
      if (fresh) out.push({ kind: "new", text: fresh });
      [gone, fresh] = ["", ""];
    }
    all.forEach(({ kind, text }, at) => {
      if (kind === "gone") gone += text;
      else if (kind === "new") fresh += text;
      else if (gone && fresh && at + 1 < all.length && !/[\p{L}\p{N}]/u.test(text) && text.length < 3) { gone += text; fresh += text; }
      else { flush(); out.push({ kind, text }); }
    });
    flush();
    return out;
  }

  /** The edits from a to b, in order; where they share too little, all of a goes and all of b comes. */
  function script(a, b) {
    if (!a.length || !b.length) return [["gone", a.join("")], ["new", b.join("")]];
    const trace = [];
    const size = Math.min(a.length + b.length, MOST_EDITS);
    const v = new Int32Array(2 * size + 3);
    for (let d = 0; d <= size; d += 1) {
      trace.push(v.slice(size - d, size + d + 3));
      for (let k = -d; k <= d; k += 2) {
        const down = k === -d || (k !== d && v[size + k] < v[size + k + 2]);
        let x = down ? v[size + k + 2] : v[size + k] + 1;
        while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
        v[size + 1 + k] = x;
        if (x >= a.length && x - k >= b.length) return wayBack(a, b, trace);
      }
    }
    return [["gone", a.join("")], ["new", b.join("")]];
  }

  function wayBack(a, b, trace) {
    const edits = [];
    let [x, y] = [a.length, b.length];
    for (let d = trace.length - 1; d >= 0; d -= 1) {
      const at = (k) => trace[d][k + d + 1]; // the furthest x on diagonal k before step d
      const k = x - y;
      const down = k === -d || (k !== d && at(k - 1) < at(k + 1));
      const from = d === 0 ? 0 : at(down ? k + 1 : k - 1);
      const fromY = d === 0 ? 0 : from - (down ? k + 1 : k - 1);
      while (x > from && y > fromY) { edits.push(["same", a[x - 1]]); x -= 1; y -= 1; }
      if (d === 0) break;
      if (down) edits.push(["new", b[(y -= 1)]]);
      else edits.push(["gone", a[(x -= 1)]]);
    }
    return edits.reverse();
  }

  const mark = ({ kind, text }) =>
    kind === "same" ? text : el(kind === "new" ? "ins" : "del", { class: kind === "new" ? "diff-added" : "diff-removed" }, text);

  const inline = (before, after) => (before === after ? [after] : pieces(before, after).map(mark));

  function sides(before, after) {
    const all = pieces(before, after);
    return [all.filter((piece) => piece.kind !== "new").map(mark), all.filter((piece) => piece.kind !== "gone").map(mark)];
  }

  /** A content as one text, for a comparison of whole rows. */
  function spoken(content) {
    if (!content) return "";
    if (typeof content.text === "string") return content.text;
    const lines = ["messages", "prompt", "chosen", "rejected", "completion"].flatMap((name) => (content[name] || []).map((turn) =>
      [`${name === "messages" ? "" : `${name}, `}${turn.role}: ${turn.content}`, turn.tool_calls && JSON.stringify(turn.tool_calls)].filter(Boolean).join("\n")));
    for (const name of ["label", "score", "margin"]) if (content[name] !== undefined) lines.push(`${name}: ${content[name]}`);
    const { drafted_by: drafted, ...metadata } = content.metadata || {};
    const beside = { answers: content.answers, tools: content.tools, metadata: Object.keys(metadata).length ? metadata : null };
    for (const [name, value] of Object.entries(beside)) if (value) lines.push(`${name}: ${JSON.stringify(value, null, 1)}`);
    for (const [place, { model, state }] of Object.entries(drafted || {})) lines.push(`${place}: drafted by ${model} (${state})`);
    return lines.join("\n");
  }

  window.ratchet.diff = { pieces, inline, sides, spoken };
})();
