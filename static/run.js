/*
 * A run being watched, and the jobs before it.
 *
 * Everything is read again each second from /api/jobs (each fourth second while nothing is at work), so the same run
 * is seen in any tab, after a refresh and after a restart. The curve asks only for points that it does not have.
 */
(() => {
  "use strict";

  const { el, api, keys, poll, dialog, toast, Curve, figure } = window.ratchet;
  const LIVE = ["queued", "running"];
  const NAMES = {
    loss: "Loss", "rewards/accuracies": "Accuracy", "rewards/margins": "Margin", learning_rate: "Step size",
    gradient_norm: "Gradient norm", token_accuracy: "Token accuracy", entropy: "Entropy",
    "rewards/chosen": "Reward of chosen", "rewards/rejected": "Reward of rejected",
  };
  const MEANING = {
    loss: "How surprised the model is by what it should say: lower is better.",
    "rewards/accuracies": "Share of pairs in which the model now leans to the answer that was preferred.",
    "rewards/margins": "How far it leans to the preferred answer, against its reference.",
    learning_rate: "The step size: it rises, then falls.",
    gradient_norm: "How strongly a step pulls at the weights; sudden peaks mean trouble.",
    token_accuracy: "Share of tokens that the model would have said itself.",
    entropy: "How undecided the model is between tokens.",
  };
  const SHOWN = ["loss", "rewards/accuracies", "rewards/margins", "token_accuracy", "learning_rate", "gradient_norm"];

  function spell(seconds) {
    if (seconds === null || seconds === undefined) return "";
    if (seconds < 90) return `${Math.round(seconds)} s`;
    return seconds < 5400 ? `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s` : `${(seconds / 3600).toFixed(1)} h`;
  }

  /** A series with newer points: a resumed run does some steps again, and of each step the last value counts. */
  function joined(before, points) {
    if (!before.length || !points.length || points[0][0] > before.at(-1)[0]) return [...before, ...points];
    return [...new Map([...before, ...points])].sort((one, other) => one[0] - other[0]);
  }

  const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

  /* ---- One run --------------------------------------------------------------------------------------- */

  class Run {
    constructor() {
      this.curve = new Curve();
      this.series = {};
      this.offset = 0;
      this.metric = "loss";
      this.head = el("div", { class: "card-head" });
      this.line = el("p", { class: "muted" });
      this.progress = el("div", { class: "progress", role: "progressbar", "aria-valuemin": 0 }, el("span", {}));
      this.phase = el("p", { class: "run-phase", role: "status" });
      this.notice = el("div", { class: "stack-s" });
      this.tabs = el("div", { class: "segmented", role: "group", "aria-label": "Metric" });
      this.meaning = el("p", { class: "hint" });
      this.chart = el("div", { class: "stack-s run-chart" }, this.tabs, this.curve.element, this.meaning);
      this.facts = el("dl", { class: "facts" });
      this.actions = el("div", { class: "line" });
      this.log = el("pre", { class: "log", tabindex: 0, "aria-label": "End of the log" });
      this.details = el("details", { class: "more-options", ontoggle: () => this.readLog() }, el("summary", {}, "Log"), this.log);
      this.command = el("code", { tabindex: 0, "aria-label": "The same as a command" });
      this.element = el("section", { class: "card stack run-card", "aria-labelledby": "run-title" },
        this.head, this.line, this.notice, el("div", { class: "stack-s" }, this.phase, this.progress), this.actions, this.chart,
        this.facts, this.details, el("div", { class: "command" }, this.command));
    }

    /** Forgets the curve of the run before. */
    reset(job) {
      this.id = job.job;
      this.series = {};
      this.offset = 0;
      this.metric = "loss";
      this.warnings = [];
      this.status = null;
      this.log.textContent = "";
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
      this.drawChart(job);
      this.drawFacts(job);
      if (fresh || job.stop_requested !== this.stopping) this.drawActions(job, live);
      this.stopping = job.stop_requested;
      this.command.textContent = live ? `ratchet job ${job.number}` : job.command;
      if (this.details.open && (live || fresh)) await this.readLog();
    }

    async fetchCurve() {
      const page = await api(`/api/jobs/${this.id}/curves?offset=${this.offset}`);
      this.offset = page.offset;
      this.warnings = [...new Set([...this.warnings, ...page.warnings])];
      for (const [name, points] of Object.entries(page.series)) this.series[name] = joined(this.series[name] || [], points);
    }

    drawHead(job) {
      const title = el("h2", { id: "run-title" }, job.name);
      this.head.replaceChildren(title, el("span", { class: "line" }, el("span", { class: "chip" }, job.method.toUpperCase()), status(job)));
      const from = job.study ? ["the votes of ", el("a", { class: "link", href: `/compare?study=${encodeURIComponent(job.study)}` }, job.study)]
        : job.dataset ? [el("a", { class: "link", href: `/data?dataset=${encodeURIComponent(job.dataset)}` }, job.dataset), job.version ? `, version ${job.version}` : ""] : ["its data"];
      this.line.replaceChildren(`Job ${job.number}. ${job.base} learns from `, ...from, ".");
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
      this.notice.replaceChildren(...notices(job), ...this.warnings.map((text) => el("p", { class: "notice notice-warning" }, text)));
    }

    drawChart(job) {
      const names = SHOWN.filter((name) => this.series[name]?.some(([, value]) => value !== null));
      this.chart.hidden = !names.length && !["running", "queued"].includes(job.status);
      if (!names.includes(this.metric)) this.metric = names[0] || "loss";
      if (this.tabs.childElementCount !== names.length || this.drawnMetric !== this.metric) {
        this.tabs.replaceChildren(...names.map((name) => el("button", { type: "button", "aria-pressed": String(name === this.metric),
          onclick: () => { this.metric = name; this.drawChart(this.job); } }, NAMES[name] || name)));
        this.drawnMetric = this.metric;
      }
      this.tabs.hidden = names.length < 2;
      this.meaning.textContent = names.length ? MEANING[this.metric] || "" : "";
      this.curve.show(NAMES[this.metric] || this.metric, this.series[this.metric] || [], job.total_steps);
    }

    drawFacts(job) {
      const last = (name) => this.series[name]?.filter(([, value]) => value !== null).at(-1)?.[1];
      const facts = [
        ["Step", job.total_steps ? `${job.step} of ${job.total_steps}` : null],
        ["Loss", last("loss") === undefined ? null : figure(last("loss"))],
        ["Accuracy", last("rewards/accuracies") === undefined ? null : `${Math.round(100 * last("rewards/accuracies"))} %`],
        ["Margin", last("rewards/margins") === undefined ? null : figure(last("rewards/margins"))],
        [LIVE.includes(job.status) ? "Running for" : "Took", job.seconds === null ? null : spell(job.seconds)],
        ["First step after", job.seconds_to_first_step === null ? null : spell(job.seconds_to_first_step)],
      ];
      this.facts.replaceChildren(...facts.filter(([, value]) => value !== null).map(([name, value]) =>
        el("div", {}, el("dt", {}, name), el("dd", {}, value))));
      this.facts.hidden = !this.facts.childElementCount;
    }

    drawActions(job, live) {
      const buttons = [];
      if (job.status === "running" || job.status === "queued") {
        const asked = job.stop_requested !== null;
        buttons.push(el("button", { type: "button", class: "button", id: "run-stop", onclick: () => this.askToStop() },
          asked ? "Stopping…" : job.status === "queued" ? "Take out of the queue" : "Stop"));
      }
      if (job.status === "done" && job.compare) {
        buttons.push(el("a", { class: "button button-primary", id: "run-compare", href: `/compare?study=${encodeURIComponent(job.compare)}` }, "Compare it now"));
      }
      if (!live && job.status !== "done") {
        const resumes = canResume(job);
        if (resumes) {
          buttons.push(el("button", { type: "button", class: "button button-primary", id: "run-resume", "aria-keyshortcuts": "r",
            title: "Go on from the newest whole checkpoint", onclick: () => this.resume() }, "Resume ", el("kbd", { "aria-hidden": "true" }, "R")));
        }
        buttons.push(el("button", { type: "button", class: resumes ? "button" : "button button-primary", id: "run-again", onclick: () => this.again() }, "Run it again"));
      }
      this.actions.replaceChildren(...buttons);
      this.actions.hidden = !buttons.length;
    }

    askToStop() {
      const { job } = this;
      if (job.status === "queued") {
        this.stop(true);
        return;
      }
      dialog(`Stop ${job.name}?`, el("p", {}, "Saving keeps a checkpoint and the adapter as it is now, so the run can go on from there. Stopping now throws away what was learnt since the last checkpoint."), [
        { label: "Let it train", kind: "secondary", run: () => {} },
        { label: "Stop now", kind: "danger", run: () => this.stop(true) },
        { label: "Save and stop", kind: "primary", run: () => this.stop(false) },
      ]);
    }

    async stop(now) {
      try {
        await api(`/api/jobs/${this.id}/stop`, { body: { now } });
        this.changed?.();
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    async again() {
      try {
        const job = await api(`/api/jobs/${this.id}/again`, { body: {} });
        window.dispatchEvent(new CustomEvent("ratchet:job", { detail: { job: job.job } }));
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    /** Queues the same job once more; a second press finds it queued and does nothing. */
    async resume() {
      if (!this.job || !canResume(this.job) || this.resuming) return;
      this.resuming = true;
      try {
        await api(`/api/jobs/${this.id}/resume`, { body: {} });
        await this.changed?.();
      } catch (error) {
        toast(error.message, "bad");
      } finally {
        this.resuming = false;
      }
    }

    async readLog() {
      if (!this.details.open) return;
      const { log } = await api(`/api/jobs/${this.id}/log`);
      const atEnd = this.log.scrollTop + this.log.clientHeight > this.log.scrollHeight - 30;
      this.log.textContent = log.trim() || "Nothing yet.";
      if (atEnd) this.log.scrollTop = this.log.scrollHeight;
    }
  }

  const status = (job) => el("span", { class: `status status-${job.status}` }, job.status);

  /** Whether there is something to go on with: it began, and ended before it was done. */
  const canResume = (job) => (job.status === "failed" || job.status === "stopped") && job.started_at !== null;

  function phaseWords(job) {
    if (job.status === "queued") return [job.ahead ? `Waits for ${plural(job.ahead, "job")} before it.` : "Waits for the worker, a second or two."];
    if (job.status !== "running") return [];
    if (job.stop_requested) return [job.stop_requested === "now" ? "Stopping now." : "Saving, then stopping."];
    const words = { starting: "Starting", loading: "Loading the model", training: "Training", saving: "Saving the adapter", probing: "Trying the adapter out" };
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

  /* ---- The page's part ------------------------------------------------------------------------------- */

  window.ratchet.widgets.run = (element) => {
    const run = new Run();
    const list = el("div", { class: "card card-flush job-list", hidden: true });
    const empty = el("div", { class: "empty" }, el("h2", {}, "Nothing has been trained yet"),
      el("p", {}, "Fill in the form and press Train. What happens then is shown here, and goes on when you close the tab."));
    element.append(el("div", { class: "stack" }, empty, list));
    let chosen = new URLSearchParams(location.search).get("job");
    let known = null;
    let idle = 0;

    async function look(force = false) {
      idle = force || known === null || known.unfinished ? 0 : (idle + 1) % 4;
      if (idle) return;
      const before = known;
      known = await api("/api/jobs");
      if (before?.unfinished > known.unfinished) window.dispatchEvent(new CustomEvent("ratchet:job-ended"));
      await draw();
    }

    async function draw() {
      const { jobs } = known;
      empty.hidden = jobs.length > 0 || Boolean(chosen);
      const job = jobs.find((one) => one.job === chosen || String(one.number) === chosen)
        || (chosen ? await api(`/api/jobs/${encodeURIComponent(chosen)}`).catch((error) => gone(error)) : null)
        || jobs.find((one) => one.status === "running") || jobs[0];
      if (!job) return;
      if (!run.element.isConnected) empty.before(run.element);
      drawList(jobs, job);
      await run.show(job);
    }

    function gone(error) {
      toast(error.message, "bad");
      choose(null);
      return null;
    }

    function drawList(jobs, shown) {
      list.hidden = jobs.length < 2;
      const row = (job) => el("tr", { "aria-selected": String(job.job === shown.job) },
        el("td", { class: "num" }, job.number),
        el("td", {}, el("a", { class: "link", href: `?job=${job.job}`, onclick: (event) => { event.preventDefault(); choose(job.job); } }, job.name),
          el("div", { class: "muted small" }, `${job.method.toUpperCase()} from ${job.base}`)),
        el("td", {}, status(job)),
        el("td", { class: "num" }, job.status === "running" && job.total_steps ? `${Math.round((100 * job.step) / job.total_steps)} %` : spell(job.seconds)));
      const body = el("tbody", {}, jobs.map(row));
      if (body.isEqualNode(list.querySelector("tbody"))) return; // a redraw would take the focus from its links
      list.replaceChildren(el("div", { class: "card-head" }, el("h2", {}, "Jobs")),
        el("div", { class: "table-wrap" }, el("table", { class: "table table-s" },
          el("thead", {}, el("tr", {}, el("th", { class: "num" }, "No."), el("th", {}, "Model"), el("th", {}, "State"), el("th", { class: "num" }, "Time"))), body)));
    }

    function choose(job) {
      chosen = job;
      const query = new URLSearchParams(location.search);
      if (job) query.set("job", job);
      else query.delete("job");
      history.replaceState(null, "", `${location.pathname}?${query}`);
      return look(true).catch((error) => toast(error.message, "bad"));
    }

    const started = async ({ detail }) => {
      await choose(detail.job);
      run.element.scrollIntoView({ block: "nearest", behavior: "smooth" });
    };
    run.changed = () => look(true);
    window.addEventListener("ratchet:job", started);
    const unbind = keys.add({ key: "r", label: "Resume the run", group: "Run", run: () => { run.resume(); }, when: () => Boolean(run.job) && canResume(run.job) });
    const polling = poll(look, 1000);
    return () => {
      polling.stop();
      unbind();
      window.removeEventListener("ratchet:job", started);
    };
  };
})();
