/*
 * The study's guidelines: a panel under G, marked as new until they were opened or judged by.
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });

  judging.extras.guidelines = (desk) => {
    const { el, places } = desk;
    const { api, markdown, diff } = window.ratchet;
    const mark = el("span", { class: "chip chip-accent chip-dot", hidden: true }, "new since you last judged");
    const button = el("button", { type: "button", class: "button button-s button-ghost", "aria-expanded": "false", "aria-controls": "guidelines", hidden: true, onclick: toggle }, "Guidelines ", el("kbd", { dataset: { cap: "guidelines" } }, "G"));
    const number = el("span", { class: "muted small" });
    const versions = el("select", { class: "input", "aria-label": "Version of the guidelines", onchange: () => show(Number(versions.value)) });
    const compare = el("button", { type: "button", class: "button button-s", "aria-pressed": "false", onclick: () => { changes = !changes; show(Number(versions.value)); } }, "What changed");
    const text = el("div", { class: "prose guidelines-text", tabindex: "0", role: "region", "aria-label": "The guidelines" });
    const panel = el("section", { class: "card guidelines", id: "guidelines", hidden: true, "aria-label": "Guidelines" },
      el("div", { class: "card-head" }, el("h2", {}, "Guidelines"), el("div", { class: "line" }, number, versions, compare,
        el("button", { type: "button", class: "button button-s", onclick: toggle }, "Close"))), text);
    places.study.append(button, mark);
    places.above.append(panel);
    let now = null; // the newest
    let all = [];
    let changes = false;
    let study = null;

    const name = () => `ratchet.guidelines.${encodeURIComponent(desk.person)}.${study}`;

    function seen(value) {
      try {
        if (value === undefined) return Number(localStorage.getItem(name()));
        localStorage.setItem(name(), String(value));
      } catch { /* storage is switched off: they are new each time */ }
      return value;
    }

    desk.when("sitting", (sitting) => {
      if (study !== sitting.study) { study = sitting.study; if (!panel.hidden) toggle(); }
      now = sitting.guidelines;
      button.hidden = !now;
      if (now) mark.hidden = seen() >= now.number || !panel.hidden;
      else if (!panel.hidden) toggle();
    });
    desk.when("saved", (item) => { if (item.guidelines && item.guidelines >= seen()) seen(item.guidelines); });

    async function toggle() {
      if (!now && panel.hidden) return;
      panel.hidden = !panel.hidden;
      button.setAttribute("aria-expanded", String(!panel.hidden));
      if (panel.hidden) return;
      mark.hidden = true;
      all = [now];
      changes = seen() > 0 && seen() < now.number;
      seen(now.number);
      draw(now.number);
      try {
        const found = (await api(`/api/compare/guidelines?study=${encodeURIComponent(study)}`)).versions;
        if (found.length) all = found;
      } catch { /* the newest is here already */ }
      draw(now.number);
    }

    function draw(which) {
      versions.replaceChildren(...all.map((one) => el("option", { value: one.number }, `Version ${one.number}${one.number === now.number ? ", in force" : ""}`)));
      versions.hidden = all.length < 2;
      show(which);
    }

    function show(which) {
      const one = all.find((version) => version.number === which) || now;
      const before = all.find((version) => version.number < one.number);
      versions.value = String(one.number);
      number.textContent = one.created_at ? `since ${new Date(one.created_at * 1000).toLocaleDateString(undefined, { dateStyle: "medium" })}` : `Version ${one.number}`;
      compare.hidden = !before;
      compare.setAttribute("aria-pressed", String(changes && Boolean(before)));
      if (changes && before) text.replaceChildren(el("p", { class: "guidelines-diff" }, diff.inline(before.text, one.text)));
      else text.replaceChildren(markdown(one.text));
    }

    desk.keys([{ id: "guidelines", label: "Show or hide the guidelines", keys: ["g"], run: toggle }]);
  };
})();
