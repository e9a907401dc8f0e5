/*
 * Two tools for reading side by side, each remembered in this browser.
 *
 *   L   scroll together: every answer moves by the same share of its own length
 *   W   words that differ: marked in the answers as they are drawn, by CSS highlights (ranges over the text), so that
 *       nothing in the answers is drawn anew; the edits come from editor_diff.js. With more than two answers each is
 *       held against A, and A against B.
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const KEEP = "ratchet.compare.";
  const LONG = 100_000; // characters of both sides together, past which no words are compared

  const kept = (name) => { try { return localStorage.getItem(KEEP + name) === "on"; } catch { return false; } };
  const keep = (name, yes) => { try { localStorage.setItem(KEEP + name, yes ? "on" : "off"); } catch { /* storage is switched off */ } };

  judging.extras.diff = (desk) => {
    const { el, root } = desk;
    const on = { scroll: kept("scroll"), words: kept("words") };
    const canMark = typeof Highlight === "function" && CSS.highlights;
    const tell = el("span", { class: "small muted", role: "status" });
    const button = (name, text, key) => el("button", { type: "button", class: `button button-ghost button-s tool-${name}`, "aria-pressed": String(on[name]), onclick: () => turn(name) }, text, el("kbd", { "aria-hidden": "true", dataset: { cap: name } }, key));
    const scroll = button("scroll", "Scroll together ", "L");
    const words = button("words", "Words that differ ", "W");
    const tools = el("div", { class: "line reading-tools" }, scroll, canMark ? words : null, tell);
    desk.places.view.append(tools);

    const bodies = () => [...root.querySelectorAll(".seat .pane-body")];
    const many = () => bodies().length > 1;

    function turn(name) {
      if (!many()) return;
      on[name] = !on[name];
      keep(name, on[name]);
      draw();
    }

    function draw() {
      tools.hidden = !many();
      scroll.setAttribute("aria-pressed", String(on.scroll));
      words.setAttribute("aria-pressed", String(on.words));
      compare();
    }

    /* -- Scroll together -- */

    let leader = null; // the one that is being scrolled; the others follow and do not lead
    let rest = null;

    function follow(event) {
      const from = event.target;
      if (!on.scroll || !from.classList?.contains("pane-body") || (leader && leader !== from)) return;
      leader = from;
      clearTimeout(rest);
      rest = setTimeout(() => { leader = null; }, 120);
      const share = from.scrollTop / Math.max(1, from.scrollHeight - from.clientHeight);
      for (const body of bodies()) if (body !== from) body.scrollTop = share * (body.scrollHeight - body.clientHeight);
    }
    root.addEventListener("scroll", follow, { capture: true, passive: true });

    /* -- Words that differ -- */

    function compare() {
      if (!canMark) return;
      CSS.highlights.delete("answer-differs");
      tell.textContent = "";
      const answers = [...root.querySelectorAll(".seat .answer")];
      if (!on.words || answers.length < 2 || desk.current()?.state !== "ready") return;
      const found = answers.map((answer, index) => differences(answer, answers[index ? 0 : 1]));
      if (found.includes(null)) { tell.textContent = "These answers share too little to compare their words."; return; }
      CSS.highlights.set("answer-differs", new Highlight(...found.flatMap(({ ranges }) => ranges)));
      const count = found.slice(1).reduce((sum, one) => sum + one.words, 0) + found[0].words;
      tell.textContent = count ? `${judging.plural(count, "word")} marked${answers.length > 2 ? ", against A" : ""}` : "No word differs";
    }

    /** The ranges of an answer that the other one has not; null where the two are too different or too long. */
    function differences(answer, other) {
      const [mine, theirs] = [reading(answer), reading(other)];
      if (mine.text.length + theirs.text.length > LONG) return null;
      const ranges = [];
      let [at, count, same] = [0, 0, 0];
      for (const { kind, text } of window.ratchet.diff.pieces(theirs.text, mine.text)) {
        if (kind === "gone") continue;
        if (kind === "same") same += text.trim().length;
        else if (text.trim()) {
          ranges.push(...mine.ranges(at, at + text.length));
          count += text.trim().split(/\s+/).length;
        }
        at += text.length;
      }
      return mine.text.trim() && theirs.text.trim() && same === 0 ? null : { ranges, words: count };
    }

    /** The text of an answer as it is drawn, and the ranges over a part of it; blocks are parted by a line. */
    function reading(answer) {
      const walker = document.createTreeWalker(answer, NodeFilter.SHOW_TEXT);
      const parts = [];
      let text = "";
      let block = null;
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const here = node.parentElement.closest("p, li, pre, h3, h4, h5, h6, td, th, blockquote");
        if (block && here !== block) text += "\n";
        block = here;
        parts.push({ node, from: text.length });
        text += node.data;
      }
      return { text, ranges: (from, to) => parts.filter((part) => part.from < to && part.from + part.node.length > from).map(({ node, from: start }) => {
        const range = new Range();
        range.setStart(node, Math.max(0, from - start));
        range.setEnd(node, Math.min(node.length, to - start));
        return range;
      }) };
    }

    desk.keys([
      { id: "scroll", label: "Scroll the answers together", keys: ["l"], run: () => turn("scroll"), group: "Reading" },
      { id: "words", label: "Mark the words that differ", keys: ["w"], run: () => turn("words"), group: "Reading" },
    ]);
    desk.when("paint", draw);
    draw();

    return () => {
      root.removeEventListener("scroll", follow, { capture: true });
      if (canMark) CSS.highlights.delete("answer-differs");
    };
  };
})();
