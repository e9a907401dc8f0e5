/*
 * The second stage: how much better, criteria, reasons, rationale. A panel in place, below the answers.
 *
 *   judging.stage(node, keys)          hears keys while `node` is to be seen, before every other binding of the page
 *   judging.missing(settings, answer, values, sides)   what is required and not said yet, in words
 *   judging.details(el, on)            → { node, open(about), close() }    on: { save(values), back(values), fix(values) }
 *
 * Numbers go to the field in focus, and to the strength where none is; letters are the reasons'.
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const STRENGTHS = ["negligible", "slightly better", "better", "significantly better"]; // Llama 2's four levels, stored as 0 to 3
  const RESERVED = ["f", "g"]; // mend, guidelines

  const twoSided = ({ choice }) => choice === "left" || choice === "right";
  const filled = (value) => value !== null && value !== undefined;

  /** Keys of a panel: `hear(event)` says whether it took the key. Text fields elsewhere on the page keep theirs. */
  judging.stage = (node, hear) => {
    const listen = (event) => {
      if (node.hidden || event.defaultPrevented || event.isComposing || event.ctrlKey && event.key !== "Enter" || event.metaKey && event.key !== "Enter" || event.altKey) return;
      if (document.querySelector("dialog[open]")) return;
      const field = event.target.closest?.("input, textarea, select");
      if (field && !node.contains(field)) return;
      if (hear(event, field)) { event.preventDefault(); event.stopPropagation(); }
    };
    document.addEventListener("keydown", listen, true);
    return () => document.removeEventListener("keydown", listen, true);
  };

  judging.missing = (settings, answer, values, sides) => {
    const found = [];
    if (settings.strength === "required" && twoSided(answer) && !filled(values.strength)) found.push("how much better the answer is");
    for (const one of settings.criteria || []) {
      const given = values.criteria?.[one.key] || [];
      if (one.required && Array.from({ length: sides }, (_, side) => given[side]).some((value) => !filled(value))) found.push(`“${one.label}” of ${sides === 1 ? "the answer" : "every answer"}`);
    }
    if (settings.rationale === "required" && !values.rationale?.trim()) found.push("a rationale");
    return found;
  };

  /** What a vote says besides the choice: nothing that does not fit the choice, nothing empty. */
  judging.said = (answer, values, sides) => {
    const criteria = Object.entries(values.criteria || {}).map(([key, given]) => [key, Array.from({ length: sides }, (_, side) => given[side] ?? null)]).filter(([, given]) => given.some(filled));
    return { strength: twoSided(answer) && filled(values.strength) ? values.strength : null, criteria: criteria.length ? Object.fromEntries(criteria) : null,
      chips: values.chips?.length ? values.chips : null, rationale: values.rationale?.trim() || null, edited: values.edited || null };
  };

  judging.details = (el, on) => {
    const title = el("h2", {});
    const rows = el("div", { class: "details-rows" });
    const lack = el("p", { class: "small field-error", role: "alert" });
    const mend = el("button", { type: "button", class: "button", onclick: () => on.fix(values) }, "Mend the better answer ", el("kbd", {}, "F"));
    const save = el("button", { type: "button", class: "button button-primary", onclick: () => finish() }, "Save ", el("kbd", {}, "Enter"));
    const back = el("button", { type: "button", class: "button button-ghost", onclick: () => on.back(values) }, "Back ", el("kbd", {}, "Esc"));
    const node = el("section", { class: "card second details", hidden: true, "aria-label": "About your vote" },
      el("div", { class: "card-head" }, title), rows, lack, el("div", { class: "line second-foot" }, save, mend, el("span", { class: "grow" }), back));
    let values = {};
    let about = null;
    let letters = new Map();

    /** about: { settings, answer, sides, title, values } */
    function open(what) {
      about = what;
      values = what.values;
      const { settings, answer } = what;
      title.textContent = what.title;
      letters = reasonLetters(settings.chips || []);
      const asked = [
        settings.strength && settings.strength !== "off" && twoSided(answer) && strengthRow(settings.strength),
        ...(settings.criteria || []).map(criterionRow),
        settings.chips?.length && chipRow(settings.chips),
        settings.rationale && settings.rationale !== "off" && rationaleRow(settings.rationale),
      ].filter(Boolean);
      rows.replaceChildren(...(asked.length ? asked : [el("p", { class: "muted" }, "This study asks for nothing more; the better answer can be mended.")]));
      lack.textContent = "";
      mend.firstChild.textContent = values.edited ? "Mended: look again " : "Mend the better answer ";
      node.hidden = false;
      (node.querySelector("[role=radio][tabindex='0'], [aria-pressed], textarea") || save).focus({ preventScroll: true });
      node.scrollIntoView({ block: "nearest" });
    }

    /* -- Rows -- */

    const legend = (text, level) => el("span", { class: "details-label" }, text, level === "required" || level === true ? el("span", { class: "details-must" }, " needed") : null);

    /** One of a few: number keys, arrows, or a click. */
    function scale(name, labels, get, set) {
      const group = el("div", { class: "scale", role: "radiogroup", "aria-label": name });
      const draw = () => {
        const at = get();
        [...group.children].forEach((button, index) => {
          button.setAttribute("aria-checked", String(index === at));
          button.tabIndex = index === (filled(at) && at >= 0 ? at : 0) ? 0 : -1;
        });
      };
      group.append(...labels.map(({ cap, label }, index) => el("button", { type: "button", role: "radio", "aria-checked": "false", onclick: () => { set(index); draw(); } },
        el("kbd", { "aria-hidden": "true" }, cap), label ? el("span", {}, label) : el("span", { class: "visually-hidden" }, cap))));
      group.pick = (index) => { if (index >= 0 && index < labels.length) { set(index); draw(); lack.textContent = ""; } return index < labels.length; };
      group.at = get;
      draw();
      return group;
    }

    function strengthRow(level) {
      const group = scale("How much better", STRENGTHS.map((label, index) => ({ cap: String(index + 1), label })), () => values.strength ?? -1, (index) => { values.strength = index; });
      group.classList.add("scale-words", "is-strength");
      return el("div", { class: "details-row" }, legend("How much better?", level), group);
    }

    function criterionRow({ key, label, scale: steps, required }) {
      const given = ((values.criteria ||= {})[key] ||= []);
      const sides = Array.from({ length: about.sides }, (_, side) => {
        const letter = judging.LETTERS[side];
        const group = scale(`${label}, answer ${letter}`, Array.from({ length: steps }, (_, step) => ({ cap: String(step + 1) })), () => (given[side] ?? 0) - 1, (index) => { given[side] = index + 1; });
        return el("div", { class: "details-side" }, about.sides > 1 ? el("span", { class: `chip chip-${letter.toLowerCase()}`, "aria-hidden": "true" }, letter) : null, group);
      });
      return el("div", { class: "details-row" }, legend(label, required), el("div", { class: "details-sides" }, sides));
    }

    function chipRow(chips) {
      const pressed = () => (values.chips ||= []);
      return el("div", { class: "details-row" }, legend("Why?"), el("div", { class: "line", role: "group", "aria-label": "Reasons" }, chips.map((chip) => {
        const button = el("button", { type: "button", class: "reason", "aria-pressed": String(pressed().includes(chip)), dataset: { chip },
          onclick: () => { values.chips = pressed().includes(chip) ? pressed().filter((one) => one !== chip) : [...pressed(), chip]; button.setAttribute("aria-pressed", String(pressed().includes(chip))); } },
          letterOf(chip) ? el("kbd", { "aria-hidden": "true" }, letterOf(chip).toUpperCase()) : null, chip);
        return button;
      })));
    }

    function rationaleRow(level) {
      const text = el("textarea", { class: "input", id: "vote-rationale", rows: "2", maxlength: "10000", value: values.rationale || "",
        oninput: () => { values.rationale = text.value; on.draft?.(values); } });
      return el("div", { class: "details-row" }, el("label", { for: "vote-rationale", class: "details-label" }, "In your own words", level === "required" ? el("span", { class: "details-must" }, " needed") : null), text);
    }

    const letterOf = (chip) => [...letters].find(([, one]) => one === chip)?.[0];

    /** The first free letter of each reason, else any free one. */
    function reasonLetters(chips) {
      const found = new Map();
      const free = (letter) => /[a-z]/.test(letter) && !RESERVED.includes(letter) && !found.has(letter);
      for (const chip of chips) {
        const letter = [...chip.toLowerCase(), ..."abcdefghijklmnopqrstuvwxyz"].find(free);
        if (letter) found.set(letter, chip);
      }
      return found;
    }

    /* -- Keys -- */

    const groups = () => [...rows.querySelectorAll("[role=radiogroup]")];

    function number(index) {
      const all = groups();
      const group = document.activeElement?.closest?.("[role=radiogroup]") || rows.querySelector(".is-strength") || all.find((one) => one.at() < 0) || all[0];
      if (!group || !group.pick(index)) return false;
      const next = all[all.indexOf(group) + 1];
      (next || group).querySelector("[tabindex='0']").focus({ preventScroll: true });
      (next || group).scrollIntoView({ block: "nearest" });
      return true;
    }

    function arrow(step) {
      const group = document.activeElement?.closest?.("[role=radiogroup]");
      if (!group) return false;
      group.pick(Math.max(0, Math.min(group.children.length - 1, group.at() + step)));
      group.querySelector("[tabindex='0']").focus();
      return true;
    }

    const stop = judging.stage(node, (event, field) => {
      const { key } = event;
      if (key === "Escape") { on.back(values); return true; }
      if (key === "Enter" && !event.shiftKey && !event.repeat) {
        if (document.activeElement === back || document.activeElement === mend) return false;
        finish();
        return true;
      }
      if (field || event.ctrlKey || event.metaKey) return false;
      if (/^[1-9]$/.test(key)) return number(Number(key) - 1);
      if (key === "ArrowRight" || key === "ArrowUp") return arrow(1);
      if (key === "ArrowLeft" || key === "ArrowDown") return arrow(-1);
      if (key.toLowerCase() === "f") { if (!event.repeat) on.fix(values); return true; }
      const chip = letters.get(key.toLowerCase());
      if (!chip) return false;
      if (!event.repeat) rows.querySelector(`[data-chip="${CSS.escape(chip)}"]`).click();
      return true;
    });

    function finish() {
      const missing = judging.missing(about.settings, about.answer, values, about.sides);
      if (!missing.length) return on.save(values);
      lack.textContent = `This study asks for ${missing.join(" and ")}.`;
      const empty = groups().find((group) => group.at() < 0 && group.closest(".details-row").querySelector(".details-must"));
      (empty?.querySelector("[tabindex='0']") || rows.querySelector("textarea"))?.focus();
      return undefined;
    }

    return { node, open, close: () => { node.hidden = true; }, stop };
  };
})();
