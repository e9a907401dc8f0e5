/*
 * Above the pair: which study, how far this person and the round are, and what the last vote was about.
 *
 *   judging.head(el, on)   → { node, tools, tally(tally), reveal(last, layout), studies(list, name), strangers(n) }
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const ENOUGH = 5; // clear votes before a share says anything
  const NOTED = 10; // from which a leaning is told

  judging.plural = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

  const minutes = (seconds) => (seconds < 60 ? "" : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`);

  judging.head = (el, on) => {
    const select = el("select", { class: "input", id: "study-picker", onchange: (event) => on.study(event.target.value) });
    const picker = el("div", { class: "picker" }, el("label", { for: "study-picker", class: "small muted" }, "Study"), select);
    const count = el("span", { class: "num" });
    const today = el("span", { class: "muted num" });
    const rack = el("div", { class: "progress", role: "progressbar", "aria-label": "Votes of this sitting", "aria-valuemin": "0" }, el("span", {}));
    const round = el("span", { class: "muted num round" });
    const left = leftMeter(el);
    const told = el("p", { class: "reveal", role: "status", "aria-live": "polite" });
    const others = el("p", { class: "small muted", hidden: true });
    const tools = el("div", { class: "line tools-study" });
    const node = el("div", { class: "sitting card" },
      el("div", { class: "sitting-line" }, picker,
        el("div", { class: "grow sitting-progress" }, el("div", { class: "row-between small" }, count, today), rack, el("div", { class: "row-between small" }, round, left.node)), tools),
      told, others);

    const blind = document.body.classList.contains("role-annotator");
    const write = (place, text) => { if (place.textContent !== text) place.textContent = text; };

    function tally(t) {
      const done = Math.min(t.mine, t.target);
      write(count, t.mine < t.target ? `${t.mine} of ${t.target} votes` : `${judging.plural(t.mine, "vote")}, the goal of ${t.target} is reached`);
      write(today, [t.today === t.mine ? "all today" : `${t.today} today`, minutes(t.seconds_today || 0)].filter(Boolean).join(", "));
      today.hidden = !t.mine;
      rack.firstChild.style.setProperty("--value", `${(100 * done) / t.target}%`);
      rack.setAttribute("aria-valuenow", String(done));
      rack.setAttribute("aria-valuemax", String(t.target));
      write(round, t.round_total ? `Round: ${t.round_done.toLocaleString("en")} of ${t.round_total.toLocaleString("en")} judgements` : "");
      left.show(t.left_chosen, t.left_of);
    }

    /** last: {answer, reveal, saved} of the last vote, or null. */
    function reveal(last, layout) {
      const quiet = (text) => el("span", { class: "muted" }, text);
      if (!last && blind) return told.replaceChildren(quiet("Who wrote what is not told here: judge what you read."));
      if (!last) return told.replaceChildren(quiet("Which model wrote what is told here after each vote. One prompt in five only measures; votes on the others can train."));
      if (last.answer.choice === "skip") return told.replaceChildren(quiet("Skipped."));
      const said = `You said: ${last.said || layout.said(last.answer)}.`;
      if (!last.reveal) return told.replaceChildren(quiet(last.saved ? `Saved. ${said}` : `Kept in this browser${blind ? "" : "; names are told once the vote is saved"}. ${said}`));
      if (last.reveal.length > 1 && new Set(last.reveal).size === 1) return told.replaceChildren(quiet("Last pair:"), el("span", {}, "both answers were drawn from ", el("b", {}, last.reveal[0])), quiet(said));
      const winners = last.winners || layout.winners(last.answer);
      const named = (name, index) => el("span", { class: `revealed${winners.includes(index) ? " is-winner" : ""}` },
        el("span", { class: `chip chip-${judging.LETTERS[index].toLowerCase()}` }, judging.LETTERS[index]), el("b", { class: "truncate" }, name));
      return told.replaceChildren(quiet("Last pair:"), ...last.reveal.map(named), quiet(said));
    }

    function studies(list, name) {
      select.replaceChildren(...list.map((study) => el("option", { value: study.name, selected: study.name === name }, `${study.name}${study.open ? "" : " (closed)"}`)));
      picker.hidden = !list.length;
      select.value = name;
    }

    function strangers(n) {
      others.hidden = !n;
      write(others, n ? `${judging.plural(n, "vote")} of somebody else ${n === 1 ? "waits" : "wait"} in this browser, and will be saved when that person signs in here again.` : "");
    }

    return { node, tools, tally, reveal, studies, strangers };
  };

  /** How often the answer on the left was chosen: one who reads both sides ends up near the middle. */
  function leftMeter(el) {
    const words = el("span", {});
    const track = el("span", { class: "left-track", "aria-hidden": "true" }, el("i", {}));
    const node = el("span", { class: "left-meter", hidden: true, title: "How often you chose the answer on the left; the sides are drawn by lot" }, words, track);

    function show(chosen, of) {
      node.hidden = !(of >= ENOUGH);
      if (node.hidden) return;
      const share = chosen / of;
      const odd = of >= NOTED && Math.abs(share - 0.5) > 0.98 / Math.sqrt(of);
      const text = `Left ${Math.round(100 * share)} % of ${of}${odd ? ": read both sides" : ""}`;
      if (words.textContent !== text) words.textContent = text;
      words.className = odd ? "chip chip-warning" : "muted num";
      track.style.setProperty("--share", `${100 * share}%`);
    }

    return { node, show };
  }
})();
