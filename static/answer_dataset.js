/*
 * A whole dataset answered by models, into a new one: ratchet.data.askAnswers(shown).
 *
 * The work goes on when the dialog is closed, and after a kill; the dialog shows how far each answering of this dataset
 * is, with a stop, a way to go on, and an undo that moves what was made to the deleted datasets.
 */
(() => {
  "use strict";

  const { el, api, poll, toast, dialog, data } = window.ratchet;
  const LOOK = 1000; // milliseconds between two looks at how far they are
  const KINDS = ["base", "adapter", "endpoint"];
  const STATES = { running: "at work", stopping: "stopping", stopped: "stopped", failed: "failed", done: "done", undone: "undone" };
  const GOOD = { done: "chip-good", failed: "chip-bad" };
  const number = (value) => value.toLocaleString("en");
  const seconds = (value) => (value < 90 ? `${Math.max(1, Math.round(value))} s` : value < 5400 ? `${Math.round(value / 60)} min` : `${(value / 3600).toFixed(1)} h`);
  const quote = (text) => (/^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

  /** Opens the dialog. `shown`: the last page of rows, as the table has it. */
  data.askAnswers = async (shown) => {
    if (!shown) return;
    try {
      const { models } = await api("/api/models");
      new Answers(shown.name, models.filter((one) => KINDS.includes(one.kind))).open();
    } catch (error) {
      toast(error.message, "bad");
    }
  };

  class Answers {
    constructor(name, models) {
      this.name = name;
      this.models = models;
      this.was = new Map(); // state by answering, to tell what has ended while one looks
    }

    open() {
      const change = () => this.draw();
      const field = (id, label, input, hint) => el("div", { class: "field" }, el("label", { for: id }, label), input, hint && el("p", { class: "hint" }, hint));
      const figure = (id, value, options) => el("input", { id, type: "number", value, oninput: change, ...options });
      this.ticks = this.models.map((model) => el("input", { type: "checkbox", value: model.name, onchange: change }));
      this.into = el("input", { id: "answer-into", maxlength: 64, value: `${this.name}-answered`.slice(0, 64), autocomplete: "off", spellcheck: "false", oninput: change });
      this.system = el("textarea", { id: "answer-system", rows: 2, maxlength: 20000, oninput: change });
      this.temperature = figure("answer-temperature", 1, { min: 0, max: 5, step: "any" });
      this.tokens = figure("answer-tokens", 256, { min: 1, max: 8192 });
      this.seed = figure("answer-seed", "", { min: 0, placeholder: "drawn" });
      this.count = figure("answer-n", "", { min: 1, placeholder: "all" });
      this.meaning = el("p", { class: "muted small", role: "status" });
      this.command = el("div", {});
      this.wrong = el("p", { class: "field-error", role: "alert" });
      this.go = el("button", { class: "button button-primary", id: "answer-go" }, "Answer");
      this.list = el("ul", { class: "plain-list stack-s answers-list", "aria-label": "Answerings of this dataset" });
      const form = el("form", { class: "stack", novalidate: true, onsubmit: (event) => { event.preventDefault(); this.begin(); } },
        el("fieldset", { class: "answer-models" }, el("legend", {}, "Who answers"),
          this.models.length ? el("div", { class: "line" }, this.models.map((model, at) => el("label", { class: "check" }, this.ticks[at], model.name))) : el("p", { class: "muted" }, "There is no model yet; add one on the page Train.")),
        this.meaning,
        el("div", { class: "fields" }, field("answer-into", "New dataset", this.into), field("answer-n", "At most so many prompts", this.count)),
        field("answer-system", "System prompt", this.system, "It is sent before each prompt and becomes part of the new rows."),
        el("div", { class: "fields" }, field("answer-temperature", "Temperature", this.temperature), field("answer-tokens", "Longest answer, in tokens", this.tokens),
          field("answer-seed", "Seed", this.seed, "The same seed gives the same answers.")),
        this.command, this.wrong,
        el("div", { class: "dialog-buttons" }, el("button", { type: "button", class: "button", onclick: () => this.box.close() }, "Close"), this.go));
      this.box = dialog(`Answer ${this.name}`, el("div", { class: "stack" }, form, this.list), []);
      this.box.classList.add("dialog-wide");
      this.draw();
      const watching = poll(() => this.look(), LOOK);
      this.now = watching.now;
      this.box.addEventListener("close", watching.stop);
      (this.ticks[0] || this.into).focus();
    }

    wanted() {
      const whole = (input) => (input.value === "" ? null : Number(input.value));
      return {
        dataset: this.name, models: this.ticks.filter((one) => one.checked).map((one) => one.value), into: this.into.value.trim(), system: this.system.value.trim(),
        temperature: Number(this.temperature.value), max_tokens: Number(this.tokens.value), seed: whole(this.seed), count: whole(this.count),
      };
    }

    draw() {
      const { models, into, system, temperature, max_tokens: tokens, seed, count } = this.wanted();
      this.wrong.textContent = "";
      this.go.disabled = !models.length || !into;
      this.meaning.textContent = models.length > 1 ? "Each row gets the answers of all of them, side by side, ready to be compared." : models.length ? "Each row becomes a conversation that ends in the answer." : "Choose one or more models.";
      const flags = [...models.map((name) => `--model ${quote(name)}`), `--into ${quote(into || "NAME")}`, system && `--system ${quote(system)}`, tokens !== 256 && `--max-new-tokens ${tokens}`,
        temperature !== 1 && `--temperature ${temperature}`, seed !== null && `--seed ${seed}`, count !== null && `--n ${count}`].filter(Boolean);
      this.command.replaceChildren(data.command(`ratchet answer ${this.name} ${flags.join(" ")}`));
    }

    async begin() {
      if (this.go.disabled) return;
      this.go.disabled = true;
      try {
        await api("/api/answerings", { body: this.wanted() });
        await this.look();
        this.list.firstChild?.scrollIntoView({ block: "nearest" });
      } catch (error) {
        this.wrong.textContent = error.message;
      } finally {
        this.go.disabled = false;
      }
    }

    async look() {
      const { answerings } = await api(`/api/answerings?${new URLSearchParams({ dataset: this.name })}`);
      const inside = this.list.contains(document.activeElement) ? document.activeElement.dataset.key : ""; // a redraw must not lose the focus
      this.list.replaceChildren(...answerings.map((one) => this.line(one)));
      if (inside) (this.list.querySelector(`[data-key="${inside}"]`) || this.list.querySelector("button"))?.focus();
      for (const one of answerings) {
        if (one.state === "done" && this.was.get(one.answering) && this.was.get(one.answering) !== "done") this.ended(one);
        this.was.set(one.answering, one.state);
      }
    }

    ended(one) {
      toast(`${one.made} holds ${data.plural(one.result.rows, "row")}.`, "good", () => this.act(one, "undo"));
      data.refresh().catch((error) => toast(error.message, "bad"));
    }

    line(one) {
      const at_rest = ["done", "undone"].includes(one.state);
      const button = (action, label) => el("button", { type: "button", class: "button button-secondary button-s", dataset: { key: `${one.answering}-${action}` }, "aria-label": `${label}: ${one.into}`, onclick: () => this.act(one, action) }, label);
      const words = [
        `${number(one.answered)} of ${number(one.total)} answers`, one.reused > 0 && `${number(one.reused)} stood already`, one.failed > 0 && `${number(one.failed)} could not be given`,
        one.per_minute > 0 && `${number(Math.round(one.per_minute))} a minute`, one.eta_seconds !== null && `about ${seconds(one.eta_seconds)} to go`, one.result && data.plural(one.result.rows, "row"),
      ].filter(Boolean);
      return el("li", { class: "stack-s answers-one" },
        el("div", { class: "row-between" }, el("span", {}, el("strong", {}, one.into), el("span", { class: "muted small" }, ` by ${one.models.join(", ")}`)),
          el("span", { class: "line" }, el("span", { class: `chip ${GOOD[one.state] || ""}` }, one.state === "running" && !one.working ? "cut off" : STATES[one.state]),
            one.working && one.state === "running" && button("stop", "Stop"), !one.working && !at_rest && button("resume", "Go on"), one.state === "done" && button("undo", "Undo"))),
        !at_rest && el("div", { class: "progress", role: "progressbar", "aria-label": `Answers into ${one.into}`, "aria-valuemin": 0, "aria-valuemax": one.total, "aria-valuenow": one.answered, style: { "--value": `${one.total ? (100 * one.answered) / one.total : 0}%` } }, el("span", {})),
        el("p", { class: "muted small num" }, words.join(" · ")), one.error && el("p", { class: "notice notice-bad" }, one.error.sentence));
    }

    async act(one, action) {
      try {
        await api(`/api/answerings/${encodeURIComponent(one.answering)}/${action}`, { method: "POST", body: {} });
        if (action === "undo") {
          toast(`The dataset ${one.into} is among the deleted ones; its answers are kept.`, "info");
          await data.refresh();
        }
        if (this.box.isConnected) await this.look();
      } catch (error) {
        toast(error.message, "bad");
      }
    }
  }
})();
