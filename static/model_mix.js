/*
 * Mixing adapters: which, how much of each, and in what way; what comes out is a candidate with a round of its own.
 *
 *   ratchet.mixModels(adapters, chosen)   a dialog over {name, base}[], some of them chosen; resolves to the new name, or null
 */
(() => {
  "use strict";

  const { el, api, dialog, toast, taskEnded, resultOf } = window.ratchet;
  const TITLES = { cat: "Exact sum", linear: "Linear", ties: "TIES", dare_linear: "DARE, linear", dare_ties: "DARE and TIES" };

  const field = (id, label, input, hint) => el("div", { class: "field" }, el("label", { for: id }, label), input,
    hint ? el("p", { class: "hint", id: `${id}-hint` }, hint) : null);

  /** One adapter: whether it goes in, and its weight. */
  function part(model, at, chosen) {
    const tick = el("input", { type: "checkbox", id: `mix-${at}`, checked: chosen });
    const weight = el("input", { type: "number", class: "mix-weight", step: "any", min: -10, max: 10, placeholder: "alike", "aria-label": `Weight of ${model.name}` });
    weight.addEventListener("input", () => { tick.checked = tick.checked || weight.value.trim() !== ""; });
    const element = el("div", { class: "mix-part field" }, el("label", { class: "check", for: `mix-${at}` }, tick, el("span", { dir: "auto" }, model.name)), weight);
    return { model, tick, weight, element };
  }

  function mixModels(adapters, chosen = []) {
    return new Promise((resolve) => {
      const parts = adapters.map((model, at) => part(model, at, chosen.includes(model.name)));
      const name = el("input", { id: "mix-name", autocomplete: "off", spellcheck: "false", maxlength: 64, required: true });
      const how = el("select", { id: "mix-how", "aria-describedby": "mix-how-hint" });
      const density = el("input", { id: "mix-density", type: "number", min: 0.05, max: 1, step: 0.05, value: 0.5 });
      const thinned = field("mix-density", "Share of weights that is kept", density);
      const said = el("div", { class: "stack-s", role: "status", id: "mix-said" });
      const begin = el("button", { type: "submit", class: "button button-primary", id: "mix-begin" }, "Mix and measure");
      const content = el("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); mix(); } },
        el("fieldset", { class: "mix-parts" }, el("legend", {}, "Adapters on one base, and how much of each"), parts.map(({ element }) => element)),
        field("mix-how", "How", how, " "), thinned, field("mix-name", "Name", name), said, el("div", { class: "dialog-buttons" }, begin));
      const box = dialog("Mix adapters", content, [{ label: "Cancel", kind: "secondary", run: () => {} }]);
      let made = null;
      let ways = [];
      box.addEventListener("close", () => resolve(made));
      how.addEventListener("change", turn);
      fill().catch(tell);

      async function fill() {
        ({ ways } = await api("/api/models/mixing/ways"));
        how.replaceChildren(...ways.map((way) => el("option", { value: way.name }, TITLES[way.name] || way.name)));
        how.value = "cat";
        turn();
      }

      function turn() {
        const way = ways.find((one) => one.name === how.value);
        thinned.hidden = !way?.thinned;
        content.querySelector("#mix-how-hint").textContent = way ? `${way.help[0].toUpperCase()}${way.help.slice(1)}.` : "";
      }

      function tell(problem) {
        said.replaceChildren(el("p", { class: "notice notice-bad" }, problem.message));
      }

      function wish() {
        const going = parts.filter(({ tick }) => tick.checked);
        const weighed = going.filter(({ weight }) => weight.value.trim() !== "");
        if (weighed.length && weighed.length < going.length) throw new Error("Give every adapter a weight, or none of them.");
        return { name: name.value.trim(), models: going.map(({ model }) => model.name), weights: weighed.map(({ weight }) => Number(weight.value)), how: how.value, density: Number(density.value) };
      }

      async function mix() {
        if (begin.disabled) return;
        begin.disabled = true;
        try {
          const { task } = await api("/api/models/mixing", { body: wish() });
          const result = resultOf(await taskEnded(task, { begun }), "Nothing was mixed.");
          made = result.model;
          toast(result.round ? `${made} is the candidate of round ${result.round}; vote in ${result.study}.` : `${made} is mixed. ${result.stays}`, "good");
          box.close();
        } catch (problem) {
          tell(problem);
        } finally {
          begin.disabled = false;
        }
      }

      const begun = (task) => said.replaceChildren(el("p", { class: "muted" }, task.message || "It begins in a moment."));
    });
  }

  window.ratchet.mixModels = mixModels;
})();
