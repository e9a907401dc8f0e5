/*
 * One run as it is looked at: head, progress, what the doctor says, curves, evaluation, samples, log.
 *
 *   new ratchet.training.Run(changed)   {element, show(job), actions}
 *
 * The curves ask only for points that they do not have; a stretch that is zoomed into is asked for by itself.
 */
(() => {
  "use strict";

  const { el, api, figure } = window.ratchet;
  const { spell, plural, status, copyButton, Chart, Actions, Log, Samples, symptoms, evaluation } = window.ratchet.training;
  const LIVE = ["queued", "running"];
  const MOST = 3000; // points of a series before the whole is asked for again, thinned

  /** A series with newer points: a resumed run does some steps again, and of each step the last value counts. */
  function joined(before, points) {
    if (!before.length || !points.length || points[0][0] > before.at(-1)[0]) return [...before, ...points];
    return [...new Map([...before, ...points])].sort((one, other) => one[0] - other[0]);
  }

  class Run {
    constructor(changed) {
      this.chart = new Chart((from, to) => this.fetchRange(from, to));
      this.actions = new Actions(changed);
      this.logView = new Log();
      this.samples = new Samples();
      this.head = el("div", { class: "card-head" });
      this.line = el("p", { class: "muted" });
      this.progress = el("div", { class: "progress", role: "progressbar", "aria-valuemin": 0 }, el("span", {}));
      this.phase = el("p", { class: "run-phase", role: "status" });
      this.notice = el("div", { class: "stack-s", id: "run-notices" });
      this.facts = el("dl", { class: "facts" });
      this.found = el("div", { class: "stack", hidden: true });
      this.command = el("code", { tabindex: 0, "aria-label": "The same as a command" });
      this.element = el("section", { class: "card stack run-card", "aria-labelledby": "run-title" },
        this.head, this.line, this.notice, el("div", { class: "stack-s" }, this.phase, this.progress), this.actions.element, this.chart.element,
        this.facts, this.found, this.samples.element, this.logView.element,
        el("div", { class: "command" }, this.command, copyButton(() => this.command.textContent)));
    }

    /** Forgets the curve of the run before. */
    reset(job) {
      this.id = job.job;
      this.series = {};
      this.offset = 0;
      this.warnings = [];
      this.status = null;
      this.looks = null;
      this.chart.reset();
      this.logView.reset(job.job);
      this.samples.element.hidden = true;
      this.samples.element.open = false;
    }

    async show(job) {
      if (this.id !== job.job) this.reset(job);
      const live = LIVE.includes(job.status);
      const fresh = this.status !== job.status;
      this.status = job.status;
      this.job = job;
      if (live || fresh) await this.fetchCurve();
      if (this.job !== job) return; // another run was chosen while we asked
      this.element.classList.toggle("is-first", live || new URLSearchParams(location.search).has("job"));
      this.drawHead(job);
      this.drawProgress(job, live);
      this.chart.show(job, this.series);
      this.drawFacts(job);
      this.drawFound(job);
      if (fresh || job.stop_requested !== this.stopping) this.actions.show(job);
      this.stopping = job.stop_requested;
      this.command.textContent = live ? `ratchet job ${job.number}` : job.command;
      await this.readMore(live, fresh);
    }

    async fetchCurve() {
      const id = this.id;
      const page = await api(`/api/jobs/${id}/curves?offset=${this.offset}`);
      if (id !== this.id) return;
      this.offset = page.offset;
      this.warnings = [...new Set([...this.warnings, ...page.warnings])];
      for (const [name, points] of Object.entries(page.series)) this.series[name] = joined(this.series[name] || [], points);
      if (Object.values(this.series).some((points) => points.length > MOST)) {
        this.series = {};
        this.offset = 0;
        await this.fetchCurve();
      }
    }

    async fetchRange(from, to) {
      const id = this.id;
      const page = await api(`/api/jobs/${id}/curves?from=${from}&to=${to}`);
      const { range } = this.chart;
      if (id === this.id && range && range[0] === from && range[1] === to) this.chart.showRange(page.series);
    }

    /** The samples where there are new ones (each look at the held-out rows writes some), and the log where it is open. */
    async readMore(live, fresh) {
      const looks = Object.entries(this.series).filter(([name]) => name.startsWith("held_out_")).reduce((sum, [, points]) => sum + points.length, 0);
      if (fresh || looks !== this.looks) await this.samples.read(this.id);
      this.looks = looks;
      if (this.logView.element.open && (live || fresh)) await this.logView.read();
    }

    drawHead(job) {
      const title = el("h2", { id: "run-title" }, job.name);
      const head = [title, el("span", { class: "line" }, el("span", { class: "chip" }, job.method.toUpperCase()), status(job))];
      this.head.replaceChildren(...head);
      const from = job.study ? ["the votes of ", el("a", { class: "link", href: `/compare?study=${encodeURIComponent(job.study)}` }, job.study)]
        : job.dataset ? [el("a", { class: "link", href: `/data?dataset=${encodeURIComponent(job.dataset)}` }, job.dataset), job.version ? `, version ${job.version}` : ""] : ["its data"];
      const line = el("p", { class: "muted" }, `Job ${job.number}. ${job.base} learns from `, from, ".");
      if (!line.isEqualNode(this.line)) this.line.replaceChildren(...line.childNodes); // a redraw would take the focus from its links
    }

    drawProgress(job, live) {
      const known = job.total_steps > 0;
      const share = known ? (100 * job.step) / job.total_steps : 0;
      this.progress.hidden = !live;
      this.progress.classList.toggle("progress-unknown", live && !(known && job.step));
      this.progress.setAttribute("aria-valuemax", job.total_steps || 1);
      this.progress.setAttribute("aria-valuenow", job.step);
      this.progress.setAttribute("aria-label", `${job.name}: step ${job.step} of ${job.total_steps || "unknown"}`);
      this.progress.firstChild.style.setProperty("--value", `${share}%`);
      this.phase.replaceChildren(...phaseWords(job));
      this.notice.replaceChildren(...notices(job), ...symptoms(job.symptoms), ...this.warnings.map((text) => el("p", { class: "notice notice-warning" }, text)));
    }

    drawFacts(job) {
      const last = (name) => this.series[name]?.filter(([, value]) => value !== null).at(-1)?.[1];
      const told = (name, write = figure) => (last(name) === undefined ? null : write(last(name)));
      const facts = [
        ["Step", job.total_steps ? `${job.step} of ${job.total_steps}` : null],
        ["Loss", told("loss")],
        ["Held-out loss", told("held_out_loss")],
        ["Accuracy", told("rewards/accuracies", (share) => `${Math.round(100 * share)} %`)],
        ["Margin", told("rewards/margins")],
        ["Reward", told("reward")],
        [LIVE.includes(job.status) ? "Running for" : "Took", job.seconds === null ? null : spell(job.seconds)],
        ["First step after", job.seconds_to_first_step === null ? null : spell(job.seconds_to_first_step)],
      ];
      this.facts.replaceChildren(...facts.filter(([, value]) => value !== null).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
      this.facts.hidden = !this.facts.childElementCount;
    }

    drawFound(job) {
      const said = JSON.stringify([job.job, job.evaluation]);
      if (said === this.saidFound) return;
      this.saidFound = said;
      this.found.hidden = !job.evaluation;
      this.found.replaceChildren(...[evaluation(job.evaluation)].filter(Boolean));
    }
  }

  function phaseWords(job) {
    if (job.status === "queued") return [job.reason ? job.reason : job.ahead ? `Waits for ${plural(job.ahead, "job")} before it.` : "Waits for the worker, a second or two."];
    if (job.status !== "running") return [];
    if (job.stop_requested) return [job.stop_requested === "now" ? "Stopping now." : "Saving, then stopping."];
    const words = { starting: "Starting", loading: "Loading the model", training: "Training", saving: "Saving the model", probing: "Trying the model out", reading: "Reading the texts", generating: "Writing answers", evaluating: "Measuring the model" };
    const eta = job.phase === "training" && job.eta_seconds !== null ? `, about ${spell(job.eta_seconds)} left` : "";
    const step = job.phase === "training" && job.total_steps ? `: step ${job.step} of ${job.total_steps}` : "";
    return [el("b", {}, words[job.phase] || job.phase || "Starting"), `${step}${eta}`];
  }

  function notices(job) {
    if (job.status === "failed") {
      return [el("div", { class: "notice notice-bad", id: "run-error" }, el("p", {}, job.error?.sentence || "It ended before it was done."),
        job.error?.fix && el("p", {}, job.error.fix))];
    }
    if (job.status === "done") {
      return [el("p", { class: "notice notice-good" }, job.compare ? `${job.model} waits in Compare, blind, against ${job.base}.` : `${job.model} is ready.`)];
    }
    if (job.status === "stopped") return [el("p", { class: "notice" }, job.started_at ? "Stopped on request." : "Taken out of the queue before it began.")];
    return [];
  }

  window.ratchet.training.Run = Run;
})();
