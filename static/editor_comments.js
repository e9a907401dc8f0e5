/* Comments on a row: who said what and when. One's own can be changed and removed; removing can be undone. */
(() => {
  "use strict";

  const { el, api, toast } = window.ratchet;
  const parts = (window.ratchet.editorParts ||= {});
  const time = (seconds) => new Date(seconds * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

  parts.comments = (desk) => {
    if (desk.row.id === "new") return "";
    const list = el("ul", { class: "comments" });
    const heading = el("h3", {}, "Comments");
    const input = el("textarea", { id: "new-comment", rows: 1, placeholder: "Say something about this example", "aria-label": "New comment", class: "input", dir: "auto", onkeydown: (event) => sends(event, add) });
    const url = (rest = "") => desk.url(`comments${rest}`);
    const here = desk.row.id;

    /** Ctrl Enter sends the comment; elsewhere it saves the row. */
    function sends(event, run) {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      run();
    }

    async function load() {
      try {
        const { comments } = await api(url());
        if (desk.row?.id === here) draw(comments);
      } catch (error) {
        list.replaceChildren(el("li", { class: "field-error" }, error.message));
      }
    }

    function draw(comments) {
      heading.textContent = comments.length ? `Comments (${comments.length})` : "Comments";
      list.replaceChildren(...comments.map(drawOne));
    }

    function drawOne(item) {
      const words = el("p", { class: "comment-text", dir: "auto" }, item.text);
      const line = el("li", { class: "comment" }, el("div", { class: "row-between" },
        el("span", {}, el("b", {}, item.author), el("span", { class: "muted small" }, ` ${time(item.created_at)}${item.edited_at ? ", changed" : ""}`)),
        item.mine && el("span", { class: "line" },
          el("button", { type: "button", class: "button button-ghost button-s", onclick: () => change(item, words) }, "Change"),
          el("button", { type: "button", class: "button button-ghost button-s", onclick: () => remove(item) }, "Remove"))), words);
      return line;
    }

    async function add() {
      if (!input.value.trim()) return;
      if (await ask("", { body: { text: input.value } })) input.value = "";
    }

    function change(item, words) {
      const area = el("textarea", { class: "input", value: item.text, "aria-label": "Change the comment", dir: "auto", onkeydown: (event) => sends(event, save) });
      async function save() { await ask(`/${item.id}`, { method: "PUT", body: { text: area.value } }); }
      words.replaceWith(el("div", { class: "stack-s" }, area, el("div", { class: "line" },
        el("button", { type: "button", class: "button button-secondary button-s", onclick: save }, "Keep the change"),
        el("button", { type: "button", class: "button button-ghost button-s", onclick: load }, "Cancel"))));
      area.focus();
    }

    async function remove(item) {
      if (!(await ask(`/${item.id}`, { method: "DELETE" }))) return;
      const back = url(`/${item.id}/restore`);
      toast("The comment is removed.", "info", () => api(back, { method: "POST" }).then(load, (error) => toast(error.message, "bad")));
      input.focus();
    }

    async function ask(rest, request) {
      try {
        await api(url(rest), request);
      } catch (error) {
        toast(error.message, "bad");
        return false;
      }
      await load();
      return true;
    }

    load();
    return el("section", { class: "stack-s comments-part" }, el("div", { class: "line" }, heading, el("kbd", {}, "C")), list, input,
      el("button", { type: "button", class: "button button-secondary button-s add-turn", onclick: add }, "Comment", el("kbd", {}, "Ctrl Enter")));
  };
})();
