/* The examples before and after the open one, of those that the table's filter finds, in its order. */
(() => {
  "use strict";

  const { el, api, data } = window.ratchet;
  const parts = (window.ratchet.editorParts ||= {});

  parts.near = (desk) => {
    let found = {};
    let coming = Promise.resolve();
    const where = el("span", { class: "small muted num" });
    const button = (sign, key, label, name) => el("button", { type: "button", class: "button button-ghost button-s", "aria-label": label, title: `${label} (${key})`, disabled: true, onclick: () => go(name) }, sign, el("kbd", {}, key));
    const before = button("‹", "K", "Previous example", "previous");
    const after = button("›", "J", "Next example", "next");

    function load() {
      found = {};
      coming = desk.row.id === "new" ? Promise.resolve() : ask(desk.row.id);
      return coming;
    }

    async function ask(id) {
      const query = data.asked();
      query.set("page", data.place().page);
      query.set("size", data.place().size);
      try {
        const answer = await api(`${desk.url("neighbours")}?${query}`);
        if (desk.row?.id === id) draw(answer);
      } catch {
        where.textContent = ""; // a row can be edited without knowing which one follows
      }
    }

    function draw(answer) {
      found = answer;
      const { place, total, exact, previous, next } = answer;
      where.textContent = place === null ? "" : `${(place + 1).toLocaleString("en")} of ${total.toLocaleString("en")}${exact ? "" : "+"}`;
      before.disabled = !previous;
      after.disabled = !next;
    }

    /** Goes to an example and to the page of the table on which it stands. */
    function open(id, place) {
      const page = place === null || place === undefined ? {} : { page: Math.floor(place / data.place().size) + 1 };
      return data.go({ row: id, ...page });
    }

    /** A key pressed before the neighbours are known waits for them. */
    async function go(name) {
      const { id } = desk.row;
      await coming;
      if (desk.row?.id !== id) return;
      const { place } = found;
      if (found[name]) await open(found[name], place === null ? null : place + (name === "next" ? 1 : -1));
    }

    /** How to go on after the row has been saved and perhaps left the filter; null where it is the last one. */
    async function later() {
      await coming;
      const { next, place } = found;
      return next ? () => open(next, place === null ? null : place + 1) : null;
    }

    return { nodes: [where, before, after], load, go, later };
  };
})();
