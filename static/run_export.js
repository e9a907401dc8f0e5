/*
 * Taking a model out of the studio: as adapter, merged, or full; what is written is tested before it is offered.
 *
 *   ratchet.training.exportButton(model, kind)   a button that asks, waits for the task, and gives the file
 */
(() => {
  "use strict";

  const { el, api, dialog } = window.ratchet;
  const { bytes } = window.ratchet.training;
  const FORMS = [["adapter", "Adapter: the small file, for the base that it was trained on"], ["merged", "Merged: a whole model, in the number format of its base"], ["full", "Full: a whole model in float32"]];
  const AGAIN = 800; // ms between two looks at the task

  const exportButton = (model, kind = "adapter") => el("button", { type: "button", class: "button", id: "run-export", onclick: () => ask(model, kind) }, "Export…");

  function ask(model, kind) {
    const fitting = FORMS.filter(([name]) => kind === "adapter" || name !== "adapter");
    const form = el("select", { id: "export-as" }, fitting.map(([name, words]) => el("option", { value: name }, words)));
    const said = el("div", { class: "stack-s", role: "status", id: "export-said" });
    const begin = el("button", { type: "submit", class: "button button-primary", id: "export-begin" }, "Write and test it");
    const content = el("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); write(); } },
      el("div", { class: "field" }, el("label", { for: "export-as" }, "As"), form), el("p", { class: "hint" }, "What is written is loaded anew and answers five prompts as the model here does, before you get it."),
      said, el("div", { class: "dialog-buttons" }, begin));
    const box = dialog(`Export ${model}`, content, [{ label: "Close", kind: "secondary", run: () => {} }]);

    async function write() {
      if (begin.disabled) return;
      begin.disabled = true;
      try {
        const { task } = await api(`/api/models/${encodeURIComponent(model)}/export`, { body: { as: form.value } });
        show(await ended(task));
      } catch (error) {
        said.replaceChildren(el("p", { class: "notice notice-bad" }, error.message));
      } finally {
        begin.disabled = false;
      }
    }

    async function ended(id) {
      for (;;) {
        const task = await api(`/api/data/tasks/${id}`);
        if (task.status === "done") return task.result;
        if (task.status === "failed" || task.status === "stopped") throw new Error(task.error?.sentence || "It was not written.");
        said.replaceChildren(el("p", { class: "muted" }, task.message || "It begins in a moment."), progress(task.progress));
        await new Promise((done) => setTimeout(done, AGAIN));
        if (!box.isConnected) throw new Error("The dialog was closed.");
      }
    }

    const progress = (share) => el("div", { class: "progress", role: "progressbar", "aria-label": `Export of ${model}`, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(100 * share) },
      el("span", { style: { "--value": `${100 * share}%` } }));

    function show(result) {
      const test = result.self_test || {};
      const whole = test.agreement === undefined || test.agreement >= 1;
      said.replaceChildren(
        el("p", { class: `notice ${whole ? "notice-good" : "notice-warning"}`, id: "export-test" }, `${test.same_answers} of ${test.prompts} prompts answered alike, ${Math.round(100 * (test.agreement ?? 1))} % of the tokens.`),
        el("a", { class: "button button-primary", id: "export-file", href: `/api/data/exports/files/${encodeURIComponent(result.file)}`, download: result.file }, `Save it (${bytes(result.bytes)})`));
    }
  }

  window.ratchet.training.exportButton = exportButton;
})();
