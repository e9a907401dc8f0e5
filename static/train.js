/*
 * The form of a training: method, where it starts, what it learns from, options, name, and one button.
 *
 * The studio thinks every change through (POST /api/jobs/plan) and answers with what would happen: rows, advised
 * options and their reason, steps, and everything that stands against it, before the button is pressed.
 * What is chosen is kept in the address, so a refresh keeps it. Raises the window event `ratchet:job` on a start.
 */
(() => {
  "use strict";

  const { el, api, keys, toast } = window.ratchet;
  const KEPT = ["method", "base", "dataset", "study", "votes"];
  const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

  /** An id as the studio makes them: 48 bits of milliseconds, then 80 random bits; it makes a start repeatable. */
  function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const random = [...bytes].map((byte) => ALPHABET[byte & 31]).join("");
    let time = BigInt(Date.now());
    let head = "";
    for (let sign = 0; sign < 10; sign += 1) {
      head = ALPHABET[Number(time & 31n)] + head;
      time >>= 5n;
    }
    return head + random;
  }

  const label = (name) => {
    const words = name.replaceAll("_", " ").replace(/^lora r$/, "LoRA rank").replace(/^lora /, "LoRA ");
    return words[0].toUpperCase() + words.slice(1);
  };

  /** A number as people write it: 0.003, 2e-5. */
  const number = (value) => {
    if (typeof value !== "number") return String(value);
    return value !== 0 && Math.abs(value) < 0.001 ? value.toExponential().replace("e-0", "e-") : String(value);
  };

  function minutes(seconds) {
    if (seconds < 90) return `about ${Math.max(1, Math.round(seconds))} s`;
    return seconds < 5400 ? `about ${Math.round(seconds / 60)} min` : `about ${(seconds / 3600).toFixed(1)} h`;
  }

  class TrainForm {
    constructor(element) {
      const query = new URLSearchParams(location.search);
      this.chosen = Object.fromEntries(KEPT.map((name) => [name, query.get(name) || ""]));
      this.own = this.chosen.base !== ""; // somebody chose the model; else it follows the rounds
      this.overrides = {};
      this.inputs = {};
      this.startId = newId();
      this.busy = false;
      this.asked = 0;
      this.build(element);
    }

    build(element) {
      this.methods = el("div", { class: "method-cards" });
      this.path = el("p", { class: "origin-path", "aria-live": "polite" });
      this.base = el("select", { id: "train-base", onchange: () => { this.own = true; this.choose({ base: this.base.value }); } });
      this.material = el("select", { id: "train-material", onchange: () => this.chooseMaterial() });
      this.materialHint = el("p", { class: "hint", id: "train-material-hint" });
      this.policy = window.ratchet.trainPolicy((votes) => this.choose({ votes }));
      this.why = el("p", { class: "hint advice" });
      this.basic = el("div", { class: "option-grid" });
      this.more = el("div", { class: "option-grid" });
      this.moreCount = el("span", { class: "muted" });
      this.name = el("input", { id: "train-name", autocomplete: "off", spellcheck: "false", maxlength: 64,
        oninput: () => this.soon() });
      this.refusals = el("div", { class: "stack-s", role: "status", "aria-live": "polite", id: "train-refusals" });
      this.price = el("span", { class: "muted small", id: "train-price" });
      this.button = el("button", { type: "submit", class: "button button-primary button-l", id: "train-start",
        "aria-describedby": "train-refusals train-price", "aria-keyshortcuts": "Control+Enter" },
        "Train", el("kbd", {}, "Ctrl"), el("kbd", {}, "↵"));
      this.command = el("code", { tabindex: 0, "aria-label": "The same as a command" });
      this.form = el("form", { class: "card stack train-form", novalidate: true, "aria-labelledby": "train-title",
        onsubmit: (event) => { event.preventDefault(); this.start(); } },
        el("h2", { id: "train-title" }, "New training"),
        el("fieldset", { class: "bare" }, el("legend", { class: "visually-hidden" }, "Method"), this.methods),
        el("div", { class: "pair-fields" },
          field("train-base", "Start from", this.base, el("p", { class: "hint", id: "train-base-hint" },
            el("button", { type: "button", class: "button-text small", id: "add-model", onclick: () => this.addModel() }, "Add another model"))),
          field("train-material", "Learn from", this.material, this.materialHint)),
        this.path,
        el("div", { class: "stack-s" }, this.basic, this.why),
        el("details", { class: "more-options" },
          el("summary", {}, "More options ", this.moreCount), el("div", { class: "stack" }, this.policy.box, this.more)),
        field("train-name", "Name of the new model (optional)", this.name, null),
        el("div", { class: "start-bar stack-s" }, this.refusals, el("div", { class: "line" }, this.button, this.price)),
        el("div", { class: "command" }, this.command, copyButton(() => this.command.textContent)));
      element.append(this.form);
    }

    async open() {
      await this.refresh();
      if (!this.offer.methods.some((method) => method.name === this.chosen.method)) {
        this.chosen.method = this.chosen.study ? "dpo" : "sft";
      }
      this.fill();
    }

    /** Asks again what there is; after a job has ended there is a model more. */
    async refresh() {
      this.offer = await api("/api/jobs/choices");
    }

    /** Fills the lists from what there is, keeping what is chosen where it still exists. */
    fill() {
      const { models, methods } = this.offer;
      if (!this.own || !models.some((model) => model.name === this.chosen.base)) this.chosen.base = this.offer.base || "";
      this.methods.replaceChildren(...methods.map((method) => this.methodCard(method)));
      this.base.replaceChildren(...models.map((model) => el("option", { value: model.name, selected: model.name === this.chosen.base },
        model.kind === "adapter" ? model.name : `${model.name} (${model.kind})`)));
      this.fillMaterial();
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

    get method() {
      return this.offer.methods.find((method) => method.name === this.chosen.method);
    }

    methodCard(method) {
      const id = `method-${method.name}`;
      const input = el("input", { type: "radio", name: "method", id, value: method.name, checked: method.name === this.chosen.method,
        onchange: () => this.chooseMethod(method.name) });
      const from = method.votes ? "from votes" : "from examples";
      return el("label", { class: "method-card", for: id }, input,
        el("span", { class: "method-title" }, method.title, el("span", { class: "chip" }, from)),
        el("span", { class: "muted small" }, method.summary));
    }

    chooseMethod(name) {
      this.chosen.method = name;
      this.overrides = {};
      this.fillMaterial();
      this.plan();
    }

    fillMaterial() {
      const byVotes = this.method.votes;
      const datasets = this.offer.datasets.filter((dataset) => this.method.rows.includes(dataset.kind));
      const studies = byVotes ? this.offer.studies : [];
      this.keepMaterial(datasets, studies);
      const groups = [
        studies.length && el("optgroup", { label: "Votes of a study" }, studies.map((study) => el("option",
          { value: `study:${study.name}`, selected: study.name === this.chosen.study }, `${study.name} (${plural(study.votes, "vote")})`))),
        datasets.length && el("optgroup", { label: byVotes ? "Preference datasets" : "Datasets" }, datasets.map((dataset) => el("option",
          { value: `dataset:${dataset.name}`, selected: dataset.name === this.chosen.dataset }, `${dataset.name} (${plural(dataset.rows, "row")})`))),
      ];
      const empty = el("option", { value: "" }, byVotes ? "no votes and no preferences yet" : "no examples yet");
      this.material.replaceChildren(...groups.filter(Boolean), ...(studies.length || datasets.length ? [] : [empty]));
      this.policy.show(this.chosen.study, this.chosen.votes);
    }

    /** The material that was chosen if the method can learn from it, else the likeliest. */
    keepMaterial(datasets, studies) {
      const known = (list, name) => list.some((item) => item.name === name);
      if (!known(datasets, this.chosen.dataset)) this.chosen.dataset = "";
      if (!known(studies, this.chosen.study)) this.chosen.study = "";
      if (this.chosen.dataset || this.chosen.study) return;
      const likely = this.offer.study || studies[0]?.name || "";
      if (studies.length && (known(studies, likely) && (likely !== "" ))) this.chosen.study = likely;
      else this.chosen.dataset = [...datasets].sort((a, b) => b.rows - a.rows)[0]?.name || "";
    }

    chooseMaterial() {
      const [kind, ...name] = this.material.value.split(":");
      const rest = { dataset: "", study: "", votes: "" };
      this.choose({ ...rest, ...(kind === "" ? {} : { [kind]: name.join(":") }) });
      this.policy.show(this.chosen.study, this.chosen.votes);
    }

    choose(values) {
      Object.assign(this.chosen, values);
      this.plan();
    }

    soon() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.plan(), 180);
    }

    request() {
      const { method, base, dataset, study, votes } = this.chosen;
      return { method, base, dataset: dataset || null, study: study || null, votes: study ? votes || "majority" : null,
        name: this.name.value.trim() || null, options: { ...this.overrides } };
    }

    async plan() {
      clearTimeout(this.timer);
      this.keepAddress();
      const turn = (this.asked += 1);
      try {
        const plan = await api("/api/jobs/plan", { body: this.request() });
        if (turn === this.asked) this.show(plan);
      } catch (error) {
        if (turn === this.asked) this.refuse([error.message]);
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

    show(plan) {
      this.materialHint.textContent = plan.material ? `${plan.material[0].toUpperCase()}${plan.material.slice(1)}. ${plan.warning || ""}` : "";
      this.why.textContent = plan.why ? `Advised: ${plan.why}` : "";
      this.name.placeholder = plan.becomes;
      this.path.replaceChildren(...this.originPath(plan));
      this.showOptions(plan.fields);
      const parts = [plan.steps && plural(plan.steps, "step"), plan.seconds && minutes(plan.seconds)];
      this.price.textContent = parts.filter(Boolean).join(", ");
      this.command.textContent = plan.command;
      this.refuse(plan.refusals);
    }

    /** "starts at round-1-sft → reference round-1-sft → becomes round-2-dpo" */
    originPath(plan) {
      if (!plan.base) return [];
      const stop = (words, name, kind = "") => el("span", { class: `origin-stop ${kind}` }, el("span", { class: "muted small" }, words), el("b", {}, name));
      const arrow = () => el("span", { class: "origin-arrow", "aria-hidden": "true" });
      return [stop("starts at", plan.base), arrow(),
        plan.reference && stop("reference", plan.reference), plan.reference && arrow(),
        stop("becomes", plan.becomes, "is-new")].filter(Boolean);
    }

    showOptions(fields) {
      const kind = fields.map((item) => item.name).join();
      if (this.kind !== kind || this.shownMethod !== this.chosen.method) {
        this.kind = kind;
        this.shownMethod = this.chosen.method;
        this.inputs = Object.fromEntries(fields.map((item) => [item.name, this.optionField(item)]));
        this.basic.replaceChildren(...fields.filter((item) => item.basic).map((item) => this.inputs[item.name].box));
        this.more.replaceChildren(...fields.filter((item) => !item.basic).map((item) => this.inputs[item.name].box));
        this.moreCount.textContent = `(${fields.filter((item) => !item.basic).length})`;
      }
      for (const item of fields) this.inputs[item.name].show(item);
    }

    optionField(item) {
      const id = `option-${item.name}`;
      const control = makeControl(item, id, () => this.override(item.name, readControl(control)));
      control.setAttribute("aria-describedby", `${id}-hint`);
      const reset = el("button", { type: "button", class: "button-text small", hidden: true, onclick: () => this.override(item.name, null) });
      const hint = el("p", { class: "hint", id: `${id}-hint` }, item.help, " ", reset);
      const box = item.type === "bool"
        ? el("div", { class: "field" }, el("label", { class: "check", for: id }, control, label(item.name)), hint)
        : el("div", { class: "field" }, el("label", { for: id }, label(item.name)), control, hint);
      const show = (fresh) => {
        const own = item.name in this.overrides;
        if (!own && document.activeElement !== control) writeControl(control, fresh.advised);
        box.classList.toggle("is-own", own);
        reset.hidden = !own;
        reset.textContent = `Use the advised ${number(fresh.advised)}`;
        fresh.shown = fresh.advised;
        this.inputs[item.name].advised = fresh.advised;
      };
      return { box, control, show, advised: item.advised };
    }

    override(name, value) {
      const { control, advised } = this.inputs[name];
      if (value === null || value === "" || String(value) === number(advised)) {
        delete this.overrides[name];
        if (value === null) writeControl(control, advised);
      } else {
        this.overrides[name] = value;
      }
      this.soon();
    }

    refuse(sentences) {
      this.refused = sentences.length > 0;
      this.refusals.replaceChildren(...sentences.map((sentence) => el("p", { class: "notice notice-warning" }, sentence)));
      for (const [name, input] of Object.entries(this.inputs)) {
        const wrong = sentences.some((sentence) => sentence.includes(`"${name}"`));
        input.control.setAttribute("aria-invalid", String(wrong));
      }
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
        const job = await api("/api/jobs", { body: { ...this.request(), start_id: this.startId } });
        this.lately = { asked, name: job.name, at: Date.now() };
        this.name.value = "";
        this.startId = newId();
        this.own = false;
        window.dispatchEvent(new CustomEvent("ratchet:job", { detail: { job: job.job } }));
        toast(job.ahead ? `${job.name} waits for ${plural(job.ahead, "job")} before it.` : `${job.name} is starting.`, "good");
        this.plan();
      } catch (error) {
        this.refuse([error.message]);
      } finally {
        this.setBusy(false);
      }
    }

    setBusy(busy) {
      this.busy = busy;
      this.button.setAttribute("aria-disabled", String(busy || this.refused));
      this.button.setAttribute("aria-busy", String(busy));
    }
  }

  const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

  function field(id, text, control, hint) {
    if (hint) control.setAttribute("aria-describedby", hint.id);
    return el("div", { class: "field" }, el("label", { for: id }, text), control, hint);
  }

  function makeControl(item, id, changed) {
    if (item.choices.length) {
      return el("select", { id, onchange: changed }, item.choices.map((choice) => el("option", { value: choice }, choice)));
    }
    if (item.type === "bool") return el("input", { type: "checkbox", id, onchange: changed });
    return el("input", { id, inputmode: item.type === "str" ? "text" : "decimal", autocomplete: "off", spellcheck: "false", oninput: changed });
  }

  const readControl = (control) => (control.type === "checkbox" ? control.checked : control.value.trim());

  function writeControl(control, value) {
    if (control.type === "checkbox") control.checked = Boolean(value);
    else control.value = number(value);
  }

  function copyButton(text) {
    const button = el("button", { type: "button", class: "button button-s button-ghost", onclick: async () => {
      await navigator.clipboard?.writeText(text());
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    } }, "Copy");
    return button;
  }

  window.ratchet.widgets.train = (element) => {
    const form = new TrainForm(element);
    form.open().catch((error) => element.replaceChildren(el("p", { class: "notice notice-bad" }, error.message)));
    const unbind = keys.add({ key: "Enter", modifier: "ctrl", inFields: true, label: "Train", run: () => { form.start(); } });
    const renew = () => form.refresh().then(() => form.fill());
    window.addEventListener("ratchet:job-ended", renew);
    return () => {
      unbind();
      window.removeEventListener("ratchet:job-ended", renew);
    };
  };
})();
