/*
 * The metrics of a run: one chart of a kind, or all of them small; smoothing and zoom are the same for all.
 *
 *   new ratchet.training.Chart(zoomed)   {element, show(job, series), range}; zoomed(from, to) asks for finer points
 */
(() => {
  "use strict";

  const { el, Curve } = window.ratchet;
  const { label } = window.ratchet.training;
  // What is drawn together: key, title, the metrics with what each is called, what it says.
  const GROUPS = [
    ["loss", "Loss", [["loss", "Training"], ["held_out_loss", "Held out"]], "How surprised the model is by what it should say: lower is better. Held-out rows are never learnt; where their loss rises, the model learns by heart."],
    ["reward", "Reward", [["reward", "Mean reward"], ["held_out_reward", "Held out"]], "What the rewards give to the answers that the model writes."],
    ["accuracy", "Accuracy", [["rewards/accuracies", "Training"], ["held_out_rewards/accuracies", "Held out"]], "Share of pairs in which the model now leans to the answer that was preferred."],
    ["margin", "Margin", [["rewards/margins", "Training"], ["held_out_rewards/margins", "Held out"]], "How far it leans to the preferred answer, against its reference."],
    ["rewards", "Chosen, rejected", [["rewards/chosen", "Chosen"], ["rewards/rejected", "Rejected"]], "How much likelier the chosen and the rejected answers became. Both may fall; the chosen ones should fall less."],
    ["accuracy-plain", "Accuracy", [["accuracy", "Training"], ["held_out_accuracy", "Held out"]], "Share of rows that are judged rightly."],
    ["token_accuracy", "Token accuracy", [["token_accuracy", "Training"], ["held_out_token_accuracy", "Held out"]], "Share of tokens that the model would have said itself."],
    ["kl", "Distance", [["kl", "KL"]], "How far the model has gone from its reference."],
    ["length", "Length", [["completions/mean_length", "Tokens of an answer"]], "Rewards can be won by talking longer: watch it beside the reward."],
    ["learning_rate", "Step size", [["learning_rate", "Step size"]], "The step size: it rises, then falls."],
    ["gradient_norm", "Gradient norm", [["gradient_norm", "Gradient norm"]], "How strongly a step pulls at the weights; sudden peaks mean trouble."],
    ["speed", "Speed", [["tokens_per_second", "Tokens a second"]], "Tokens that are learnt in a second."],
    ["memory", "Memory", [["memory_gb", "GB"]], "Memory that the run takes, in GB."],
    ["entropy", "Entropy", [["entropy", "Entropy"]], "How undecided the model is between tokens."],
  ];
  const KNOWN = new Set(GROUPS.flatMap(([, , metrics]) => metrics.map(([name]) => name)));
  const QUIET = /^(epoch|num_tokens|num_input_tokens_seen|held_out_best|best_step|step_time|held_out_(runtime|.*per_second|num_tokens|entropy))/;

  /** The groups of which this run has values; a metric that none names is one by itself. */
  function groupsOf(series) {
    const has = (name) => series[name]?.some(([, value]) => value !== null);
    const known = GROUPS.filter(([, , metrics]) => has(metrics[0][0]) || has(metrics[1]?.[0]));
    const others = Object.keys(series).filter((name) => !KNOWN.has(name) && !QUIET.test(name) && has(name)).sort();
    return [...known, ...others.map((name) => [name, label(name.replaceAll("/", " ")), [[name, label(name)]], ""])];
  }

  const FIRST = 8; // tabs before the others are folded into a list

  class Chart {
    constructor(zoomed) {
      this.zoomed = zoomed;
      this.curve = new Curve();
      this.curve.onZoom = (from, to) => this.zoom(from, to);
      this.tabs = el("div", { class: "segmented", role: "group", "aria-label": "Metric" });
      this.meaning = el("p", { class: "hint" });
      this.small = el("div", { class: "curve-grid-small", hidden: true });
      this.slider = el("input", { type: "range", id: "curve-smooth", min: 0, max: 40, step: 1, value: "5", oninput: () => this.draw() });
      const button = (id, words, sign, run) => el("button", { type: "button", class: "button button-s button-ghost", id, "aria-label": words, title: words, onclick: run }, sign);
      this.whole = el("button", { type: "button", class: "button button-s", id: "curve-whole", hidden: true, onclick: () => this.zoom(null, null) }, "Whole run");
      this.tools = el("div", { class: "curve-tools line" },
        el("label", { class: "curve-smooth small", for: "curve-smooth" }, "Smoothing", this.slider),
        el("span", { class: "line" }, button("curve-in", "Zoom in", "+", () => this.curve.zoom(0.5)), button("curve-out", "Zoom out", "−", () => this.curve.zoom(2)), this.whole));
      this.element = el("div", { class: "stack-s run-chart" }, this.tabs, this.curve.element, this.small, this.tools, this.meaning);
      this.reset();
    }

    reset() {
      this.group = "loss";
      this.range = null;
      this.smalls = {};
      this.series = {};
      this.near = null;
    }

    show(job, series) {
      this.job = job;
      this.series = series;
      this.groups = groupsOf(series);
      this.element.hidden = !this.groups.length && !["running", "queued"].includes(job.status);
      if (this.group !== "all" && !this.groups.some(([key]) => key === this.group)) this.group = this.groups[0]?.[0] || "loss";
      this.draw();
    }

    /** Finer points of the stretch that is looked at. */
    showRange(series) {
      this.near = series;
      this.draw();
    }

    choose(group) {
      this.group = group;
      this.draw();
    }

    zoom(from, to) {
      this.range = from === null ? null : [from, to];
      this.near = null;
      this.whole.hidden = !this.range;
      this.draw();
      if (this.range) this.zoomed(from, to);
    }

    drawTabs() {
      const tab = (key, title) => el("button", { type: "button", "aria-pressed": String(key === this.group), onclick: () => this.choose(key) }, title);
      const first = this.groups.slice(0, FIRST);
      const rest = this.groups.slice(FIRST);
      const folded = rest.some(([key]) => key === this.group);
      const more = el("select", { class: "curve-more", "aria-label": "More metrics", onchange: () => more.value && this.choose(more.value) },
        el("option", { value: "" }, "More…"), rest.map(([key, title]) => el("option", { value: key, selected: key === this.group }, title)));
      more.classList.toggle("is-chosen", folded);
      const tabs = [...first.map(([key, title]) => tab(key, title)), rest.length > 0 && more, this.groups.length > 1 && tab("all", "All")].filter(Boolean);
      const said = JSON.stringify([this.group, this.groups.map(([key]) => key)]);
      if (said !== this.saidTabs) {
        const held = this.tabs.contains(document.activeElement) && document.activeElement.textContent;
        this.tabs.replaceChildren(...tabs);
        if (held) [...this.tabs.children].find((one) => one.textContent === held)?.focus();
        this.saidTabs = said;
      }
      this.tabs.hidden = this.groups.length < 2;
    }

    draw() {
      if (!this.job) return;
      this.drawTabs();
      const all = this.group === "all";
      this.curve.element.hidden = all;
      this.small.hidden = !all;
      this.tools.hidden = !this.groups.length;
      if (all) {
        this.drawAll();
        return;
      }
      const [, title, metrics, meaning] = this.groups.find(([key]) => key === this.group) || ["loss", "Loss", [["loss", "Loss"]], ""];
      this.curve.show(title, this.lines(metrics), this.view());
      this.meaning.textContent = this.groups.length ? meaning : "";
    }

    drawAll() {
      this.meaning.textContent = "";
      const cells = this.groups.map(([key, title, metrics]) => {
        this.smalls[key] ??= this.smallCurve(key, title);
        this.smalls[key].curve.show(title, this.lines(metrics), this.view());
        return this.smalls[key].cell;
      });
      if (cells.length !== this.small.childElementCount) this.small.replaceChildren(...cells);
    }

    smallCurve(key, title) {
      const curve = new Curve({ height: 120, quiet: true });
      curve.onZoom = (from, to) => this.zoom(from, to);
      return { curve, cell: el("figure", { class: "curve-small" }, el("figcaption", {}, el("button", { type: "button", class: "button-text small", onclick: () => this.choose(key) }, title)), curve.element) };
    }

    lines(metrics) {
      const series = this.near || this.series;
      return metrics.filter(([name]) => series[name]?.length).map(([name, words]) => ({ name: words, points: series[name] }));
    }

    view() {
      return { last: this.job.total_steps, range: this.range, smoothing: Number(this.slider.value) };
    }
  }

  window.ratchet.training.Chart = Chart;
})();
