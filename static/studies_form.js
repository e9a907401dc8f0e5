/*
 * The form that makes a study: contestants on the prompts of a dataset, or answers that a dataset holds already.
 */
(() => {
  "use strict";

  const { el, api, studies } = window.ratchet;
  const { card, field, command, quote, flags, act } = studies;

  /** `usual`: settings that nobody need say; `done(name)` when the study stands. */
  studies.form = async (usual, done) => {
    const [{ models }, { datasets }] = await Promise.all([api("/api/models"), api("/api/data/datasets")]);
    const name = el("input", { id: "new-name", type: "text", maxlength: 100, required: true, autocomplete: "off", oninput: tell });
    const source = sourcePicker();
    const contestants = contestantRows(models, tell);
    const prompts = datasetSelect("new-prompts", datasets.filter((one) => one.kind !== "text"), tell);
    const answers = datasetSelect("new-answers", datasets.filter((one) => one.kind === "preference" || one.kind === "prompts"), tell);
    const count = el("input", { id: "new-n", type: "number", min: 1, placeholder: "as many as it takes", oninput: tell });
    const guidelines = el("textarea", { id: "new-guidelines", rows: 4, placeholder: "What to look at. Markdown.", oninput: tell });
    const settings = studies.settings("new", usual, tell);
    const line = command("");
    const asked = el("div", { class: "stack" }, contestants.element, field("new-prompts", "Prompts", prompts));
    const standing = el("div", { class: "stack", hidden: true }, field("new-answers", "Answers", answers, "A dataset of preferences, or of prompts with several answers. No model is asked; what it says about which answer is better is shown to nobody."));
    const form = el("form", { class: "stack", novalidate: true, onsubmit: send }, // the studio's sentence says more than the browser's
      card("new", "A new study", "Whoever judges sees neither the contestants' names nor these settings.",
        el("div", { class: "fields" }, field("new-name", "Name", name), field("new-n", "Comparisons", count)), source.element, asked, standing),
      card("new-settings", "How it is judged", null, settings.element),
      card("new-words", "Guidelines", null, field("new-guidelines", "What people are asked to look at", guidelines)),
      el("div", { class: "stack-s" }, el("div", { class: "line" },
        el("button", { type: "submit", class: "button button-primary" }, "Make the study"),
        el("a", { class: "button button-ghost", href: "/studies" }, "Cancel")), line));
    tell();
    return form;

    function sourcePicker() {
      const option = (value, label) => el("label", { class: "check" }, el("input", { type: "radio", name: "new-source", value, checked: value === "prompts", onchange: turn }), label);
      return { element: el("fieldset", { class: "studies-plain" }, el("legend", {}, "What is compared"), el("div", { class: "line" },
        option("prompts", "Contestants answer prompts"), option("answers", "Answers that exist already"))) };
    }

    function turn() {
      asked.hidden = standingWanted();
      standing.hidden = !asked.hidden;
      tell();
    }

    function standingWanted() {
      return form.querySelector("input[name=new-source]:checked").value === "answers";
    }

    function read() {
      const wanted = { name: name.value.trim(), settings: settings.changes(usual), n: count.value ? Number(count.value) : null, guidelines: guidelines.value };
      if (wanted.settings.layout === undefined || wanted.settings.layout === "pair" || wanted.settings.layout === "turns") delete wanted.settings.sides;
      return form && standingWanted() ? { ...wanted, answers: answers.value } : { ...wanted, prompts: prompts.value, contestants: contestants.read() };
    }

    function tell() {
      if (!line || !form) return;
      const wanted = read();
      const who = wanted.answers !== undefined ? ` --answers ${quote(wanted.answers)}`
        : `${wanted.contestants.map((one) => ` --contestant ${quote(JSON.stringify(one))}`).join("")} --prompts ${quote(wanted.prompts)}`;
      const rest = `${wanted.n ? ` --n ${wanted.n}` : ""}${flags(wanted.settings)}${wanted.guidelines.trim() ? " --guidelines FILE" : ""}`;
      line.firstChild.textContent = `ratchet study ${quote(wanted.name || "NAME")} --create${who}${rest}`;
    }

    async function send(event) {
      event.preventDefault();
      const wanted = read();
      const made = await act(() => api("/api/studies", { body: wanted }), `Study "${wanted.name}" stands.`);
      if (made) done(made.name);
    }
  };

  const datasetSelect = (id, datasets, changed) => el("select", { id, onchange: changed },
    datasets.map((one) => el("option", { value: one.name }, `${one.name} (${one.kind}, ${one.rows.toLocaleString("en")})`)));

  /** Contestants as rows: a model, and a name, a system prompt and sampling where they are its own. */
  function contestantRows(models, changed) {
    let number = 0;
    const list = el("ol", { class: "plain-list stack-s" });
    const add = (model) => {
      number += 1;
      const id = (what) => `contestant-${number}-${what}`;
      const own = number;
      const select = el("select", { id: id("model"), onchange: changed }, models.map((one) => el("option", { value: one.name, selected: one.name === model }, one.name)));
      const name = el("input", { id: id("name"), type: "text", maxlength: 100, placeholder: "as its settings say", autocomplete: "off", oninput: changed });
      const system = el("textarea", { id: id("system"), rows: 2, placeholder: "None", oninput: changed });
      const temperature = el("input", { id: id("temperature"), type: "number", min: 0, max: 5, step: "any", placeholder: "1", oninput: changed });
      const row = el("li", { class: "studies-contestant", "aria-label": `Contestant ${own}` },
        el("div", { class: "fields" }, field(id("model"), "Model", select), field(id("temperature"), "Temperature", temperature), field(id("name"), "Name", name)),
        field(id("system"), "System prompt", system),
        el("div", {}, el("button", { type: "button", class: "button button-ghost button-s", "aria-label": `Remove contestant ${own}`, onclick: () => { row.remove(); more.focus(); changed(); } }, "Remove")));
      row.read = () => ({ model: select.value, ...(name.value.trim() ? { name: name.value.trim() } : {}),
        ...(system.value.trim() ? { system: system.value.trim() } : {}), ...(temperature.value !== "" ? { temperature: Number(temperature.value) } : {}) });
      list.append(row);
      return select;
    };
    const more = el("button", { type: "button", class: "button button-secondary button-s", onclick: () => { add(models.at(-1)?.name).focus(); changed(); } }, "Add a contestant");
    models.slice(-2).forEach((one) => add(one.name));
    if (models.length === 1) add(models[0].name);
    const element = el("fieldset", { class: "studies-plain stack-s" }, el("legend", {}, "Contestants"), list, el("div", {}, more));
    return { element, read: () => [...list.children].map((row) => row.read()) };
  }
})();
