/*
 * Above the pair: which study, how far, and what the last vote was about.
 *
 *   judging.head(el, on)   → { node, tally(tally), reveal(last, layout), studies(list, name) }
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });

  judging.plural = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

  judging.head = (el, on) => {
    const select = el("select", { class: "input", id: "study-picker", onchange: (event) => on.study(event.target.value) });
    const picker = el("div", { class: "picker" }, el("label", { for: "study-picker", class: "small muted" }, "Study"), select);
    const count = el("span", { class: "num" });
    const today = el("span", { class: "muted" });
    const rack = el("div", { class: "progress", role: "progressbar", "aria-label": "Votes of this sitting", "aria-valuemin": "0" }, el("span", {}));
    const told = el("p", { class: "reveal", role: "status", "aria-live": "polite" });
    const node = el("div", { class: "sitting card" },
      el("div", { class: "sitting-line" }, picker, el("div", { class: "grow sitting-progress" }, el("div", { class: "row-between small" }, count, today), rack)), told);

    function tally(t) {
      const done = Math.min(t.mine, t.target);
      count.textContent = t.mine < t.target ? `${t.mine} of ${t.target} votes` : `${judging.plural(t.mine, "vote")}, the goal of ${t.target} is reached`;
      today.textContent = t.today === t.mine ? "all today" : `${t.today} today`;
      today.hidden = !t.mine;
      rack.firstChild.style.setProperty("--value", `${(100 * done) / t.target}%`);
      rack.setAttribute("aria-valuenow", String(done));
      rack.setAttribute("aria-valuemax", String(t.target));
    }

    /** last: {answer, reveal, saved} of the last vote, or null. */
    function reveal(last, layout) {
      const quiet = (text) => el("span", { class: "muted" }, text);
      if (!last) return told.replaceChildren(quiet("Which model wrote what is told here after each vote. One prompt in five only measures; votes on the others can train."));
      if (last.answer.choice === "skip") return told.replaceChildren(quiet("Skipped."));
      const said = `You said: ${layout.said(last.answer)}.`;
      if (!last.reveal) return told.replaceChildren(quiet(last.saved ? `Saved. ${said}` : "Kept in this browser; names are told once the vote is saved."));
      if (last.reveal.length > 1 && new Set(last.reveal).size === 1) return told.replaceChildren(quiet("Last pair:"), el("span", {}, "both answers were drawn from ", el("b", {}, last.reveal[0])), quiet(said));
      const winners = layout.winners(last.answer);
      const named = (name, index) => el("span", { class: `revealed${winners.includes(index) ? " is-winner" : ""}` },
        el("span", { class: `chip chip-${judging.LETTERS[index].toLowerCase()}` }, judging.LETTERS[index]), el("b", { class: "truncate" }, name));
      return told.replaceChildren(quiet("Last pair:"), ...last.reveal.map(named), quiet(said));
    }

    function studies(list, name) {
      select.replaceChildren(...list.map((study) => el("option", { value: study.name, selected: study.name === name }, `${study.name}${study.open ? "" : " (closed)"}`)));
      picker.hidden = !list.length;
      select.value = name;
    }

    return { node, tally, reveal, studies };
  };
})();
