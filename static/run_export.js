/*
 * Taking a model out of the studio, to a file or to the Hub; what is written is tested before it is offered.
 *
 *   ratchet.training.exportButton(model, kind)   a button that asks, waits for the task, and gives the file
 */
(() => {
  "use strict";

  const { el, api, dialog, toast } = window.ratchet;
  const { bytes } = window.ratchet.training;
  const AGAIN = 800; // ms between two looks at the task

  const exportButton = (model, kind = "adapter") => el("button", { type: "button", class: "button", id: "run-export", onclick: () => ask(model, kind) }, "Export…");

  const field = (id, name, control, hint) => el("div", { class: "field" }, el("label", { for: id }, name), control, hint && el("p", { class: "hint" }, hint));

  async function ask(model, kind) {
    let forms;
    try {
      ({ forms } = await api("/api/models/export-forms"));
    } catch (error) {
      toast(error.message, "bad");
      return;
    }
    const fitting = forms.filter((one) => kind === "adapter" || !one.adapters_only);
    const form = el("select", { id: "export-as" }, fitting.map(({ name, help, ready }) => el("option", { value: name, disabled: !ready }, `${name}: ${help}`)));
    const licence = el("input", { id: "export-licence", maxlength: 60, autocomplete: "off", placeholder: "such as apache-2.0" });
    const toHub = el("input", { id: "export-hub", type: "checkbox", onchange: () => { hub.hidden = !toHub.checked; } });
    const repository = el("input", { id: "export-repository", maxlength: 200, autocomplete: "off", spellcheck: "false", placeholder: "owner/name" });
    const secret = el("input", { id: "export-private", type: "checkbox", checked: true });
    const hub = el("div", { class: "stack-s", hidden: true }, field("export-repository", "Repository", repository, "The token is that of HF_TOKEN or of `hf auth login` on the studio's machine."),
      el("label", { class: "check", for: "export-private" }, secret, "Private"));
    const said = el("div", { class: "stack-s", role: "status", id: "export-said" });
    const begin = el("button", { type: "submit", class: "button button-primary", id: "export-begin" }, "Write and test it");
    const content = el("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); write(); } },
      field("export-as", "As", form), field("export-licence", "Licence (optional)", licence, "What the card says."),
      el("label", { class: "check", for: "export-hub" }, toHub, "Send it to the Hub"), hub,
      el("p", { class: "hint" }, "What is written is loaded anew and answers five prompts as the model here does, before you get it."),
      said, el("div", { class: "dialog-buttons" }, begin));
    const box = dialog(`Export ${model}`, content, [{ label: "Close", kind: "secondary", run: () => {} }]);

    async function write() {
      if (begin.disabled) return;
      begin.disabled = true;
      try {
        const place = toHub.checked ? { repository: repository.value.trim(), private: secret.checked } : {};
        const { task } = await api(`/api/models/${encodeURIComponent(model)}/${toHub.checked ? "export-to-hub" : "export"}`, { body: { as: form.value, licence: licence.value.trim(), ...place } });
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
        result.url ? el("a", { class: "link", href: result.url, rel: "noreferrer" }, `It stands at ${result.repository}`)
          : el("a", { class: "button button-primary", id: "export-file", href: `/api/data/exports/files/${encodeURIComponent(result.file)}`, download: result.file }, `Save it (${bytes(result.bytes)})`));
    }
  }

  window.ratchet.training.exportButton = exportButton;
})();
