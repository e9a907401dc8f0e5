/*
 * Votes, or a version of a dataset, that turned out bad: which models learnt from it, and the way back without it.
 *
 *   ratchet.undoLearning(blame, name, reason, changed)   opens the dialog; changed() after training was queued
 *
 *   blame   {kind, value, study} of votes, or {kind: "version", dataset, number}
 */
(() => {
  "use strict";

  const { el, api, toast, dialog } = window.ratchet;

  const VOTES = { all: "these votes", it: "them", are: "they are" };
  const VERSION = { all: "this version", it: "it", are: "it is" };

  window.ratchet.undoLearning = async (blame, name, reason, changed) => {
    const { all, it, are } = blame.kind === "version" ? VERSION : VOTES;
    const body = el("div", { class: "stack", id: "undo" }, el("p", { class: "muted" }, "Looking…"));
    const wrong = el("p", { class: "field-error", role: "alert", hidden: true });
    const box = dialog(`Models that learnt from ${name}`, body);
    try {
      const found = await api(`/api/rounds/touched?${new URLSearchParams(blame)}`);
      if (!found.touched.length) {
        body.replaceChildren(el("p", {}, `No model learnt from ${found.blame}.`));
        return;
      }
      const list = el("ul", {}, found.touched.map((one) => el("li", {}, el("b", { dir: "auto" }, one.model), ` ${one.how}`, one.retired ? ", and is put away" : "", ".")));
      body.replaceChildren(list, await wayBack());
    } catch (error) {
      body.replaceChildren(el("p", { class: "notice notice-bad" }, error.message));
    }

    /** What would be trained again, and the button; or why nothing can be. */
    async function wayBack() {
      let plan;
      try {
        plan = await api("/api/rounds/retrain", { body: { ...blame, dry_run: true } });
      } catch (error) {
        return el("p", { class: "notice notice-info" }, error.message);
      }
      const why = el("input", { type: "text", id: "undo-reason", value: reason, maxlength: 500, required: true, autocomplete: "off" });
      const go = el("button", { type: "submit", class: "button button-primary", id: "undo-go" }, `Leave ${it} out and train again`);
      const phases = plan.phases.map((phase) => `${phase.method.toUpperCase()} (${phase.name})`).join(", then ");
      return el("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); retrain(why.value, go); } },
        el("p", {}, `Without ${all} the line is trained again from ${plan.start}, the newest model that learnt nothing from ${it}: ${phases}. What stands now stays; the new model is a candidate like any other.`),
        el("div", { class: "field" }, el("label", { for: "undo-reason" }, `Why ${are} left out`), why),
        wrong, el("div", { class: "line" }, go));
    }

    async function retrain(why, button) {
      button.disabled = true;
      try {
        const done = await api("/api/rounds/retrain", { body: { ...blame, reason: why } });
        box.close();
        toast(`Done without ${all}: ${done.jobs.length} training${done.jobs.length === 1 ? " is" : "s are"} queued from ${done.start} on.`, "good");
        changed();
      } catch (error) {
        wrong.textContent = error.message;
        wrong.hidden = false;
        button.disabled = false;
      }
    }
  };
})();
