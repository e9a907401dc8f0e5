/*
 * Text from the clipboard, as a file like any other.
 *
 *   imports.askText(take)   take(file) runs with what was pasted
 */
(() => {
  "use strict";

  const imports = (window.ratchet.imports ||= {});
  const { el, dialog } = window.ratchet;

  imports.askText = (take) => {
    const text = el("textarea", { id: "import-text", rows: 10, spellcheck: "false", autocomplete: "off", oninput: () => { use.disabled = !text.value.trim(); } });
    const use = el("button", { class: "button button-primary", disabled: true }, "Look at it");
    const form = el("form", { class: "stack", onsubmit: agree },
      el("div", { class: "field" }, el("label", { for: "import-text" }, "The rows"), text,
        el("p", { class: "hint" }, "JSON or JSONL, a table with commas or tabs (cells copied from a spreadsheet), or plain text with a row on each line.")),
      el("div", { class: "dialog-buttons" }, el("button", { type: "button", class: "button button-secondary", onclick: () => box.close() }, "Cancel"), use));
    const box = dialog("Paste rows", form, []);
    box.classList.add("dialog-wide");
    text.focus();

    function agree(event) {
      event.preventDefault();
      if (!text.value.trim()) return;
      box.close();
      take(new File([text.value], "pasted text", { type: "text/plain" }));
    }
  };
})();
