/*
 * The log of a run: its end, or all lines that hold some words.
 *
 *   new ratchet.training.Log()   {element, reset(job), read()}
 */
(() => {
  "use strict";

  const { el, api } = window.ratchet;

  class Log {
    constructor() {
      this.text = el("pre", { class: "log", tabindex: 0, "aria-label": "Log" });
      this.find = el("input", { id: "log-find", type: "search", class: "input", autocomplete: "off", spellcheck: "false", placeholder: "Find in the whole log",
        "aria-label": "Find in the whole log", "aria-describedby": "log-count", oninput: () => this.soon() });
      this.count = el("span", { class: "muted small", id: "log-count", role: "status" });
      this.element = el("details", { class: "more-options", id: "run-log", ontoggle: () => this.read() }, el("summary", {}, "Log"),
        el("div", { class: "stack-s" }, el("div", { class: "log-find" }, this.find, this.count), this.text));
    }

    reset(job) {
      this.job = job;
      this.text.textContent = "";
      this.find.value = "";
      this.count.textContent = "";
    }

    soon() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.read(), 200);
    }

    async read() {
      if (!this.element.open || !this.job) return;
      const words = this.find.value.trim();
      const asked = `${this.job}:${words}`;
      this.asked = asked;
      const answer = await api(`/api/jobs/${this.job}/log${words ? `?find=${encodeURIComponent(words)}` : ""}`);
      if (this.asked !== asked) return;
      if (words) this.showFound(answer);
      else this.showEnd(answer.log);
    }

    showEnd(log) {
      const atEnd = this.text.scrollTop + this.text.clientHeight > this.text.scrollHeight - 30;
      this.count.textContent = "";
      this.text.textContent = log.trim() || "Nothing yet.";
      if (atEnd) this.text.scrollTop = this.text.scrollHeight;
    }

    showFound({ lines, total }) {
      this.count.textContent = total === 0 ? "no line" : `${total} line${total === 1 ? "" : "s"}${lines.length < total ? `, the last ${lines.length} shown` : ""}`;
      this.text.textContent = lines.map(({ line, text }) => `${String(line).padStart(6)}  ${text}`).join("\n") || "Nothing.";
    }
  }

  window.ratchet.training.Log = Log;
})();
