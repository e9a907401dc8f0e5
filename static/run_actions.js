/*
 * What one can do with a run: stop it, go on, begin again, try again with a smaller batch, compare, take the model out.
 *
 *   new ratchet.training.Actions(changed)   {element, show(job), resume()}
 */
(() => {
  "use strict";

  const { el, api, dialog, toast } = window.ratchet;

  const { exportButton } = window.ratchet.training;
  const JUDGES = ["reward", "classify"]; // what they make answers nothing, so nothing could test a copy of it

  /** Whether there is something to go on with: it began, and ended before it was done. */
  const canResume = (job) => (job.status === "failed" || job.status === "stopped") && job.started_at !== null;

  const begun = (job) => window.dispatchEvent(new CustomEvent("ratchet:job", { detail: { job } }));

  class Actions {
    constructor(changed) {
      this.changed = changed;
      this.element = el("div", { class: "line run-actions" });
    }

    show(job) {
      this.job = job;
      const live = job.status === "running" || job.status === "queued";
      const buttons = live ? [this.stopping(job)] : job.status === "done" ? this.afterwards(job) : this.onwards(job);
      this.element.replaceChildren(...buttons);
      this.element.hidden = !buttons.length;
    }

    stopping(job) {
      return el("button", { type: "button", class: "button", id: "run-stop", onclick: () => this.askToStop() },
        job.stop_requested !== null ? "Stopping…" : job.status === "queued" ? "Take out of the queue" : "Stop");
    }

    afterwards(job) {
      return [
        job.compare && el("a", { class: "button button-primary", id: "run-compare", href: `/compare?study=${encodeURIComponent(job.compare)}` }, "Compare it now"),
        job.model && !JUDGES.includes(job.method) && exportButton(job.model),
      ].filter(Boolean);
    }

    onwards(job) {
      const resumes = canResume(job);
      const retries = (job.error?.retry || []).map(({ label, options }) => el("button", { type: "button", class: "button run-retry",
        onclick: () => this.send(`/api/jobs/${job.job}/retry`, { options }) }, `${label[0].toUpperCase()}${label.slice(1)}`));
      return [
        resumes && el("button", { type: "button", class: "button button-primary", id: "run-resume", "aria-keyshortcuts": "r",
          title: "Go on from the newest whole checkpoint", onclick: () => this.resume() }, "Resume ", el("kbd", { "aria-hidden": "true" }, "R")),
        ...retries,
        el("button", { type: "button", class: resumes ? "button" : "button button-primary", id: "run-again", onclick: () => this.send(`/api/jobs/${job.job}/again`, {}) }, "Run it again"),
      ].filter(Boolean);
    }

    /** Starts another job in place of this one, and shows it. */
    async send(path, body) {
      try {
        const job = await api(path, { body });
        begun(job.job);
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    askToStop() {
      const { job } = this;
      if (job.status === "queued") {
        this.stop(true);
        return;
      }
      dialog(`Stop ${job.name}?`, el("p", {}, "Saving keeps a checkpoint and the model as it is now, so the run can go on from there. Stopping now throws away what was learnt since the last checkpoint."), [
        { label: "Let it train", kind: "secondary", run: () => {} },
        { label: "Stop now", kind: "danger", run: () => this.stop(true) },
        { label: "Save and stop", kind: "primary", run: () => this.stop(false) },
      ]);
    }

    async stop(now) {
      try {
        await api(`/api/jobs/${this.job.job}/stop`, { body: { now } });
        this.changed();
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    /** Queues the same job once more; a second press finds it queued and does nothing. */
    async resume() {
      if (!this.job || !canResume(this.job) || this.resuming) return;
      this.resuming = true;
      try {
        await api(`/api/jobs/${this.job.job}/resume`, { body: {} });
        await this.changed();
      } catch (error) {
        toast(error.message, "bad");
      } finally {
        this.resuming = false;
      }
    }
  }

  Object.assign(window.ratchet.training, { Actions, canResume });
})();
