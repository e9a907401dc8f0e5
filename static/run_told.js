/*
 * A notification of the browser when a job ends, for those who asked for it with the button; kept in this browser.
 *
 *   ratchet.training.told()   {button, ended(jobs)}
 */
(() => {
  "use strict";

  const { el, toast } = window.ratchet;
  const KEY = "ratchet.tell";
  const WORDS = { done: "is ready", failed: "has failed", stopped: "has stopped" };

  function read() {
    try {
      return localStorage.getItem(KEY) === "yes" && Notification.permission === "granted";
    } catch {
      return false; // storage is switched off
    }
  }

  window.ratchet.training.told = () => {
    const can = "Notification" in window;
    let wanted = can && read();
    const seen = new Map();
    const button = el("button", { type: "button", class: "button button-s button-ghost", id: "job-tell", hidden: !can, onclick: press });
    draw();

    function draw() {
      button.textContent = wanted ? "You will be told when a job ends" : "Tell me when a job ends";
      button.setAttribute("aria-pressed", String(wanted));
    }

    async function press() {
      if (!wanted && (await Notification.requestPermission()) !== "granted") {
        toast("The browser does not allow this page to notify you; allow it beside the address.", "bad");
        return;
      }
      wanted = !wanted;
      try {
        localStorage.setItem(KEY, wanted ? "yes" : "no");
      } catch {
        /* storage is switched off: it holds as long as the page */
      }
      draw();
    }

    /** Looks for jobs that were at work when they were seen last. */
    function ended(jobs) {
      for (const job of jobs) {
        const before = seen.get(job.job);
        seen.set(job.job, job.status);
        if (!wanted || !WORDS[job.status] || !["queued", "running"].includes(before)) continue;
        const note = new Notification(`${job.name} ${WORDS[job.status]}`, { body: job.error?.sentence || "", tag: job.job });
        note.onclick = () => { window.focus(); window.dispatchEvent(new CustomEvent("ratchet:job", { detail: { job: job.job } })); };
      }
    }

    return { button, ended };
  };
})();
