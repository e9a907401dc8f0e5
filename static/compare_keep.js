/*
 * K keeps an answer: the conversation up to it becomes an example of a dataset.
 *
 * Which dataset is asked once and remembered in this browser. Which answer: the one under the pointer or with the focus;
 * where neither says it, a dialog asks. It is kept by the place where it stands: nobody is told who wrote it. Who may not
 * edit data has no such key, and the route refuses them too.
 */
(() => {
  "use strict";

  const { api, dialog, toast } = window.ratchet;
  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const KEEP = "ratchet.compare.dataset";
  const SUGGESTED = "kept-answers";
  const EDITORS = ["role-curator", "role-admin"]; // studio/people/roles.py: EDIT_DATA

  const remembered = () => { try { return localStorage.getItem(KEEP); } catch { return null; } };
  const remember = (name) => { try { localStorage.setItem(KEEP, name); } catch { /* storage is switched off */ } };

  judging.extras.keep = (desk) => {
    const roles = [...document.body.classList].filter((name) => name.startsWith("role-"));
    if (roles.length && !roles.some((name) => EDITORS.includes(name))) return;
    const { el, root } = desk;
    let dataset = remembered();
    const button = el("button", { type: "button", class: "button button-ghost button-s", onclick: () => begin(null) }, "Keep an answer ", el("kbd", { "aria-hidden": "true", dataset: { cap: "keep" } }, "K"));
    desk.places.view.append(button);

    const panes = () => [...root.querySelectorAll(".seat .pane")];

    /** The side that the pointer or the focus is on, from the left; null where neither says it. */
    function pointed() {
      const at = panes().findIndex((pane) => pane.contains(document.activeElement));
      const over = panes().findIndex((pane) => pane.matches(":hover"));
      const found = at >= 0 ? at : over;
      return found >= 0 ? found : panes().length === 1 ? 0 : null;
    }

    function begin(side) {
      const pair = desk.current();
      if (!pair || pair.state !== "ready") return;
      if (side !== null && dataset) keep(pair, side, dataset);
      else ask(pair, side);
    }

    function ask(pair, side) {
      const known = el("datalist", { id: "keep-datasets" });
      const name = el("input", { class: "input", id: "keep-dataset", value: dataset || SUGGESTED, list: "keep-datasets", maxlength: "64", autocomplete: "off" });
      const sides = pair.sides.map((_, index) => index);
      const take = (index) => { const to = name.value.trim(); if (to) keep(pair, index, to); };
      const box = dialog("Keep an answer", el("div", { class: "stack" },
        el("p", { class: "muted" }, "The conversation up to the answer becomes an example of a dataset. Which model wrote it is not told here."),
        el("div", { class: "field" }, el("label", { for: "keep-dataset" }, "Dataset"), name, known,
          el("span", { class: "hint" }, "A new one is made where there is none of this name. It is remembered."))),
      [{ label: "Cancel", run: () => {} }, ...(side === null ? sides : [side]).map((index) => ({
        label: sides.length > 1 ? `Keep ${judging.LETTERS[index]}` : "Keep it", kind: "primary", run: () => take(index) }))]);
      box.addEventListener("keydown", (event) => {
        const number = Number(event.key) - 1;
        const wanted = event.key === "Enter" && event.target === name && (side !== null || sides.length === 1) ? side ?? 0 : event.target !== name && sides.includes(number) ? number : null;
        if (wanted === null) return;
        event.preventDefault();
        box.close();
        take(wanted);
      });
      // The dialog is there at once: a number pressed right after K is the answer's, not a vote.
      api("/api/data/datasets").then(({ datasets }) => known.append(...datasets.filter((one) => one.kind === "sft").map((one) => el("option", { value: one.name }))), () => {});
      (dataset && side === null ? box.querySelector(".button-primary") : name).focus();
    }

    async function keep(pair, side, to) {
      try {
        const kept = await api("/api/compare/keep", { body: { study: desk.sitting().study, comparison: pair.comparison, side, dataset: to } });
        dataset = kept.dataset || to;
        remember(dataset);
        toast(`${pair.sides.length > 1 ? `Answer ${judging.LETTERS[side]}` : "The answer"} is kept in "${dataset}".${kept.note ? ` ${kept.note}` : ""}`, "good");
      } catch (error) {
        toast(error.message, "bad");
        dataset = null; // a dataset that takes it not is asked for again
      }
    }

    desk.keys([{ id: "keep", label: "Keep an answer in a dataset", keys: ["k"], run: () => begin(pointed()), group: "Reading" }]);
  };
})();
