/*
 * Erasing for good: rows, or one text wherever it stands in them. Asked for by people whose data is in there.
 *
 * Unlike everything else on this page it cannot be taken back, so the dialog says first what it reaches (rows,
 * versions, packs of trainings, models that learned from them) and wants a word typed.
 *
 *   ratchet.data.erase({ids | filters, count, dataset, text, done})   text: mask only this, the row stays
 *   ratchet.data.emptyTrash(shown)                                    everything in the trash
 */
(() => {
  "use strict";

  const { el, api, toast, dialog, data } = window.ratchet;
  const WORD = "erase";

  data.on("erased", ({ rows }) => toast(`Erased for good from ${data.plural(rows, "row")}.`, "good"));

  data.emptyTrash = (shown) => data.erase({ filters: { status: "deleted" }, count: shown.total, dataset: shown.name, done: () => {} });

  data.erase = ({ ids, filters, count, dataset, text = "", done = () => {} }) => {
    const target = { ids, filters };
    const whole = el("input", { type: "radio", name: "erase-what", checked: !text, onchange: say });
    const part = el("input", { type: "radio", name: "erase-what", checked: Boolean(text), onchange: say });
    const span = el("input", { id: "erase-span", value: text, autocomplete: "off", spellcheck: "false", oninput: say });
    const spanField = el("div", { class: "field" }, el("label", { for: "erase-span" }, "The text, letter by letter as it stands in the rows"), span);
    const reach = el("div", { class: "stack-s", role: "status" }, el("p", { class: "muted" }, "Looking where these rows are …"));
    const typed = el("input", { id: "erase-word", autocomplete: "off", spellcheck: "false", autocapitalize: "off", oninput: say });
    const go = el("button", { class: "button button-danger" }, "Erase for good");
    const wrong = el("p", { class: "field-error", role: "alert" });
    const form = el("form", { class: "stack", onsubmit: run },
      el("fieldset", { class: "stack-s plain-fieldset" }, el("legend", { class: "visually-hidden" }, "What is erased"),
        el("label", { class: "check" }, whole, `The whole ${count === 1 ? "row" : `${data.plural(count, "row")}`}`),
        el("label", { class: "check" }, part, `Only one text in ${count === 1 ? "it" : "them"}; “[erased]” stands in its place`), spanField),
      reach,
      el("div", { class: "field" }, el("label", { for: "erase-word" }, `This cannot be taken back. Type “${WORD}” to go on`), typed),
      wrong,
      el("div", { class: "dialog-buttons" }, el("button", { type: "button", class: "button button-secondary", onclick: () => box.close() }, "Cancel"), go));
    const box = dialog(count === 1 ? "Erase this row for good?" : `Erase ${data.plural(count, "row")} for good?`, form, []);
    typed.focus();
    say();
    look();

    function say() {
      spanField.hidden = !part.checked;
      go.disabled = typed.value.trim().toLowerCase() !== WORD || (part.checked && !span.value);
    }

    /** Where the rows are: versions, packs, and the models that were trained on them. */
    async function look() {
      try {
        const { rows, versions, runs, models, backups } = await api(data.path("erase/reach", dataset), { body: target });
        const listed = (items) => items.length > 8 ? `${items.slice(0, 8).join(", ")} and ${items.length - 8} more` : items.map((item, at) => [at ? ", " : "", el("strong", {}, item)]);
        reach.replaceChildren(...[
          el("p", {}, `It goes from ${data.plural(rows, "row")}, ${rows === 1 ? "its" : "their"} history and the search`,
            versions.length ? [", from ", versions.length === 1 ? "version " : "the versions ", listed(versions)] : "", runs ? `, and with it ${data.plural(runs, "pack")} of training data: those trainings cannot be resumed or run again` : "", "."),
          backups.length > 0 && el("p", {}, `${data.plural(backups.length, "backup")} of this project still ${backups.length === 1 ? "holds" : "hold"} them; delete ${backups.length === 1 ? "it" : "them"} by hand: `, listed(backups), "."),
          models.length
            ? el("div", { class: "notice notice-warning" }, el("p", {}, models.length === 1 ? "The model " : "The models ", listed(models), models.length === 1 ? " was" : " were", " trained on these rows and may still know them. Erasing cannot change that: train again, or delete the model."))
            : el("p", { class: "muted small" }, "No model was trained on them."),
        ].filter(Boolean));
      } catch (error) {
        reach.replaceChildren(el("p", { class: "field-error", role: "alert" }, error.message));
      }
    }

    async function run(event) {
      event.preventDefault();
      if (go.disabled) return;
      go.disabled = true;
      try {
        const answer = await api(data.path("erase", dataset), { body: { ...target, text: part.checked ? span.value : null, confirm: typed.value.trim() } });
        box.close();
        done();
        if (answer.task) return data.say("task", { task: answer.task });
        toast(sentence(answer), "good");
        data.say("changed", { by: "erase" });
      } catch (error) {
        wrong.textContent = error.message;
        say();
      }
      return undefined;
    }

    function sentence({ rows, models }) {
      const what = part.checked ? `The text is gone from ${data.plural(rows, "row")}.` : `${data.plural(rows, "row")} erased for good.`;
      return models.length ? `${what} Models that were trained on ${rows === 1 ? "it" : "them"}: ${models.join(", ")}.` : what;
    }
  };
})();
