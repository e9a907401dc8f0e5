/*
 * What can be done to the selected rows: approve, reject with a reason, tag, trash, restore, erase.
 *
 * Without a selection an action counts for the row under the cursor. "All that match" shows the exact number before
 * anything happens; above a hundred rows it asks again; what takes long runs as a task with progress and a cancel.
 * Every change but erasing can be taken back: in the toast, with U, and in the list of changes.
 *
 *   ratchet.data.bulkBar({selection, current, matching, moved})   {bar, act, watch(task), draw(state)}
 */
(() => {
  "use strict";

  const { el, api, poll, toast, dialog, confirm, data } = window.ratchet;
  const MANY = 100; // above this an action asks again
  const REASONS = ["Wrong", "Unclear", "Off topic", "Unsafe", "Incomplete", "Wrong language"];
  const SAID = {
    approve: "approved", reject: "rejected", draft: "back to draft", tag: "tagged", untag: "without the tag",
    delete: "moved to the trash", restore: "restored",
  };

  data.bulkBar = ({ selection, current, matching, moved }) => {
    let trash = false;
    let watching = null;
    let shut = () => {};
    const said = el("span", { class: "bulk-count num", role: "status" });
    const every = el("button", { type: "button", class: "button-text small", onclick: takeAll });
    const none = el("button", { type: "button", class: "button-text small", onclick: () => selection.clear() }, "Clear");
    const action = (name, label, key, kind = "secondary") =>
      el("button", { type: "button", class: `button button-${kind} button-s`, dataset: { action: name }, onclick: () => act(name) }, label, key && el("kbd", {}, key));
    const normal = el("span", { class: "line" }, action("approve", "Approve", "A"), action("reject", "Reject", "R"), action("draft", "Back to draft"),
      action("tag", "Tag", "T"), action("delete", "Move to trash", "Del"), action("erase", "Erase …", "", "ghost"));
    const inTrash = el("span", { class: "line" }, action("restore", "Restore", "R"), action("erase", "Erase for good", "", "danger"));
    const buttons = el("div", { class: "bulk-row" }, said, every, none, el("span", { class: "grow" }), normal, inTrash);
    const progress = el("div", { class: "bulk-progress", hidden: true });
    const bar = el("div", { class: "bulk-bar", hidden: true, role: "group", "aria-label": "Selected rows" }, buttons, progress);

    /* ---- What is selected -------------------------------------------------------------------------------- */

    function draw(status = trash) {
      trash = status;
      const count = selection.size();
      const { total, exact, rows } = matching();
      const wholePage = !selection.all() && count >= rows && total > rows;
      bar.hidden = !count && progress.hidden;
      buttons.hidden = !count;
      said.textContent = selection.all() ? `All ${data.plural(count, "row")} that match` : `${data.plural(count, "row")} selected`;
      every.hidden = !wholePage;
      every.textContent = `Select all ${total.toLocaleString("en")}${exact ? "" : "+"} that match`;
      normal.hidden = trash;
      inTrash.hidden = !trash;
    }

    /** Selects all that match, after the studio has counted them. */
    async function takeAll() {
      every.disabled = true;
      try {
        const { count } = await api(data.path("bulk/count"), { body: { filters: data.filterBody() } });
        selection.everything(count);
      } catch (error) {
        toast(error.message, "bad");
      } finally {
        every.disabled = false;
      }
    }

    /* ---- Doing ------------------------------------------------------------------------------------------- */

    const ASKS = { reject: askReason, tag: askTags };

    async function act(name) {
      const single = !selection.size();
      const target = single ? { ids: [current()].filter(Boolean) } : selection.target();
      const count = single ? target.ids.length : selection.size();
      if (!count || !(await data.guard())) return;
      if (name === "erase") {
        data.erase({ ...target, count, dataset: data.place().dataset, done: () => selection.clear() });
        return;
      }
      const extra = ASKS[name] ? await ASKS[name](count) : {};
      if (!extra) return;
      const what = extra.action || name;
      if (count > MANY && !(await confirm(`${data.plural(count, "row")}: are you sure?`, `${data.plural(count, "row")} will be ${SAID[what]}. You can take this back afterwards.`, { yes: "Go on" }))) return;
      await send({ action: what, ...target, ...extra }, single);
    }

    async function send(body, single) {
      try {
        const answer = await api(data.path("bulk"), { body });
        if (answer.task) {
          selection.clear();
          watch(answer.task);
          return;
        }
        if (!single) selection.clear();
        tell(answer);
        if (single) moved();
        data.say("changed", { by: "bulk" });
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    /** Says what was done, with a way back. */
    function tell({ action: name, changed, unchanged, left_out: left, batch }) {
      const parts = [`${data.plural(changed, "row")} ${SAID[name] || "changed"}.`];
      if (unchanged) parts.push(`${unchanged.toLocaleString("en")} ${unchanged === 1 ? "was" : "were"} so already.`);
      if (left) parts.push(`${left.toLocaleString("en")} changed meanwhile and stayed as they are.`);
      shut(); // the change before can no longer be taken back by itself
      shut = toast(parts.join(" "), changed ? "good" : "info", changed && batch ? () => takeBack(batch) : null);
    }

    async function takeBack(batch) {
      try {
        shut();
        const answer = await api(data.path("undo"), { body: { batch } });
        toast(`Undone: ${answer.label}.`, "info");
        data.say("changed", { by: "undo", examples: answer.examples });
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    /* ---- Questions --------------------------------------------------------------------------------------- */

    /** A small form in a dialog; resolves to what `read` gives, or null. */
    function ask(title, content, label, read) {
      return new Promise((resolve) => {
        let answer = null;
        const form = el("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); answer = read(); if (answer) box.close(); } }, content,
          el("div", { class: "dialog-buttons" }, el("button", { type: "button", class: "button button-secondary", onclick: () => box.close() }, "Cancel"), el("button", { class: "button button-primary" }, label)));
        const box = dialog(title, form, []);
        box.addEventListener("close", () => resolve(answer));
        form.querySelector("input")?.focus();
      });
    }

    function askReason(count) {
      const input = el("input", { id: "reject-reason", maxlength: 200, autocomplete: "off" });
      const wrong = el("p", { class: "field-error", role: "alert" });
      const quick = el("div", { class: "line" }, REASONS.map((reason) => el("button", { type: "button", class: "button button-secondary button-s", onclick: () => { input.value = reason; input.form.requestSubmit(); } }, reason)));
      return ask(`Reject ${data.plural(count, "row")}`, [el("div", { class: "field" }, el("label", { for: "reject-reason" }, "Why"), input), quick, wrong], "Reject", () => {
        if (!input.value.trim()) wrong.textContent = "Say in a word why, so that others can learn from it.";
        return input.value.trim() && { reason: input.value.trim() };
      });
    }

    function askTags(count) {
      const input = el("input", { id: "bulk-tags", list: "known-tags", maxlength: 200, autocomplete: "off" });
      const mode = (value, label) => el("label", { class: "check" }, el("input", { type: "radio", name: "tag-mode", value, checked: value === "tag" }), label);
      const wrong = el("p", { class: "field-error", role: "alert" });
      const modes = el("div", { class: "line", role: "radiogroup", "aria-label": "Add or remove" }, mode("tag", "Add"), mode("untag", "Remove"));
      return ask(`Tag ${data.plural(count, "row")}`, [el("div", { class: "field" }, el("label", { for: "bulk-tags" }, "Tags, separated by commas"), input), modes, wrong], "Go on", () => {
        const tags = input.value.split(",").map((tag) => tag.trim()).filter(Boolean);
        if (!tags.length) wrong.textContent = "Write at least one tag.";
        return tags.length ? { tags, action: modes.querySelector("input:checked").value } : null;
      });
    }

    /* ---- Large ones: a task ------------------------------------------------------------------------------ */

    function watch(id) {
      if (watching?.id === id) return;
      watching?.poll.stop();
      progress.hidden = bar.hidden = false;
      watching = { id, poll: poll(() => look(id), 400) };
    }

    /** Another dataset is open now: its rows have nothing to do with the task, which goes on by itself. */
    function leave() {
      watching?.poll.stop();
      watching = null;
      progress.hidden = true;
      progress.replaceChildren();
      draw();
    }

    async function look(id) {
      const task = await api(`/api/data/tasks/${encodeURIComponent(id)}`);
      if (watching?.id !== id) return;
      if (task.status === "queued" || task.status === "running") return drawProgress(task);
      leave();
      if (task.status === "done" && task.result?.say) data.say(task.result.say, task.result);
      else if (task.status === "done") tell(task.result);
      else if (task.status === "stopped") toast("Stopped; nothing was changed.", "info");
      else toast(task.error?.sentence || "This did not work; nothing was changed.", "bad");
      data.say("changed", { by: "task" });
    }

    function drawProgress(task) {
      const percent = Math.round(100 * task.progress);
      progress.replaceChildren(
        el("span", { class: "small num" }, task.message || "Working …"),
        el("div", { class: `progress${percent ? "" : " progress-unknown"}`, role: "progressbar", "aria-label": "Working on the rows", "aria-valuenow": percent, style: { "--value": `${percent}%` } }, el("span", {})),
        el("button", { type: "button", class: "button button-ghost button-s", onclick: () => api(`/api/data/tasks/${task.id}/cancel`, { method: "POST" }).catch((error) => toast(error.message, "bad")) }, "Cancel"));
    }

    return { bar, act, watch, draw, takeBack, leave };
  };
})();
