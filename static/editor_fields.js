/* Tags with suggestions, and metadata as names and values. */
(() => {
  "use strict";

  const { el, api } = window.ratchet;
  const parts = (window.ratchet.editorParts ||= {});
  const HIDDEN = new Set(["drafted_by"]); // shown on the turns themselves

  /* ---- Tags ---------------------------------------------------------------------------------------------- */

  parts.tags = (desk) => {
    const chips = el("span", { class: "line" });
    const known = el("datalist", { id: "row-known-tags" });
    const input = el("input", { id: "row-tags", autocomplete: "off", list: known.id, placeholder: "Add a tag, then Enter", onkeydown: typed, onchange: take, onblur: take, onfocus: suggest });

    async function suggest() {
      if (known.children.length) return;
      try {
        const { tags } = await api(`/api/data/datasets/${encodeURIComponent(desk.row.dataset)}/facets`);
        known.replaceChildren(...tags.map((tag) => el("option", { value: tag.id })));
      } catch {
        /* a tag can be typed without suggestions */
      }
    }

    function take() {
      const fresh = [...new Set(input.value.split(",").map((tag) => tag.trim()))].filter((tag) => tag && !desk.draft.tags.includes(tag));
      input.value = "";
      if (!fresh.length) return;
      set([...desk.draft.tags, ...fresh], `added the tag ${fresh.join(", ")}`);
    }

    function set(tags, label) {
      desk.step(label);
      desk.draft.tags = tags;
      drawChips();
      desk.mark();
    }

    function typed(event) {
      if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        take();
      } else if (event.key === "Backspace" && !input.value && desk.draft.tags.length) {
        set(desk.draft.tags.slice(0, -1), `removed the tag ${desk.draft.tags.at(-1)}`);
      }
    }

    function drawChips() {
      chips.replaceChildren(...desk.draft.tags.map((tag) => el("span", { class: "chip chip-accent" }, tag,
        el("button", { type: "button", class: "chip-close", "aria-label": `Remove the tag ${tag}`, onclick: () => { set(desk.draft.tags.filter((other) => other !== tag), `removed the tag ${tag}`); input.focus(); } }, "×"))));
    }

    drawChips();
    return el("div", { class: "field tags-field" }, el("label", { for: "row-tags" }, "Tags"), chips, input, known);
  };

  /* ---- Metadata ------------------------------------------------------------------------------------------ */

  /** Names and values; a value that is no text stands as JSON and stays what it is while it can be read as such. */
  parts.metadata = (desk) => {
    const entries = Object.entries(desk.draft.content.metadata || {}).filter(([name]) => !HIDDEN.has(name));
    const hidden = Object.fromEntries(Object.entries(desk.draft.content.metadata || {}).filter(([name]) => HIDDEN.has(name)));
    const lines = el("div", { class: "stack-s" });
    const wrong = el("p", { class: "field-error", role: "status" });
    const summary = el("summary", {});
    const box = el("details", { class: "fold metadata", open: desk.unfolded.has("metadata"), ontoggle: () => desk.unfolded[box.open ? "add" : "delete"]("metadata") },
      summary, lines, wrong,
      el("button", { type: "button", class: "button button-ghost button-s", onclick: () => { entries.push(["", ""]); draw(); lines.querySelector(".pair-line:last-child input").focus(); } }, "Add a field"));

    function put() {
      const names = entries.map(([name]) => name.trim()).filter(Boolean);
      wrong.textContent = new Set(names).size < names.length ? "Two fields have the same name; only the last one is kept." : "";
      desk.draft.content.metadata = { ...Object.fromEntries(entries.filter(([name]) => name.trim()).map(([name, value]) => [name.trim(), value])), ...hidden };
      desk.mark();
    }

    function value(text, before) {
      if (typeof before === "string") return text;
      try {
        return JSON.parse(text);
      } catch {
        return text;
      }
    }

    function draw() {
      summary.textContent = `Metadata (${entries.length})`;
      lines.replaceChildren(...entries.map((entry, at) => {
        const before = entry[1];
        const name = el("input", { class: "input", value: entry[0], placeholder: "Name", "aria-label": `Field ${at + 1}: name`, oninput: () => { desk.typed("the metadata"); entry[0] = name.value; put(); } });
        const said = desk.grown(el("textarea", { class: "input", rows: 1, placeholder: "Value", value: typeof before === "string" ? before : JSON.stringify(before), "aria-label": `Field ${at + 1}: value`, dir: "auto",
          oninput: () => { desk.typed("the metadata"); entry[1] = value(said.value, before); put(); } }));
        return el("div", { class: "pair-line" }, name, said, el("button", { type: "button", class: "turn-tool", "aria-label": `Delete field ${at + 1}`, title: "Delete this field", onclick: () => {
          desk.step(`deleted the field ${entry[0]}`);
          entries.splice(at, 1);
          put();
          draw();
        } }, "×"));
      }));
    }

    draw();
    return box;
  };
})();
