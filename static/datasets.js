/*
 * The list of datasets at the side of the page: open one, make one, rename, describe, delete and bring one back.
 */
(() => {
  "use strict";

  const { el, api, toast, dialog, data } = window.ratchet;

  window.ratchet.widgets.datasets = (element) => {
    const list = el("ul", { class: "dataset-list", "aria-label": "Datasets" });
    const trash = el("button", { type: "button", class: "button button-ghost button-s", hidden: true, onclick: showTrash });
    const add = el("button", { type: "button", class: "button button-ghost button-s", onclick: newDataset }, "New");
    element.append(el("section", { class: "stack-s" },
      el("div", { class: "row-between" }, el("h2", {}, "Datasets"), add), list, trash));

    function draw() {
      const here = data.place().dataset;
      const known = data.datasets();
      list.replaceChildren(...known.map((item) => el("li", {},
        el("button", { type: "button", class: "dataset", title: item.description || null, "aria-current": item.name === here ? "true" : null, onclick: () => data.go({ dataset: item.name, row: "" }) },
          el("span", { class: "dataset-name" }, item.name),
          el("span", { class: "dataset-facts" }, el("span", {}, (data.kinds[item.kind] || [item.kind])[0]), el("span", { class: "num" }, item.rows.toLocaleString("en")))))));
      if (!known.length) list.append(el("li", { class: "muted small" }, "None yet."));
      const deleted = data.deleted().length;
      trash.hidden = !deleted;
      trash.textContent = `Deleted datasets (${deleted})`;
      const current = list.querySelector("[aria-current]"); // on a phone the list is a strip that scrolls sideways
      if (current) list.scrollLeft = current.offsetLeft - list.offsetLeft - 8;
    }

    data.on("datasets", draw);
    data.on("place", draw);
    data.on("changed", () => data.refresh().catch((error) => toast(error.message, "bad")));
    data.refresh().then(() => data.say("place")).catch((error) => toast(error.message, "bad"));
  };

  /* ---- Making and changing ------------------------------------------------------------------------------- */

  /** A dialog with a form; `save` answers nothing, or throws the sentence that the form then shows. */
  function ask(title, fields, label, save) {
    const wrong = el("p", { class: "field-error", role: "alert" });
    const form = el("form", { class: "stack", onsubmit: submit }, fields, wrong,
      el("div", { class: "dialog-buttons" },
        el("button", { type: "button", class: "button button-secondary", onclick: () => box.close() }, "Cancel"),
        el("button", { class: "button button-primary" }, label)));
    const box = dialog(title, form, []);
    box.querySelector("input")?.focus();

    async function submit(event) {
      event.preventDefault();
      try {
        await save();
        box.close();
      } catch (error) {
        wrong.textContent = error.message;
      }
    }
  }

  function nameField(id, value = "") {
    const name = el("input", { id, value, maxlength: 64, autocomplete: "off", spellcheck: "false" });
    const field = el("div", { class: "field" }, el("label", { for: id }, "Name"), name,
      el("p", { class: "hint" }, "Letters, digits, dots, dashes and underscores."));
    return { name, field };
  }

  function newDataset() {
    const { name, field } = nameField("new-dataset-name");
    const kind = el("select", { id: "new-dataset-kind" },
      Object.entries(data.kinds).map(([value, [label, meaning]]) => el("option", { value }, `${label}: ${meaning}`)));
    ask("New dataset", [field, el("div", { class: "field" }, el("label", { for: "new-dataset-kind" }, "What its rows are"), kind)], "Create", async () => {
      const made = await api("/api/data/datasets", { body: { name: name.value, kind: kind.value } });
      await data.refresh();
      await data.go({ dataset: made.name, row: "new" });
    });
  }

  /** Renames and describes a dataset, or moves it to the deleted ones. `item`: as data.datasets() has it. */
  data.editDataset = (item) => {
    const { name, field } = nameField("dataset-name", item.name);
    const about = el("textarea", { id: "dataset-about", rows: 3, value: item.description || "" });
    const remove = el("button", { type: "button", class: "button button-danger button-s", onclick: () => { remove.closest("dialog").close(); removeDataset(item); } }, "Delete this dataset");
    ask(`About ${item.name}`, [field,
      el("div", { class: "field" }, el("label", { for: "dataset-about" }, "What it holds, where it comes from, how it may be used"), about),
      el("div", {}, remove)], "Save", async () => {
      const said = await api(data.path("", item.name), { method: "PATCH", body: { name: name.value, description: about.value } });
      await data.refresh();
      await data.go({ ...data.place(), dataset: said.name }, true);
      data.say("changed", {});
    });
  };

  async function removeDataset(item) {
    if (!(await data.guard())) return;
    try {
      const gone = await api(data.path("", item.name), { method: "DELETE" });
      await data.go({ dataset: "", row: "" });
      await data.refresh();
      data.say("place");
      toast(`The dataset ${item.name} is deleted, with ${data.plural(item.rows, "row")}.`, "info", () => bringBack(gone));
    } catch (error) {
      toast(error.message, "bad");
    }
  }

  async function bringBack(item) {
    try {
      const back = await api(`/api/data/deleted/${encodeURIComponent(item.id)}/restore`, { method: "POST" });
      await data.refresh();
      await data.go({ dataset: back.name, row: "" });
      toast(`The dataset ${back.name} is back.`, "good");
    } catch (error) {
      toast(error.message, "bad");
    }
  }

  function showTrash() {
    const box = dialog("Deleted datasets", el("ul", { class: "plain-list" }, data.deleted().map((item) => el("li", { class: "row-between" },
      el("span", { class: "grow" }, el("strong", {}, item.name), el("span", { class: "muted small" }, ` ${data.plural(item.rows, "row")}, deleted ${data.when(item.deleted_at)}`)),
      el("button", { type: "button", class: "button button-secondary button-s", "aria-label": `Bring ${item.name} back`, onclick: () => { box.close(); bringBack(item); } }, "Bring back")))));
  }
})();
