/*
 * The dialog that begins a search: which options between which limits, how many trials, by which sampler, for what.
 *
 *   ratchet.training.askForSearch(request)   raises `ratchet:search` with {id} when it has begun
 */
(() => {
  "use strict";

  const { el, api, dialog, toast } = window.ratchet;
  const { field } = window.ratchet.training;
  const SAMPLERS = [["tpe", "TPE: learns from every trial, good from ten on"], ["cmaes", "CMA-ES: evolves a cloud of points, for numbers, good from fifty on"],
    ["nsga2", "NSGA-II: trades the goals off against each other"]];
  const GOALS = [["held_out_loss", "Held-out loss"], ["forgetting", "Forgetting"], ["seconds", "Seconds"]];

  async function askForSearch(request) {
    const space = el("input", { id: "search-space", autocomplete: "off", spellcheck: "false", "aria-describedby": "search-space-hint" });
    const trials = el("input", { id: "search-count", type: "number", min: 2, max: 1000, value: "20" });
    const minutes = el("input", { id: "search-minutes", type: "number", min: 1, placeholder: "no limit" });
    const sampler = el("select", { id: "search-sampler", onchange: () => suit() }, SAMPLERS.map(([name, words]) => el("option", { value: name }, words)));
    const goals = GOALS.map(([name, words]) => el("label", { class: "check", for: `goal-${name}` }, el("input", { type: "checkbox", id: `goal-${name}`, value: name, checked: name === "held_out_loss" }), words));
    const error = el("p", { class: "field-error", role: "alert", hidden: true });
    const begin = el("button", { type: "submit", class: "button button-primary", id: "search-begin" }, "Begin the search");
    const form = el("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); send(); } },
      field("search-space", "Options and their limits", space, el("p", { class: "hint", id: "search-space-hint" }, "For example learning_rate=1e-4..1e-2,lora_r=8|16|32. The other options are those of the form.")),
      el("div", { class: "grid-2" }, field("search-count", "Trials", trials), field("search-minutes", "Minutes at the most", minutes)),
      field("search-sampler", "How it chooses", sampler),
      el("fieldset", { class: "bare field" }, el("legend", {}, "Made small (the first one decides)"), el("div", { class: "line" }, goals)),
      error, el("div", { class: "dialog-buttons" }, begin));
    const box = dialog("Search for better options", form, [{ label: "Cancel", kind: "secondary", run: () => {} }]);
    space.focus();
    try {
      const known = await api("/api/searches/space", { body: request });
      if (!space.value) space.value = known.space;
    } catch (problem) {
      fail(problem);
    }

    /** NSGA-II is for several goals, CMA-ES for one. */
    function suit() {
      for (const [name] of GOALS.slice(1)) form.querySelector(`#goal-${name}`).checked = sampler.value === "nsga2";
    }

    function fail(problem) {
      error.textContent = problem.message;
      error.hidden = false;
    }

    async function send() {
      if (begin.disabled) return;
      begin.disabled = true;
      error.hidden = true;
      try {
        const chosen = GOALS.map(([name]) => name).filter((name) => form.querySelector(`#goal-${name}`).checked);
        const search = await api("/api/searches", { body: { ...request, space: space.value.trim(), trials: Number(trials.value), sampler: sampler.value,
          seconds: minutes.value ? 60 * Number(minutes.value) : null, objectives: chosen } });
        box.close();
        toast(`${search.name} has begun.`, "good");
        window.dispatchEvent(new CustomEvent("ratchet:search", { detail: { id: search.id } }));
      } catch (problem) {
        fail(problem);
      } finally {
        begin.disabled = false;
      }
    }
  }

  window.ratchet.training.askForSearch = askForSearch;
})();
