/*
 * The turns of a conversation in the editor: written, given a role, moved, added, deleted; tool calls and results.
 *
 * The fields write straight into the draft. Every change that moves or removes something is a step that can be undone.
 */
(() => {
  "use strict";

  const { el } = window.ratchet;
  const ROLES = ["system", "user", "assistant", "tool"];
  const HEADS = { prompt: "Prompt", chosen: "Chosen answer", rejected: "Rejected answer", completion: "Answer", answers: "Answer" };
  const DRAFTED = { drafted: "", accepted: ", accepted", edited: ", edited" };
  const blank = (role) => ({ role, content: "" });
  const parts = (window.ratchet.editorParts ||= {});

  parts.turns = (desk) => {
    let current = null; // {box, at}: where the person wrote last

    const listOf = (box) => box.dataset.part.split(".").reduce((value, key) => value[key], desk.draft.content);
    const nextRole = (turns, at) => (["user", "tool"].includes(turns[at - 1]?.role) ? "assistant" : "user");

    /** A list of turns; name: its place in the content ("messages", "answers.0.messages"). */
    function list(name) {
      const box = el("div", { class: "turns", dataset: { part: name }, onfocusin: (event) => remember(box, event.target) });
      draw(box);
      return box;
    }

    function remember(box, target) {
      const at = [...box.querySelectorAll(".turn")].indexOf(target.closest(".turn"));
      if (at >= 0) current = { name: box.dataset.part, at };
    }

    function draw(box, focus) {
      const name = box.dataset.part;
      const turns = listOf(box);
      const whole = name === "messages" || name === "prompt";
      box.replaceChildren(
        whole && turns[0]?.role !== "system"
          ? el("button", { type: "button", class: "button button-ghost button-s", onclick: () => insert(box, 0, blank("system"), "added a system prompt") }, "Add a system prompt") : "",
        ...turns.map((item, at) => drawTurn(box, turns, item, at)),
        el("button", { type: "button", class: "button button-secondary button-s add-turn", onclick: () => insert(box, turns.length, blank(nextRole(turns, turns.length)), "added a turn") }, "Add turn"));
      const turn = focus && box.querySelectorAll(".turn")[focus.at];
      if (turn) [focus.what].flat().map((what) => turn.querySelector(what)).find(Boolean)?.focus();
    }

    function drawTurn(box, turns, item, at) {
      const part = box.dataset.part.split(".");
      const said = `${part[0] === "messages" ? "Turn" : `${HEADS[part[0]]}${part.length > 1 ? ` ${Number(part[1]) + 1}` : ""}, turn`} ${at + 1}`;
      const role = el("select", { class: "role", "aria-label": `${said}: role`, onchange: () => change("changed a role", () => { item.role = role.value; }, box, { at, what: ".role" }) },
        ROLES.map((name) => el("option", { value: name, selected: name === item.role }, name)));
      const mark = el("span", { class: "line drafted" });
      const area = desk.grown(el("textarea", { class: "input", value: item.content, rows: 2, "aria-label": `${said}: text`, spellcheck: "true", dir: "auto",
        oninput: () => { desk.typed(said); item.content = area.value; if (item.drafted?.state === "drafted") { item.drafted.state = "edited"; drawMark(); } desk.mark(); } }));
      function drawMark() {
        const { model, state } = item.drafted || {};
        mark.replaceChildren(...(item.drafted ? [
          el("span", { class: `chip ${state === "drafted" ? "chip-warning chip-dot" : ""}` }, `Drafted by ${model}${DRAFTED[state] || ""}`),
          state === "drafted" && el("button", { type: "button", class: "button button-secondary button-s", onclick: accept }, "Accept", el("span", { class: "visually-hidden" }, ` the text of ${said.toLowerCase()}`)),
        ].filter(Boolean) : []));
      }
      function accept() {
        desk.step(`accepted the draft of ${item.drafted.model}`);
        item.drafted.state = "accepted";
        drawMark();
        desk.mark();
        area.focus();
      }
      drawMark();
      const tool = (label, sign, run, disabled, extra = "") =>
        el("button", { type: "button", class: `turn-tool ${extra}`, "aria-label": `${said}: ${label}`, title: label, disabled, onclick: run }, sign);
      return el("div", { class: "turn", dataset: { role: item.role } },
        el("div", { class: "turn-head" }, el("div", { class: "line" }, role, parts.calls.resultFields(desk, item, turns.slice(0, at), said), mark),
          el("div", { class: "turn-tools" },
            tool("Move up (Ctrl ↑)", "↑", () => move(box, at, -1), at === 0, "up"),
            tool("Move down (Ctrl ↓)", "↓", () => move(box, at, 1), at === turns.length - 1, "down"),
            tool("Insert a turn below (Ctrl ⇧ Enter)", "+", () => insert(box, at + 1, blank(nextRole(turns, at + 1)), "added a turn")),
            tool("Delete this turn (Ctrl ⇧ X)", "×", () => remove(box, at), turns.length === 1))),
        area,
        item.role === "assistant" && parts.calls.form(desk, item, said, {
          change: (label, run, what) => change(label, run, box, { at, what }),
          answer: (call) => insert(box, at + 1 + following(turns, at), { role: "tool", content: "", ...(call.id ? { tool_call_id: call.id } : {}), name: call.function.name }, "added a tool result"),
        }));
    }

    /** How many tool results stand right after a turn. */
    function following(turns, at) {
      const next = turns.findIndex((turn, place) => place > at && turn.role !== "tool");
      return (next < 0 ? turns.length : next) - at - 1;
    }

    function change(label, run, box, focus) {
      desk.step(label);
      run();
      draw(box, focus);
      desk.mark();
    }

    const insert = (box, at, item, label) => change(label, () => listOf(box).splice(at, 0, item), box, { at, what: "textarea" });

    function remove(box, at) {
      if (listOf(box).length > 1) change(`deleted turn ${at + 1}`, () => listOf(box).splice(at, 1), box, { at: Math.max(0, at - 1), what: "textarea" });
    }

    function move(box, at, by, what) {
      const turns = listOf(box);
      if (!turns[at + by]) return;
      const side = by < 0 ? [".up:enabled", ".down"] : [".down:enabled", ".up"];
      change(`moved turn ${at + 1}`, () => turns.splice(at + by, 0, ...turns.splice(at, 1)), box, { at: at + by, what: what || side });
    }

    /** What a key of a turn acts on: the turn that has the focus. */
    function onFocused(run) {
      const field = document.activeElement;
      const turn = field?.closest?.(".editor .turn");
      const box = turn?.closest(".turns");
      if (!box) return false; // the browser does with the key what it always does
      const what = field.matches("textarea.input") ? "textarea" : field.matches(".role") ? ".role" : null;
      return run(box, [...box.querySelectorAll(".turn")].indexOf(turn), what);
    }

    desk.key({ key: "ArrowUp", modifier: "ctrl", inFields: true, label: "Move the turn up", run: () => onFocused((box, at, what) => move(box, at, -1, what)) });
    desk.key({ key: "ArrowDown", modifier: "ctrl", inFields: true, label: "Move the turn down", run: () => onFocused((box, at, what) => move(box, at, 1, what)) });
    desk.key({ key: "Enter", modifier: "ctrl+shift", inFields: true, label: "Insert a turn below", run: () => onFocused((box, at) => insert(box, at + 1, blank(nextRole(listOf(box), at + 1)), "added a turn")) });
    desk.key({ key: "x", modifier: "ctrl+shift", inFields: true, label: "Delete the turn", run: () => onFocused((box, at) => remove(box, at)) });

    /**
     * The turn that a model is to write: the answer that the person wrote in last, or the one to what they wrote; else
     * the last answer. A question at the end without an answer asks for a new turn (`at` behind the last one).
     */
    function target() {
      const boxes = [...desk.card.querySelectorAll(".turns")];
      const here = current && boxes.find((box) => box.dataset.part === current.name);
      if (here) {
        const roles = listOf(here).map((turn) => turn.role);
        if (roles[current.at] === "assistant") return { box: here, at: current.at };
        if (roles[current.at] && roles[current.at + 1] === "assistant") return { box: here, at: current.at + 1 };
      }
      const open = boxes.find((box) => box.dataset.part === "messages" && ["user", "tool"].includes(listOf(box).at(-1)?.role));
      if (open) return { box: open, at: listOf(open).length };
      for (const box of boxes.reverse()) {
        const at = listOf(box).findLastIndex((turn) => turn.role === "assistant");
        if (at >= 0) return { box, at };
      }
      return null;
    }

    return { list, draw, target, listOf, forget: () => { current = null; } };
  };

  parts.turns.HEADS = HEADS;
  parts.turns.blank = blank;
})();
