/*
 * The settings of a study as a form, for making one and for changing one; a picture for each layout.
 *
 *   ratchet.studies   {settings(values, sizes), card, field, command, quote, flags, plural, act}
 */
(() => {
  "use strict";

  const { el, toast } = window.ratchet;
  const ASKING = [["off", "Not asked"], ["optional", "Optional"], ["required", "Required"]];
  const LAYOUTS = {
    pair: ["Two side by side", "Which one is better"],
    rank: ["Rank several", "Best first, ties allowed"],
    rate: ["Rate one", "Thumbs or a scale"],
    turns: ["Conversations", "Both sides go on"],
  };
  // [key, label, kind, more, the layouts that have it]
  const FIELDS = [
    ["sides", "Answers to rank", "number", { min: 3, max: 8 }, ["rank"]],
    ["scale", "Scale", "choice", [[2, "Thumbs"], [3, "1 to 3"], [5, "1 to 5"], [7, "1 to 7"]], ["rate"]],
    ["continues", "How conversations go on", "choice", [["both", "Each side from its own answer"], ["chosen", "The chosen answer on both sides"]], ["turns"]],
    ["overlap", "People who judge each comparison", "number", { min: 1, max: 100 }],
    ["target", "Votes of one sitting", "number", { min: 1, max: 100000 }],
    ["choice", "Next comparison", "choice", [["random", "At random, everything once first"], ["active", "What tells most first"]]],
    ["pace", "Answers appear", "choice", [["stream", "Word by word, at one pace"], ["together", "Together, when all are whole"]]],
    ["strength", "How much better", "choice", ASKING],
    ["rationale", "Why, in words", "choice", ASKING],
    ["gold_every", "Known answer every … comparisons (0: never)", "number", { min: 0, max: 1000 }],
    ["second_every", "Second look every … comparisons (0: never)", "number", { min: 0, max: 1000 }],
    ["lease_minutes", "Minutes for which a comparison is kept", "number", { min: 0.01, max: 1440, step: "any" }],
    ["people", "People, one a line (empty: everybody)", "lines", { placeholder: "Everybody" }],
    ["chips", "Reasons to tick, one a line", "lines", { placeholder: "too long" }],
    ["skip_reasons", "Reasons to skip, one a line", "lines", {}],
  ];

  const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
  const quote = (text) => (/^[\w./,:=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

  function card(id, title, lead, ...content) {
    return el("section", { class: "card stack studies-card", id, "aria-labelledby": `${id}-title` },
      el("h2", { id: `${id}-title` }, title), lead && el("p", { class: "muted small" }, lead), ...content);
  }

  function field(id, label, control, hint) {
    return el("div", { class: "field" }, el("label", { for: id }, label), control, hint && el("p", { class: "hint" }, hint));
  }

  const command = (line, label = "The same as a command") =>
    el("div", { class: "command", role: "group", "aria-label": label }, el("code", { tabindex: 0 }, line));

  /** Settings as flags of the command line. */
  const flags = (settings) => Object.entries(settings).map(([key, value]) =>
    ` --set ${quote(`${key}=${typeof value === "string" ? value : JSON.stringify(value)}`)}`).join("");

  /** Does something and says what came of it; the error's sentence where it failed. */
  async function act(call, sentence, undo = null) {
    try {
      const answer = await call();
      if (sentence) toast(sentence, "good", undo);
      return answer;
    } catch (error) {
      toast(error.message, "bad");
      return null;
    }
  }

  /** What a layout looks like, 96 by 54. */
  function picture(layout) {
    const box = (x, y, width, height, kind = "") => el("svg:rect", { x, y, width, height, rx: 3, class: `studies-shape ${kind}` });
    const text = (x, y, words) => el("svg:text", { x, y, class: "studies-letter", "text-anchor": "middle" }, words);
    const shapes = {
      pair: [box(6, 8, 40, 38, "is-a"), box(50, 8, 40, 38, "is-b"), text(26, 32, "A"), text(70, 32, "B")],
      rank: [0, 1, 2].map((place) => [box(22, 6 + 15 * place, 68, 12, place ? "" : "is-a"), text(12, 16 + 15 * place, place + 1)]),
      rate: [box(18, 6, 60, 26), [0, 1, 2, 3, 4].map((place) => el("svg:circle", { cx: 24 + 12 * place, cy: 43, r: 4, class: `studies-shape ${place < 3 ? "is-a" : ""}` }))],
      turns: [0, 1].map((side) => [box(6 + 46 * side, 6, 28, 9), box(16 + 46 * side, 19, 28, 13, side ? "is-b" : "is-a"), box(6 + 46 * side, 36, 28, 9)]),
    };
    return el("svg", { viewBox: "0 0 96 54", width: 96, height: 54, "aria-hidden": "true" }, shapes[layout]);
  }

  function layoutPicker(name, chosen, changed) {
    const radios = Object.entries(LAYOUTS).map(([layout, [title, words]]) => el("label", { class: "check studies-layout" },
      el("input", { type: "radio", name, value: layout, checked: layout === chosen, onchange: changed }),
      picture(layout), el("span", {}, el("b", {}, title), el("span", { class: "muted small" }, words))));
    const box = el("fieldset", { class: "studies-layouts" }, el("legend", {}, "Layout"), radios);
    box.read = () => box.querySelector("input:checked").value;
    return box;
  }

  /** Criteria as rows: what, its scale, whether it must be rated. */
  function criteriaEditor(prefix, values, changed) {
    let number = 0;
    const list = el("ul", { class: "plain-list stack-s" });
    const slug = (label) => label.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 32);
    const add = (value) => {
      number += 1;
      const label = el("input", { type: "text", class: "input", maxlength: 100, value: value.label, placeholder: "Helpful", "aria-label": `Criterion ${number}`, oninput: changed });
      const scale = el("select", { class: "input studies-scale", "aria-label": `Scale of criterion ${number}`, onchange: changed }, [2, 3, 5, 7].map((most) => el("option", { value: most, selected: most === value.scale }, `1 to ${most}`)));
      const required = el("input", { type: "checkbox", checked: value.required, onchange: changed });
      const row = el("li", { class: "line studies-criterion" }, label, scale, el("label", { class: "check" }, required, "Required"),
        el("button", { type: "button", class: "button button-ghost button-s", "aria-label": `Remove criterion ${number}`, onclick: () => { row.remove(); more.focus(); changed(); } }, "Remove"));
      row.read = () => ({ key: value.key || slug(label.value) || `criterion_${[...list.children].indexOf(row) + 1}`, label: label.value.trim(), scale: Number(scale.value), required: required.checked });
      list.append(row);
      return label;
    };
    const more = el("button", { type: "button", class: "button button-secondary button-s", onclick: () => { add({ label: "", scale: 5, required: false }).focus(); changed(); } }, "Add a criterion");
    values.forEach(add);
    const box = el("fieldset", { class: "studies-criteria stack-s", id: `${prefix}-criteria` }, el("legend", {}, "Criteria, rated for each answer"), list, el("div", {}, more));
    box.read = () => [...list.children].map((row) => row.read()).filter((one) => one.label);
    return box;
  }

  function control(id, kind, more, value, changed) {
    if (kind === "choice") return el("select", { id, onchange: changed }, more.map(([word, label]) => el("option", { value: word, selected: word === value }, label)));
    if (kind === "lines") return el("textarea", { id, rows: 2, ...more, value: value.join("\n"), oninput: changed });
    return el("input", { id, type: "number", ...more, value: String(value), oninput: changed });
  }

  function valueOf(kind, node, more) {
    if (kind === "lines") return node.value.split("\n").map((line) => line.trim()).filter(Boolean);
    if (kind === "choice") return typeof more[0][0] === "number" ? Number(node.value) : node.value;
    return node.value === "" ? null : Number(node.value);
  }

  /**
   * The form of the settings `values`. Gives {element, read(), changes(before)}; `changed()` after each change.
   * `usual`: what nobody need say.
   */
  function settings(prefix, values, changed) {
    const layout = layoutPicker(`${prefix}-layout`, values.layout, () => { show(); changed(); });
    const nodes = FIELDS.map(([key, label, kind, more, layouts]) => {
      const node = control(`${prefix}-${key}`, kind, more, values[key], changed);
      return { key, kind, more, layouts, node, box: field(`${prefix}-${key}`, label, node) };
    });
    const criteria = criteriaEditor(prefix, values.criteria, changed);
    const of = (kinds) => nodes.filter((one) => kinds(one)).map((one) => one.box);
    const shape = ["sides", "scale", "continues", "overlap", "target", "choice", "pace"];
    const asked = ["strength", "rationale", "chips", "skip_reasons"];
    const element = el("div", { class: "stack" }, layout,
      el("div", { class: "fields" }, of((one) => shape.includes(one.key))),
      el("details", { class: "studies-more" }, el("summary", {}, "What is asked beside the choice"),
        el("div", { class: "stack" }, el("div", { class: "fields" }, of((one) => asked.includes(one.key))), criteria)),
      el("details", { class: "studies-more" }, el("summary", {}, "Who takes part, and how they are checked"),
        el("div", { class: "fields" }, of((one) => !shape.includes(one.key) && !asked.includes(one.key)))));
    show();
    return { element, read, changes: (before) => Object.fromEntries(Object.entries(read()).filter(([key, value]) => !same(value, before[key]))) };

    function show() {
      const now = layout.read();
      for (const one of nodes) one.box.hidden = Boolean(one.layouts) && !one.layouts.includes(now);
      const sides = nodes.find((one) => one.key === "sides").node;
      if (now === "rank" && Number(sides.value) < 3) sides.value = "3";
    }

    function read() {
      const found = { layout: layout.read(), criteria: criteria.read() };
      for (const one of nodes) if (!one.box.hidden) found[one.key] = valueOf(one.kind, one.node, one.more);
      if (found.layout !== "rank") found.sides = found.layout === "rate" ? 1 : 2;
      return found;
    }
  }

  window.ratchet.studies = { settings, card, field, command, quote, flags, plural, act, picture, LAYOUTS };
})();
