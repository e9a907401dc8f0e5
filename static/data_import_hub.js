/*
 * A dataset on the Hugging Face Hub: its id, then which of its configurations, splits and columns.
 *
 *   imports.askHub(fetching)   fetching(task) runs when the rows are on their way; the task's result is an upload
 */
(() => {
  "use strict";

  const imports = (window.ratchet.imports ||= {});
  const { el, api, dialog, poll } = window.ratchet;

  imports.askHub = (fetching) => {
    const name = el("input", { id: "hub-id", autocomplete: "off", spellcheck: "false", placeholder: "owner/name", maxlength: 300 });
    const ask = el("button", { class: "button button-secondary" }, "Look");
    const said = el("p", { class: "muted small", role: "status" });
    const wrong = el("p", { class: "field-error", role: "alert" });
    const parts = el("div", { class: "stack" });
    const box = dialog("From the Hugging Face Hub", el("div", { class: "stack" },
      el("form", { class: "hub-ask", onsubmit: (event) => { event.preventDefault(); look({ id: name.value }); } },
        el("div", { class: "field grow" }, el("label", { for: "hub-id" }, "Dataset"), name), ask),
      el("p", { class: "hint" }, "The id as it stands on its page. Private and gated datasets need the login of this machine (hf auth login). No code of a dataset is ever run."),
      said, wrong, parts), [{ label: "Cancel", kind: "secondary", run: () => {} }]);
    name.focus();
    let watching = null;
    let task = null;
    box.addEventListener("close", () => {
      watching?.stop();
      if (task) api(`/api/data/tasks/${task}/cancel`, { method: "POST" }).catch((error) => console.warn(error.message));
    });

    /** Asks what a dataset has, as a task: every question may wait for the network. */
    async function look(wanted) {
      if (!wanted.id.trim()) return name.focus();
      wrong.textContent = "";
      said.textContent = "Asking the Hub …";
      ask.disabled = true;
      try {
        ({ task } = await api("/api/data/hub/look", { body: wanted }));
        watching = poll(see, 400);
      } catch (error) {
        fail(error.message);
      }
    }

    async function see() {
      const seen = await api(`/api/data/tasks/${task}`);
      if (seen.status === "queued" || seen.status === "running") return;
      watching.stop();
      task = null;
      if (seen.status !== "done") return fail(seen.error?.sentence || "The question was called off.");
      ask.disabled = false;
      said.textContent = "";
      draw(seen.result.hub);
    }

    function fail(sentence) {
      ask.disabled = false;
      said.textContent = "";
      wrong.textContent = sentence;
      parts.replaceChildren();
    }

    function draw(hub) {
      const choice = (id, label, values, chosen, change) => {
        const select = el("select", { id, onchange: change }, values.map(([value, text]) => el("option", { value }, text)));
        select.value = chosen;
        return [select, el("div", { class: "field" }, el("label", { for: id }, label), select)];
      };
      const again = () => look({ id: hub.id, config: config.value, split: null });
      const [config, configField] = choice("hub-config", "Configuration", hub.configs.map((one) => [one, one]), hub.config, again);
      const [split, splitField] = choice("hub-split", "Split", hub.splits.map(({ name: one, rows }) => [one, rows === null ? one : `${one} (${rows.toLocaleString("en")} rows)`]), hub.split, () => {});
      const limit = el("input", { id: "hub-limit", type: "number", min: 1, step: 1, inputmode: "numeric", placeholder: "all" });
      const columns = hub.columns.map((column) => el("input", { type: "checkbox", checked: true, value: column.name }));
      const fetch = el("button", { class: "button button-primary" }, "Fetch the rows");
      parts.replaceChildren(el("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); begin(); } },
        el("div", { class: "fields" }, configField, splitField, el("div", { class: "field" }, el("label", { for: "hub-limit" }, "Rows at most"), limit)),
        el("fieldset", { class: "hub-columns" }, el("legend", {}, "Columns"), columns.map((box, at) => el("label", { class: "check" }, box, el("code", {}, hub.columns[at].name), el("span", { class: "muted small truncate", dir: "auto" }, hub.columns[at].example)))),
        el("div", { class: "dialog-buttons" }, fetch)));
      split.focus();

      async function begin() {
        const wanted = columns.filter((box) => box.checked).map((box) => box.value);
        if (!wanted.length) return (wrong.textContent = "Choose at least one column.");
        try {
          const answer = await api("/api/data/hub/fetch", { body: { id: hub.id, config: config.value, split: split.value, columns: wanted.length === columns.length ? [] : wanted, limit: Number(limit.value) || null } });
          box.close();
          return fetching(answer.task);
        } catch (error) {
          return (wrong.textContent = error.message);
        }
      }
    }
  };
})();
