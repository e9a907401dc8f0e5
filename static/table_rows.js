/*
 * How a row of a dataset looks in the table, and which rows are selected.
 *
 *   ratchet.data.tableRow(item, {open, toggle, focus})   a <tr> of a short view (studio/curation/searching.py)
 *   ratchet.data.tableHead(toggleAll)                    the <thead>, with the box that selects the page
 *   ratchet.data.selection(changed)                      {has, toggle, range, page, everything, clear, size, target}
 */
(() => {
  "use strict";

  const { el, data } = window.ratchet;
  const STATUS = { draft: ["Draft", ""], approved: ["Approved", "chip-good"], rejected: ["Rejected", "chip-bad"], deleted: ["In the trash", "chip-warning"] };
  const COLUMNS = [["No.", "num"], ["Row", "text-column"], ["Status", "status-column"], ["Split", "split-column"], ["Length", "num length-column"], ["Tags", "tags-column"]];

  data.tableHead = (toggleAll) => {
    const box = el("input", { type: "checkbox", "aria-label": "Select the rows of this page", onchange: () => toggleAll(box.checked) });
    return { box, head: el("thead", {}, el("tr", {},
      el("th", { scope: "col", class: "select-column" }, el("span", { class: "check" }, box)),
      COLUMNS.map(([label, kind]) => el("th", { scope: "col", class: kind }, label)))) };
  };

  const statusChip = (item) => {
    const [label, kind] = STATUS[item.status] || [item.status, ""];
    return el("span", { class: `chip chip-dot ${kind}`, title: item.reason || null }, label);
  };

  data.tableRow = (item, { open, toggle, focus }) => {
    const box = el("input", { type: "checkbox", tabindex: -1, "aria-label": `Select row ${item.number}` });
    const changedBy = item.author ? `Changed by ${item.author}${item.changed_at ? `, ${data.when(item.changed_at)}` : ""}` : null;
    const line = el("tr", { dataset: { id: item.id }, tabindex: -1, onclick: clicked, onfocus: () => focus(item.id) },
      el("td", { class: "select-column" }, el("span", { class: "check" }, box)),
      el("td", { class: "num muted", title: changedBy }, item.number.toLocaleString("en")),
      el("td", { class: "text-column" },
        el("div", { class: "lines" }, item.lines.map((part) =>
          el("p", { class: `line-${part.label}` }, el("span", { class: "visually-hidden" }, `${part.label}: `), part.segments.map(([text, hit]) => (hit ? el("mark", {}, text) : text))))),
        el("div", { class: "row-notes" }, el("span", { class: "only-narrow" }, item.status !== "draft" && statusChip(item)),
          item.turns > 2 && el("span", { class: "chip" }, `${item.turns} turns`),
          item.status === "rejected" && item.reason && el("span", { class: "small muted reason" }, item.reason))),
      el("td", { class: "status-column" }, statusChip(item)),
      el("td", { class: "split-column small muted" }, item.split || ""),
      el("td", { class: "num length-column small muted", title: lengths(item) }, item.tokens != null ? `${item.tokens.toLocaleString("en")} tok` : item.chars == null ? "" : item.chars.toLocaleString("en")),
      el("td", { class: "tags-column" }, item.tags.map((tag) => el("span", { class: "chip chip-accent" }, tag))));

    function clicked(event) {
      const onBox = event.target.closest(".select-column");
      if (event.shiftKey) {
        event.preventDefault();
        getSelection().removeAllRanges(); // shift and click would mark the text between as well
        toggle(item.id, { range: true });
      } else if (onBox || event.ctrlKey || event.metaKey) {
        if (event.target !== box) event.preventDefault();
        toggle(item.id, {});
      } else {
        open(item.id);
      }
    }
    return line;
  };

  const lengths = (item) => (item.chars == null ? null : `${data.plural(item.chars, "character")}${item.tokens != null ? `, ${data.plural(item.tokens, "token")}` : ""}`);

  /** Which rows are selected: single ones, or all that match what is set. `changed` runs after every change. */
  data.selection = (changed) => {
    const ids = new Set();
    let all = null; // how many match, while all of them are selected
    let anchor = "";
    const done = () => changed();

    return {
      has: (id) => all !== null || ids.has(id),
      toggle(id) {
        all = null;
        if (!ids.delete(id)) ids.add(id);
        anchor = id;
        done();
      },
      /** Everything from the last row that was selected to this one, in the order of `rows`. */
      range(id, rows) {
        all = null;
        const [from, to] = [rows.indexOf(anchor), rows.indexOf(id)].sort((a, b) => a - b);
        rows.slice(from < 0 ? to : from, to + 1).forEach((one) => ids.add(one));
        anchor = id;
        done();
      },
      page(rows, selected) {
        all = null;
        rows.forEach((id) => (selected ? ids.add(id) : ids.delete(id)));
        done();
      },
      everything(count) {
        ids.clear();
        all = count;
        done();
      },
      clear() {
        if (all === null && !ids.size) return;
        ids.clear();
        all = null;
        anchor = "";
        done();
      },
      all: () => all !== null,
      size: () => (all === null ? ids.size : all),
      /** What a request says of the selection: the rows, or what all of them have in common. */
      target: () => (all === null ? { ids: [...ids] } : { filters: data.filterBody() }),
    };
  };

  /** Search and filters as the body of a request has them (studio/curation/filters.py). */
  data.filterBody = () => {
    const { search, filters } = data.place();
    return { ...filters, ...(search ? { search } : {}) };
  };
})();
