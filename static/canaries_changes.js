/*
 * Two models side by side on the canaries: the words that went and came, and whether that is better or worse.
 *
 *   ratchet.canaries.changes(known, redraw)   a section; its show(model, number) turns to a model and a prompt
 */
(() => {
  "use strict";

  const { el, api, toast, diff } = window.ratchet;
  const CHOICES = [["better", "Better"], ["same", "As good"], ["worse", "Worse"]];
  const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const option = (name) => el("option", { value: name }, name);

  function changes(known) {
    if (known.models.length < 2) return null;
    const names = known.models.map((one) => one.model);
    const before = el("select", { id: "canaries-before", onchange: () => fill() }, names.map(option));
    const after = el("select", { id: "canaries-after", onchange: () => fill() }, names.map(option));
    const only = el("input", { type: "checkbox", id: "canaries-only", checked: true, onchange: () => draw() });
    const list = el("div", { class: "stack" });
    const section = el("section", { class: "stack", id: "canaries-changes", "aria-labelledby": "canaries-changes-title" },
      el("h3", { id: "canaries-changes-title" }, "What changed"),
      el("div", { class: "line canaries-choose" },
        el("div", { class: "field" }, el("label", { for: "canaries-before" }, "From"), before), el("div", { class: "field" }, el("label", { for: "canaries-after" }, "To"), after),
        el("label", { class: "check", for: "canaries-only" }, only, "Only what changed")), list);
    let told = null;
    let asked = 0;
    before.value = known.champion && names.includes(known.champion) ? known.champion : names[0];
    const others = known.models.filter((one) => one.model !== before.value);
    after.value = (others.findLast((one) => one.answered > 0) || others.at(-1)).model; // the newest one with something to read
    section.show = (model, number) => {
      if (model === before.value) before.value = names.find((name) => name !== model);
      after.value = model;
      fill(number);
    };
    fill();
    return section;

    async function fill(number = null) {
      const turn = ++asked;
      try {
        const found = await api(`/api/canaries/changes?${new URLSearchParams({ before: before.value, after: after.value })}`);
        if (turn !== asked) return;
        told = found;
        draw(number);
      } catch (error) {
        if (turn === asked) list.replaceChildren(el("p", { class: "notice notice-bad" }, error.message));
      }
    }

    function draw(number = null) {
      const rows = told.rows.filter((row) => !only.checked || row.number === number || (row.before && row.after && !row.same));
      const unasked = told.rows.filter((row) => !row.before || !row.after).length;
      list.replaceChildren(...[rows.map(one), rows.length === 0 && el("p", { class: "muted" }, unasked === told.rows.length ? "They have not both answered yet." : "Not a word has changed."),
        unasked > 0 && unasked < told.rows.length && el("p", { class: "muted small" }, `${unasked} of ${told.rows.length} prompts are not answered by both.`)].flat().filter(Boolean));
      if (number !== null) list.querySelector(`[data-number="${number}"]`)?.focus();
    }

    function one(row) {
      const both = row.before && row.after;
      const text = both ? diff.inline(row.before.text, row.after.text) : (row.after || row.before)?.text ?? "(not answered)";
      return el("article", { class: "canaries-change stack-s", tabindex: -1, dataset: { number: row.number }, "aria-label": `Canary ${row.number}` },
        el("h4", {}, `${row.number}. ${row.prompt}`),
        el("p", { class: "answer canaries-answer" }, text, row.same && el("span", { class: "muted small" }, " (the same words)")),
        verdicts(row), both && !row.same && votes(row));
    }

    function verdicts(row) {
      const found = row.after?.verdicts || [];
      const met = new Map((row.before?.verdicts || []).map((verdict) => [verdict.id, verdict.holds]));
      return found.length > 0 && el("ul", { class: "plain-list canaries-verdicts" }, found.map(({ id, says, holds }) =>
        el("li", {}, el("span", { class: `chip ${holds ? "chip-good" : holds === null ? "chip-warning" : "chip-bad"}` }, holds ? "met" : holds === null ? "not scored" : "not met"), ` ${says}`,
          holds === false && met.get(id) === false ? el("span", { class: "muted small" }, `, nor by ${told.before}`) : null)));
    }

    function votes(row) {
      const buttons = CHOICES.map(([choice, label]) => el("button", { type: "button", "aria-pressed": String(row.mine === choice), onclick: () => cast(row, row.mine === choice ? null : choice) },
        label, row.votes[choice] > 0 && el("span", { class: "muted num" }, ` ${row.votes[choice]}`)));
      return el("div", { class: "segmented", role: "group", "aria-label": `Is the answer of ${told.after} to canary ${row.number} better?` }, buttons);
    }

    async function cast(row, choice) {
      try {
        await api("/api/canaries/votes", { body: { id: newId(), prompt_sha256: row.prompt_sha256, before: row.before.sha256, after: row.after.sha256, choice } });
        const focused = document.activeElement?.textContent;
        await fill();
        const again = list.querySelector(`[data-number="${row.number}"]`);
        [...(again?.querySelectorAll(".segmented button") || [])].find((button) => focused && button.textContent.split(" ")[0] === focused.split(" ")[0])?.focus();
      } catch (error) {
        toast(error.message, "bad");
      }
    }
  }

  window.ratchet.canaries = { ...window.ratchet.canaries, changes };
})();
