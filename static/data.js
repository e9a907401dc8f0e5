/*
 * The page /data: where the person is, the list of datasets, and what the parts of the page say to each other.
 *
 *   ratchet.data.place()                 {dataset, page, search, row, task} as the address says
 *   ratchet.data.go(changes, replace)    changes the address and tells everybody; answers false where a guard held
 *   ratchet.data.on(name, run)           "place" (the address changed) · "changed" (rows changed) · "datasets"
 *   ratchet.data.say(name, detail)       tells everybody
 *   ratchet.data.guard                   set by the editor: async () => true where its row may be left
 *   ratchet.data.datasets()              what the studio has, as of the last look
 *
 * Other scripts of the page: data_import.js (files in), table.js (rows), editor.js (one row).
 */
(() => {
  "use strict";

  const { el, api, toast, dialog } = window.ratchet;
  const KINDS = {
    sft: ["Conversations", "A question and the answer a model should learn."],
    preference: ["Preferences", "Two answers to one prompt, one of them better."],
    prompts: ["Prompts", "Questions without answers, to compare models on."],
    text: ["Texts", "Plain text, a row each."],
  };

  /* ---- Where the person is ----------------------------------------------------------------------------- */

  const listeners = {};
  const on = (name, run) => (listeners[name] ||= []).push(run);
  const say = (name, detail) => (listeners[name] || []).forEach((run) => run(detail));

  function place() {
    const query = new URLSearchParams(location.search);
    const said = (name) => query.get(name) || "";
    return { dataset: said("dataset"), page: Number(said("page")) || 1, search: said("search"), row: said("row"), task: said("import") };
  }

  function write(changes, replace) {
    const now = { ...place(), ...changes };
    const query = new URLSearchParams();
    if (now.dataset) query.set("dataset", now.dataset);
    if (now.search) query.set("search", now.search);
    if (now.page > 1) query.set("page", now.page);
    if (now.row) query.set("row", now.row);
    if (now.task) query.set("import", now.task);
    const address = `${location.pathname}${query.size ? `?${query}` : ""}`;
    if (address === location.pathname + location.search) return;
    history[replace ? "replaceState" : "pushState"]({}, "", address);
  }

  const page = {
    place, on, say,
    guard: async () => true,
    async go(changes, replace = false) {
      const leaves = ["dataset", "row"].some((key) => key in changes && changes[key] !== place()[key]);
      if (leaves && !(await page.guard())) return false;
      write(changes, replace);
      say("place");
      return true;
    },
    datasets: () => known,
    formats: () => formats,
    kinds: KINDS,
    refresh,
    plural: (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`,
    command: (text) => commandLine(text),
  };
  window.ratchet.data = page;

  let known = [];
  let formats = {};

  let address = location.search;
  window.addEventListener("popstate", async () => {
    const wanted = location.search;
    if (!(await page.guard())) {
      history.pushState({}, "", location.pathname + address);
      return;
    }
    address = wanted;
    say("place");
  });
  on("place", () => { address = location.search; });

  async function refresh() {
    const answer = await api("/api/data/datasets");
    known = answer.datasets;
    formats = answer.formats;
    if (!place().dataset && known.length) write({ dataset: known[0].name }, true);
    say("datasets");
  }

  /** The same as a button does, as a command to copy. */
  function commandLine(text) {
    const copy = async () => {
      await navigator.clipboard.writeText(text);
      toast("The command is copied.", "good");
    };
    return el("div", { class: "command" },
      el("code", { tabindex: 0, "aria-label": "The same as a command" }, text),
      navigator.clipboard && el("button", { type: "button", class: "button button-ghost button-s", onclick: copy }, "Copy"));
  }

  /* ---- The list of datasets ---------------------------------------------------------------------------- */

  window.ratchet.widgets.data = (element) => {
    const list = el("ul", { class: "dataset-list", "aria-label": "Datasets" });
    const add = el("button", { type: "button", class: "button button-ghost button-s", onclick: newDataset }, "New");
    element.append(el("section", { class: "stack-s" },
      el("div", { class: "row-between" }, el("h2", {}, "Datasets"), add), list));

    function draw() {
      const here = place().dataset;
      list.replaceChildren(...known.map((item) => el("li", {},
        el("button", { type: "button", class: "dataset", "aria-current": item.name === here ? "true" : null, onclick: () => page.go({ dataset: item.name, page: 1, search: "", row: "" }) },
          el("span", { class: "dataset-name" }, item.name),
          el("span", { class: "dataset-facts" }, el("span", {}, (KINDS[item.kind] || [item.kind])[0]), el("span", { class: "num" }, item.rows.toLocaleString("en")))))));
      if (!known.length) list.append(el("li", { class: "muted small" }, "None yet."));
      const current = list.querySelector("[aria-current]"); // on a phone the list is a strip that scrolls sideways
      if (current) list.scrollLeft = current.offsetLeft - list.offsetLeft - 8;
    }

    on("datasets", draw);
    on("place", draw);
    on("changed", () => refresh().catch((error) => toast(error.message, "bad")));
    refresh().then(() => say("place")).catch((error) => toast(error.message, "bad"));
  };

  /** Asks for name and kind of a dataset to be written by hand. */
  function newDataset() {
    const name = el("input", { id: "new-dataset-name", maxlength: 64, autocomplete: "off", spellcheck: "false" });
    const kind = el("select", { id: "new-dataset-kind" },
      Object.entries(KINDS).map(([value, [label, meaning]]) => el("option", { value }, `${label}: ${meaning}`)));
    const wrong = el("p", { class: "field-error", role: "alert" });
    const form = el("form", { class: "stack", onsubmit: create },
      el("div", { class: "field" }, el("label", { for: "new-dataset-name" }, "Name"), name,
        el("p", { class: "hint" }, "Letters, digits, dots, dashes and underscores.")),
      el("div", { class: "field" }, el("label", { for: "new-dataset-kind" }, "What its rows are"), kind),
      wrong,
      el("div", { class: "dialog-buttons" }, el("button", { class: "button button-primary" }, "Create")));
    const box = dialog("New dataset", form, []);
    name.focus();

    async function create(event) {
      event.preventDefault();
      try {
        const made = await api("/api/data/datasets", { body: { name: name.value, kind: kind.value } });
        box.close();
        await refresh();
        await page.go({ dataset: made.name, page: 1, search: "", row: "new" });
      } catch (error) {
        wrong.textContent = error.message;
      }
    }
  }
})();
