/*
 * The page behind a demo's link: a conversation. Answers come as they are written and can be stopped; a question can be
 * asked again, put in other words, or answered twice side by side, and visitors say what they think of the answers.
 *
 * A turn is {text, sides: [{id, text, finish, thumb, error}], choice, names}; the conversation goes on from the side that
 * was preferred, else from the first. It is kept for this tab alone, so that a reload loses nothing.
 */
(() => {
  "use strict";

  const { el, api, at = (path) => path, toast, keys, confirm, markdown } = window.ratchet;
  const place = document.getElementById("demo");
  const base = `/api/demo/${location.pathname.match(/\/demo\/([^/]+)$/)[1]}`;
  const KEPT = `ratchet.demo.${location.pathname}`;
  const CHOICES = [["a", "First is better"], ["b", "Second is better"], ["tie", "As good"], ["both_bad", "Both bad"]];

  let told = null;
  let turns = [];
  let writing = null; // {turn, controller} while an answer comes
  let editing = null; // the place of the question that is being put in other words
  let frame = 0;

  /* ---- What is kept in this tab -------------------------------------------------------------------------- */

  function keep() {
    try {
      const plain = turns.map(({ text, sides, choice, names }) => ({ text, sides, choice, names }));
      sessionStorage.setItem(KEPT, JSON.stringify({ turns: plain, options: options() }));
    } catch {
      /* storage is full or switched off: the conversation lasts as long as the page */
    }
  }

  function kept() {
    try {
      return JSON.parse(sessionStorage.getItem(KEPT)) || {};
    } catch {
      return {};
    }
  }

  /* ---- The page ------------------------------------------------------------------------------------------ */

  const log = el("ol", { class: "demo-log", "aria-label": "Conversation" });
  const said = el("p", { class: "visually-hidden", role: "status" });
  const examples = el("div", { class: "demo-examples" });
  const input = el("textarea", { id: "demo-input", rows: 1, autocomplete: "off", onkeydown: typed, oninput: measure });
  const count = el("span", { class: "hint num", id: "demo-count" });
  const send = el("button", { type: "submit", class: "button button-primary", id: "demo-send" }, "Send");
  const stop = el("button", { type: "button", class: "button button-secondary", id: "demo-stop", hidden: true, onclick: halt }, "Stop", el("kbd", {}, "Esc"));
  const both = el("button", { type: "button", class: "button button-ghost button-s", id: "demo-both", onclick: () => submit(true), title: "Two answers side by side; say which is better" }, "Ask for two answers");
  const fresh = el("button", { type: "button", class: "button button-ghost button-s", id: "demo-fresh", onclick: begin }, "New conversation");
  const notice = el("p", { class: "notice demo-editing", hidden: true });
  const trouble = el("p", { class: "notice notice-bad", role: "alert", hidden: true });
  const settings = el("details", { class: "demo-settings" });
  const form = el("form", { class: "demo-form", onsubmit: (event) => { event.preventDefault(); submit(false); } },
    notice, trouble,
    el("label", { for: "demo-input", class: "visually-hidden" }, "Your question"),
    el("div", { class: "demo-line field" }, input, send, stop),
    el("div", { class: "row-between" }, el("div", { class: "line" }, both, fresh), count));

  start();

  async function start() {
    try {
      told = await api(base);
    } catch (error) {
      place.replaceChildren(el("p", { class: "notice notice-bad" }, error.message));
      return;
    }
    const before = kept();
    turns = (before.turns || []).filter((turn) => turn.sides.some((side) => side.text));
    drawSettings(before.options || {});
    examples.append(...told.examples.map((text) => el("button", { type: "button", class: "demo-example", onclick: () => { input.value = text; submit(false); } }, text)));
    input.maxLength = told.longest_text;
    input.placeholder = "Ask something";
    both.hidden = told.comparing === "never";
    place.replaceChildren(el("div", { class: "demo-talk" }, examples, log, said), form, settings);
    draw();
    keys.add({ key: "Escape", label: "Stop the answer, or leave the question as it was", inFields: true, run: () => (writing ? halt() : unedit()), when: () => Boolean(writing) || editing !== null });
    keys.add({ key: "/", label: "Go to the field for your question", run: () => input.focus() });
    rest();
  }

  /** The focus goes where one goes on; on a phone the keyboard would cover the page. */
  function rest() {
    if (matchMedia("(pointer: fine)").matches) input.focus({ preventScroll: true });
  }

  function drawSettings({ system = "", temperature = null, max_tokens = null, model = null }) {
    const parts = [];
    const field = (id, label, control) => el("div", { class: "field" }, el("label", { for: id }, label), control);
    const changed = { onchange: keep };
    if ((told.models || []).length > 1) {
      parts.push(field("demo-model", "Who answers", el("select", { id: "demo-model", ...changed }, told.models.map((name, at) => el("option", { value: at, selected: at === model }, name)))));
    }
    if (told.system) parts.push(field("demo-system", "System prompt", el("textarea", { id: "demo-system", rows: 3, maxlength: told.longest_system, value: system, ...changed })));
    if (told.settings) {
      parts.push(el("div", { class: "fields" },
        field("demo-temperature", "Temperature (0 to 2)", el("input", { id: "demo-temperature", type: "number", min: 0, max: 2, step: 0.1, value: temperature ?? told.temperature, ...changed })),
        field("demo-length", "Longest answer, in tokens", el("input", { id: "demo-length", type: "number", min: 1, max: told.max_tokens, value: max_tokens ?? told.max_tokens, ...changed }))));
    }
    settings.hidden = !parts.length;
    settings.replaceChildren(el("summary", {}, "Settings"), el("div", { class: "stack demo-fields" }, parts));
  }

  /** What the fields of the settings say; what this demo does not let one choose is left out. */
  function options() {
    const value = (id) => document.getElementById(id)?.value;
    const number = (id) => { const text = value(id); return text === undefined || text === "" ? undefined : Number(text); };
    return { system: value("demo-system"), temperature: number("demo-temperature"), max_tokens: number("demo-length"), model: number("demo-model") };
  }

  function draw() {
    log.replaceChildren(...turns.map((turn, at) => drawn(turn, at)));
    examples.hidden = turns.length > 0 || !told.examples.length;
    fresh.hidden = !turns.length;
    stop.hidden = !writing;
    send.hidden = Boolean(writing);
    both.disabled = Boolean(writing);
    fresh.disabled = Boolean(writing);
    measure();
  }

  function drawn(turn, at) {
    const live = writing?.turn === turn;
    const last = at === turns.length - 1;
    turn.panes = turn.sides.map(() => el("div", { class: "prose", dir: "auto" }));
    turn.sides.forEach((side, number) => write(turn, number));
    const question = el("div", { class: "demo-question" }, el("div", { class: "demo-said", dir: "auto" }, turn.text),
      !writing && el("button", { type: "button", class: "button button-ghost button-s", "aria-label": `Put question ${at + 1} in other words`, onclick: () => edit(at) }, "Edit"));
    return el("li", { class: "demo-turn", dataset: { live: String(live) } }, question,
      turn.sides.length > 1 ? pair(turn, live, last) : single(turn, at, live, last));
  }

  function single(turn, at, live, last) {
    const side = turn.sides[0];
    const ended = side.finish && side.finish !== "stopped" && !side.error;
    const thumb = (choice, label, sign) => el("button", { type: "button", class: "button button-ghost button-s demo-thumb", "aria-pressed": String(side.thumb === choice), "aria-label": label, title: label, onclick: () => think(turn, [side], side.thumb === choice ? null : choice) }, icon(sign));
    return el("div", { class: `demo-answer${live && !side.finish ? " is-streaming" : ""}` }, turn.panes[0], ending(side),
      !live && el("div", { class: "line demo-tools" },
        ended && [thumb("up", `Answer ${at + 1} is good`, "up"), thumb("down", `Answer ${at + 1} is bad`, "down")],
        side.text && el("button", { type: "button", class: "button button-ghost button-s", "aria-label": `Copy answer ${at + 1}`, onclick: () => copy(side.text) }, "Copy"),
        last && !writing && el("button", { type: "button", class: "button button-ghost button-s", onclick: () => again(false) }, "Retry"),
        last && !writing && told.comparing !== "never" && el("button", { type: "button", class: "button button-ghost button-s", onclick: () => again(true) }, "Compare two")));
  }

  function pair(turn, live, last) {
    const whole = !live && turn.sides.every((side) => side.finish && side.finish !== "stopped" && !side.error);
    const panes = turn.sides.map((side, number) => el("section", { class: `pane pane-${"ab"[number]}${live && !side.finish ? " is-streaming" : ""}${turn.choice === "ab"[number] ? " is-chosen" : ""}`, "aria-label": number ? "Second answer" : "First answer" },
      el("div", { class: "pane-head" }, el("b", {}, number ? "Second" : "First"), turn.names && turn.choice && el("span", { class: "muted small" }, turn.names[number])),
      el("div", { class: "pane-body" }, turn.panes[number], ending(side))));
    const stands = Boolean(turn.names && turn.choice); // the names were told for this vote
    return el("div", { class: "stack-s" }, el("div", { class: "panes demo-panes" }, panes),
      whole && el("div", { class: "demo-which", role: "group", "aria-label": "Which answer is better?" }, el("b", {}, turn.choice ? "Thank you." : "Which answer is better?"),
        el("div", { class: "line" }, CHOICES.map(([choice, label]) => el("button", { type: "button", class: "button button-secondary button-s", "aria-pressed": String(turn.choice === choice), "aria-disabled": stands ? "true" : null, onclick: stands ? null : () => think(turn, turn.sides, turn.choice === choice ? null : choice) }, label)))),
      !live && !whole && last && el("div", { class: "line demo-tools" }, el("button", { type: "button", class: "button button-ghost button-s", onclick: () => again(false) }, "Retry")));
  }

  function ending(side) {
    if (side.error) return el("p", { class: "notice notice-bad" }, side.error);
    if (side.finish === "stopped") return el("p", { class: "muted small" }, "Stopped.");
    if (side.finish === "length") return el("p", { class: "muted small" }, "The answer was cut off at the longest length.");
    return null;
  }

  const ICONS = {
    up: ["M7 11v9H4v-9h3z", "M7 11l4-8a2 2 0 0 1 2 2v4h5a2 2 0 0 1 2 2l-1.500 7a2 2 0 0 1-2 1.500H7"],
    down: ["M7 13V4H4v9h3z", "M7 13l4 8a2 2 0 0 0 2-2v-4h5a2 2 0 0 0 2-2l-1.500-7a2 2 0 0 0-2-1.500H7"],
  };
  const icon = (name) => el("svg", { viewBox: "0 0 24 24", width: 18, height: 18, fill: "none", stroke: "currentColor", "stroke-width": 1.75, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" }, ICONS[name].map((d) => el("svg:path", { d })));

  function write(turn, number) {
    const side = turn.sides[number];
    if (side.text) turn.panes[number].replaceChildren(markdown(side.text));
    else turn.panes[number].replaceChildren(writing?.turn === turn && !side.finish ? el("span", { class: "muted demo-waits" }, "…") : "");
  }

  /** At most once a frame: a text is drawn anew with every piece. */
  function soon(turn) {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      following(() => turn.sides.forEach((side, number) => write(turn, number)));
    });
  }

  /** How far the end of the conversation lies below the form, which covers the foot of the window. */
  const hidden = () => (log.lastElementChild || log).getBoundingClientRect().bottom - form.getBoundingClientRect().top;

  /** Who sees the end of the conversation goes on seeing it; who has scrolled up to read stays there. */
  function following(change) {
    const near = hidden() < 48;
    change();
    if (near) toTheEnd();
  }

  function toTheEnd() {
    const below = hidden() + 8;
    if (below > 0) scrollBy({ top: below });
  }

  /* ---- Asking -------------------------------------------------------------------------------------------- */

  function typed(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || matchMedia("(pointer: coarse)").matches) return;
    event.preventDefault();
    submit(false);
  }

  function measure() {
    const left = told.longest_text - input.value.length;
    count.textContent = left < 500 ? `${left} characters left` : "";
    send.disabled = !input.value.trim();
  }

  function submit(wantsPair) {
    const text = input.value.trim();
    if (writing || (!text && !wantsPair)) return;
    if (!text) { input.focus(); return; }
    const before = [...turns];
    if (editing !== null) turns.length = editing;
    unedit();
    input.value = "";
    ask(text, wantsPair, before);
  }

  function again(wantsPair) {
    if (writing || !turns.length) return;
    const before = [...turns];
    ask(turns.pop().text, wantsPair, before);
  }

  function edit(at) {
    if (writing) return;
    editing = at;
    input.value = turns[at].text;
    notice.replaceChildren(`You are putting question ${at + 1} in other words; what came after it goes. `, el("button", { type: "button", class: "button-text", onclick: unedit }, "Leave it"));
    notice.hidden = false;
    measure();
    input.focus();
  }

  function unedit() {
    if (editing !== null) input.value = "";
    editing = null;
    notice.hidden = true;
    measure();
  }

  async function begin() {
    if (writing || (turns.length && !(await confirm("Begin a new conversation?", "This one is not kept.", { yes: "Begin anew" })))) return;
    turns = [];
    unedit();
    keep();
    draw();
    input.focus();
  }

  /** The answer that the next question goes on from. */
  function parent() {
    const last = turns.at(-1);
    if (!last) return null;
    const side = last.sides[last.choice === "b" ? 1 : 0];
    return (side.text && !side.error ? side : last.sides.find((one) => one.text && !one.error))?.id || null;
  }

  /** `before`: the conversation as it was, which comes back where nothing is answered. */
  async function ask(text, wantsPair, before) {
    while (turns.length && !turns.at(-1).sides.some((side) => side.text && !side.error)) turns.pop(); // what never was answered
    const body = { text, parent: parent(), pair: wantsPair };
    for (const [name, value] of Object.entries(options())) if (value !== undefined && value !== "") body[name] = value;
    if (wantsPair) delete body.model;
    const turn = { text, sides: [{ id: null, text: "", finish: null }], choice: null };
    const controller = new AbortController();
    writing = { turn, controller };
    turns.push(turn);
    trouble.hidden = true;
    draw();
    rest(); // the button that was pressed is gone
    toTheEnd();
    try {
      await listen(turn, body, controller.signal);
      said.textContent = turn.sides.length > 1 ? "Both answers are here. Which is better?" : "The answer is here.";
    } catch (error) {
      if (controller.signal.aborted) said.textContent = "Stopped.";
      else tell(error.message);
    }
    finish(turn, before);
  }

  async function listen(turn, body, signal) {
    let response;
    try {
      response = await fetch(at(`${base}/answer`), { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), credentials: "same-origin", cache: "no-store", signal });
    } catch (error) {
      if (signal.aborted) throw error;
      throw new Error("Nobody answers: are you still connected?");
    }
    if (!response.ok) {
      const answer = await response.json().catch(() => null);
      throw new Error(answer?.error?.sentence || `It could not be answered (status ${response.status}).`);
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) if (line.startsWith("data: ")) take(turn, JSON.parse(line.slice(6)));
    }
    if (turn.sides.some((side) => !side.finish && !side.error)) throw new Error("The answer broke off; try again.");
  }

  function take(turn, event) {
    if (event.kind === "begin") {
      turn.sides = event.answers.map((id) => ({ id, text: "", finish: null }));
      draw();
      return;
    }
    const side = turn.sides[event.side];
    if (event.kind === "text") side.text += event.text;
    if (event.kind === "end") side.finish = event.finish;
    if (event.kind === "error") Object.assign(side, { error: event.sentence, finish: "error" });
    if (event.kind === "text") soon(turn);
    else following(draw);
  }

  function finish(turn, before) {
    writing = null;
    for (const side of turn.sides) side.finish ||= "stopped";
    if (!turn.sides.some((side) => side.text || side.error)) { // nothing came: the question goes back to where it was typed
      turns = before;
      if (!input.value && !turns.some((one) => one.text === turn.text)) input.value = turn.text;
    }
    keep();
    following(draw);
  }

  function halt() {
    writing?.controller.abort();
    rest();
  }

  function tell(sentence) {
    trouble.textContent = sentence;
    trouble.hidden = false;
  }

  /* ---- What one thinks of it ----------------------------------------------------------------------------- */

  async function think(turn, sides, choice) {
    const before = sides.length > 1 ? turn.choice : sides[0].thumb;
    const set = (value) => { if (sides.length > 1) turn.choice = value; else sides[0].thumb = value; };
    set(choice);
    redraw();
    try {
      const answer = await api(`${base}/vote`, { body: { answers: sides.map((side) => side.id), choice } });
      if (sides.length > 1) turn.names = answer.models || null;
    } catch (error) {
      set(before);
      toast(error.message, "bad");
    }
    keep();
    redraw();
  }

  /** Draws the conversation again and leaves the focus on what looks like the element that had it. */
  function redraw() {
    const focused = document.activeElement;
    const buttons = () => [...log.querySelectorAll("button")];
    const at = buttons().indexOf(focused);
    draw();
    if (at >= 0) buttons()[at]?.focus();
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      toast("The answer is copied.", "good");
    } catch {
      toast("The browser did not let the answer be copied.", "bad");
    }
  }
})();
