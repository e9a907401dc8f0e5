/*
 * The files that wait for an import: for each what it is, how it is read, and its first rows before and after.
 *
 *   imports.fileList({forget, changed})   {element, show(items), draw(item)}
 *     forget(item): the person leaves a file out · changed(): what is known of a file, or its settings, changed
 */
(() => {
  "use strict";

  const imports = (window.ratchet.imports ||= {});
  const { el, api, data } = window.ratchet;

  /** Whether a file can be imported as it stands. */
  imports.ready = (item) => Boolean(item.id && !item.error && item.look?.kind && !item.look.problem && item.look.bad < item.look.tried);
  imports.busy = (item) => !item.error && (!item.id || !item.look);

  imports.fileList = ({ forget, changed }) => {
    const element = el("ul", { class: "import-files", "aria-label": "Files to import" });
    const cards = new Map();

    function show(items) {
      for (const [item, card] of cards) {
        if (items.includes(item)) continue;
        card.remove();
        cards.delete(item);
      }
      for (const item of items) {
        if (!cards.has(item)) {
          cards.set(item, el("li", { class: "import-file" }));
          element.append(cards.get(item));
        }
        draw(item);
      }
    }

    /** Draws a file anew; the head changes often, so what a person may be using below it stays where it can. */
    function draw(item) {
      const card = cards.get(item);
      if (!card) return;
      const head = headOf(item);
      if (card.firstChild) card.firstChild.replaceWith(head);
      else card.append(head);
      if (item.id && !item.look && !item.looking && !item.error) look(item);
    }

    function headOf(item) {
      return el("div", { class: "import-file-head" },
        el("span", { class: "truncate name", dir: "auto" }, item.name), el("span", { class: "muted small num" }, imports.size(item.size)), stateOf(item),
        el("button", { type: "button", class: "turn-tool", "aria-label": `Leave out ${item.name}`, title: "Leave this file out", onclick: () => forget(item) }, "×"),
        item.error && el("p", { class: "field-error", role: "alert" }, item.error));
    }

    function stateOf(item) {
      if (item.error) return el("span", { class: "chip chip-bad chip-dot" }, "left out");
      if (!item.id) {
        const percent = Math.round(100 * item.sent);
        return el("span", { class: "progress", role: "progressbar", "aria-label": `Sending ${item.name}`, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": percent, style: { "--value": `${percent}%` } }, el("span", {}));
      }
      if (!item.look) return el("span", { class: "chip chip-dot" }, "looking at it");
      return imports.ready(item) ? el("span", { class: "chip chip-good chip-dot" }, "ready") : el("span", { class: "chip chip-warning chip-dot" }, item.look.columns.length ? "columns unknown" : "cannot be read");
    }

    /* ---- Looking ----------------------------------------------------------------------------------------- */

    async function look(item) {
      item.looking = true;
      const turn = (item.turn = (item.turn || 0) + 1);
      let seen;
      try {
        seen = await api(`/api/data/uploads/${item.id}/look`, { body: item.settings });
      } catch (error) {
        if (error.status === 404) item.error = error.message; // it was removed meanwhile
        else seen = { ...(item.look || { name: item.name, samples: [], columns: [], encodings: {}, roles: [], rows: null }), kind: null, problem: error.message };
      }
      if (turn !== item.turn) return;
      item.looking = false;
      item.look = seen || null;
      drawLook(item);
      draw(item);
      changed();
    }

    function drawLook(item) {
      const card = cards.get(item);
      if (!card) return;
      const held = document.activeElement?.id; // a select that was just used keeps the focus
      const open = card.querySelector("details")?.open ?? cards.size <= 2;
      card.querySelector(".import-look")?.remove();
      if (!item.look) return;
      card.append(lookOf(item, open));
      if (held) card.querySelector(`#${CSS.escape(held)}`)?.focus();
    }

    function lookOf(item, open) {
      const { look: seen } = item;
      const preview = imports.preview(seen);
      return el("div", { class: "import-look stack-s" },
        seen.format && el("p", { class: "import-says" }, imports.saysOf(seen)),
        warning(item),
        seen.format && settings(item),
        preview && el("details", { class: "import-preview", open }, el("summary", {}, "First rows, in the file and as they will be stored"), preview));
    }

    function warning(item) {
      const { look: seen, settings: said } = item;
      const ask = (label, kind) => el("button", { type: "button", class: `button button-${kind} button-s`, onclick: () => imports.askColumns(item, (mapping) => set(item, { mapping, kind: null })) }, label);
      if (seen.problem) {
        const last = !said.mapping && seen.remembered && el("button", { type: "button", class: "button button-primary button-s", onclick: () => set(item, { mapping: seen.remembered.mapping }) }, "As last time");
        return el("div", { class: "notice notice-warning", role: "status" }, el("p", {}, seen.problem),
          seen.columns?.length > 0 && el("div", { class: "line" }, last, ask("Say what the columns hold", last ? "secondary" : "primary")));
      }
      if (!seen.bad) return null;
      const kindly = seen.sure ? `${data.plural(seen.bad, "row")} of the first ${seen.tried} cannot be imported; the good ones go in, the bad ones can be downloaded and mended.`
        : `This may be understood wrongly: ${seen.bad} of the first ${seen.tried} rows cannot be imported this way.`;
      return el("div", { class: `notice notice-${seen.sure ? "info" : "warning"}` }, el("p", {}, kindly), !seen.sure && seen.columns.length > 0 && el("div", { class: "line" }, ask("Say what the columns hold", "primary")));
    }

    function settings(item) {
      const { look: seen, settings: said } = item;
      const at = [...cards.keys()].indexOf(item);
      const choice = (name, label, options, value, change) => {
        const select = el("select", { id: `import-${name}-${at}`, class: "input", onchange: () => change(select.value) }, options.map(([key, text]) => el("option", { value: key }, text)));
        select.value = value;
        return el("div", { class: "field" }, el("label", { for: select.id }, label), select);
      };
      const kinds = Object.entries(data.kinds).map(([kind, [label]]) => [kind, label]);
      return el("div", { class: "import-settings" },
        seen.encoding && seen.encoding !== "binary" && choice("encoding", "Encoding", [["", `Recognised${said.encoding ? "" : `: ${seen.encoding}`}`], ...imports.encodings(seen)], said.encoding || "", (encoding) => set(item, { encoding: encoding || null })),
        choice("kind", "The rows are", [["", `Recognised${said.kind || !seen.kind ? "" : `: ${data.kinds[seen.kind]?.[0].toLowerCase() || seen.kind}`}`], ...kinds], said.kind || "", (kind) => set(item, { kind: kind || null })),
        seen.columns.length > 0 && el("div", { class: "line" },
          el("button", { type: "button", id: `import-columns-${at}`, class: "button button-secondary", onclick: () => imports.askColumns(item, (mapping) => set(item, { mapping, kind: null })) }, said.mapping ? "Change the columns" : "Columns …"),
          said.mapping && el("button", { type: "button", class: "button button-ghost", onclick: () => set(item, { mapping: null }) }, "Recognise again")));
    }

    function set(item, change) {
      Object.assign(item.settings, change);
      item.looking = false;
      look(item);
      changed();
    }

    return { element, show, draw };
  };
})();
