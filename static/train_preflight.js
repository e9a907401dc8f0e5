/*
 * The preflight: what the run would learn, whether it fits, and its price, found by trying a step or two.
 *
 *   new ratchet.training.Preflight(said)   {box, soon(request), hold()}; said({price, refusals} | null)
 *
 * It goes by itself a moment after the plan has settled, and by its button. An answer for a plan that has changed
 * meanwhile is dropped.
 */
(() => {
  "use strict";

  const { el, api } = window.ratchet;
  const { count, percent, minutes } = window.ratchet.training;
  const SETTLED = 1500; // ms without a change
  const AGAIN = 700; // ms between two looks
  const KEY = "ratchet.preflight";
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));

  function byItself() {
    try {
      return localStorage.getItem(KEY) !== "off";
    } catch {
      return true; // storage is switched off
    }
  }

  class Preflight {
    constructor(said) {
      this.said = said;
      this.turn = 0;
      this.state = el("p", { class: "muted small", role: "status", id: "preflight-state" });
      this.button = el("button", { type: "button", class: "button button-s", id: "preflight-now", onclick: () => this.run() }, "Check now");
      this.itself = el("input", { type: "checkbox", id: "preflight-itself", checked: byItself(), onchange: () => this.keep() });
      this.facts = el("dl", { class: "facts", id: "preflight-facts" });
      this.notes = el("div", { class: "stack-s", id: "preflight-notes" });
      this.rows = el("div", { class: "stack-s" });
      this.details = el("details", { class: "more-options" }, el("summary", {}, "What is learnt of five rows"), this.rows);
      this.body = el("div", { class: "stack-s", hidden: true }, this.facts, this.notes, this.details);
      this.box = el("section", { class: "preflight stack-s", "aria-labelledby": "preflight-title", hidden: true },
        el("div", { class: "row-between" }, el("h3", { id: "preflight-title" }, "Before the start"),
          el("span", { class: "line" }, el("label", { class: "check small", for: "preflight-itself" }, this.itself, "by itself"), this.button)), this.state, this.body);
    }

    /** Another plan: what was found counts no longer, and the new one is looked at when it has settled. */
    soon(request) {
      const asked = JSON.stringify({ ...request, name: undefined, after: undefined, when_idle: undefined });
      this.request = request;
      this.box.hidden = false;
      this.button.disabled = false;
      if (asked === this.asked) return;
      this.asked = asked;
      this.forget("");
      if (this.itself.checked) this.timer = setTimeout(() => this.run(), SETTLED);
    }

    /** Whether it goes by itself is kept in this browser: trying a step takes a core for some seconds. */
    keep() {
      try {
        localStorage.setItem(KEY, this.itself.checked ? "on" : "off");
      } catch {
        /* storage is switched off: it holds as long as the page */
      }
      if (this.itself.checked && this.body.hidden && this.request) this.run();
    }

    /** The plan is refused, so there is nothing to look at. */
    hold() {
      this.asked = null;
      this.button.disabled = true;
      this.forget("");
      this.box.hidden = true;
    }

    forget(words) {
      clearTimeout(this.timer);
      this.turn += 1;
      this.state.textContent = words;
      this.state.hidden = !words;
      this.body.hidden = true;
      this.box.removeAttribute("aria-busy");
      this.said(null);
    }

    async run() {
      this.forget("Looking at the rows and trying a step…");
      this.box.setAttribute("aria-busy", "true");
      const { turn } = this;
      try {
        let found = await api("/api/jobs/preflight", { body: this.request });
        while (found.state === "running" && turn === this.turn) {
          await wait(AGAIN);
          if (turn === this.turn && this.box.isConnected) found = await api(`/api/jobs/preflight/${found.id}`);
          else return;
        }
        if (turn === this.turn) this.show(found);
      } catch (error) {
        if (turn === this.turn) this.forget(error.message);
      }
    }

    show(found) {
      this.box.removeAttribute("aria-busy");
      if (!found.result) {
        const words = found.error?.sentence || found.error || "The check did not come to an end.";
        this.state.textContent = `${words} ${found.error?.fix || ""}`.trim();
        return;
      }
      this.state.hidden = true;
      this.body.hidden = false;
      this.facts.replaceChildren(...facts(found.result).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
      this.notes.replaceChildren(...notes(found.result));
      this.rows.replaceChildren(...found.result.examples.map(example));
      this.details.hidden = !found.result.examples.length;
      this.said({ price: found.result.price, refusals: found.result.refusals });
    }
  }

  const range = ({ low, high }, write) => (write(low) === write(high) ? write(high) : `${write(low).replace(/ .*/, "")} to ${write(high)}`);

  function facts(result) {
    const { rows, tokens, trained_tokens: trained, memory_gb: memory, seconds } = result;
    const gigabytes = (size) => `${size < 10 ? size.toFixed(1) : Math.round(size)} GB`;
    return [
      ["Rows", count(rows)],
      ["Tokens", count(tokens)],
      ["Learnt of them", `${count(trained)} (${percent(tokens ? trained / tokens : 0)})`],
      memory && ["Memory", range(memory, gigabytes)],
      seconds && ["Time", minutes(seconds.low) === minutes(seconds.high) ? minutes(seconds.high) : `${minutes(seconds.low)} to ${minutes(seconds.high).replace("about ", "")}`],
      typeof result.fits_beside_engine === "boolean" && ["Beside the engine", result.fits_beside_engine ? "fits" : "does not fit"],
    ].filter(Boolean);
  }

  /** Warnings as sentences, then what was looked at, with a sign and a word for those who see no colour. */
  function notes(result) {
    const checks = result.checks || [];
    return [...result.warnings.map((sentence) => el("p", { class: "notice notice-warning" }, sentence)),
      checks.length > 0 && el("ul", { class: "checks" }, checks.map((check) => el("li", { class: check.ok ? "is-good" : "is-bad" },
        el("span", { class: "visually-hidden" }, check.ok ? "Good: " : "Look: "), check.sentence)))].filter(Boolean);
  }

  function example({ tokens }) {
    return el("p", { class: "learnt-row" }, tokens.map(({ text, trained }) => (trained ? el("mark", {}, text) : el("span", {}, text))));
  }

  window.ratchet.training.Preflight = Preflight;
})();
