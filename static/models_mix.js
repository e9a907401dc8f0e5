/*
 * Mixing adapters into a new model, which becomes a candidate to be voted on like any other.
 *
 *   ratchet.models.mix(one, all, changed)   the dialog; it follows the task to its end
 */
(() => {
  "use strict";

  const { el, api, dialog, toast } = window.ratchet;
  const models = window.ratchet.models;
  const AGAIN = 800; // ms between two looks at the task
  const field = (id, name, control, hint) => el("div", { class: "field" }, el("label", { for: id }, name), control, hint);

  models.mix = async (one, all, changed) => {
    const others = all.filter((other) => other.id !== one.id && other.kind === "adapter" && !other.gone && other.base_id === one.base_id);
    if (!others.length) {
      toast("There is no other adapter on the same base to mix with yet.", "info");
      return;
    }
    let ways;
    try {
      ({ ways } = await api("/api/models/mixing/ways"));
    } catch (error) {
      toast(error.message, "bad");
      return;
    }
    const taken = new Set(all.map(({ name }) => name));
    const free = (wish) => { for (let at = 1; ; at += 1) if (!taken.has(at === 1 ? wish : `${wish}-${at}`)) return at === 1 ? wish : `${wish}-${at}`; };
    const name = el("input", { id: "mix-name", value: free("mix"), maxlength: 64, required: true, autocomplete: "off", spellcheck: "false" });
    const told = el("p", { class: "hint" });
    const how = el("select", { id: "mix-how", onchange: turn }, ways.map((way) => el("option", { value: way.name, selected: way.name === "cat" }, way.name)));
    const density = el("input", { id: "mix-density", type: "number", value: "0.5", min: 0.01, max: 1, step: "any" });
    const densityField = field("mix-density", "Share of weights that is kept", density);
    const rows = [one, ...others].map((part, at) => {
      const use = el("input", { type: "checkbox", id: `mix-${at}`, checked: at < 2, onchange: () => { weight.disabled = !use.checked; } });
      const weight = el("input", { type: "number", value: "0.5", step: "any", min: -10, max: 10, disabled: at > 1, "aria-label": `Weight of ${part.name}` });
      return { part, use, weight, element: el("li", { class: "row-between" }, el("label", { class: "check", for: `mix-${at}` }, use, part.name), weight) };
    });
    const error = el("p", { class: "field-error", role: "alert", hidden: true });
    const said = el("div", { class: "stack-s", role: "status" });
    const go = el("button", { type: "submit", class: "button button-primary", id: "mix-begin" }, "Mix and measure");
    const form = el("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); begin(); } },
      field("mix-name", "Name of the new model", name), el("ul", { class: "models-mix", "aria-label": "Adapters and their weights" }, rows.map((row) => row.element)),
      field("mix-how", "How", how, told), densityField, error, said, el("div", { class: "dialog-buttons" }, go));
    const box = dialog(`Mix ${one.name} with others`, form, [{ label: "Close", kind: "secondary", run: () => {} }]);
    turn();
    name.select();

    function turn() {
      const way = ways.find((other) => other.name === how.value);
      told.textContent = `${way.help[0].toUpperCase()}${way.help.slice(1)}.`;
      densityField.hidden = !way.thinned;
    }

    async function begin() {
      if (go.disabled) return;
      go.disabled = true;
      error.hidden = true;
      const used = rows.filter(({ use }) => use.checked);
      try {
        const { task } = await api("/api/models/mixing", { body: { name: name.value.trim(), models: used.map(({ part }) => part.name), weights: used.map(({ weight }) => Number(weight.value)), how: how.value, density: Number(density.value) } });
        const made = await ended(task);
        box.close();
        toast(made.study ? `${made.model} is the candidate of round ${made.round}: vote in ${made.study}.` : `${made.model} is made. ${made.stays || ""}`, "good");
      } catch (problem) {
        error.textContent = problem.message;
        error.hidden = false;
      } finally {
        go.disabled = false;
        said.replaceChildren();
      }
      await changed();
    }

    async function ended(id) {
      for (;;) {
        const task = await api(`/api/data/tasks/${id}`);
        if (task.status === "done") return task.result;
        if (task.status === "failed" || task.status === "stopped") throw new Error(task.error?.sentence || "It was not mixed.");
        said.replaceChildren(el("p", { class: "muted" }, task.message || "It begins in a moment."),
          el("div", { class: "progress", role: "progressbar", "aria-label": "Mixing", "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(100 * task.progress) }, el("span", { style: { "--value": `${100 * task.progress}%` } })));
        await new Promise((done) => setTimeout(done, AGAIN));
      }
    }
  };
})();
