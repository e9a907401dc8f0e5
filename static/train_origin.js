/*
 * How a training starts from an earlier model, and where it leads: "starts at … reference … becomes …".
 *
 *   new ratchet.training.Origin(changed)   {starts, path, start, show(plan, base)}
 */
(() => {
  "use strict";

  const { el } = window.ratchet;
  const TITLES = { continue: "Go on with its adapter", stack: "Put a fresh adapter on top", fresh: "Begin fresh on its base" };

  class Origin {
    constructor(changed) {
      this.start = "";
      this.changed = changed;
      this.select = el("select", { id: "train-begin", "aria-describedby": "train-begin-hint",
        onchange: () => { this.start = this.select.value; changed(); } });
      this.hint = el("p", { class: "hint", id: "train-begin-hint", "aria-live": "polite" });
      this.starts = el("div", { class: "field", hidden: true }, el("label", { for: "train-begin" }, "How it starts"), this.select, this.hint);
      this.path = el("p", { class: "origin-path", "aria-live": "polite" });
    }

    show(plan, base) {
      const starts = plan.starts || [];
      this.starts.hidden = starts.length < 2;
      if (starts.length < 2) this.start = "";
      window.ratchet.training.fillSelect(this.select, starts.map((one) => el("option", { value: one.name }, TITLES[one.name] || one.name)),
        this.start || starts[0]?.name);
      this.hint.textContent = starts.find((one) => one.name === this.select.value)?.sentence || "";
      const fresh = el("p", {}, this.stops(plan, base));
      if (fresh.innerHTML !== this.path.innerHTML) this.path.replaceChildren(...fresh.childNodes);
    }

    /** "starts at round-1-sft → reference round-1-sft → becomes round-2-dpo"; the studio's own diagram where it has one. */
    stops(plan, base) {
      if (!plan.base) return [];
      const drawn = plan.diagram?.length ? plan.diagram : [{ label: "starts at", name: plan.base },
        ...(plan.reference ? [{ label: "reference", name: plan.reference }] : []), { label: "becomes", name: plan.becomes }];
      return drawn.flatMap(({ label, name }, at) => [
        at > 0 && el("span", { class: "origin-arrow", "aria-hidden": "true" }),
        el("span", { class: `origin-stop ${at === drawn.length - 1 ? "is-new" : ""}` },
          el("span", { class: "muted small" }, label), el("b", {}, base && name === plan.base ? base : name))]);
    }
  }

  window.ratchet.training.Origin = Origin;
})();
