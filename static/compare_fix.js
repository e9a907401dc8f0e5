/*
 * "Fix it": the better answer as it should have been, written over it, with what changes shown beside.
 *
 *   judging.fix(el, on)   → { node, open(about), close() }   on: { save(edited), back(edited), draft(edited) }
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const QUIET = 120; // ms after the last letter until the difference is drawn again

  judging.fix = (el, on) => {
    const title = el("h2", {});
    const sides = el("div", { class: "segmented", role: "group", "aria-label": "Which answer" });
    const text = el("textarea", { class: "input", id: "fix-text", rows: "6", maxlength: "100000", "aria-label": "The answer as it should have been", oninput: soon });
    const changes = el("div", { class: "fix-diff", role: "region", "aria-label": "What changes", tabindex: "0" });
    const said = el("p", { class: "small field-error", role: "alert" });
    const save = el("button", { type: "button", class: "button button-primary", onclick: finish }, "Save with the vote ", el("kbd", {}, "Ctrl"), el("kbd", {}, "Enter"));
    const back = el("button", { type: "button", class: "button button-ghost", onclick: () => on.back(edit()) }, "Back ", el("kbd", {}, "Esc"));
    const node = el("section", { class: "card second fix", hidden: true, "aria-label": "Mend an answer" },
      el("div", { class: "card-head" }, title, sides), el("div", { class: "fix-columns" }, text, changes), said,
      el("p", { class: "small muted" }, "It is kept as an example, and preferred over every answer."),
      el("div", { class: "line second-foot" }, save, el("span", { class: "grow" }), back));
    let about = null;
    let side = 0;
    let timer = null;

    const before = () => about.pair.sides[side].text;
    const edit = () => (text.value === before() ? null : { side, text: text.value });

    /** about: { pair, side, said, edited } */
    function open(what) {
      about = what;
      title.textContent = `${what.said}: what should it have said?`;
      turn(what.edited?.side ?? what.side, what.edited?.text);
      node.hidden = false;
      text.focus({ preventScroll: true });
      node.scrollIntoView({ block: "nearest" });
    }

    function turn(which, words) {
      side = which;
      text.value = words ?? before();
      said.textContent = "";
      sides.hidden = about.pair.sides.length < 2;
      sides.replaceChildren(...about.pair.sides.map((_, index) => el("button", { type: "button", "aria-pressed": String(index === side), onclick: () => { turn(index); text.focus(); } }, `Answer ${judging.LETTERS[index]}`)));
      draw();
    }

    function soon() {
      clearTimeout(timer);
      timer = setTimeout(draw, QUIET);
      said.textContent = "";
      on.draft(edit());
    }

    function draw() {
      if (!edit()) changes.replaceChildren(el("span", { class: "muted small" }, "What you change is shown here."));
      else changes.replaceChildren(...window.ratchet.diff.inline(before(), text.value));
    }

    function finish() {
      if (!text.value.trim()) { said.textContent = "The mended answer is empty; write what it should have said."; return text.focus(); }
      return on.save(edit());
    }

    const stop = judging.stage(node, ({ key, ctrlKey, metaKey, repeat }) => {
      if (key === "Escape") { on.back(edit()); return true; }
      if (key === "Enter" && (ctrlKey || metaKey) && !repeat) { finish(); return true; }
      return false;
    });

    return { node, open, close: () => { node.hidden = true; clearTimeout(timer); }, stop };
  };
})();
