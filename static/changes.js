/*
 * Undo and redo of a dataset, and the list of its last changes.
 *
 *   ratchet.data.changeSteps(answer)   {steps, draw(), step(name)}: two buttons and "Changes"; `answer()`: the last page
 */
(() => {
  "use strict";

  const { el, api, toast, dialog, data } = window.ratchet;

  data.changeSteps = (answer) => {
    const undo = button("Undo", "U", "undo");
    const redo = button("Redo", "Ctrl ⇧ Z", "redo");
    const list = el("button", { type: "button", class: "button button-ghost button-s", onclick: showChanges }, "Changes");
    const steps = el("div", { class: "steps" }, undo, redo, list);

    function button(label, key, name) {
      return el("button", { type: "button", class: "button button-ghost button-s step", id: `step-${name}`, disabled: true, onclick: () => step(name) },
        el("span", { class: "step-label" }, label), el("kbd", {}, key));
    }

    function draw() {
      const shown = answer();
      for (const [one, label, what] of [[undo, "Undo", shown?.undo], [redo, "Redo", shown?.redo]]) {
        one.disabled = !what;
        one.querySelector(".step-label").textContent = what ? `${label}: ${what}` : label;
        one.title = what ? `${label}: ${what}` : `Nothing to ${label.toLowerCase()}`;
      }
      redo.hidden = !shown?.redo;
      list.hidden = !shown;
    }

    async function step(name) {
      const shown = answer();
      if (!shown || !shown[name] || !(await data.guard())) return;
      try {
        const { label, examples } = await api(data.path(name, shown.name), { method: "POST" });
        if (!label) return;
        toast(name === "undo" ? `Undone: ${label}.` : `Done again: ${label}.`, "info");
        data.say("changed", { by: name, examples });
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    async function showChanges() {
      try {
        const { changes } = await api(data.path("changes"));
        drawList(changes);
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    /** The newest first; only the newest can be taken back, and only what was taken back last can come again. */
    function drawList(changes) {
      const newest = changes.find((item) => item.state === "published");
      const undone = changes.filter((item) => item.state === "undone").at(-1);
      const run = (name) => async () => {
        box.close();
        await step(name);
        showChanges();
      };
      const box = dialog(`Changes to ${answer().name}`, changes.length
        ? el("ol", { class: "plain-list changes" }, changes.map((item) => el("li", { class: item.state === "undone" ? "is-undone" : "" },
          el("span", { class: "grow" }, el("span", { class: "change-label" }, item.label), item.state === "undone" && el("span", { class: "chip" }, "undone"),
            el("span", { class: "muted small" }, `${item.author}, ${data.when(item.created_at)}`)),
          item === newest && el("button", { type: "button", class: "button button-secondary button-s", onclick: run("undo") }, "Undo"),
          item === undone && el("button", { type: "button", class: "button button-secondary button-s", onclick: run("redo") }, "Redo"))))
        : el("p", { class: "muted" }, "Nothing has been changed yet."));
    }

    return { steps, draw, step };
  };
})();
