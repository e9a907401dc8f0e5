/*
 * The dialog in which a person says what the columns of a file hold, with the first rows as they then become.
 *
 *   imports.askColumns(item, done)   done(mapping) runs when the person agrees; Escape and Cancel change nothing
 */
(() => {
  "use strict";

  const imports = (window.ratchet.imports ||= {});
  const { el, api, dialog } = window.ratchet;
  const WAIT = 150; // milliseconds after a choice, so that quick keys in a select do not ask for each step
  const ROLES = {
    prompt: "the prompt, or question", answer: "the answer", system: "the system prompt", context: "more of the prompt (context, input)",
    chosen: "the better answer", rejected: "the worse answer", text: "plain text", messages: "the whole conversation", tags: "tags",
    score: "a score", rank: "a rank", label: "good or bad", tools: "the tools", model: "the model's name", margin: "by how much it is better",
  };

  imports.askColumns = (item, done) => {
    const { look } = item;
    const given = item.settings.mapping || look.remembered?.mapping || look.proposed || {};
    const selects = look.columns.slice(0, 60).map((column, at) => {
      const options = [el("option", { value: "" }, "not used"), ...look.roles.map((role) => el("option", { value: role }, ROLES[role] || role))];
      const select = el("select", { id: `column-${at}`, class: "input", dataset: { column }, "aria-label": `What ${column} holds`, onchange: later }, options);
      select.value = look.roles.includes(given[column]) ? given[column] : "";
      return select;
    });
    const example = (column) => look.samples.flatMap((row) => row.before).find((piece) => piece.name === column && piece.text)?.text || "";
    const wrong = el("p", { class: "notice notice-warning", role: "status", hidden: true });
    const shown = el("div", { class: "stack-s" });
    const use = el("button", { class: "button button-primary", disabled: true }, "Use these columns");
    const form = el("form", { class: "stack", onsubmit: agree },
      look.remembered && el("p", { class: "notice notice-info" }, `Filled in as last time${look.remembered.dataset ? `, for ${look.remembered.dataset}` : ""}.`),
      el("div", { class: "table-wrap" }, el("table", { class: "table table-s columns" },
        el("thead", {}, el("tr", {}, ["Column", "Holds", "For example"].map((label) => el("th", { scope: "col" }, label)))),
        el("tbody", {}, selects.map((select) => el("tr", {}, el("td", {}, el("code", {}, select.dataset.column)), el("td", {}, select), el("td", { class: "example", dir: "auto" }, example(select.dataset.column))))))),
      wrong, shown,
      el("div", { class: "dialog-buttons" }, el("button", { type: "button", class: "button button-secondary", onclick: () => box.close() }, "Cancel"), use));
    const box = dialog(`What do the columns of ${item.name} hold?`, form, []);
    box.classList.add("dialog-wide");
    selects[0]?.focus();

    let timer = null;
    let asked = 0;
    box.addEventListener("close", () => clearTimeout(timer));

    const mapping = () => Object.fromEntries(selects.filter((select) => select.value).map((select) => [select.dataset.column, select.value]));

    function later() {
      clearTimeout(timer);
      timer = setTimeout(show, WAIT);
    }

    async function show() {
      const turn = (asked += 1);
      const said = mapping();
      const empty = !Object.keys(said).length;
      let seen;
      try {
        seen = await api(`/api/data/uploads/${item.id}/look`, { body: { encoding: item.settings.encoding, mapping: empty ? null : said } });
      } catch (error) {
        seen = { problem: error.message, samples: [] };
      }
      if (turn !== asked || !box.isConnected) return; // a newer choice was made meanwhile
      const problem = empty ? "Say of at least one column what it holds." : seen.problem;
      wrong.hidden = !problem && !seen.bad;
      wrong.textContent = problem || (seen.bad ? `${seen.bad} of the first ${seen.tried} rows cannot be imported this way; they are marked below or come later in the file.` : "");
      use.disabled = empty || !seen.kind || seen.bad === seen.tried;
      shown.replaceChildren(...[imports.preview(seen)].filter(Boolean));
    }

    function agree(event) {
      event.preventDefault();
      box.close();
      done(mapping());
    }

    show();
  };
})();
