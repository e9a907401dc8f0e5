/*
 * Taking a model out of the studio, in the forms that it has; what is written is tested before it is offered or sent.
 *
 *   ratchet.training.exportButton(model, kind)   a button that asks, waits for the task, and gives the file
 */
(() => {
  "use strict";

  const { el, api, dialog, taskEnded, resultOf } = window.ratchet;
  const training = (window.ratchet.training ||= {});
  const WORDS = { adapter: "Adapter", merged: "Merged", full: "Full", trl: "For TRL and PEFT", ollama: "For Ollama", gguf: "GGUF, for llama.cpp" };

  const exportButton = (model, kind = "adapter") => el("button", { type: "button", class: "button", id: "run-export", onclick: () => ask(model, kind) }, "Export…");

  function ask(model, kind) {
    const form = el("select", { id: "export-as", "aria-describedby": "export-as-hint" });
    const told = el("p", { class: "hint", id: "export-as-hint" });
    let forms = [];
    const hub = el("input", { id: "export-hub", autocomplete: "off", spellcheck: "false", maxlength: 200, placeholder: "owner/name", "aria-describedby": "export-hub-hint" });
    const open = el("input", { id: "export-public", type: "checkbox" });
    const licence = el("input", { id: "export-licence", autocomplete: "off", spellcheck: "false", maxlength: 60, placeholder: "apache-2.0" });
    const said = el("div", { class: "stack-s", role: "status", id: "export-said" });
    const begin = el("button", { type: "submit", class: "button button-primary", id: "export-begin" }, "Write and test it");
    const content = el("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); write(); } },
      el("div", { class: "field" }, el("label", { for: "export-as" }, "As"), form, told),
      el("div", { class: "fields" },
        el("div", { class: "field" }, el("label", { for: "export-hub" }, "Send to the Hugging Face Hub (optional)"), hub, el("p", { class: "hint", id: "export-hub-hint" }, "With the token of this machine (HF_TOKEN or hf auth login). Empty: a file for you.")),
        el("div", { class: "field" }, el("label", { for: "export-licence" }, "Licence on its card (optional)"), licence)),
      el("label", { class: "check" }, open, " Everybody may see it there"),
      el("p", { class: "hint" }, "What is written is loaded anew and answers five prompts as the model here does, before you get it."),
      said, el("div", { class: "dialog-buttons" }, begin));
    form.addEventListener("change", explain);
    const box = dialog(`Export ${model}`, content, [{ label: "Close", kind: "secondary", run: () => {} }]);
    fill().catch((error) => said.replaceChildren(el("p", { class: "notice notice-bad" }, error.message)));

    async function fill() {
      ({ forms } = await api("/api/models/export-forms"));
      const fitting = forms.filter((one) => kind === "adapter" || !one.adapters_only);
      form.replaceChildren(...fitting.map(({ name, ready }) => el("option", { value: name }, `${WORDS[name] || name}${ready ? "" : " – not set up here"}`)));
      explain();
    }

    function explain() {
      const { help } = forms.find(({ name }) => name === form.value) || { help: "" };
      told.textContent = help && `${help[0].toUpperCase()}${help.slice(1)}.`;
    }

    async function write() {
      if (begin.disabled) return;
      begin.disabled = true;
      try {
        const repository = hub.value.trim();
        const body = { as: form.value || "adapter", licence: licence.value.trim(), ...(repository && { repository, private: !open.checked }) };
        const { task } = await api(`/api/models/${encodeURIComponent(model)}/${repository ? "export-to-hub" : "export"}`, { body });
        const over = () => !box.isConnected;
        const seen = await taskEnded(task, { begun, over });
        if (!over()) show(resultOf(seen, "It was not written."));
      } catch (error) {
        said.replaceChildren(el("p", { class: "notice notice-bad" }, error.message));
      } finally {
        begin.disabled = false;
      }
    }

    const begun = (task) => said.replaceChildren(el("p", { class: "muted" }, task.message || "It begins in a moment."), progress(task.progress));

    const progress = (share) => el("div", { class: "progress", role: "progressbar", "aria-label": `Export of ${model}`, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(100 * share) },
      el("span", { style: { "--value": `${100 * share}%` } }));

    function show(result) {
      const test = result.self_test || {};
      const asked = test.agreement !== null;
      const told = asked ? `${test.same_answers} of ${test.prompts} prompts answered alike, ${Math.round(100 * (test.agreement ?? 1))} % of the tokens.` : `${test.tensors} tensors are the model's; nothing here can ask it.`;
      said.replaceChildren(
        el("p", { class: `notice ${asked && (test.agreement ?? 1) >= 1 ? "notice-good" : "notice-warning"}`, id: "export-test" }, told),
        result.url ? el("p", { id: "export-url" }, "It lies at ", el("span", { class: "mono", dir: "ltr" }, result.url), ".") : el("a", { class: "button button-primary", id: "export-file", href: `/api/data/exports/files/${encodeURIComponent(result.file)}`, download: result.file }, `Save it (${size(result.bytes)})`));
    }
  }

  const size = (count) => (count < 1e6 ? `${Math.ceil(count / 1e3)} kB` : `${(count / 1e6).toLocaleString("en-GB", { maximumFractionDigits: 1 })} MB`);

  training.exportButton = exportButton;
})();
