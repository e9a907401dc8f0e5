/*
 * The rows of a dataset: 25 a page, searched on the studio's side, walked through by keyboard.
 *
 * A list never holds whole rows. The row under the cursor is the one that Enter opens; j and k move it.
 */
(() => {
  "use strict";

  const { el, api, keys, toast, data, dialog } = window.ratchet;
  const WAIT = 180; // milliseconds after the last letter before a search begins

  window.ratchet.widgets.table = (element) => {
    const title = el("h2", { class: "truncate" });
    const facts = el("p", { class: "muted small", role: "status" });
    const search = el("input", { type: "search", id: "row-search", class: "input", placeholder: "Search", "aria-label": "Search the rows", autocomplete: "off" });
    const undo = stepButton("Undo", "Ctrl Z", "undo");
    const redo = stepButton("Redo", "Ctrl ⇧ Z", "redo");
    const add = el("button", { type: "button", class: "button button-secondary", onclick: () => data.go({ row: "new" }) }, "Add example", el("kbd", {}, "N"));
    const download = el("button", { type: "button", class: "button button-secondary", onclick: () => askExport(shown) }, "Export");
    const body = el("tbody", {});
    const table = el("table", { class: "table rows-table", role: "grid", "aria-label": "Rows" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col", class: "num" }, "No."), el("th", { scope: "col" }, "Row"), el("th", { scope: "col", class: "tags-column" }, "Tags"))), body);
    const wrap = el("div", { class: "table-wrap" }, table);
    const nothing = el("div", { class: "empty", hidden: true });
    const older = pageButton("Previous", -1);
    const newer = pageButton("Next", 1);
    const where = el("span", { class: "muted small num" });
    const pager = el("nav", { class: "pager", "aria-label": "Pages" }, older, where, newer);
    const command = el("div", {});
    const steps = el("div", { class: "steps" }, undo, redo);
    const card = el("section", { class: "card card-flush rows-card", "aria-label": "Rows of the dataset" },
      el("div", { class: "rows-head" },
        el("div", { class: "rows-title" }, el("div", { class: "grow" }, title, facts), el("div", { class: "line" }, add, download)),
        el("div", { class: "rows-tools" }, el("div", { class: "search" }, search, el("kbd", { "aria-hidden": "true" }, "/")), steps)),
      wrap, nothing, pager);
    element.append(card, command);

    let shown = null; // the answer on the screen
    let cursor = "";
    let turn = 0;

    /* ---- Loading --------------------------------------------------------------------------------------- */

    async function load({ at = "" } = {}) {
      const { dataset, page, search: words } = data.place();
      if (!dataset) return drawNothing();
      const mine = ++turn;
      card.setAttribute("aria-busy", "true");
      const query = new URLSearchParams({ search: words, page, at });
      try {
        const answer = await api(`/api/data/datasets/${encodeURIComponent(dataset)}/rows?${query}`);
        if (mine !== turn) return;
        shown = answer;
        if (answer.page !== page) await data.go({ page: answer.page }, true);
        draw();
      } catch (error) {
        if (mine === turn) drawError(error);
      } finally {
        if (mine === turn) card.removeAttribute("aria-busy");
      }
    }

    let loaded = "";
    function follow() {
      const { dataset, page, search: words, row } = data.place();
      const wanted = JSON.stringify([dataset, page, words]);
      if (document.activeElement !== search) search.value = words;
      if (wanted !== loaded) {
        loaded = wanted;
        load();
      } else {
        mark(row);
      }
    }

    /* ---- Drawing --------------------------------------------------------------------------------------- */

    function draw() {
      const { row, search: words } = data.place();
      loaded = JSON.stringify([shown.name, shown.page, words]);
      title.textContent = shown.name;
      const kind = (data.kinds[shown.kind] || [shown.kind])[0].toLowerCase();
      facts.textContent = words
        ? `${data.plural(shown.total, "row")} of ${shown.all.toLocaleString("en")} with “${words}”`
        : `${data.plural(shown.total, "row")}, ${kind}`;
      body.replaceChildren(...shown.rows.map(drawRow));
      wrap.hidden = !shown.rows.length;
      nothing.hidden = Boolean(shown.rows.length);
      if (!shown.rows.length) nothing.replaceChildren(...emptyState(words));
      pager.hidden = shown.pages < 2;
      where.textContent = `Page ${shown.page.toLocaleString("en")} of ${shown.pages.toLocaleString("en")}`;
      older.disabled = shown.page <= 1;
      newer.disabled = shown.page >= shown.pages;
      drawSteps();
      const quoted = words ? ` --search '${words.replaceAll("'", "'\\''")}'` : "";
      command.replaceChildren(data.command(`ratchet show ${shown.name}${quoted}`));
      if (!shown.rows.some((item) => item.id === cursor)) cursor = row || shown.rows[0]?.id || "";
      mark(row);
    }

    function drawRow(item) {
      return el("tr", { dataset: { id: item.id }, tabindex: -1, onclick: () => open(item.id), onfocus: () => { cursor = item.id; roving(); } },
        el("td", { class: "num muted" }, item.number.toLocaleString("en")),
        el("td", {}, el("div", { class: "lines" }, item.lines.map((line) =>
          el("p", { class: `line-${line.label}` }, el("span", { class: "visually-hidden" }, `${line.label}: `), line.segments.map(([text, hit]) => hit ? el("mark", {}, text) : text)))),
          item.turns > 2 && el("span", { class: "chip" }, `${item.turns} turns`)),
        el("td", { class: "tags-column" }, item.tags.map((tag) => el("span", { class: "chip chip-accent" }, tag))));
    }

    function emptyState(words) {
      if (words) return [el("h2", {}, "No row has these words"), el("p", {}, "Every word of a search must occur in the row; the beginning of a word is enough."),
        el("button", { type: "button", class: "button button-secondary", onclick: () => { search.value = ""; data.go({ search: "", page: 1 }); } }, "Show all rows")];
      return [el("h2", {}, "This dataset is empty"), el("p", {}, "Drop a file on this page, or write the first example by hand."),
        el("button", { type: "button", class: "button button-primary", onclick: () => data.go({ row: "new" }) }, "Write an example")];
    }

    function drawNothing() {
      title.textContent = "No dataset yet";
      facts.textContent = "";
      body.replaceChildren();
      wrap.hidden = pager.hidden = true;
      nothing.hidden = false;
      nothing.replaceChildren(el("h2", {}, "Nothing here yet"), el("p", {}, "Drop a file above: conversations, questions with answers, preferences or plain text."));
    }

    function drawError(error) {
      loaded = "";
      body.replaceChildren();
      wrap.hidden = pager.hidden = true;
      nothing.hidden = false;
      title.textContent = data.place().dataset;
      facts.textContent = "";
      nothing.replaceChildren(el("h2", {}, "These rows cannot be shown"), el("p", {}, error.message),
        el("button", { type: "button", class: "button button-secondary", onclick: () => load() }, "Try again"));
    }

    function mark(row) {
      for (const line of body.rows) line.setAttribute("aria-selected", String(line.dataset.id === row));
      if (row && [...body.rows].some((line) => line.dataset.id === row)) cursor = row;
      roving();
    }

    /** One row is in the tab order: the one under the cursor. */
    function roving() {
      for (const line of body.rows) {
        line.tabIndex = line.dataset.id === cursor ? 0 : -1;
        line.classList.toggle("is-cursor", line.dataset.id === cursor);
      }
    }

    /* ---- Moving ---------------------------------------------------------------------------------------- */

    const open = (id) => data.go({ row: id });

    async function move(by) {
      const rows = [...body.rows];
      const at = rows.findIndex((line) => line.dataset.id === cursor);
      // The first press only steps into the list: the marked row is where the person is.
      const enters = at >= 0 && !inTable() && !data.place().row;
      const next = rows[enters ? at : at + by];
      if (!next) return turnPage(by);
      if (data.place().row && !(await open(next.dataset.id))) return;
      cursor = next.dataset.id;
      roving();
      next.focus({ preventScroll: true });
      next.scrollIntoView({ block: "nearest" });
    }

    async function turnPage(by) {
      const page = shown ? shown.page + by : 1;
      if (!shown || page < 1 || page > shown.pages) return;
      cursor = "";
      await data.go({ page });
    }

    function pageButton(label, by) {
      return el("button", { type: "button", class: "button button-ghost button-s", onclick: () => turnPage(by) }, label);
    }

    const inTable = () => document.activeElement && body.contains(document.activeElement);
    const off = [
      keys.add({ key: "j", label: "Next row", group: "Rows", run: () => move(1) }),
      keys.add({ key: "k", label: "Previous row", group: "Rows", run: () => move(-1) }),
      keys.add({ key: "ArrowDown", label: "Next row", group: "Rows", run: () => move(1), when: inTable }),
      keys.add({ key: "ArrowUp", label: "Previous row", group: "Rows", run: () => move(-1), when: inTable }),
      keys.add({ key: "Enter", label: "Open the row", group: "Rows", run: () => open(cursor), when: () => cursor && (inTable() || document.activeElement === document.body) && !data.place().row }),
      keys.add({ key: "/", label: "Search", group: "Rows", run: () => search.focus() }),
      keys.add({ key: "n", label: "Add an example", group: "Rows", run: () => add.click() }),
      // Redo first: the newest binding is asked first, and "Z" answers to an unshifted z as well.
      keys.add({ key: "Z", label: "Redo", group: "Rows", modifier: "ctrl", run: () => step("redo") }),
      keys.add({ key: "z", label: "Undo the last change", group: "Rows", modifier: "ctrl", run: () => step("undo") }),
    ];

    /* ---- Searching ------------------------------------------------------------------------------------- */

    let waiting = 0;
    search.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => data.go({ search: search.value.trim(), page: 1 }, true), WAIT);
    });
    search.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        search.blur();
      } else if (event.key === "Enter" || event.key === "ArrowDown") {
        event.preventDefault();
        body.querySelector("tr")?.focus();
      }
    });

    /* ---- Undo ------------------------------------------------------------------------------------------ */

    function stepButton(label, key, name) {
      return el("button", { type: "button", class: "button button-ghost button-s step", id: `step-${name}`, disabled: true, onclick: () => step(name) },
        el("span", { class: "step-label" }, label), el("kbd", {}, key));
    }

    function drawSteps() {
      for (const [button, label, what] of [[undo, "Undo", shown.undo], [redo, "Redo", shown.redo]]) {
        button.disabled = !what;
        button.querySelector(".step-label").textContent = what ? `${label}: ${what}` : label;
        button.title = what ? `${label}: ${what}` : `Nothing to ${label.toLowerCase()}`;
      }
      redo.hidden = !shown.redo;
    }

    async function step(name) {
      if (!shown || !shown[name] || !(await data.guard())) return;
      try {
        const { label, examples } = await api(`/api/data/datasets/${encodeURIComponent(shown.name)}/${name}`, { method: "POST" });
        if (!label) return;
        toast(name === "undo" ? `Undone: ${label}.` : `Done again: ${label}.`, "info");
        data.say("changed", { by: name, examples });
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    data.on("place", follow);
    data.on("changed", ({ row } = {}) => load({ at: row || "" }));
    follow();
    return () => off.forEach((remove) => remove());
  };

  /* ---- Export -------------------------------------------------------------------------------------------- */

  const FORMATS = {
    messages: "messages: one conversation a line, as OpenAI and TRL read it",
    sharegpt: "sharegpt: conversations with from and value",
    alpaca: "alpaca: instruction, input, output",
    "prompt-completion": "prompt-completion: one question and one answer a line",
    csv: "csv: a table for spreadsheets",
    preference: "preference: prompt, chosen and rejected, as TRL's DPO reads it",
    prompts: "prompts: one prompt a line",
    text: "text: one text a line",
  };

  function askExport(shown) {
    if (!shown) return;
    const select = el("select", { id: "export-format", onchange: draw },
      (data.formats()[shown.kind] || []).map((name) => el("option", { value: name }, FORMATS[name] || name)));
    const command = el("div", {});
    const fetchFile = () => download(shown.name, select.value);
    dialog(`Export ${shown.name}`, el("div", { class: "stack" },
      el("div", { class: "field" }, el("label", { for: "export-format" }, "Format"), select), command), [
      { label: "Cancel", kind: "secondary", run: () => {} },
      { label: `Download ${data.plural(shown.all, "row")}`, kind: "primary", run: fetchFile }]);
    draw();
    select.focus();

    function draw() {
      const ending = select.value === "csv" ? "csv" : "jsonl";
      command.replaceChildren(data.command(`ratchet export ${shown.name} --format ${select.value} --out ${shown.name}.${ending}`));
    }
  }

  /** Fetches the file and says what the format could not hold. */
  async function download(name, format) {
    try {
      const response = await fetch(`/api/data/datasets/${encodeURIComponent(name)}/export?format=${encodeURIComponent(format)}`);
      if (!response.ok) throw new Error((await response.json()).error.sentence);
      const url = URL.createObjectURL(await response.blob());
      const ending = format === "csv" ? "csv" : "jsonl";
      el("a", { href: url, download: `${name}.${ending}` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
      const rows = Number(response.headers.get("x-rows"));
      const dropped = Object.entries(JSON.parse(response.headers.get("x-dropped") || "{}"));
      const left = dropped.map(([reason, count]) => `${count} left out: ${reason}`).join("; ");
      toast(`${data.plural(rows, "row")} exported.${left ? ` ${left}.` : ""}`, rows ? "good" : "bad");
    } catch (error) {
      toast(error.message, "bad");
    }
  }
})();
