/*
 * A model writes in the editor: it drafts an answer or improves the one that stands there, word by word, and can be
 * stopped. What it wrote is marked as drafted until a person accepts it or changes it.
 */
(() => {
  "use strict";

  const { el, api } = window.ratchet;
  const PHASES = { starting: "The model is being loaded", asking: "The model reads" };
  const parts = (window.ratchet.editorParts ||= {});

  parts.model = (desk) => {
    let asking = null; // AbortController of what is being written
    let models = null;
    const select = el("select", { id: "editor-model", class: "input", "aria-label": "Model", onchange: () => { remember(select.value); desk.modelChosen(); } });
    const say = el("span", { class: "small muted", role: "status" });
    const draft = el("button", { type: "button", class: "button button-secondary button-s", onclick: () => write("draft") }, "Draft answer", el("kbd", {}, "G"));
    const improve = el("button", { type: "button", class: "button button-secondary button-s", onclick: () => write("improve") }, "Improve", el("kbd", {}, "I"));
    const stop = el("button", { type: "button", class: "button button-danger button-s", hidden: true, onclick: halt }, "Stop", el("kbd", {}, "Esc"));
    const sees = el("button", { type: "button", class: "button button-ghost button-s", onclick: () => desk.toggleSees() }, "What the model sees", el("kbd", {}, "W"));
    const node = el("div", { class: "assist line", role: "group", "aria-label": "A model helps" }, el("label", { for: "editor-model", class: "small muted" }, "Model"), select, draft, improve, stop, sees, say);

    function remember(name) {
      try {
        localStorage.setItem("ratchet.editor.model", name);
      } catch {
        /* storage is off: the choice lasts as long as the page */
      }
    }

    function remembered() {
      try {
        return localStorage.getItem("ratchet.editor.model") || "";
      } catch {
        return "";
      }
    }

    async function load() {
      if (models) return;
      try {
        models = (await api("/api/models")).models;
      } catch {
        models = [];
      }
      const chosen = remembered();
      select.replaceChildren(...models.map((model) => el("option", { value: model.name, selected: model.name === chosen }, model.name)));
      [draft, improve, sees].forEach((button) => { button.disabled = !models.length; });
      if (!models.length) say.textContent = "There is no model yet; add one on the page Train.";
    }

    async function write(how) {
      if (asking || !desk.row || !models?.length || draft.hidden) return;
      const before = desk.snapshot();
      const found = desk.turns.target();
      const turns = found && desk.turns.listOf(found.box);
      if (how === "draft" && turns && found.at === turns.length) turns.push({ role: "assistant", content: "" });
      const item = turns?.[found.at];
      if (!item || (how === "improve" && !item.content.trim())) return tell(how === "improve" ? "There is no answer to improve yet." : "There is no turn for an answer.", true);
      desk.push(how === "draft" ? `draft of ${select.value}` : `${select.value} improved the answer`, before);
      const body = { model: select.value, how, content: desk.plain(), part: found.box.dataset.part, turn: found.at };
      const model = select.value;
      item.content = "";
      delete item.drafted;
      desk.turns.draw(found.box);
      const area = found.box.querySelectorAll(".turn")[found.at].querySelector("textarea");
      area.readOnly = true;
      area.closest(".turn").classList.add("is-drafting");
      begin();
      try {
        await stream(body, (text) => { item.content += text; area.value = item.content; area.dispatchEvent(new Event("grow")); });
        tell(item.content ? "" : "The model said nothing.", !item.content);
      } catch (error) {
        tell(error.name === "AbortError" ? "Stopped." : error.message, error.name !== "AbortError");
      }
      end();
      if (!desk.row || !desk.card.contains(area)) return;
      if (!item.content) return desk.undo(); // nothing was said: it is as it was
      item.drafted = { model, state: "drafted" };
      desk.turns.draw(found.box, { at: found.at, what: [".drafted .button", "textarea"] });
      desk.mark();
    }

    function begin() {
      asking = new AbortController();
      draft.hidden = improve.hidden = true;
      stop.hidden = false;
      tell(`${PHASES.starting} …`);
    }

    function end() {
      asking = null;
      draft.hidden = improve.hidden = false;
      stop.hidden = true;
    }

    function halt() {
      asking?.abort();
    }

    function tell(sentence, bad = false) {
      say.textContent = sentence;
      say.classList.toggle("field-error", bad);
    }

    /** Reads what the model says; `heard(text)` gets each piece. Throws the sentence of what went wrong. */
    async function stream(body, heard) {
      const response = await fetch(ratchet.at("/api/data/suggest"), { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal: asking.signal, credentials: "same-origin" });
      if (!response.ok) throw new Error((await response.json().catch(() => null))?.error?.sentence || `The studio answered with status ${response.status}.`);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        const events = (rest + value).split("\n\n");
        rest = events.pop();
        for (const event of events) take(JSON.parse(event.replace(/^data: /, "")), heard);
      }
    }

    function take(event, heard) {
      if (event.kind === "error") throw new Error(event.sentence);
      if (event.kind === "status") tell(`${PHASES[event.phase] || event.phase} …`);
      if (event.kind === "text") { tell(`${select.value} writes …`); heard(event.text); }
    }

    load();
    return { node, write, halt, busy: () => asking !== null, name: () => select.value, load: async () => { models = null; await load(); } };
  };
})();
