/*
 * Phases that follow one another: "then…" puts the form's training aside as a phase, and the form goes on from the
 * model that it will make. All are queued at once (POST /api/plans).
 *
 *   new ratchet.training.Chain(wish, changed)   {box, phases, last, free(name), add(request, becomes), with(request), clear()}
 *
 * `wish()`: the request of the form, the phase that is not put aside yet.
 */
(() => {
  "use strict";

  const { el, toast } = window.ratchet;

  class Chain {
    constructor(wish, changed) {
      this.wish = wish;
      this.changed = changed;
      this.phases = [];
      this.list = el("ol", { class: "phases", id: "train-phases" });
      this.box = el("section", { class: "stack-s", hidden: true, "aria-label": "Phases" }, this.list,
        el("p", { class: "hint" }, "All phases are queued at once; each begins with the model of the one before, and is measured by itself. ",
          el("button", { type: "button", class: "button-text small", id: "phases-copy", onclick: () => this.copy() }, "Copy phases.json")));
    }

    /** The model that the form's training goes on from, while there is a phase before it. */
    get last() {
      return this.phases.at(-1) || null;
    }

    add(request, becomes) {
      this.phases.push({ ...this.placed(request, this.last), name: becomes });
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
      return [...this.phases, this.placed(request, this.last)];
    }

    placed(request, before) {
      return before ? { ...request, base: before.name } : request;
    }

    /** A name that no phase has, made from the one that the studio would give. */
    free(name) {
      const taken = new Set(this.phases.map((phase) => phase.name));
      let [wish, number] = [name, 2];
      for (; taken.has(wish); number += 1) wish = `${name}-${number}`;
      return wish;
    }

    async copy() {
      await navigator.clipboard?.writeText(`${JSON.stringify({ phases: this.with(this.wish()) }, null, 1)}\n`);
      toast("The phases are copied; `ratchet plan phases.json` queues them.", "good");
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
