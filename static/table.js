/*
 * The rows of a dataset: a page at a time, searched, filtered and sorted on the studio's side, walked through by
 * keyboard.
 *
 * A list never holds whole rows. The row under the cursor is the one that Enter opens and that A, R, T, Del and X
 * mean; j and k move it. What belongs to it stands beside: filters.js, views.js, table_rows.js (looks, selection),
 * table_bulk.js (actions), changes.js (undo), versions.js, erase.js.
 */
(() => {
  "use strict";

  const { el, api, keys, toast, data } = window.ratchet;
  const WAIT = 180; // milliseconds after the last letter before a search begins

  window.ratchet.widgets.table = (element) => {
    let shown = null; // the answer on the screen
    let cursor = "";
    let turn = 0;
    const cursors = new Map(); // where deep pages of a filtered list begin: `${query}|${page}` -> after

    const title = el("h2", { class: "truncate" });
    const about = button("About", () => data.editDataset(data.datasets().find((item) => item.name === shown?.name)), "button-ghost button-s");
    const facts = el("p", { class: "muted small", role: "status" });
    const search = el("input", { type: "search", id: "row-search", class: "input", placeholder: "Search", "aria-label": "Search the rows", autocomplete: "off" });
    const add = button("Add example", () => data.go({ row: "new" }), "button-secondary", "N");
    const versions = button("Versions", () => data.showVersions(shown), "button-secondary");
    const answers = button("Answer", () => data.askAnswers(shown), "button-secondary");
    const download = button("Export", () => data.askExport(shown), "button-secondary");
    const filters = data.filterBar();
    const changes = data.changeSteps(() => shown);
    const selection = data.selection(drawSelection);
    const bulk = data.bulkBar({ selection, current: () => cursor, moved: passOn,
      matching: () => ({ total: shown?.total || 0, exact: shown?.exact ?? true, rows: shown?.rows.length || 0 }) });
    const { head, box: pageBox } = data.tableHead((on) => selection.page(ids(), on));
    const body = el("tbody", {});
    const table = el("table", { class: "table rows-table", role: "grid", "aria-label": "Rows", "aria-multiselectable": "true" }, head, body);
    const wrap = el("div", { class: "table-wrap" }, table);
    const nothing = el("div", { class: "empty", hidden: true });
    const emptyTrash = button("Empty the trash for good", () => data.emptyTrash(shown), "button-danger button-s");
    const trashNote = el("div", { class: "notice notice-warning trash-note", hidden: true }, el("span", { class: "grow" }, "Rows in the trash stay out of new versions and new trainings. They can be restored."), emptyTrash);
    const older = button("Previous", () => turnPage(-1), "button-ghost button-s");
    const newer = button("Next", () => turnPage(1), "button-ghost button-s");
    const number = el("input", { type: "number", class: "input page-number", min: 1, "aria-label": "Page", onchange: () => data.go({ page: Math.min(Math.max(1, Number(number.value) || 1), shown.pages || Infinity) }).then(toTop) });
    const of = el("span", { class: "muted small num" });
    const size = el("select", { class: "input page-size", "aria-label": "Rows on a page", onchange: () => data.go({ size: Number(size.value), page: 1 }) }, data.sizes.map((value) => el("option", { value }, `${value} rows`)));
    const pager = el("nav", { class: "pager", "aria-label": "Pages" }, older, el("span", { class: "line where" }, number, of), newer, size);
    const command = el("div", {});
    const card = el("section", { class: "card card-flush rows-card", "aria-label": "Rows of the dataset" },
      el("div", { class: "rows-head" },
        el("div", { class: "rows-title" }, el("div", { class: "grow" }, el("div", { class: "line title-line" }, title, about), facts), el("div", { class: "line" }, add, versions, answers, download)),
        data.viewStrip(),
        el("div", { class: "rows-tools" }, el("div", { class: "search" }, search, el("kbd", { "aria-hidden": "true" }, "/")), filters.button, filters.sort, changes.steps),
        filters.panel, filters.chips),
      trashNote, bulk.bar, wrap, nothing, pager);
    element.append(card, command);

    function button(label, run, kind, key) {
      return el("button", { type: "button", class: `button ${kind}`, onclick: run }, label, key && el("kbd", {}, key));
    }

    /* ---- Loading --------------------------------------------------------------------------------------- */

    const asked = () => JSON.stringify([data.place().dataset, data.place().size, data.asked().toString()]);

    async function load({ at = "" } = {}) {
      const { dataset, page, size: rows } = data.place();
      if (!dataset) return drawNothing();
      const mine = ++turn;
      card.setAttribute("aria-busy", "true");
      const query = data.asked();
      query.set("page", page);
      query.set("size", rows);
      if (at) query.set("at", at);
      const after = cursors.get(`${asked()}|${page}`);
      if (after && !at) query.set("after", after);
      try {
        const answer = await api(`${data.path("rows", dataset)}?${query}`);
        if (mine !== turn) return;
        shown = answer;
        if (answer.next) cursors.set(`${asked()}|${answer.page + 1}`, answer.next);
        if (answer.page !== page) await data.go({ page: answer.page }, true);
        draw();
        if (answer.task) bulk.watch(answer.task);
        offer(dataset);
      } catch (error) {
        if (mine === turn) drawError(error);
      } finally {
        if (mine === turn) card.removeAttribute("aria-busy");
      }
    }

    let offered = "";
    /** Asks what there is to filter by: once for a dataset, and again after changes. */
    async function offer(dataset) {
      if (offered === dataset) return;
      offered = dataset;
      try {
        const facets = await api(data.path("facets", dataset));
        if (dataset === data.place().dataset) filters.offer(facets);
      } catch (error) {
        console.warn(error.message);
      }
    }

    let loaded = "";
    let list = "";
    function follow() {
      const { page, search: words, row } = data.place();
      const wanted = `${asked()}|${page}`;
      if (document.activeElement !== search) search.value = words;
      if (list !== asked()) {
        if (shown && shown.name !== data.place().dataset) bulk.leave();
        list = asked();
        selection.clear();
        cursors.clear();
      }
      if (wanted !== loaded) {
        loaded = wanted;
        load();
      } else {
        mark(row);
      }
    }

    /* ---- Drawing --------------------------------------------------------------------------------------- */

    const ids = () => (shown ? shown.rows.map((item) => item.id) : []);

    function draw() {
      const { row, search: words, filters: set, size: rows } = data.place();
      loaded = `${asked()}|${shown.page}`;
      const trash = set.status === "deleted";
      title.textContent = shown.name;
      facts.textContent = countSentence(words, set);
      const inside = inTable();
      body.replaceChildren(...shown.rows.map((item) => data.tableRow(item, { open, toggle, focus: (id) => { cursor = id; roving(); } })));
      wrap.hidden = !shown.rows.length;
      nothing.hidden = Boolean(shown.rows.length);
      if (!shown.rows.length) nothing.replaceChildren(...emptyState(words, set));
      about.hidden = versions.hidden = download.hidden = add.hidden = false;
      answers.hidden = shown.kind === "text"; // plain texts ask nothing
      trashNote.hidden = !trash || !shown.rows.length;
      pager.hidden = shown.total <= data.sizes[0] && shown.page < 2;
      number.value = shown.page;
      number.max = shown.pages || "";
      of.textContent = shown.pages ? `of ${shown.pages.toLocaleString("en")}` : "";
      older.disabled = shown.page <= 1;
      newer.disabled = shown.pages ? shown.page >= shown.pages : !shown.next;
      size.value = rows;
      changes.draw();
      bulk.draw(trash);
      command.replaceChildren(data.command(commandLine(words, set)));
      // A row that left the list leaves the cursor at its place.
      if (!shown.rows.some((item) => item.id === cursor)) cursor = row || shown.rows[Math.min(standing, shown.rows.length - 1)]?.id || "";
      drawSelection();
      mark(row);
      if (inside) body.querySelector(".is-cursor")?.focus({ preventScroll: true }); // who walks by keys goes on from there
    }

    function countSentence(words, set) {
      const found = `${shown.total.toLocaleString("en")}${shown.exact === false ? "+" : ""} row${shown.total === 1 ? "" : "s"}`;
      const kind = (data.kinds[shown.kind] || [shown.kind])[0].toLowerCase();
      if (set.status === "deleted" && Object.keys(set).length === 1 && !words) return `${found} in the trash`;
      if (words && !Object.keys(set).length) return `${found} of ${shown.all.toLocaleString("en")} with “${words}”`;
      return words || Object.keys(set).length ? `${found} of ${shown.all.toLocaleString("en")} match` : `${found}, ${kind}`;
    }

    function commandLine(words, set) {
      const quote = (text) => (/^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
      const flags = Object.entries(set).flatMap(([name, value]) => [value].flat().map((one) => ` --${name} ${quote(one)}`));
      const { sort } = data.place();
      return `ratchet show ${shown.name}${words ? ` --search ${quote(words).startsWith("'") ? quote(words) : `'${words}'`}` : ""}${flags.join("")}${sort ? ` --sort=${sort}` : ""}`;
    }

    function emptyState(words, set) {
      const plain = (label, run, kind = "secondary") => el("button", { type: "button", class: `button button-${kind}`, onclick: run }, label);
      if (set.status === "deleted" && Object.keys(set).length === 1 && !words) return [el("h2", {}, "The trash is empty"), el("p", {}, "What you delete comes here first, and can be restored.")];
      const all = plain("Show all rows", () => { search.value = ""; data.filter({}, { only: true }); });
      if (Object.keys(set).length) return [el("h2", {}, "No row matches"), el("p", {}, "Every filter must fit. Remove one of them above, or all."), all];
      if (words) return [el("h2", {}, "No row has these words"), el("p", {}, "Every word of a search must occur in the row; the beginning of a word is enough."), all];
      return [el("h2", {}, "This dataset is empty"), el("p", {}, "Drop a file on this page, or write the first example by hand."), plain("Write an example", () => data.go({ row: "new" }), "primary")];
    }

    function blank(heading, ...content) {
      body.replaceChildren();
      wrap.hidden = pager.hidden = trashNote.hidden = about.hidden = versions.hidden = answers.hidden = download.hidden = true;
      nothing.hidden = false;
      title.textContent = heading;
      facts.textContent = "";
      nothing.replaceChildren(...content);
    }

    function drawNothing() {
      add.hidden = true;
      blank("No dataset yet", el("h2", {}, "Nothing here yet"), el("p", {}, "Drop a file above: conversations, questions with answers, preferences or plain text."));
    }

    function drawError(error) {
      loaded = "";
      blank(data.place().dataset, el("h2", {}, "These rows cannot be shown"), el("p", {}, error.message),
        el("button", { type: "button", class: "button button-secondary", onclick: () => load() }, "Try again"));
    }

    function mark(row) {
      for (const line of body.rows) {
        if (line.dataset.id === row) line.setAttribute("aria-current", "true");
        else line.removeAttribute("aria-current");
      }
      if (row && [...body.rows].some((line) => line.dataset.id === row)) cursor = row;
      roving();
    }

    function drawSelection() {
      for (const line of body.rows) {
        const on = selection.has(line.dataset.id);
        line.setAttribute("aria-selected", String(on));
        line.querySelector(".select-column input").checked = on;
      }
      const count = ids().filter((id) => selection.has(id)).length;
      pageBox.checked = count > 0 && count === ids().length;
      pageBox.indeterminate = count > 0 && count < ids().length;
      bulk.draw();
    }

    let standing = 0; // the place of the cursor on the page
    /** One row is in the tab order: the one under the cursor. */
    function roving() {
      [...body.rows].forEach((line, at) => {
        const here = line.dataset.id === cursor;
        if (here) standing = at;
        line.tabIndex = here ? 0 : -1;
        line.classList.toggle("is-cursor", here);
      });
    }

    /* ---- Moving and selecting ---------------------------------------------------------------------------- */

    const open = (id) => data.go({ row: id });

    function toggle(id, { range = false } = {}) {
      cursor = id;
      if (range) selection.range(id, ids());
      else selection.toggle(id);
      roving();
    }

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

    /** After an action on the row under the cursor: the next one, so that a list is judged key by key. */
    async function passOn() {
      const at = ids().indexOf(cursor);
      const next = ids()[at + 1];
      if (!next) return;
      if (data.place().row && !(await open(next))) return;
      cursor = next;
      roving();
      body.rows[at + 1]?.focus({ preventScroll: true });
    }

    async function turnPage(by) {
      const page = shown ? shown.page + by : 1;
      if (!shown || page < 1 || (by > 0 && newer.disabled)) return;
      cursor = "";
      standing = 0;
      await data.go({ page });
      toTop();
    }

    /** A new page begins with its first row, not where the last one ended. */
    function toTop() {
      if (wrap.getBoundingClientRect().top < 0) wrap.scrollIntoView({ block: "start" });
    }

    const inTable = () => document.activeElement && body.contains(document.activeElement);
    const some = () => Boolean(cursor) || selection.size() > 0;
    const inTrash = () => data.place().filters.status === "deleted";
    const key = (name, label, run, { when = () => true, ...more } = {}) =>
      keys.add({ key: name, label, group: "Rows", run, ...more, when: () => !document.querySelector("dialog[open]") && when() });
    // Shift first: the newest binding is asked first, and "X" answers to an unshifted x as well.
    const off = [
      key("j", "Next row", () => move(1)),
      key("k", "Previous row", () => move(-1)),
      key("ArrowDown", "Next row", () => move(1), { when: inTable }),
      key("ArrowUp", "Previous row", () => move(-1), { when: inTable }),
      key("Enter", "Open the row", () => open(cursor), { when: () => cursor && (inTable() || document.activeElement === document.body) && !data.place().row }),
      key("/", "Search", () => search.focus()),
      key("f", "Filter", () => filters.toggle()),
      key("n", "Add an example", () => add.click()),
      key("X", "Select all from the last selected row to this one", () => toggle(cursor, { range: true }), { when: () => Boolean(cursor) }),
      key("x", "Select the row", () => toggle(cursor), { when: () => Boolean(cursor) }),
      key("Escape", "Clear the selection", () => selection.clear(), { when: () => selection.size() > 0 && !data.place().row }),
      key("a", "Approve", () => bulk.act("approve"), { when: () => some() && !inTrash() }),
      key("r", "Reject, or restore from the trash", () => bulk.act(inTrash() ? "restore" : "reject"), { when: some }),
      key("t", "Tag", () => bulk.act("tag"), { when: () => some() && !inTrash() }),
      key("Delete", "Move to the trash", () => bulk.act("delete"), { when: () => some() && !inTrash() }),
      key("u", "Undo the last change", () => changes.step("undo")),
      key("Z", "Redo", () => changes.step("redo"), { modifier: "ctrl" }),
      key("z", "Undo the last change", () => changes.step("undo"), { modifier: "ctrl" }),
    ];

    /* ---- Searching ------------------------------------------------------------------------------------- */

    /** The charts above may leave the rows no room: what is looked for must be seen. */
    function comeUp() {
      if (card.getBoundingClientRect().top > window.innerHeight * 0.4) card.scrollIntoView({ block: "start" });
    }

    let waiting = 0;
    search.addEventListener("focus", comeUp);
    new ResizeObserver(() => document.activeElement === search && comeUp()).observe(document.body); // charts come later
    search.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => data.filter({ search: search.value.trim() }, { replace: true }), WAIT);
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

    data.on("place", follow);
    data.on("task", ({ task }) => bulk.watch(task));
    data.on("changed", ({ row } = {}) => {
      offered = "";
      cursors.clear();
      load({ at: row || "" });
    });
    follow();
    return () => {
      off.forEach((remove) => remove());
      bulk.leave();
    };
  };
})();
