/*
 * The form of a training: method, where it starts, what it learns from, options, name, and one button.
 *
 * The studio thinks every change through (POST /api/jobs/plan) and answers with what would happen: rows, advised
 * options and their reason, steps, and everything that stands against it, before the button is pressed; then the
 * preflight tries it. What is chosen is kept in the address, so a refresh keeps it. Its nouns are the train_*.js
 * beside this file. Raises the window event `ratchet:job` on a start.
 */
(() => {
  "use strict";

  const { el, api, keys, toast } = window.ratchet;
  const { newId, plural, minutes, field, copyButton, fillSelect, Methods, Options, Origin, Material, Extras, Chain, Preflight } = window.ratchet.training;
  const KEPT = ["method", "base", "dataset", "study", "votes"];
  const TRAINABLE = ["base", "adapter", "endpoint"]; // endpoints too: the plan says why they cannot be trained

  class TrainForm {
    constructor(element) {
      const query = new URLSearchParams(location.search);
      this.chosen = Object.fromEntries(KEPT.map((name) => [name, query.get(name) || ""]));
      this.own = this.chosen.base !== ""; // somebody chose the model; else it follows the rounds
      this.startId = newId();
      this.busy = false;
      this.asked = 0;
      this.sentences = { plan: [], preflight: [] };
      this.build(element);
    }

    build(element) {
      const soon = () => this.soon();
      this.methods = new Methods((name) => this.chooseMethod(name));
      this.options = new Options((now) => (now ? this.plan() : this.soon()));
      this.origin = new Origin(() => this.plan());
      this.material = new Material(this.chosen, () => this.plan());
      this.extras = new Extras(soon);
      this.chain = new Chain(() => this.named(), () => this.fillBase());
      this.preflight = new Preflight((found) => this.priced(found));
      this.base = el("select", { id: "train-base", onchange: () => { this.own = true; this.chosen.base = this.base.value; this.plan(); } });
      this.name = el("input", { id: "train-name", autocomplete: "off", spellcheck: "false", maxlength: 64, oninput: soon });
      this.refusals = el("div", { class: "stack-s", role: "status", "aria-live": "polite", id: "train-refusals" });
      this.steps = el("span", { class: "muted small", id: "train-price" });
      this.says = el("span", { id: "train-says" }, "Train");
      this.button = el("button", { type: "submit", class: "button button-primary button-l", id: "train-start",
        "aria-describedby": "train-refusals train-price", "aria-keyshortcuts": "Control+Enter" },
        this.says, el("kbd", {}, "Ctrl"), el("kbd", {}, "↵"));
      this.then = el("button", { type: "button", class: "button button-ghost", id: "train-then", onclick: () => this.addPhase() }, "Then…");
      this.search = el("button", { type: "button", class: "button button-ghost", id: "train-search", onclick: () => this.searchOptions() }, "Search options…");
      this.command = el("code", { tabindex: 0, "aria-label": "The same as a command" });
      this.form = el("form", { class: "card stack train-form", novalidate: true, "aria-labelledby": "train-title",
        onsubmit: (event) => { event.preventDefault(); this.start(); } }, this.parts());
      element.append(this.form);
    }

    /** The form from top to bottom. */
    parts() {
      const add = el("p", { class: "hint", id: "train-base-hint" },
        el("button", { type: "button", class: "button-text small", id: "add-model", onclick: () => this.addModel() }, "Add another model"));
      return [
        el("h2", { id: "train-title" }, "New training"), this.methods.box,
        el("div", { class: "pair-fields" }, field("train-base", "Start from", this.base, add),
          field("train-material", "Learn from", this.material.select, this.material.hint)),
        this.origin.starts, this.origin.path, this.extras.needed, this.options.presets,
        el("div", { class: "stack-s" }, this.options.basic, this.options.why),
        el("details", { class: "more-options" }, el("summary", {}, "More options ", this.options.count),
          el("div", { class: "stack" }, this.material.policy.box, this.options.more, this.extras.folded)),
        field("train-name", "Name of the new model (optional)", this.name, null),
        this.preflight.box,
        el("div", { class: "start-bar stack-s" }, this.chain.box, this.refusals,
          el("div", { class: "line" }, this.button, this.then, this.search, this.steps)),
        el("div", { class: "command" }, this.command, copyButton(() => this.command.textContent)),
      ];
    }

    async open() {
      await this.refresh();
      if (!this.offer.methods.some((method) => method.name === this.chosen.method)) {
        this.chosen.method = this.chosen.study ? "dpo" : "sft";
      }
      this.methods.fill(this.offer.methods, this.chosen.method);
      this.fill();
    }

    /** Asks again what there is; after a job has ended there is a model more. */
    async refresh() {
      this.offer = await api("/api/jobs/choices");
    }

    /** Fills the lists from what there is, keeping what is chosen where it still exists. */
    fill() {
      const models = this.offer.models.filter((model) => TRAINABLE.includes(model.kind));
      if (!this.own || !models.some((model) => model.name === this.chosen.base)) this.chosen.base = this.offer.base || "";
      this.material.fill(this.offer, this.methods.one);
      this.extras.fill(this.offer, this.methods.one);
      this.fillBase();
    }

    fillBase() {
      const { last } = this.chain;
      const models = this.offer.models.filter((model) => TRAINABLE.includes(model.kind));
      this.base.disabled = last !== null;
      fillSelect(this.base, last ? [el("option", { value: this.chosen.base }, `${last.name} (the phase before)`)]
        : models.map((model) => el("option", { value: model.name }, model.kind === "adapter" ? model.name : `${model.name} (${model.kind})`)), this.chosen.base);
      this.then.textContent = last ? "Then another…" : "Then…";
      this.plan();
    }

    async addModel() {
      const name = await window.ratchet.askForModel();
      if (!name) return;
      await this.refresh();
      this.own = true;
      this.chosen.base = name;
      this.fill();
    }

    chooseMethod(name) {
      this.chosen.method = name;
      this.options.forget();
      this.material.fill(this.offer, this.methods.one);
      this.extras.fill(this.offer, this.methods.one);
      this.plan();
    }

    /** The form's training becomes a phase, and the form the one after it. */
    addPhase() {
      if (this.refused || !this.shown) return;
      this.chain.add(this.request(), this.named().name);
      this.name.value = "";
    }

    /** Asks how to search for better options than these, and shows the search. */
    searchOptions() {
      if (!this.shown || this.chain.last) return;
      window.ratchet.training.askForSearch(this.request());
    }

    /** Options that a search has found. */
    use(options) {
      this.options.own = { ...options };
      this.plan();
      toast("The options of that trial stand in the form.", "good");
    }

    soon() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.plan(), 180);
    }

    request() {
      const { method, base, dataset, study, votes } = this.chosen;
      return { method, base, dataset: dataset || null, study: study || null, votes: study ? votes || "majority" : null,
        name: this.name.value.trim() || null, options: { ...this.options.own },
        ...(this.options.preset && { preset: this.options.preset }), ...(this.origin.start && { start: this.origin.start }), ...this.extras.values() };
    }

    /** The request with the name that its model would get: a later phase is told it. */
    named() {
      const request = this.request();
      return { ...request, name: request.name || this.chain.free(this.shown.becomes) };
    }

    async plan() {
      clearTimeout(this.timer);
      this.keepAddress();
      const turn = (this.asked += 1);
      const request = this.request();
      try {
        const plan = await api("/api/jobs/plan", { body: request });
        if (turn === this.asked) this.show(plan, request);
      } catch (error) {
        if (turn === this.asked) this.refuse("plan", [error.message]);
      }
    }

    keepAddress() {
      const query = new URLSearchParams(location.search);
      for (const name of KEPT) {
        if (this.chosen[name]) query.set(name, this.chosen[name]);
        else query.delete(name);
      }
      history.replaceState(null, "", `${location.pathname}?${query}`);
    }

    show(plan, request) {
      this.shown = plan;
      if (this.chain.last && !request.name) plan = { ...plan, becomes: this.chain.free(plan.becomes), diagram: [] };
      this.material.say(plan);
      this.name.placeholder = plan.becomes;
      this.origin.show(plan, this.chain.last?.name);
      this.options.show(plan, this.chosen.method);
      this.extras.show(plan);
      this.command.textContent = this.chain.last ? "ratchet plan phases.json" : plan.command;
      const parts = [plan.steps && plural(plan.steps, "step"), plan.seconds && minutes(plan.seconds)];
      this.steps.textContent = parts.filter(Boolean).join(", ");
      this.refuse("plan", plan.refusals);
      if (plan.refusals.length || this.chain.last) this.preflight.hold();
      else this.preflight.soon(request);
    }

    /** What the preflight found: the price stands on the button, and what stands against the start beside it. */
    priced(found) {
      const price = (found?.price || "").replace(/^Train,? */, "");
      const words = this.chain.last ? `Train ${plural(this.chain.phases.length + 1, "phase")}` : "Train";
      this.says.textContent = price ? `${words}, ${price}` : words;
      this.refuse("preflight", found?.refusals || []);
    }

    refuse(who, sentences) {
      this.sentences[who] = sentences;
      const all = [...this.sentences.plan, ...this.sentences.preflight];
      this.refused = all.length > 0;
      this.refusals.replaceChildren(...all.map((sentence) => el("p", { class: "notice notice-warning" }, sentence)));
      this.options.mark(all);
      this.button.setAttribute("aria-disabled", String(this.refused || this.busy));
    }

    async start() {
      if (this.busy) return;
      if (this.refused) {
        this.refusals.querySelector(".notice")?.animate?.([{ opacity: 0.3 }, { opacity: 1 }], 250);
        return;
      }
      // A key pressed once too often would queue the same job twice; whoever means it waits a moment.
      const asked = JSON.stringify({ ...this.request(), name: undefined });
      if (this.lately?.asked === asked && Date.now() - this.lately.at < 5000) {
        toast(`${this.lately.name} is on its way already; press again in a few seconds to train the same once more.`);
        return;
      }
      this.setBusy(true);
      try {
        await (this.chain.last ? this.startAll() : this.startOne(asked));
      } catch (error) {
        this.refuse("plan", [error.message]);
      } finally {
        this.setBusy(false);
      }
    }

    async startOne(asked) {
      const job = await api("/api/jobs", { body: { ...this.request(), start_id: this.startId } });
      this.lately = { asked, name: job.name, at: Date.now() };
      toast(job.ahead ? `${job.name} waits for ${plural(job.ahead, "job")} before it.` : `${job.name} is starting.`, "good");
      this.started(job.job);
    }

    async startAll() {
      const { jobs } = await api("/api/plans", { body: { phases: this.chain.with(this.named()) } });
      toast(`${plural(jobs.length, "phase")} are queued.`, "good");
      this.chain.clear();
      this.fillBase();
      this.started(jobs[0].job || jobs[0]);
    }

    started(job) {
      this.name.value = "";
      this.startId = newId();
      this.own = false;
      window.dispatchEvent(new CustomEvent("ratchet:job", { detail: { job } }));
      this.plan();
    }

    setBusy(busy) {
      this.busy = busy;
      this.button.setAttribute("aria-disabled", String(busy || this.refused));
      this.button.setAttribute("aria-busy", String(busy));
    }
  }

  window.ratchet.widgets.train = (element) => {
    const form = new TrainForm(element);
    form.open().catch((error) => element.replaceChildren(el("p", { class: "notice notice-bad" }, error.message)));
    const unbind = keys.add({ key: "Enter", modifier: "ctrl", inFields: true, label: "Train", run: () => { form.start(); } });
    const renew = () => form.refresh().then(() => form.fill());
    const use = ({ detail }) => form.use(detail.options);
    window.addEventListener("ratchet:job-ended", renew);
    window.addEventListener("ratchet:options", use);
    return () => {
      unbind();
      window.removeEventListener("ratchet:options", use);
      window.removeEventListener("ratchet:job-ended", renew);
    };
  };
})();
