/*
 * The editor of one row. This file opens, draws, saves and leaves it; its parts stand in editor_*.js.
 *
 * What is typed is kept on the server a moment later, so that nothing is lost with a tab, and becomes the row when it
 * is saved. Saving names the revision that was seen: where somebody else saved meanwhile, the person chooses.
 */
(() => {
  "use strict";

  const { el, api, keys, toast, data, dialog, confirm } = window.ratchet;
  const parts = window.ratchet.editorParts;
  const { opened, plain, clone } = parts.stored;
  const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString("en-GB");
  const rowsOf = (dataset) => `/api/data/datasets/${encodeURIComponent(dataset)}/rows`;
  const press = (label, key, kind, run, more = {}) =>
    el("button", { type: "button", class: `button button-${kind}`, onclick: run, ...more }, el("span", { class: "step-label" }, label), key && el("kbd", {}, key));

  window.ratchet.widgets.editor = (element) => {
    const card = el("section", { class: "card editor", "aria-label": "Editor", hidden: true });
    element.append(card);
    const off = [];
    const isOpen = () => desk.row !== null;
    let listeners = [];
    let base = ""; // the row as it was opened, as text: what is unsaved differs from it
    let saving = false;
    let ui = {};

    /* ---- The desk: what the parts of the editor see --------------------------------------------------------- */

    const desk = {
      card, row: null, draft: null, unfolded: new Set(),
      url: (rest = "") => `${rowsOf(desk.row.dataset)}/${encodeURIComponent(desk.row.id)}${rest ? `/${rest}` : ""}`,
      key: (binding) => off.push(keys.add({ group: "Editor", ...binding, when: () => isOpen() && !document.querySelector("dialog[open]") && (binding.when ? binding.when() : true) })),
      grown: parts.grown, redraw, mark, changed, save, replace, rebase, took,
      onMark: (run) => listeners.push(run),
      plain: () => plain(desk.draft.content),
      step: (label) => steps.push(label),
      push: (label, before) => steps.push(label, before),
      snapshot: () => steps.snapshot(),
      typed: (label) => steps.typed(label),
      undo: () => { if (steps.back()) redraw(); },
      tell, quiet: () => ui.notices.replaceChildren(),
      toggleSees: () => ui.sees.toggle(),
      modelChosen: () => ui.sees.draw(),
    };
    const steps = parts.steps(desk);
    const drafts = parts.drafts(desk, (at, problem) => { ui.kept.textContent = problem ? "The draft cannot be kept now." : `kept ${clock(at)}`; ui.kept.title = problem; });
    const asText = () => JSON.stringify({ content: desk.plain(), tags: desk.draft.tags });
    function changed() { return isOpen() && asText() !== base; }
    desk.turns = parts.turns(desk);
    desk.model = parts.model(desk);

    /* ---- Opening and leaving ------------------------------------------------------------------------------- */

    let turn = 0;
    async function follow() {
      const { dataset, row: id } = data.place();
      document.body.classList.toggle("is-editing", Boolean(dataset && id));
      if (!dataset || !id) return close();
      if (isOpen() && desk.row.dataset === dataset && desk.row.id === id) return;
      const kind = data.datasets().find((item) => item.name === dataset)?.kind;
      if (!kind) return; // the list of datasets is on its way, and calls again
      const mine = ++turn;
      if (id === "new") return begin(dataset, kind);
      try {
        const found = await api(`${rowsOf(dataset)}/${encodeURIComponent(id)}`);
        if (mine === turn) show({ ...found, dataset, kind });
      } catch (error) {
        if (mine !== turn) return;
        desk.row = desk.draft = null;
        toast(error.message, "bad");
        data.go({ row: "" }, true);
      }
    }

    /** A new row stands there at once, for the person types on; what they left of another one comes a moment later. */
    function begin(dataset, kind) {
      show({ id: "new", number: null, revision: null, status: "draft", tags: [], content: parts.forms.empty(kind), dataset, kind });
      const { row } = desk;
      api(desk.url("draft")).then(({ draft: kept }) => {
        if (!kept || desk.row !== row) return;
        if (!changed()) return restore(kept);
        tell("info", "You left another new example unsaved.", el("div", { class: "line" },
          small("Bring it back", "secondary", () => { steps.push("brought back another example"); replace(kept); desk.quiet(); })));
      }).catch((error) => toast(error.message, "bad"));
    }

    function show(found) {
      const { draft: kept, ...row } = found;
      desk.model.halt();
      desk.row = row;
      desk.draft = { content: opened(row.content), tags: clone(row.tags) };
      base = asText();
      steps.clear();
      drafts.forget();
      desk.turns.forget();
      card.hidden = false;
      draw();
      card.scrollTop = 0;
      if (kept) restore(kept);
      ui.near.load();
      if (row.id === "new") card.querySelector(".editor-body textarea")?.focus();
      else if (matchMedia("(max-width: 1100px)").matches) card.querySelector("h2")?.focus();
    }

    /** What was left unsaved stands in the editor again, unless the row was changed since: then the person chooses. */
    async function restore(kept) {
      const before = base;
      const mine = { content: kept.content, tags: kept.tags || [] };
      steps.push("restored what was not saved");
      desk.draft = mine;
      if (!changed()) { desk.undo(); steps.clear(); return mark(); }
      drafts.took();
      redraw();
      ui.kept.textContent = `kept ${clock(kept.saved_at)}`;
      if (desk.row.id === "new" || kept.revision === desk.row.revision) {
        return tell("info", `Restored: what you had not saved at ${clock(kept.saved_at)}.`, el("div", { class: "line" },
          small("Keep it", "secondary", () => desk.quiet()), small("Discard it", "secondary", discard)));
      }
      const { revisions } = await api(desk.url("history"));
      const seen = revisions.find((item) => item.revision_id === kept.revision) || JSON.parse(before);
      return parts.conflict(desk, seen, desk.row, `${desk.row.author} changed this example after ${clock(kept.saved_at)}, when you left it unsaved. Choose what shall stand.`);
    }

    const small = (label, kind, run) => el("button", { type: "button", class: `button button-${kind} button-s`, onclick: run }, label);

    function discard() {
      const lost = clone(desk.draft);
      const { id } = desk.row;
      drafts.drop(true);
      desk.draft = { content: opened(desk.row.content), tags: clone(desk.row.tags) };
      steps.clear();
      desk.quiet();
      redraw();
      toast("The unsaved changes are discarded.", "info", () => { if (desk.row?.id === id) { steps.push("brought back what was discarded"); desk.draft = lost; redraw(); } });
    }

    function close() {
      turn += 1;
      desk.model.halt();
      desk.row = desk.draft = null;
      listeners = [];
      card.hidden = true;
      card.replaceChildren();
    }

    data.guard = async () => {
      if (!changed()) return true;
      const choice = await askUnsaved();
      if (choice === "save") return save();
      if (choice === "keep") await drafts.keep();
      if (choice === "discard") await drafts.drop(true);
      if (choice === "keep" || choice === "discard") base = asText();
      return choice !== "stay";
    };

    const askUnsaved = () => new Promise((resolve) => {
      let said = "stay";
      const say = (word) => () => { said = word; };
      const box = dialog("Unsaved changes", el("p", {}, `${desk.row.id === "new" ? "The new example" : `Example ${desk.row.number}`} has changes that are not saved.`), [
        { label: "Keep editing", kind: "secondary", run: say("stay") }, { label: "Discard", kind: "danger", run: say("discard") },
        { label: "Leave for later", kind: "secondary", run: say("keep") }, { label: "Save", kind: "primary", run: say("save") }]);
      box.addEventListener("close", () => setTimeout(() => resolve(said)));
      box.querySelector(".button-primary").focus();
    });

    const leave = () => data.go({ row: "" });

    /* ---- Drawing --------------------------------------------------------------------------------------------- */

    function draw() {
      const known = desk.row.id !== "new";
      listeners = [];
      ui = {
        state: el("span", { class: "chip", role: "status" }), kept: el("span", { class: "small muted num" }), notices: el("div", { class: "stack-s" }),
        status: parts.status(desk), sees: parts.sees(desk),
        save: press("Save", "Ctrl S", "primary button-s", save), next: press("Save and next", "Ctrl Enter", "secondary button-s", saveAndNext),
        undo: press("Undo", "Ctrl Z", "ghost button-s step", desk.undo), redo: press("Redo", "Ctrl ⇧ Z", "ghost button-s step", redo),
        near: parts.near(desk), body: el("div", { class: "editor-body" }),
      };
      ui.standing = listeners;
      card.replaceChildren(
        el("div", { class: "editor-head" },
          el("div", { class: "line grow" }, el("h2", { tabindex: -1 }, known ? `Example ${desk.row.number}` : "New example"), ui.state, ui.kept),
          el("div", { class: "line" }, known && ui.near.nodes, press("Close", "Esc", "ghost button-s", leave)),
          el("div", { class: "row-between editor-second" }, el("div", { class: "line" }, ui.save, ui.next, press("Edit", "E", "ghost button-s", edit)), ui.status.node)),
        ui.notices, desk.row.kind !== "text" ? desk.model.node : el("div", { class: "assist line" }, press("What the model sees", "W", "ghost button-s", desk.toggleSees)), ui.body,
        el("div", { class: "editor-aside" }, ui.sees.node, parts.comments(desk)),
        el("div", { class: "editor-foot" }, ui.undo, ui.redo,
          known && press("History", "H", "ghost button-s", history), known && press("Duplicate", "D", "ghost button-s", duplicate),
          known && press("Delete example", "Del", "danger button-s", remove)));
      redraw();
    }

    /** Draws the fields anew from the draft. */
    function redraw() {
      listeners = [...ui.standing];
      ui.body.replaceChildren(...[parts.forms.form(desk), desk.row.kind !== "text" && parts.calls.tools(desk), parts.tags(desk), parts.metadata(desk)].filter(Boolean));
      mark();
    }

    /** Shows whether there is something to save, and keeps it on the server. */
    function mark() {
      const dirty = changed();
      const untouched = desk.row.id === "new" ? "Not saved yet" : "Saved";
      ui.state.textContent = saving ? "Saving …" : dirty ? "Unsaved changes" : untouched;
      ui.state.className = `chip chip-dot ${saving ? "chip-info" : dirty ? "chip-warning" : desk.row.id === "new" ? "" : "chip-good"}`;
      ui.save.disabled = saving || !dirty;
      for (const [button, name] of [[ui.undo, "undo"], [ui.redo, "redo"]]) {
        const label = steps[name]();
        button.hidden = !label;
        button.querySelector(".step-label").textContent = `${name === "undo" ? "Undo" : "Redo"}: ${label || ""}`;
      }
      if (dirty) drafts.soon();
      else if (!saving) { drafts.drop(); if (ui.kept.textContent.startsWith("kept")) ui.kept.textContent = ""; }
      listeners.forEach((run) => run());
    }

    function tell(kind, sentence, ...more) {
      ui.notices.replaceChildren(el("div", { class: `notice notice-${kind}`, role: kind === "bad" ? "alert" : "status" }, el("p", {}, sentence), more));
    }

    function redo() { if (steps.again()) redraw(); }
    function replace({ content, tags }) { desk.draft = { content: opened(content), tags: clone(tags) }; redraw(); }

    /** The row is `found` from now on, and `draft` is what the person makes of it. */
    function rebase(found, draft) {
      const { draft: _, ...row } = found;
      desk.row = { ...row, dataset: desk.row.dataset, kind: desk.row.kind };
      base = JSON.stringify({ content: plain(opened(row.content)), tags: row.tags });
      replace(draft);
      ui.status.draw();
    }

    /* ---- Saving ---------------------------------------------------------------------------------------------- */

    async function save() {
      if (!isOpen() || saving) return false;
      if (!changed()) return true;
      desk.model.halt();
      const wrong = parts.calls.problem(desk.draft.content);
      if (wrong) tell("bad", wrong);
      return !wrong && send();
    }

    async function send() {
      const { dataset, id, revision, content } = desk.row;
      const sent = asText();
      saving = true;
      mark();
      try {
        const gone = Object.fromEntries(["tools", "metadata", "margin", "answers"].filter((name) => name in content).map((name) => [name, null]));
        const retagged = JSON.stringify(desk.draft.tags) !== JSON.stringify(desk.row.tags);
        const body = { content: { ...gone, ...desk.plain() }, revision, ...(retagged ? { tags: desk.draft.tags, change: desk.row.change } : {}) };
        const saved = id === "new" ? await api(rowsOf(dataset), { body }) : await api(desk.url(), { method: "PUT", body });
        saving = false;
        if (!isOpen() || desk.row.id !== id) return true;
        await drafts.drop(true);
        took(saved, sent);
        toast(`Saved example ${saved.number}.`, "good");
        if (id === "new") data.go({ row: saved.id }, true);
        data.say("changed", { row: id === "new" ? saved.id : "", by: "save" });
        return true;
      } catch (error) {
        saving = false;
        if (!isOpen() || desk.row.id !== id) return false;
        mark();
        if (error.kind === "conflict" && id !== "new") return clash();
        tell("bad", error.message);
        return false;
      }
    }

    /** Somebody else was quicker; where they changed the status alone, there is nothing to choose. */
    async function clash() {
      try {
        const found = await api(desk.url());
        const { content, tags, revision } = desk.row;
        const other = found.change !== desk.row.change;
        if (other && found.revision === revision && JSON.stringify(found.tags) === JSON.stringify(tags)) {
          rebase(found, desk.draft);
          return send();
        }
        parts.conflict(desk, { content, tags }, found);
      } catch (error) {
        tell("bad", error.message);
      }
      return false;
    }

    /** The row as the studio has it now. `sent`: what was saved, where the person typed on meanwhile that stays unsaved. */
    function took(saved, sent = asText()) {
      const { draft: _, ...row } = saved;
      const typedOn = asText() !== sent;
      const fresh_ = desk.row.id === "new";
      desk.row = { ...row, dataset: desk.row.dataset, kind: desk.row.kind };
      base = JSON.stringify({ content: plain(opened(row.content)), tags: row.tags });
      steps.clear();
      if (fresh_) { desk.draft = { content: opened(row.content), tags: clone(row.tags) }; draw(); ui.near.load(); }
      else if (!typedOn && asText() !== base) replace(row);
      ui.status.draw();
      desk.quiet();
      mark();
      if (!typedOn) ui.kept.textContent = clock(row.revised_at || Date.now() / 1000);
    }

    async function saveAndNext() {
      const { id } = desk.row;
      const next = await ui.near.later();
      if (desk.row?.id !== id || !(await save())) return;
      if (next) await next();
      else toast("This was the last example.", "info");
    }

    /* ---- The row as a whole ------------------------------------------------------------------------------------ */

    const edit = () => card.querySelector(".editor-body textarea, .editor-body input")?.focus();
    const refused = (error) => toast(error.message, "bad");
    const history = () => parts.history(desk).catch(refused);

    async function duplicate() {
      if (!(await data.guard())) return;
      try {
        const copy = await api(desk.url("duplicate"), { method: "POST" });
        toast(`Example ${copy.number} is a copy of example ${desk.row.number}.`, "good");
        await data.go({ row: copy.id, search: "", filters: {} });
        data.say("changed", { row: copy.id });
      } catch (error) {
        refused(error);
      }
    }

    async function remove() {
      const { dataset, id, number } = desk.row;
      if (changed() && !(await confirm("Delete this example?", "It has changes that are not saved.", { yes: "Delete", danger: true }))) return;
      const back = `/api/data/datasets/${encodeURIComponent(dataset)}/bulk`;
      try {
        await api(desk.url(), { method: "DELETE" });
        await drafts.drop(true);
        desk.row = desk.draft = null;
        await data.go({ row: "" });
        data.say("changed", {});
        toast(`Example ${number} is deleted.`, "info", () => api(back, { body: { action: "restore", ids: [id] } }).then(() => data.say("changed", { row: id }), refused));
      } catch (error) {
        refused(error);
      }
    }

    /* ---- Keys and news ------------------------------------------------------------------------------------------- */

    const known = () => desk.row.id !== "new";
    const preference = () => Boolean(desk.draft.content.chosen);
    [
      { key: "s", label: "Save", modifier: "ctrl", inFields: true, run: save },
      { key: "Enter", label: "Save and next", modifier: "ctrl", inFields: true, run: saveAndNext },
      { key: "j", label: "Next example", run: () => ui.near.go("next"), when: known },
      { key: "k", label: "Previous example", run: () => ui.near.go("previous"), when: known },
      { key: "e", label: "Edit the first field", run: edit },
      { key: "a", label: "Approve", run: () => ui.status.set("approved"), when: known },
      { key: "r", label: "Reject with a reason", run: () => ui.status.askReason(), when: known },
      { key: "b", label: "Back to draft", run: () => ui.status.set("draft"), when: known },
      { key: "g", label: "Let a model draft the answer", run: () => desk.model.write("draft"), when: () => desk.row.kind !== "text" },
      { key: "i", label: "Let a model improve the answer", run: () => desk.model.write("improve"), when: () => desk.row.kind !== "text" },
      { key: "w", label: "What the model sees", run: desk.toggleSees },
      { key: "s", label: "Swap chosen and rejected", run: parts.forms.swap, when: preference },
      { key: "c", label: "Comment", run: () => card.querySelector("#new-comment")?.focus(), when: known },
      { key: "h", label: "History", run: history, when: known },
      { key: "d", label: "Duplicate", run: duplicate, when: known },
      { key: "Delete", label: "Delete the example", run: remove, when: known },
      { key: "Z", label: "Redo in the editor", modifier: "ctrl", run: redo, when: () => Boolean(steps.redo()) },
      { key: "z", label: "Undo in the editor", modifier: "ctrl", run: desk.undo, when: () => Boolean(steps.undo()) },
      { key: "Escape", label: "Stop the model, leave a field, then the editor", inFields: true, run: escape },
    ].forEach(desk.key);

    function escape() {
      if (desk.model.busy()) return desk.model.halt();
      const field = document.activeElement?.closest("input, textarea, select");
      return field && card.contains(field) ? field.blur() : leave();
    }

    data.on("place", follow);
    data.on("datasets", follow);
    /** What others did is shown, unless the person has something unsaved: then saving tells them. */
    async function look({ by } = {}) {
      if (!isOpen() || !known() || by === "save" || changed()) return;
      const { dataset, kind, id } = desk.row;
      try {
        const found = await api(desk.url());
        if (desk.row?.id === id && !changed() && (found.revision !== desk.row.revision || found.change !== desk.row.change)) show({ ...found, dataset, kind });
      } catch (error) {
        if (error.status === 404) data.go({ row: "" }, true);
      }
    }
    const back = () => { if (!document.hidden) look(); };
    data.on("changed", look);
    document.addEventListener("visibilitychange", back);
    off.push(() => document.removeEventListener("visibilitychange", back));
    return () => { off.forEach((stop) => stop()); drafts.stop(); };
  };
})();
