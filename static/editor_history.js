/* The history of a row: who did what and when, the difference between any two texts, and how to bring one back. */
(() => {
  "use strict";

  const { el, api, dialog, diff } = window.ratchet;
  const parts = (window.ratchet.editorParts ||= {});
  const KINDS = { import: "imported", add: "added", edit: "edited", delete: "deleted", restore: "restored", status: "status changed", tag: "tags changed", tags: "tags changed", mend: "mended", mask: "masked", merge: "merged" };

  const time = (seconds) => window.ratchet.data.when(seconds);
  const said = (item) => `${KINDS[item.kind] || item.kind} by ${item.author}`;
  const text = (item) => (item ? `${diff.spoken(item.content)}${item.tags?.length ? `\ntags: ${item.tags.join(", ")}` : ""}` : "");

  parts.history = async (desk) => {
    const { revisions } = await api(desk.url("history"));
    const from = picker("Compare", Math.max(0, revisions.length - 2));
    const to = picker("with", revisions.length - 1);
    const shown = el("div", { class: "revision", tabindex: 0, "aria-label": "The difference" });
    const list = el("ol", { class: "history" }, revisions.map((item, at) => drawItem(item, at)).reverse());
    const box = dialog(`History of example ${desk.row.number}`, el("div", { class: "stack" },
      el("div", { class: "line compare-two" }, from.label, from.select, to.label, to.select), shown, list));
    compare();

    function picker(label, chosen) {
      const id = `history-${label.toLowerCase()}`;
      const select = el("select", { id, class: "input", onchange: () => compare() }, revisions.map((item, at) =>
        el("option", { value: at, selected: at === chosen }, `${at + 1}: ${said(item)}, ${time(item.created_at)}`)));
      return { label: el("label", { for: id }, label), select };
    }

    function compare() {
      const [a, b] = [revisions[from.select.value], revisions[to.select.value]];
      const [before, after] = [text(a), text(b)];
      shown.replaceChildren(...(before === after && a !== b ? [el("span", { class: "muted" }, "The texts are the same.")] : diff.inline(before, after)));
    }

    function drawItem(item, at) {
      const show = () => { from.select.value = Math.max(0, at - 1); to.select.value = at; compare(); shown.scrollIntoView({ block: "nearest" }); };
      return el("li", {}, el("div", { class: "row-between" },
        el("span", {}, `${at + 1}: ${said(item)}, `, el("time", { class: "muted" }, time(item.created_at)),
          item.status && item.status !== "draft" && item.status !== "active" && el("span", { class: "muted" }, `, ${item.status}${item.reason ? `: ${item.reason}` : ""}`), item.state === "undone" && " (undone)"),
        el("span", { class: "line" },
          el("button", { type: "button", class: "button button-ghost button-s", onclick: show }, "Show", el("span", { class: "visually-hidden" }, ` change ${at + 1}`)),
          el("button", { type: "button", class: "button button-secondary button-s", onclick: () => { box.close(); bringBack(item, at); } }, "Restore this"))));
    }

    function bringBack(item, at) {
      desk.step(`restored text ${at + 1}`);
      desk.replace({ content: item.content, tags: item.tags || desk.draft.tags });
      desk.tell("info", `The text of ${time(item.created_at)} stands in the editor; save to keep it.`);
    }
  };
})();
