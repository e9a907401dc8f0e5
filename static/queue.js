/*
 * The queue: what is at work where, and what waits, in the order that people give it.
 *
 * Each waiting job says why it waits; it can be held back, let go, moved, left until nobody works here, or taken out.
 */
(() => {
  "use strict";

  const { el, api, poll, toast } = window.ratchet;

  window.ratchet.widgets.queue = (element) => {
    const rows = el("ol", { class: "queue-list" });
    const slots = el("p", { class: "muted small queue-slots" });
    const said = el("p", { class: "visually-hidden", role: "status" });
    const card = el("section", { class: "card stack-s", "aria-labelledby": "queue-title", hidden: true },
      el("h2", { id: "queue-title" }, "Queue"), slots, rows, said);
    element.append(card);
    let quiet = 0;

    async function look(force = false) {
      quiet = force || !card.hidden ? 0 : (quiet + 1) % 3;
      if (!quiet) draw(await api("/api/queue"));
    }

    function draw({ slots: at, waiting }) {
      card.hidden = !waiting.length;
      const busy = at.filter((slot) => slot.job);
      slots.textContent = busy.length ? busy.map((slot) => `At work${["any", "starting"].includes(slot.device) ? "" : ` on ${slot.device}`}: job ${slot.job.number}, ${slot.job.name}`).join(". ") : "Nothing is at work.";
      const fresh = waiting.map((job, at) => row(job, at, waiting));
      if (el("ol", { class: "queue-list" }, fresh).isEqualNode(rows)) return; // a redraw would take the focus
      const held = rows.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
      rows.replaceChildren(...fresh);
      if (held) [...rows.querySelectorAll("button:not(:disabled)")].find((one) => one.getAttribute("aria-label") === held)?.focus();
    }

    function row(job, at, waiting) {
      const button = (sign, label, path, body, off = false) => el("button", { type: "button", class: "button button-s", "aria-label": `${label}: ${job.name}`, title: label, disabled: off,
        onclick: () => send(`/api/queue/${job.job}/${path}`, body, `${label}: ${job.name}`) }, sign);
      const after = waiting[at + 2]?.job || null;
      return el("li", { class: job.held ? "is-held" : "" },
        el("div", { class: "grow" }, el("a", { class: "link", href: `?job=${job.job}`, onclick: (event) => { event.preventDefault(); show(job.job); } }, job.name),
          el("span", { class: "muted small" }, ` job ${job.number}, ${job.method.toUpperCase()}`),
          el("p", { class: "hint" }, job.reason || "Waits for its turn.")),
        el("div", { class: "line queue-tools" },
          button("↑", "Move up", "move", { before: waiting[at - 1]?.job || null }, at === 0),
          button("↓", "Move down", "move", { before: after }, at === waiting.length - 1),
          job.held ? button("Let go", "Let go", "release", {}) : button("Hold", "Hold back", "hold", {}),
          el("button", { type: "button", class: "button button-s", "aria-pressed": String(job.when_idle), "aria-label": `Only when idle: ${job.name}`, title: "Only when nobody works here",
            onclick: () => send(`/api/queue/${job.job}/when-idle`, { when_idle: !job.when_idle }, job.when_idle ? "Runs at its turn" : "Runs when idle") }, "Idle")));
    }

    const show = (job) => window.dispatchEvent(new CustomEvent("ratchet:job", { detail: { job } }));

    async function send(path, body, words) {
      try {
        draw(await api(path, { body }));
        said.textContent = words;
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    const now = () => look(true).catch((error) => toast(error.message, "bad"));
    window.addEventListener("ratchet:job", now);
    window.addEventListener("ratchet:job-ended", now);
    const polling = poll(look, 2000);
    return () => {
      polling.stop();
      window.removeEventListener("ratchet:job", now);
      window.removeEventListener("ratchet:job-ended", now);
    };
  };
})();
