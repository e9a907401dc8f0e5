/*
 * A skip, with its reason if there is one: a number, or Enter for none.
 *
 *   judging.skip(el, on)   → { node, open(reasons), close() }   on: { skip(reason), back() }
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });

  judging.skip = (el, on) => {
    const list = el("div", { class: "line", role: "group", "aria-label": "Why do you skip it?" });
    const node = el("section", { class: "card second skipping", hidden: true, "aria-label": "Skip" },
      el("h2", {}, "Skip: why?"), list);
    let reasons = [];

    const button = (label, cap, run, kind = "") => el("button", { type: "button", class: `button ${kind}`, onclick: run }, label, " ", el("kbd", {}, cap));

    function open(what) {
      reasons = what.slice(0, 9);
      list.replaceChildren(...reasons.map((reason, index) => button(reason, String(index + 1), () => on.skip(reason))),
        button("Without a reason", "Enter", () => on.skip(null)), button("Back", "Esc", on.back, "button-ghost"));
      node.hidden = false;
      list.children[reasons.length].focus({ preventScroll: true });
      node.scrollIntoView({ block: "nearest" });
    }

    const stop = judging.stage(node, ({ key, ctrlKey, metaKey, repeat }) => {
      if (ctrlKey || metaKey || repeat) return false;
      if (key === "Escape") { on.back(); return true; }
      if (key === "Enter" && !list.contains(document.activeElement)) { on.skip(null); return true; } // else the button in focus
      const reason = reasons[Number(key) - 1];
      if (!/^[1-9]$/.test(key) || reason === undefined) return false;
      on.skip(reason);
      return true;
    });

    return { node, open, close: () => { node.hidden = true; }, stop };
  };
})();
