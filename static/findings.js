/*
 * What the checks found in a dataset: each finding is a filter, an explanation and, where it is safe, a mend.
 *
 *   ratchet.data.findingsBox()   {node, look(dataset)}: the list, and what draws it anew
 */
(() => {
  "use strict";

  const { el, api, toast, confirm, data } = window.ratchet;
  const CHIPS = { error: "chip-bad", warning: "chip-warning", info: "chip-info" };
  const WAIT = 700; // milliseconds between looks at a task
  const ASK_ABOVE = 100;

  data.findingsBox = () => {
    const list = el("ul", { class: "plain-list findings-list" });
    const state = el("p", { class: "muted small", role: "status" });
    const bar = el("div", { class: "progress", role: "progressbar", "aria-label": "Checking", hidden: true }, el("span"));
    const check = el("button", { type: "button", class: "button button-secondary button-s", onclick: begin }, "Check now");
    const stop = el("button", { type: "button", class: "button button-ghost button-s", hidden: true, onclick: cancel }, "Stop");
    const node = el("div", { class: "findings", role: "group", "aria-labelledby": "findings-title" },
      el("div", { class: "row-between" }, el("h3", { id: "findings-title" }, "Findings"), el("div", { class: "line" }, check, stop)), bar, state, list);
    let dataset = "";
    let task = null;
    let timer = 0;

    async function look(name) {
      dataset = name;
      clearTimeout(timer);
      try {
        const found = await api(data.path("findings", name));
        if (name !== dataset) return;
        draw(found);
        follow(found.task);
      } catch (error) {
        state.textContent = error.message;
      }
    }

    function draw(found) {
      const never = found.checks.every((one) => one.state === "not run") || found.unchecked === found.rows;
      state.textContent = never ? "Nothing has been checked yet: duplicates, personal data, empty answers, broken characters and more."
        : found.unchecked ? `${data.plural(found.unchecked, "row")} changed since the last check.`
          : found.findings.length ? "" : "The checks found nothing.";
      list.replaceChildren(...(never ? [] : found.findings.map(line)));
    }

    function line(found) {
      const set = data.place().filters.finding === found.check;
      const show = el("button", { type: "button", class: "finding-show", "aria-pressed": String(set), "aria-label": `${found.title}: show ${data.plural(found.count, "row")}`,
        onclick: () => data.filter({ finding: set ? null : found.check }).then(() => { look(dataset); if (!set) data.toRows(); }) },
        el("span", { class: `chip num ${CHIPS[found.severity]}` }, found.count.toLocaleString("en")), el("span", {}, found.title));
      const mend = found.mendable && el("button", { type: "button", class: "button button-secondary button-s", onclick: () => mendAll(found) }, found.mend_label || "Mend");
      return el("li", { class: "finding" },
        el("div", { class: "row-between" }, show, mend),
        el("details", {}, el("summary", { class: "muted small" }, "What it means"), el("p", { class: "small" }, found.explanation), found.advice && el("p", { class: "small" }, found.advice)));
    }

    /* ---- Work ------------------------------------------------------------------------------------------- */

    async function begin() {
      try {
        follow({ id: (await api(data.path("check", dataset), { body: {} })).task, progress: 0, message: "" });
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    async function mendAll(found) {
      const rows = data.plural(found.count, "row");
      if (found.count > ASK_ABOVE && !(await confirm(`${found.mend_label || "Mend"}: ${rows}?`, "It is one change, and undo takes it back.", { yes: "Mend" }))) return;
      try {
        const answer = await api(data.path(`mend/${encodeURIComponent(found.check)}`, dataset), { body: {} });
        // Many rows are mended by a task; few at once, and a task only looks at them again.
        if (answer.mended === undefined) return follow({ id: answer.task, progress: 0, message: "" });
        toast(`${data.plural(answer.mended, "row")} mended.`, "good", undo);
        data.say("changed", { by: "mend" });
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    async function undo() {
      await api(data.path("undo", dataset), { body: {} });
      data.say("changed", { by: "undo" });
    }

    async function cancel() {
      if (task) await api(`/api/data/tasks/${task}/cancel`, { body: {} }).catch((error) => toast(error.message, "bad"));
    }

    /** Follows a task to its end; a task that is none ends it. */
    function follow(said) {
      task = said?.id || null;
      bar.hidden = stop.hidden = !task;
      check.disabled = Boolean(task);
      if (!task) return;
      bar.firstChild.style.setProperty("--value", `${Math.round((said.progress || 0) * 100)}%`);
      bar.setAttribute("aria-valuenow", Math.round((said.progress || 0) * 100));
      if (said.message) state.textContent = said.message;
      timer = setTimeout(watch, WAIT);
    }

    async function watch() {
      if (!node.isConnected) return;
      try {
        const now = await api(`/api/data/tasks/${task}`);
        if (["queued", "running"].includes(now.status)) return follow(now);
        if (now.error) toast(now.error.sentence, "bad");
        follow(null);
        data.say("changed", { by: "task" });
      } catch {
        timer = setTimeout(watch, 3 * WAIT); // the studio is away for a moment
      }
    }

    return { node, look };
  };
})();
