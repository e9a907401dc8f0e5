/*
 * Phases that follow one another: "then…" puts the form's training aside as a phase, and the form goes on from the
 * model that it will make. All are queued at once (POST /api/plans).
 *
 *   new ratchet.training.Chain(changed)   {box, button, phases, last, add(request, becomes), clear()}
 */
(() => {
  "use strict";

  const { el } = window.ratchet;

  class Chain {
    constructor(changed) {
      this.changed = changed;
      this.phases = [];
      this.list = el("ol", { class: "phases", id: "train-phases" });
      this.box = el("section", { class: "stack-s", hidden: true, "aria-label": "Phases" }, this.list,
        el("p", { class: "hint" }, "All phases are queued at once; each begins with the model of the one before, and is measured by itself."));
    }

    /** The model that the form's training goes on from, while there is a phase before it. */
    get last() {
      return this.phases.at(-1) || null;
    }

    add(request, becomes) {
      this.phases.push({ ...request, name: becomes });
      this.draw();
      this.changed();
    }

    /** Takes a phase away, and those after it, which build on its model. */
    cut(at) {
      this.phases.length = at;
      this.draw();
      this.changed();
    }

    clear() {
      this.phases = [];
      this.draw();
    }

    /** All phases with the form's own as the last one; each starts from the model before it. */
    with(request) {
      return [...this.phases, { ...request, base: this.last.name }];
    }

    draw() {
      this.box.hidden = !this.phases.length;
      this.list.replaceChildren(...this.phases.map((phase, at) => el("li", {},
        el("span", {}, el("b", {}, phase.name), ` by ${phase.method.toUpperCase()} from ${phase.study ? `the votes of ${phase.study}` : phase.dataset}`),
        el("button", { type: "button", class: "button-text small", "aria-label": `Take phase ${at + 1}, ${phase.name}, away`, onclick: () => this.cut(at) }, "Take away"))),
      el("li", {}, "the training above"));
    }
  }

  window.ratchet.training.Chain = Chain;
})();
