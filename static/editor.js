/*
 * The editor of one row: a conversation, a preference, a prompt or a text.
 *
 * What is typed is a draft until it is saved. The draft is kept in the browser, so a refresh or a crash loses nothing,
 * and leaving it asks first. Saving sends the revision that was seen: where somebody else saved meanwhile, the
 * person chooses. Moves, deletions and additions of turns can be undone before saving; saved changes afterwards.
 */
(() => {
  "use strict";

  const { el, api, keys, toast, data, dialog, confirm } = window.ratchet;
  const ROLES = ["system", "user", "assistant", "tool"];
  const PARTS = { sft: ["messages"], prompts: ["prompt"], preference: ["prompt", "chosen", "rejected"], text: [] };
  const HEADS = { prompt: "Prompt", chosen: "Chosen answer", rejected: "Rejected answer" };
  const blank = (role) => ({ role, content: "" });
  const clone = (value) => JSON.parse(JSON.stringify(value));

  const EMPTY = {
    sft: () => ({ messages: [blank("user"), blank("assistant")] }),
    prompts: () => ({ prompt: [blank("user")] }),
    preference: () => ({ prompt: [blank("user")], chosen: [blank("assistant")], rejected: [blank("assistant")] }),
    text: () => ({ text: "" }),
  };

  /* ---- Drafts kept in the browser ---------------------------------------------------------------------- */

  const drafts = {
    key: (dataset, row) => `ratchet.draft.${dataset}.${row}`,
    read(dataset, row) {
      try {
        return JSON.parse(localStorage.getItem(drafts.key(dataset, row)));
      } catch {
        return null; // storage is switched off, or what it holds is no draft
      }
    },
    keep(dataset, row, draft) {
      try {
        localStorage.setItem(drafts.key(dataset, row), JSON.stringify(draft));
      } catch {
        /* storage is off or full: leaving the page still asks */
      }
    },
    drop(dataset, row) {
      try {
        localStorage.removeItem(drafts.key(dataset, row));
      } catch {
        /* storage is switched off */
      }
    },
  };

  window.ratchet.widgets.editor = (element) => {
    let row = null; // as the studio has it: {dataset, id, number, revision, content, tags, kind}
    let draft = null; // {content, tags}
    let steps = []; // what can be undone before saving: {label, draft}
    let problem = "";
    let saving = false;
    const card = el("section", { class: "card editor", "aria-label": "Editor", hidden: true });
    element.append(card);

    /* ---- Opening and leaving ----------------------------------------------------------------------------- */

    let turn = 0;
    async function follow() {
      const { dataset, row: id } = data.place();
      document.body.classList.toggle("is-editing", Boolean(dataset && id));
      if (!dataset || !id) return close();
      if (row && row.dataset === dataset && row.id === id) return;
      const mine = ++turn;
      try {
        const found = id === "new" ? freshRow(dataset) : await api(`${base(dataset)}/${encodeURIComponent(id)}`);
        if (mine === turn) show({ ...found, dataset, kind: kindOf(dataset) });
      } catch (error) {
        if (mine !== turn) return;
        row = draft = null;
        toast(error.message, "bad");
        data.go({ row: "" }, true);
      }
    }

    const base = (dataset) => `/api/data/datasets/${encodeURIComponent(dataset)}/rows`;
    const kindOf = (dataset) => data.datasets().find((item) => item.name === dataset)?.kind || "sft";
    const freshRow = (dataset) => ({ id: "new", number: null, revision: null, tags: [], content: EMPTY[kindOf(dataset)]() });
    const changed = () => row !== null && JSON.stringify(draft) !== JSON.stringify({ content: row.content, tags: row.tags });

    function show(found) {
      row = found;
      draft = clone({ content: found.content, tags: found.tags });
      steps = [];
      problem = "";
      const kept = drafts.read(row.dataset, row.id);
      const restored = Boolean(kept && kept.draft && kept.revision === row.revision);
      if (restored) draft = kept.draft;
      card.hidden = false;
      draw();
      if (restored && changed()) notice("info", "These are changes that you made earlier and did not save.", ["Discard them", discard]);
      card.scrollTop = 0;
      if (row.id === "new") card.querySelector("textarea")?.focus();
      else if (matchMedia("(max-width: 1100px)").matches) card.querySelector("h2")?.focus();
    }

    function close() {
      turn += 1;
      row = draft = null;
      card.hidden = true;
      card.replaceChildren();
    }

    data.guard = async () => {
      if (!row || !changed()) return true;
      const choice = await askUnsaved();
      if (choice === "save") return save();
      if (choice === "discard") drafts.drop(row.dataset, row.id);
      if (choice === "discard") row = { ...row, ...clone(draft) };
      return choice === "discard";
    };

    const askUnsaved = () => new Promise((resolve) => {
      let said = "stay";
      const box = dialog("Unsaved changes", el("p", {}, `${nameOf()} has changes that are not saved.`), [
        { label: "Keep editing", kind: "secondary", run: () => {} },
        { label: "Discard", kind: "danger", run: () => { said = "discard"; } },
        { label: "Save", kind: "primary", run: () => { said = "save"; } }]);
      box.addEventListener("close", () => setTimeout(() => resolve(said)));
    });

    window.addEventListener("beforeunload", (event) => { if (changed()) event.preventDefault(); });

    const leave = () => data.go({ row: "" });
    const nameOf = () => (row.id === "new" ? "The new example" : `Example ${row.number}`);

    async function discard() {
      drafts.drop(row.dataset, row.id);
      show(row);
    }

    /* ---- Drawing ----------------------------------------------------------------------------------------- */

    let status;
    let saveButton;
    let undoButton;
    let notices;

    function draw() {
      status = el("span", { class: "chip", role: "status" });
      notices = el("div", { class: "stack-s" });
      const known = row.id !== "new";
      saveButton = el("button", { type: "button", class: "button button-primary", onclick: save }, "Save", el("kbd", {}, "Ctrl S"));
      undoButton = el("button", { type: "button", class: "button button-ghost button-s step", onclick: takeBack }, el("span", { class: "step-label" }, "Undo"), el("kbd", {}, "Ctrl Z"));
      card.replaceChildren(
        el("div", { class: "editor-head" },
          el("div", { class: "line grow" }, el("h2", { tabindex: -1 }, known ? `Example ${row.number}` : "New example"), status),
          el("div", { class: "line" }, saveButton, el("button", { type: "button", class: "button button-ghost", onclick: leave }, "Close", el("kbd", {}, "Esc")))),
        notices,
        el("div", { class: "editor-body" }, form(), tagsField(), extras()),
        el("div", { class: "editor-foot" }, undoButton,
          known && el("button", { type: "button", class: "button button-ghost button-s", onclick: showHistory }, "History"),
          known && el("button", { type: "button", class: "button button-ghost button-s", onclick: duplicate }, "Duplicate"),
          known && el("button", { type: "button", class: "button button-danger button-s", onclick: remove }, "Delete example")));
      mark();
    }

    /** Shows whether there is something to save, and keeps it. */
    function mark() {
      const dirty = changed();
      status.textContent = saving ? "Saving …" : dirty ? "Unsaved changes" : row.id === "new" ? "Not saved yet" : "Saved";
      status.className = `chip chip-dot ${saving ? "chip-info" : dirty ? "chip-warning" : row.id === "new" ? "" : "chip-good"}`;
      saveButton.disabled = saving || !dirty;
      undoButton.hidden = !steps.length;
      undoButton.querySelector(".step-label").textContent = steps.length ? `Undo: ${steps.at(-1).label}` : "Undo";
      if (dirty) drafts.keep(row.dataset, row.id, { revision: row.revision, draft });
      else drafts.drop(row.dataset, row.id);
    }

    function notice(kind, sentence, ...buttons) {
      notices.replaceChildren(el("div", { class: `notice notice-${kind}`, role: kind === "bad" ? "alert" : "status" }, el("p", {}, sentence),
        buttons.length > 0 && el("div", { class: "line" }, buttons.map(([label, run]) => el("button", { type: "button", class: "button button-secondary button-s", onclick: run }, label)))));
    }

    function form() {
      if (row.kind === "text") return textForm();
      if (row.kind !== "preference") return turnList(PARTS[row.kind][0], row.kind === "sft");
      return el("div", { class: "stack" }, part("prompt"), el("div", { class: "answers" }, part("chosen"), part("rejected")));
    }

    const part = (name) => el("section", { class: `part part-${name}` }, el("h3", {}, HEADS[name]), turnList(name));

    function textForm() {
      const area = grown(el("textarea", { id: "row-text", value: draft.content.text, rows: 12, oninput: () => { draft.content.text = area.value; mark(); } }));
      return el("div", { class: "field" }, el("label", { for: "row-text" }, "Text"), area);
    }

    /* ---- Turns ------------------------------------------------------------------------------------------- */

    function turnList(name) {
      const box = el("div", { class: "turns", dataset: { part: name } });
      drawTurns(box);
      return box;
    }

    function drawTurns(box, focus) {
      const name = box.dataset.part;
      const turns = draft.content[name];
      const plain = name === "messages" || name === "prompt";
      box.replaceChildren(
        plain && turns[0]?.role !== "system"
          ? el("button", { type: "button", class: "button button-ghost button-s", onclick: () => insert(box, 0, blank("system"), "added a system prompt") }, "Add a system prompt") : "",
        ...turns.map((item, at) => drawTurn(box, item, at)),
        el("button", { type: "button", class: "button button-secondary button-s add-turn", onclick: () => insert(box, turns.length, blank(nextRole(turns, turns.length)), "added a turn") }, "Add turn"));
      const turn = focus && box.querySelectorAll(".turn")[focus.at];
      if (turn) [focus.what].flat().map((what) => turn.querySelector(what)).find(Boolean)?.focus();
    }

    const nextRole = (turns, at) => (["user", "tool"].includes(turns[at - 1]?.role) ? "assistant" : "user");

    function drawTurn(box, item, at) {
      const turns = draft.content[box.dataset.part];
      const said = `${box.dataset.part === "messages" ? "Turn" : (HEADS[box.dataset.part] + ", turn")} ${at + 1}`;
      const role = el("select", { class: "role", "aria-label": `${said}: role`, onchange: () => change("changed a role", () => { item.role = role.value; }, box, { at, what: ".role" }) },
        ROLES.map((name) => el("option", { value: name, selected: name === item.role }, name)));
      const area = grown(el("textarea", { class: "input", value: item.content, rows: 2, "aria-label": `${said}: text`, spellcheck: "true",
        oninput: () => { item.content = area.value; mark(); }, onkeydown: (event) => moveByKey(event, box, at) }));
      const tool = (label, sign, run, disabled, extra = "") =>
        el("button", { type: "button", class: `turn-tool ${extra}`, "aria-label": `${said}: ${label}`, title: label, disabled, onclick: run }, sign);
      return el("div", { class: "turn", dataset: { role: item.role } },
        el("div", { class: "turn-head" }, role,
          el("div", { class: "turn-tools" },
            tool("Move up (Alt ↑)", "↑", () => move(box, at, -1), at === 0, "up"),
            tool("Move down (Alt ↓)", "↓", () => move(box, at, 1), at === turns.length - 1, "down"),
            tool("Insert a turn below", "+", () => insert(box, at + 1, blank(nextRole(turns, at + 1)), "added a turn")),
            tool("Delete this turn", "×", () => change(`deleted turn ${at + 1}`, () => turns.splice(at, 1), box, { at: Math.max(0, at - 1), what: "textarea" }), turns.length === 1))),
        area, calls(item, said));
    }

    function moveByKey(event, box, at) {
      if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
      event.preventDefault();
      move(box, at, event.key === "ArrowUp" ? -1 : 1, "textarea");
    }

    /** Tool calls as JSON: rare, and wanted exactly as they are. */
    function calls(item, said) {
      if (!item.tool_calls) return null;
      const area = grown(el("textarea", { class: "input mono", "aria-label": `${said}: tool calls`, value: JSON.stringify(item.tool_calls, null, 2), spellcheck: "false", oninput: read }));
      const wrong = el("p", { class: "field-error", role: "alert" });
      function read() {
        try {
          item.tool_calls = JSON.parse(area.value);
          wrong.textContent = problem = "";
        } catch (error) {
          wrong.textContent = problem = `The tool calls are no JSON: ${error.message}`;
        }
        mark();
      }
      return el("details", { class: "calls", open: true }, el("summary", {}, "Tool calls"), area, wrong);
    }

    function change(label, run, box, focus) {
      steps.push({ label, draft: clone(draft) });
      run();
      drawTurns(box, focus);
      mark();
    }

    function insert(box, at, item, label) {
      change(label, () => draft.content[box.dataset.part].splice(at, 0, item), box, { at, what: "textarea" });
    }

    function move(box, at, by, what) {
      const turns = draft.content[box.dataset.part];
      if (!turns[at + by]) return;
      const side = by < 0 ? [".up:enabled", ".down"] : [".down:enabled", ".up"];
      change(`moved turn ${at + 1}`, () => turns.splice(at + by, 0, ...turns.splice(at, 1)), box, { at: at + by, what: what || side });
    }

    function takeBack() {
      const step = steps.pop();
      if (!step) return;
      draft = step.draft;
      redrawBody();
    }

    function redrawBody() {
      card.querySelector(".editor-body").replaceChildren(form(), tagsField(), extras());
      mark();
    }

    /* ---- Tags and the rest ------------------------------------------------------------------------------- */

    function tagsField() {
      const chips = el("span", { class: "line" });
      const input = el("input", { id: "row-tags", autocomplete: "off", placeholder: "Add a tag, then Enter", onkeydown: typed, onblur: () => take() });
      function take() {
        const fresh = input.value.split(",").map((tag) => tag.trim()).filter((tag) => tag && !draft.tags.includes(tag));
        input.value = "";
        if (!fresh.length) return;
        draft.tags.push(...fresh);
        drawChips();
      }
      function typed(event) {
        if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
          event.preventDefault();
          take();
        } else if (event.key === "Backspace" && !input.value && draft.tags.length) {
          draft.tags.pop();
          drawChips();
        }
      }
      function drawChips() {
        chips.replaceChildren(...draft.tags.map((tag) => el("span", { class: "chip chip-accent" }, tag,
          el("button", { type: "button", class: "chip-close", "aria-label": `Remove the tag ${tag}`, onclick: () => { draft.tags = draft.tags.filter((other) => other !== tag); drawChips(); } }, "×"))));
        mark();
      }
      chips.replaceChildren();
      queueMicrotask(drawChips);
      return el("div", { class: "field tags-field" }, el("label", { for: "row-tags" }, "Tags"), chips, input);
    }

    function extras() {
      const { tools, metadata } = row.content;
      const view = (label, value) => value && el("details", {}, el("summary", {}, label), el("pre", { class: "log", tabindex: 0 }, JSON.stringify(value, null, 2)));
      if (!tools && !metadata) return "";
      return el("div", { class: "stack-s extras" }, view(`Tools (${tools?.length || 0})`, tools), view("From the source", metadata));
    }

    /** Grows with what is typed, in browsers that do not do it by themselves as well. */
    function grown(area) {
      if (CSS.supports("field-sizing", "content")) return area;
      const fit = () => { area.style.height = "auto"; area.style.height = `${area.scrollHeight + 2}px`; };
      area.addEventListener("input", fit);
      requestAnimationFrame(fit);
      return area;
    }

    /* ---- Saving ------------------------------------------------------------------------------------------ */

    async function save() {
      if (!row || saving) return false;
      if (!changed()) return true;
      if (problem) {
        notice("bad", problem);
        return false;
      }
      return send(row.revision);
    }

    async function send(revision) {
      const { dataset, id } = row;
      saving = true;
      mark();
      try {
        const body = { content: draft.content, tags: draft.tags, revision };
        const saved = id === "new"
          ? await api(base(dataset), { body })
          : await api(`${base(dataset)}/${encodeURIComponent(id)}`, { method: "PUT", body });
        saving = false;
        drafts.drop(dataset, id);
        took(saved, id === "new");
        return true;
      } catch (error) {
        saving = false;
        if (error.kind === "conflict") notice("warning", error.message, ["Show the newer text", reload], ["Keep mine", () => send(null)]);
        else notice("bad", error.message);
        mark();
        return false;
      }
    }

    /** The row as the studio has it now; the place of the cursor in a field is kept. */
    function took(saved, fresh) {
      row = { ...saved, dataset: row.dataset, kind: row.kind };
      const same = JSON.stringify(draft) === JSON.stringify({ content: row.content, tags: row.tags });
      draft = clone({ content: row.content, tags: row.tags });
      steps = [];
      if (fresh || !same) draw();
      else {
        // The fields hold objects of the old draft; they must write to the new one.
        const field = document.activeElement?.getAttribute("aria-label");
        const [from, to] = [document.activeElement?.selectionStart, document.activeElement?.selectionEnd];
        redrawBody();
        const again = field && [...card.querySelectorAll("textarea")].find((area) => area.getAttribute("aria-label") === field);
        if (again) { again.focus({ preventScroll: true }); again.setSelectionRange(from, to); }
      }
      notices.replaceChildren();
      toast(`Saved example ${row.number}.`, "good");
      if (fresh) data.go({ row: row.id }, true);
      data.say("changed", { row: fresh ? row.id : "", by: "save" });
    }

    async function reload() {
      const { dataset, id, kind } = row;
      drafts.drop(dataset, id);
      show({ ...(await api(`${base(dataset)}/${encodeURIComponent(id)}`)), dataset, kind });
    }

    async function duplicate() {
      if (!(await data.guard())) return;
      try {
        const copy = await api(`${base(row.dataset)}/${encodeURIComponent(row.id)}/duplicate`, { method: "POST" });
        toast(`Example ${copy.number} is a copy of example ${row.number}.`, "good");
        await data.go({ row: copy.id, search: "" });
        data.say("changed", { row: copy.id });
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    async function remove() {
      const { dataset, id, number } = row;
      if (changed() && !(await confirm("Delete this example?", "It has changes that are not saved.", { yes: "Delete", danger: true }))) return;
      try {
        await api(`${base(dataset)}/${encodeURIComponent(id)}`, { method: "DELETE" });
        drafts.drop(dataset, id);
        row = draft = null;
        await data.go({ row: "" });
        data.say("changed", {});
        toast(`Example ${number} is deleted.`, "info", async () => {
          await api(`/api/data/datasets/${encodeURIComponent(dataset)}/undo`, { method: "POST" });
          data.say("changed", { row: id });
        });
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    /* ---- History ----------------------------------------------------------------------------------------- */

    async function showHistory() {
      const { revisions } = await api(`${base(row.dataset)}/${encodeURIComponent(row.id)}/history`);
      const kinds = { import: "imported", add: "added", edit: "edited", delete: "deleted" };
      const box = dialog(`History of example ${row.number}`, el("ol", { class: "history" }, revisions.map((item, at) => el("li", {},
        el("div", { class: "row-between" },
          el("span", {}, `${kinds[item.kind] || item.kind} by ${item.author}, `, el("time", { class: "muted" }, new Date(item.created_at * 1000).toLocaleString()), item.state === "undone" && " (undone)"),
          el("button", { type: "button", class: "button button-secondary button-s", onclick: () => { box.close(); bringBack(item); } }, "Bring this back")),
        el("div", { class: "revision" }, window.ratchet.data.difference(wordsOf(revisions[at - 1]?.content), wordsOf(item.content))))).reverse()));
    }

    function bringBack(item) {
      steps.push({ label: "brought an earlier text back", draft: clone(draft) });
      draft = clone({ content: item.content, tags: item.tags });
      redrawBody();
      notice("info", "The earlier text stands in the editor; save to keep it.");
    }

    function wordsOf(content) {
      if (!content) return "";
      if ("text" in content) return content.text;
      return ["messages", "prompt", "chosen", "rejected"].flatMap((name) => (content[name] || []).map((item) => `${item.role}: ${item.content}`)).join("\n");
    }

    /* ---- Keys and news ----------------------------------------------------------------------------------- */

    const isOpen = () => row !== null;
    const off = [
      keys.add({ key: "s", label: "Save", group: "Editor", modifier: "ctrl", inFields: true, run: save, when: isOpen }),
      keys.add({ key: "Enter", label: "Save", group: "Editor", modifier: "ctrl", inFields: true, run: save, when: isOpen }),
      keys.add({ key: "z", label: "Undo a move or deletion of a turn", group: "Editor", modifier: "ctrl", run: takeBack, when: () => isOpen() && steps.length > 0 }),
      keys.add({ key: "Escape", label: "Leave a field, then the editor", group: "Editor", inFields: true, when: isOpen, run: () => {
        const field = document.activeElement?.closest("input, textarea, select");
        if (field && card.contains(field)) field.blur();
        else leave();
      } }),
    ];

    data.on("place", follow);
    data.on("datasets", follow);
    data.on("changed", async ({ by } = {}) => {
      if (!row || row.id === "new" || by === "save" || changed()) return;
      try {
        const { dataset, kind, id } = row;
        const found = await api(`${base(dataset)}/${encodeURIComponent(id)}`);
        if (row?.id === id && found.revision !== row.revision) show({ ...found, dataset, kind });
      } catch (error) {
        if (error.status === 404) data.go({ row: "" }, true);
      }
    });
    return () => off.forEach((stop) => stop());
  };

  /* ---- What changed between two texts ---------------------------------------------------------------------- */

  const MOST_WORDS = 1500; // the table of a comparison grows with the square of this

  /** The second text with what was added and removed since the first, by words. */
  window.ratchet.data.difference = (before, after) => {
    if (!before) return [after];
    const [a, b] = [before, after].map((text) => text.match(/\s+|[^\s]+/g) || []);
    if (a.length > MOST_WORDS || b.length > MOST_WORDS) return [after];
    const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
    for (let i = a.length - 1; i >= 0; i -= 1) {
      for (let j = b.length - 1; j >= 0; j -= 1) common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
    }
    const pieces = [];
    const put = (kind, text) => (pieces.at(-1)?.kind === kind ? (pieces.at(-1).text += text) : pieces.push({ kind, text }));
    let i = 0;
    let j = 0;
    while (i < a.length || j < b.length) {
      if (i < a.length && j < b.length && a[i] === b[j]) { put("same", a[i]); i += 1; j += 1; }
      else if (j >= b.length || (i < a.length && common[i + 1][j] >= common[i][j + 1])) put("gone", a[i++]);
      else put("new", b[j++]);
    }
    return pieces.map(({ kind, text }) => (kind === "same" ? text : el(kind === "new" ? "ins" : "del", { class: kind === "new" ? "diff-added" : "diff-removed" }, text)));
  };
})();
