/*
 * The dialog that adds a model: a folder on this machine, an id on the Hub, or an endpoint's address.
 * Used by train.js as `ratchet.askForModel()`, which resolves to the new model's name, or null.
 */
(() => {
  "use strict";

  const { el, api, dialog, toast } = window.ratchet;

  function askForModel() {
    return new Promise((resolve) => {
      const ref = el("input", { id: "model-ref", autocomplete: "off", spellcheck: "false", "aria-describedby": "model-ref-hint" });
      const name = el("input", { id: "model-name", autocomplete: "off", spellcheck: "false", maxlength: 64 });
      const error = el("p", { class: "field-error", role: "alert", hidden: true });
      const add = el("button", { type: "submit", class: "button button-primary" }, "Add the model");
      let added = null;
      const form = el("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); send(); } },
        el("div", { class: "field" }, el("label", { for: "model-ref" }, "Where it is"), ref,
          el("p", { class: "hint", id: "model-ref-hint" }, "A folder on this machine, a Hub id (owner/name), or an endpoint (https://host/v1#model). Safetensors only.")),
        el("div", { class: "field" }, el("label", { for: "model-name" }, "Name (optional)"), name),
        error, el("div", { class: "dialog-buttons" }, add));
      const box = dialog("Add a model", form, [{ label: "Cancel", kind: "secondary", run: () => {} }]);
      box.addEventListener("close", () => resolve(added));
      ref.focus();

      async function send() {
        if (add.disabled) return;
        add.disabled = true;
        add.textContent = "Adding…";
        error.hidden = true;
        try {
          const model = await api("/api/models", { body: { ref: ref.value, name: name.value.trim() || null } });
          added = model.name;
          toast(`${model.name} is added.`, "good");
          box.close();
        } catch (problem) {
          error.textContent = problem.message;
          error.hidden = false;
          ref.focus();
        } finally {
          add.disabled = false;
          add.textContent = "Add the model";
        }
      }
    });
  }

  window.ratchet.askForModel = askForModel;
})();
