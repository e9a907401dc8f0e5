/*
 * /compare: two blind answers, one vote, the next pair.
 *
 * The truth is in the store; this page can be built again from its address at any moment. What it keeps itself:
 *   - a few pairs ahead, drawn beforehand, so that the next one is painted at once after a vote has been saved;
 *   - votes and undos that are not saved yet, in localStorage, in order, each under an id made here. They are sent
 *     again until the studio has answered, so one is never lost and never counted twice.
 * A vote carries the id of the comparison and the hashes of the texts that were on the screen. Keys count only while
 * the root has data-state="ready": not while a vote is being saved, and not in the first moment of a new pair, so
 * that a key pressed twice does not vote on something unseen.
 */
(() => {
  "use strict";

  const SETTLE = 250; // ms in which a new pair takes no vote: a second press of the same key comes within 200
  const KEEP = "ratchet.unsaved.";
  const AHEAD = 3;
  const SIDES = ["A", "B"];
  const CHOICES = [
    { choice: "left", label: "A is better", short: "A", keys: ["1", "ArrowLeft"], cap: "1" },
    { choice: "tie", label: "Tie", short: "Tie", keys: ["3", "t"], cap: "3" },
    { choice: "both_bad", label: "Both bad", short: "Both bad", keys: ["4", "x"], cap: "4" },
    { choice: "right", label: "B is better", short: "B", keys: ["2", "ArrowRight"], cap: "2" },
  ];
  const SAID = { left: "A is better", right: "B is better", tie: "a tie", both_bad: "both bad", skip: "skipped" };
  const PHASES = { waiting: "Waiting for its turn", starting: "The engine is starting", loading: "The engine is loading the model" };

  const newId = () => crypto.randomUUID ? crypto.randomUUID() : Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");
  const plural = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

  /* ---- What is not saved yet ---------------------------------------------------------------------------- */

  /** Votes and undos in the order in which they were given; localStorage where there is one. */
  function unsaved() {
    const memory = new Map();
    const store = {
      read() {
        const found = new Map(memory);
        try {
          for (let n = 0; n < localStorage.length; n += 1) {
            const name = localStorage.key(n);
            if (name.startsWith(KEEP)) found.set(name.slice(KEEP.length), JSON.parse(localStorage.getItem(name)));
          }
        } catch { /* storage is switched off: memory lasts as long as the page */ }
        return [...found.values()].sort((a, b) => a.at - b.at || a.n - b.n);
      },
      keep(item) {
        memory.set(item.id, item);
        try { localStorage.setItem(KEEP + item.id, JSON.stringify(item)); } catch { /* see above */ }
      },
      drop(id) {
        memory.delete(id);
        try { localStorage.removeItem(KEEP + id); } catch { /* see above */ }
      },
    };
    return store;
  }

  /* ---- Pieces ------------------------------------------------------------------------------------------- */

  function pieces(el, on) {
    const ui = {};
    const choiceButton = ({ choice, label, short, cap }) => el("button", { type: "button", class: `button vote vote-${choice}`, disabled: true,
      dataset: { choice }, "aria-label": label, onclick: () => on.vote(choice) },
      el("span", { class: "vote-long" }, label), el("span", { class: "vote-short", "aria-hidden": "true" }, short), el("kbd", { "aria-hidden": "true" }, cap));
    const pane = (side, index) => {
      const body = el("div", { class: "pane-body prose", role: "region", tabindex: "0", "aria-label": `Answer ${side}` });
      const note = el("span", { class: "pane-note muted small" });
      const node = el("section", { class: `pane pane-${side.toLowerCase()}`, "aria-label": `Answer ${side}` },
        el("div", { class: "pane-head" }, el("span", { class: `chip chip-${side.toLowerCase()}` }, `Answer ${side}`), note), body);
      return { node, body, note, index };
    };
    ui.panes = SIDES.map(pane);
    ui.buttons = CHOICES.map(choiceButton);
    ui.skip = el("button", { type: "button", class: "button button-ghost button-s", onclick: () => on.vote("skip") }, "Skip ", el("kbd", {}, "S"));
    ui.undo = el("button", { type: "button", class: "button button-ghost button-s", onclick: on.undo }, "Undo ", el("kbd", {}, "Z"));
    ui.waiting = el("span", { class: "chip chip-warning chip-dot", role: "status", hidden: true });
    ui.bar = el("div", { class: "vote-bar", role: "group", "aria-label": "Your vote" },
      el("div", { class: "vote-buttons" }, ui.buttons), el("div", { class: "vote-more" }, ui.undo, ui.waiting, ui.skip));
    ui.count = el("span", { class: "num" });
    ui.rack = el("div", { class: "progress", role: "progressbar", "aria-label": "Votes of this sitting", "aria-valuemin": "0" }, el("span", {}));
    ui.reveal = el("p", { class: "reveal", role: "status", "aria-live": "polite" });
    ui.turns = el("div", { class: "turns" });
    ui.question = el("div", { class: "question prose" });
    ui.flag = el("p", { class: "notice notice-warning small", hidden: true }, "An answer mentions a model by name. Judge what it says, not who says it.");
    ui.prompt = el("section", { class: "card prompt", "aria-label": "Prompt" }, ui.turns, el("p", { class: "eyebrow" }, "Prompt"), ui.question);
    ui.state = el("div", { class: "pair-state", role: "status", hidden: true });
    ui.pair = el("div", { class: "pair stack" }, ui.prompt, ui.flag, el("div", { class: "panes" }, ui.panes.map((p) => p.node)), ui.bar);
    return ui;
  }

  function picker(el, on) {
    const select = el("select", { class: "input", id: "study-picker", onchange: (event) => on.study(event.target.value) });
    return { select, node: el("div", { class: "picker" }, el("label", { for: "study-picker", class: "small muted" }, "Study"), select) };
  }

  function askBox(el, on) {
    const text = el("textarea", { class: "input", id: "ask-text", rows: "1", placeholder: "Ask both models something of your own", maxlength: "50000",
      onkeydown: (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); on.ask(); }
        if (event.key === "Escape") event.target.blur();
      } });
    const send = el("button", { type: "button", class: "button button-primary", onclick: on.ask }, "Ask ", el("kbd", {}, "Enter"));
    const number = (id, label, hint, attributes) => ({ id, input: el("input", { id: `sampling-${id}`, type: "number", ...attributes, onchange: on.sampling }), label, hint });
    const fields = [
      number("temperature", "Temperature", "0 takes the likeliest word each time", { min: 0, max: 5, step: 0.1 }),
      number("top_p", "Top-p", "draw from the likeliest part", { min: 0.01, max: 1, step: 0.01 }),
      number("max_tokens", "Longest answer", "in tokens", { min: 1, max: 8192, step: 1 }),
    ];
    const node = el("section", { class: "card ask", "aria-label": "Your own question" },
      el("label", { for: "ask-text", class: "ask-label" }, "Your own question"),
      el("div", { class: "ask-line" }, text, send),
      el("details", { class: "sampling" }, el("summary", { class: "small" }, "How answers are drawn"),
        el("div", { class: "fields" }, fields.map(({ id, input, label, hint }) => el("div", { class: "field" }, el("label", { for: `sampling-${id}` }, label), input, el("span", { class: "hint" }, hint)))),
        el("p", { class: "hint" }, "Both sides always share the settings. They hold for answers made from now on; every answer keeps a stamp of its own.")));
    return { node, text, send, inputs: Object.fromEntries(fields.map(({ id, input }) => [id, input])) };
  }

  /* ---- Cards below -------------------------------------------------------------------------------------- */

  function effectCard(el) {
    const body = el("div", { class: "stack-s" });
    const node = el("section", { class: "card" }, el("div", { class: "card-head" }, el("h2", {}, "What these votes will do")), body);
    return { node, body };
  }

  function drawEffect(el, body, data) {
    const dropped = Object.entries(data.dropped);
    const measure = data.dropped["measure prompt"] || 0;
    const others = dropped.filter(([reason]) => reason !== "measure prompt" && reason !== "skip");
    const sentence = data.votes === 0
      ? "Each clear vote becomes a training pair: the better answer against the worse one. One prompt in five never trains; it only measures whether the next model is better."
      : `${plural(data.votes, "vote")} so far make ${plural(data.pairs, "training pair")}. ${plural(measure, "vote")} on the one prompt in five that only measures${others.length ? `; ${others.map(([reason, n]) => `${n} left out as ${reason.replaceAll("_", " ")}`).join(", ")}` : ""}.`;
    const share = data.left_of ? data.left_chosen / data.left_of : null;
    const odd = data.left_of >= 10 && Math.abs(share - 0.5) > 0.98 / Math.sqrt(data.left_of);
    const left = data.left_of < 5
      ? el("p", { class: "small muted" }, "After five clear votes this shows how often you choose the answer on the left.")
      : el("div", { class: "left-meter" },
        el("div", { class: "row-between small" }, el("span", {}, `You chose the left answer in ${Math.round(100 * share)} % of ${data.left_of}`),
          el("span", { class: odd ? "chip chip-warning" : "muted" }, odd ? "leaning: read both sides" : "no leaning")),
        el("div", { class: "left-track", "aria-hidden": "true", style: { "--share": `${100 * share}%` } }, el("i", {})));
    body.replaceChildren(el("p", {}, sentence), left, el("div", { class: "line" },
      data.enough
        ? el("a", { class: "button button-primary", href: data.train }, "Train on these votes")
        : el("span", { class: "small muted" }, `${plural(data.missing, "more pair")} until training on them is worth while.`)));
  }

  function standingsCard(el, on) {
    const body = el("div", { class: "stack-s" });
    const button = el("button", { type: "button", class: "button button-s", "aria-expanded": "false", onclick: on.standings }, "Show");
    const node = el("section", { class: "card", id: "standings" }, el("div", { class: "card-head" }, el("h2", {}, "Standings"), button), body);
    const hide = () => body.replaceChildren(el("p", { class: "muted" }, "Hidden while you judge, so that names and scores sway nobody."));
    hide();
    return { node, body, button, hide };
  }

  function drawStandings(el, body, data) {
    const low = Math.min(...data.models.map((m) => m.low), 800);
    const high = Math.max(...data.models.map((m) => m.high), 1200);
    const at = (rating) => `${(100 * (rating - low)) / (high - low)}%`;
    const bars = data.models.map((m) => el("div", { class: "standing" },
      el("span", { class: "truncate", title: m.name }, m.name), el("span", { class: "num small muted" }, `${Math.round(m.rating)} ± ${Math.round((m.high - m.low) / 2)}`),
      el("span", { class: "interval", style: { "--low": at(m.low), "--high": at(m.high), "--at": at(m.rating) }, role: "img",
        "aria-label": `rating ${Math.round(m.rating)}, between ${Math.round(m.low)} and ${Math.round(m.high)}` })));
    const duels = data.pairs.map((p) => {
      const ahead = p.verdict === "a better" ? `${p.a} is better` : p.verdict === "b better" ? `${p.b} is better` : "not decided";
      const more = p.votes_needed ? `about ${plural(p.votes_needed, "more vote")} to tell` : p.votes_needed === 0 ? "" : "too close, or too few votes, to say how many more";
      const percent = (x) => Math.round(100 * x);
      return el("p", { class: "small" }, el("b", {}, `${p.a} over ${p.b}: ${percent(p.win_rate)} %`),
        ` (${percent(p.interval_anytime[0])} to ${percent(p.interval_anytime[1])} %, ${p.wins_a}–${p.wins_b}, ${plural(p.ties, "tie")}, ${p.both_bad} both bad): ${ahead}${more ? `; ${more}` : ""}.`);
    });
    const none = !data.pairs.length && el("p", { class: "muted" }, data.models.length < 2 ? "This study compares a model with itself: its votes train, and there is nobody to rank." : "No votes yet.");
    body.replaceChildren(...(data.models.length > 1 ? bars : []), ...duels, ...(none ? [none] : []), ...data.notes.map((note) => el("p", { class: "small muted" }, note)));
  }

  function commands(el) {
    const code = el("code", { tabindex: 0, "aria-label": "The same as a command" });
    const copy = el("button", { type: "button", class: "button button-s", onclick: () => navigator.clipboard?.writeText(code.textContent).then(() => window.ratchet.toast("Copied.", "good")) }, "Copy");
    return { node: el("div", { class: "stack-s" }, el("p", { class: "small muted" }, "The same on the command line"), el("div", { class: "command" }, code, copy)), code };
  }

  /* ---- The widget --------------------------------------------------------------------------------------- */

  window.ratchet.widgets.compare = (root) => {
    const { el, api, keys, toast, markdown } = window.ratchet;
    const on = { vote: (choice) => vote(choice), undo: () => undo(), ask: () => ask(), study: (name) => choose(name), sampling: () => saveSampling(), standings: () => toggleStandings() };
    const ui = pieces(el, on);
    const ask_ = askBox(el, on);
    const pick = picker(el, on);
    const effect = effectCard(el);
    const standings = standingsCard(el, on);
    const command = commands(el);
    const queue = unsaved();
    const s = { study: new URLSearchParams(location.search).get("study") || "", pairs: [], past: [], done: new Set(), last: null, tally: null,
      sending: false, offline: 0, stream: null, timer: null, retry: null, opened: false, shownAt: 0, n: 0, gone: false };

    const head = el("div", { class: "sitting card" },
      el("div", { class: "sitting-line" }, pick.node, el("div", { class: "grow sitting-progress" }, el("div", { class: "row-between small" }, ui.count, ui.left = el("span", { class: "muted" })), ui.rack)), ui.reveal);
    const below = el("div", { class: "grid-2" }, effect.node, standings.node);
    root.classList.add("compare", "stack");
    root.append(head, ui.state, ui.pair, ask_.node, below, command.node);
    ui.pair.hidden = ask_.node.hidden = below.hidden = command.node.hidden = true;
    setState("loading");

    /* -- States -- */

    function setState(state) {
      root.dataset.state = state;
      const can = state === "ready";
      ui.buttons.forEach((button) => { button.disabled = !can; });
      ui.skip.disabled = !["ready", "coming"].includes(state);
    }

    const current = () => s.pairs[0];
    const pending = () => new Set(queue.read().filter((item) => item.kind === "vote").map((item) => item.comparison));

    /* -- Drawing -- */

    /** The nodes of an answer, made once and beforehand. */
    function drawn(pair) {
      if (!pair.nodes && pair.state === "ready") {
        pair.nodes = pair.sides.map((side) => {
          const node = el("div", { class: "answer" });
          if (side.text.trim()) node.append(markdown(side.text));
          else node.append(el("p", { class: "muted" }, side.text ? "(only white space)" : "(an empty answer)"));
          return node;
        });
      }
      return pair.nodes;
    }

    function drawPrompt(pair) {
      const turns = pair.prompt.slice(0, -1);
      ui.turns.replaceChildren(...turns.map((turn) => el("div", { class: `turn turn-${turn.role === "user" ? "user" : turn.role === "system" ? "system" : "other"}` },
        el("span", { class: "turn-role" }, turn.role || "turn"), el("div", { class: "prose" }, markdown(turn.content)))));
      ui.turns.hidden = !turns.length;
      const last = pair.prompt.at(-1);
      ui.question.replaceChildren(last ? markdown(last.content) : el("span", { class: "muted" }, "(the prompt is not known)"));
    }

    /** Shows the first pair, or says why there is none. */
    function paint() {
      closeStream();
      const pair = current();
      ui.panes.forEach((pane) => pane.node.classList.remove("is-chosen", "is-streaming"));
      drawQueue();
      if (!pair || (s.sitting?.error && pair.state !== "ready")) return nothing();
      ui.state.hidden = true;
      ui.pair.hidden = false;
      root.dataset.comparison = pair.comparison;
      drawPrompt(pair);
      ui.flag.hidden = !pair.names_a_model || pair.state !== "ready";
      if (pair.state === "ready") return paintReady(pair);
      if (pair.state === "failed") return paintFailed(pair);
      ui.panes.forEach((pane) => { pane.body.replaceChildren(el("div", { class: "skeleton" }), el("div", { class: "skeleton short" })); pane.note.textContent = ""; });
      setState("coming");
      return watch(pair);
    }

    function paintReady(pair) {
      drawn(pair).forEach((node, index) => {
        ui.panes[index].body.replaceChildren(node);
        ui.panes[index].body.scrollTop = 0;
        ui.panes[index].note.textContent = "";
      });
      s.shownAt = performance.now();
      root.dataset.painted = pair.comparison;
      setState("settling");
      clearTimeout(s.settle);
      s.settle = setTimeout(() => { if (root.dataset.state === "settling") setState("ready"); }, SETTLE);
      for (const next of s.pairs.slice(1)) (window.requestIdleCallback || setTimeout)(() => drawn(next));
    }

    function paintFailed(pair) {
      ui.panes.forEach((pane) => pane.body.replaceChildren(el("p", { class: "muted" }, "No answer.")));
      setState("failed");
      ui.pair.hidden = true;
      say("This could not be answered", pair.error || "Something went wrong while it was asked.",
        el("button", { type: "button", class: "button button-primary", onclick: () => { s.done.add(pair.comparison); s.pairs.shift(); refresh(); paint(); } }, "Go on"),
        el("button", { type: "button", class: "button", onclick: again }, "Ask again"));
    }

    function say(title, sentence, ...buttons) {
      ui.state.hidden = false;
      ui.state.replaceChildren(el("div", { class: "empty" }, el("h2", {}, title), el("p", {}, sentence), buttons.length ? el("div", { class: "line" }, buttons) : null));
    }

    function nothing() {
      ui.pair.hidden = true;
      root.dataset.comparison = "";
      const at = s.sitting;
      if (!at) return undefined;
      if (at.error) {
        setState("failed");
        return say("The models do not answer", at.error, el("button", { type: "button", class: "button button-primary", onclick: again }, "Try again"));
      }
      setState("empty");
      if (at.coming) say("The next pair is being written", "It appears here by itself.");
      else if (s.offline) say("Waiting for the studio", "Your votes are kept in this browser and saved as soon as the studio answers.");
      else if (!at.open) say("This study is closed", "Its votes count as they are; choose another study above.");
      else if (!at.has_prompts) say("Ask the first question", "This study has no prompts of its own. Type a question below: both models answer it here.");
      else say("Getting the next pair ready", "The studio picks a prompt and asks both models.");
      return undefined;
    }

    function drawTally() {
      const t = s.tally;
      if (!t) return;
      const done = Math.min(t.mine, t.target);
      ui.count.textContent = t.mine < t.target ? `${t.mine} of ${t.target} votes` : `${plural(t.mine, "vote")}, the goal of ${t.target} is reached`;
      ui.left.textContent = t.today === t.mine ? "all today" : `${t.today} today`;
      ui.left.hidden = !t.mine;
      ui.rack.firstChild.style.setProperty("--value", `${(100 * done) / t.target}%`);
      ui.rack.setAttribute("aria-valuenow", String(done));
      ui.rack.setAttribute("aria-valuemax", String(t.target));
      ui.undo.disabled = !t.mine && !s.past.length;
    }

    function drawReveal() {
      const last = s.last;
      if (!last) return ui.reveal.replaceChildren(el("span", { class: "muted" }, "Which model wrote what is told here after each vote. One prompt in five only measures; votes on the others can train."));
      if (!last.reveal) return ui.reveal.replaceChildren(el("span", { class: "muted" }, last.choice === "skip" ? "Skipped." : last.saved ? `Saved. You said: ${SAID[last.choice]}.` : "Kept in this browser; names are told once the vote is saved."));
      const named = (index) => el("span", { class: `revealed${last.choice === ["left", "right"][index] ? " is-winner" : ""}` },
        el("span", { class: `chip chip-${SIDES[index].toLowerCase()}` }, SIDES[index]), el("b", { class: "truncate" }, last.reveal[index]));
      if (last.reveal[0] === last.reveal[1]) return ui.reveal.replaceChildren(el("span", { class: "muted" }, "Last pair:"), el("span", {}, "both answers were drawn from ", el("b", {}, last.reveal[0])), el("span", { class: "muted" }, `You said: ${SAID[last.choice]}.`));
      return ui.reveal.replaceChildren(el("span", { class: "muted" }, "Last pair:"), named(0), named(1), el("span", { class: "muted" }, `You said: ${SAID[last.choice]}.`));
    }

    function drawQueue() {
      const count = queue.read().length;
      const wait = count > 0 && (s.offline > 0 || !s.sending);
      ui.waiting.hidden = !wait;
      ui.waiting.textContent = wait ? `${count} waiting to be saved` : "";
      root.dataset.unsaved = String(count);
    }

    /* -- Tokens as they come -- */

    function watch(pair) {
      const texts = ["", ""];
      let last = null;
      s.stream = new EventSource(`/api/compare/stream/${encodeURIComponent(pair.comparison)}`);
      s.stream.onmessage = ({ data }) => {
        const event = JSON.parse(data);
        if (current() !== pair) return;
        if (event.kind === "status") ui.panes.forEach((pane) => { pane.note.textContent = `${PHASES[event.phase] || event.phase}${event.seconds ? ` … ${event.seconds} s` : " …"}`; });
        if (event.kind === "text") {
          event.add.forEach((add, index) => { texts[index] = event.anew ? add : texts[index] + add; });
          last ??= requestAnimationFrame(() => { last = null; if (current() === pair && pair.state !== "ready") drawText(texts); });
        }
        if (event.kind === "done") { Object.assign(pair, event.pair); paint(); refresh(); }
      };
      s.stream.onerror = () => { closeStream(); later(1500); };
    }

    function drawText(texts) {
      texts.forEach((text, index) => {
        const pane = ui.panes[index];
        pane.note.textContent = "writing";
        pane.node.classList.toggle("is-streaming", true);
        if (text) pane.body.replaceChildren(el("div", { class: "answer" }, markdown(text)));
      });
    }

    function closeStream() {
      s.stream?.close();
      s.stream = null;
    }

    /* -- From the studio -- */

    /** Takes what the studio sent: new pairs behind those that are here, in its order. */
    function take(sitting) {
      s.sitting = sitting;
      s.tally = sitting.tally;
      const skip = pending();
      const known = new Map(s.pairs.map((pair) => [pair.comparison, pair]));
      const fresh = sitting.pairs.filter((pair) => !skip.has(pair.comparison) && !s.done.has(pair.comparison))
        .map((pair) => (pair.held ? known.get(pair.comparison) : Object.assign(known.get(pair.comparison)?.state === "ready" ? {} : known.get(pair.comparison) || {}, pair)))
        .filter(Boolean);
      const first = current();
      const keepFirst = first && !skip.has(first.comparison) && !s.done.has(first.comparison);
      s.pairs = keepFirst ? [known.get(first.comparison), ...fresh.filter((pair) => pair.comparison !== first.comparison)] : fresh;
      if (keepFirst) { const newer = fresh.find((pair) => pair.comparison === first.comparison); if (newer) Object.assign(first, newer); }
      drawTally();
    }

    const hold = () => s.pairs.filter((pair) => pair.state === "ready").map((pair) => pair.comparison);

    /** Asks what lies ahead; paints only where nothing was to be seen, or where what was seen has become ready. */
    async function refresh() {
      clearTimeout(s.timer);
      if (s.gone) return;
      const before = root.dataset.comparison;
      try {
        const sitting = await api(`/api/compare/next?study=${encodeURIComponent(s.study)}&hold=${hold().join(",")}`);
        if (s.gone) return;
        if (sitting.study === null) return none();
        begin(sitting);
        const was = current()?.state;
        take(sitting);
        const now = current();
        const same = now && now.comparison === before;
        const waits = same && ["waiting", "answering"].includes(now.state) && !s.stream;
        if (!same || waits || (was !== "ready" && now.state === "ready")) paint();
        if (s.pairs.filter((pair) => pair.state === "ready").length < AHEAD && sitting.open) later(document.hidden ? 5000 : 1200);
      } catch (error) {
        if (error.status && error.status < 500) return fail(error);
        if (!s.sitting) { setState("failed"); say("The studio does not answer", error.message); }
        later(2000);
      }
    }

    function later(ms) {
      clearTimeout(s.timer);
      s.timer = setTimeout(refresh, ms);
    }

    function begin(sitting) {
      if (s.begun === sitting.study) return;
      s.begun = s.study = sitting.study;
      ask_.node.hidden = !sitting.can_ask;
      below.hidden = command.node.hidden = false;
      command.code.textContent = `ratchet leaderboard --study ${sitting.study}`;
      for (const [name, input] of Object.entries(ask_.inputs)) input.value = sitting.sampling[name];
      drawStudies();
      drawProgress();
      drawReveal();
    }

    function none() {
      setState("empty");
      head.hidden = true;
      say("Nothing to compare yet", "A study compares the answers of two models. One is made by itself when a training ends.", el("a", { class: "button button-primary", href: "/train" }, "Go to Train"));
    }

    function fail(error) {
      setState("failed");
      ui.pair.hidden = true;
      say("This study cannot be shown", error.message, el("a", { class: "button button-primary", href: "/compare" }, "Show the newest study"));
      drawStudies();
    }

    async function drawStudies() {
      const { studies } = await api("/api/compare/studies").catch(() => ({ studies: [] }));
      pick.select.replaceChildren(...studies.map((study) => el("option", { value: study.name, selected: study.name === s.study }, `${study.name}${study.open ? "" : " (closed)"}`)));
      pick.node.hidden = !studies.length;
      pick.select.value = s.study;
    }

    function drawProgress() {
      clearTimeout(s.counting);
      s.counting = setTimeout(async () => {
        const data = await api(`/api/compare/progress?study=${encodeURIComponent(s.study)}`).catch(() => null);
        if (data && data.study === s.study) drawEffect(el, effect.body, data);
        if (s.opened) showStandings();
      }, 150);
    }

    function choose(name) {
      Object.assign(s, { study: name, pairs: [], past: [], last: null, sitting: null, begun: null });
      history.replaceState(null, "", `?study=${encodeURIComponent(name)}`);
      closeStandings();
      setState("loading");
      closeStream();
      refresh();
    }

    /* -- Voting -- */

    function vote(choice) {
      const state = root.dataset.state;
      const pair = current();
      if (!pair || (state !== "ready" && !(choice === "skip" && state === "coming"))) return;
      const index = ["left", "right"].indexOf(choice);
      if (index >= 0) ui.panes[index].node.classList.add("is-chosen");
      const seconds = pair.state === "ready" ? Math.round(performance.now() - s.shownAt) / 1000 : null;
      setState("sending");
      closeStream();
      give({ kind: "vote", id: newId(), study: s.study, comparison: pair.comparison, choice, shown: pair.sides.map((side) => side.sha256), seconds });
    }

    function undo() {
      if (!["ready", "settling", "coming", "empty", "failed"].includes(root.dataset.state)) return;
      const before = s.past.pop();
      setState("sending");
      give({ kind: "undo", id: newId(), study: s.study, comparison: before ? before.comparison : null, before: undefined }, before);
    }

    /** Keeps a vote or undo, then sends what is kept, in order. */
    function give(item, before) {
      s.n += 1;
      queue.keep({ ...item, at: Date.now(), n: s.n });
      if (s.offline) moveOn(item, before);
      s.before = before;
      drawQueue();
      send();
    }

    /** Offline: what was given is kept here, and the page goes on with what it has. */
    function moveOn(item, before) {
      if (item.kind === "vote") {
        leave(item.comparison);
        s.last = { choice: item.choice, reveal: null };
        drawReveal();
      } else if (before) {
        bringBack(before);
      }
      paint();
    }

    function leave(comparison) {
      const pair = s.pairs.find((one) => one.comparison === comparison);
      if (!pair) return;
      s.pairs = s.pairs.filter((one) => one !== pair);
      s.past.push(pair);
      s.done.add(comparison);
      if (s.past.length > 50) s.past.shift();
    }

    function bringBack(pair) {
      s.done.delete(pair.comparison);
      s.pairs = [pair, ...s.pairs.filter((one) => one.comparison !== pair.comparison)];
    }

    /** Sends what is kept, one after the other; one sender at a time. */
    async function send() {
      if (s.sending) return;
      s.sending = true;
      clearTimeout(s.retry);
      for (let item = queue.read()[0]; item && !s.gone; item = queue.read()[0]) {
        try {
          const answer = await api(`/api/compare/${item.kind}`, { body: { ...item, hold: hold() } });
          queue.drop(item.id);
          s.offline = 0;
          saved(item, answer);
        } catch (error) {
          if (!error.status || error.status >= 500) { cutOff(item); break; }
          queue.drop(item.id);
          refused(item, error);
        }
      }
      s.sending = false;
      drawQueue();
    }

    function cutOff(item) {
      s.offline += 1;
      if (root.dataset.state === "sending") moveOn(item, s.before);
      s.retry = setTimeout(send, Math.min(500 * 2 ** s.offline, 5000));
    }

    function saved(item, answer) {
      if (item.study !== s.study) return;
      const waiting = root.dataset.state === "sending";
      if (item.kind === "vote") {
        const here = current()?.comparison === item.comparison;
        leave(item.comparison);
        s.last = { choice: item.choice, reveal: answer.reveal, saved: true };
        take(answer.sitting);
        if (here || waiting) paint();
        else if (!current() || current().state !== "ready") paint();
        if (s.pairs.filter((pair) => pair.state === "ready").length < AHEAD) later(800);
      } else {
        s.tally = answer.tally;
        if (answer.pair) {
          const same = current()?.comparison === answer.pair.comparison;
          if (!same) bringBack(s.before?.comparison === answer.pair.comparison ? Object.assign(s.before, answer.pair) : answer.pair);
          s.last = null;
          paint();
        } else {
          toast("There is nothing to take back.");
          paint();
        }
        drawTally();
      }
      drawReveal();
      drawProgress();
    }

    function refused(item, error) {
      toast(error.message, "bad");
      if (item.kind === "vote") {
        s.done.delete(item.comparison);
        s.pairs = s.pairs.filter((pair) => pair.comparison !== item.comparison);
      }
      root.dataset.comparison = "";
      refresh();
    }

    /* -- Asking -- */

    async function ask() {
      const prompt = ask_.text.value.trim();
      if (!prompt || ask_.send.disabled) return;
      ask_.send.disabled = true;
      try {
        const { pair } = await api("/api/compare/prompt", { body: { study: s.study, prompt } });
        ask_.text.value = "";
        ask_.text.blur();
        bringBack(pair);
        paint();
        root.scrollIntoView({ block: "start" });
      } catch (error) {
        toast(error.message, "bad");
      }
      ask_.send.disabled = false;
    }

    async function again() {
      try {
        await api("/api/compare/again", { body: { study: s.study } });
        s.pairs = [];
        root.dataset.comparison = "";
        await refresh();
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    async function saveSampling() {
      const values = Object.fromEntries(Object.entries(ask_.inputs).map(([name, input]) => [name, Number(input.value)]));
      try {
        await api("/api/compare/sampling", { body: { study: s.study, ...values } });
        toast("Answers from now on are drawn this way.", "good");
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    /* -- Standings -- */

    function toggleStandings() {
      if (s.opened) return closeStandings();
      s.opened = true;
      standings.button.textContent = "Hide";
      standings.button.setAttribute("aria-expanded", "true");
      return showStandings();
    }

    function closeStandings() {
      s.opened = false;
      standings.button.textContent = "Show";
      standings.button.setAttribute("aria-expanded", "false");
      standings.hide();
    }

    async function showStandings() {
      try {
        const data = await api(`/api/compare/standings?study=${encodeURIComponent(s.study)}`);
        if (s.opened && data.study === s.study) drawStandings(el, standings.body, data);
      } catch (error) {
        standings.body.replaceChildren(el("p", { class: "muted" }, error.message));
      }
    }

    /* -- Keys -- */

    const once = (run) => (event) => { if (!event.repeat) run(); };
    const bound = CHOICES.flatMap(({ choice, label, keys: names }) => names.map((key) => keys.add({ key, label, run: once(() => vote(choice)), group: "Vote" })));
    bound.push(
      keys.add({ key: "s", label: "Skip this pair", run: once(() => vote("skip")), group: "Vote" }),
      keys.add({ key: "z", label: "Undo the last vote", run: once(undo), group: "Vote" }),
      keys.add({ key: "z", modifier: "ctrl", label: "Undo the last vote", run: once(undo), group: "Vote" }),
      keys.add({ key: "/", label: "Type a question of your own", run: () => ask_.text.focus(), group: "Vote" }),
    );
    const online = () => { if (queue.read().length) send(); else refresh(); };
    const visible = () => { if (!document.hidden) online(); };
    window.addEventListener("online", online);
    document.addEventListener("visibilitychange", visible);

    drawReveal();
    (async () => {
      if (queue.read().length) await send();
      refresh();
    })();

    return () => {
      s.gone = true;
      closeStream();
      [s.timer, s.retry, s.settle, s.counting].forEach(clearTimeout);
      bound.forEach((remove) => remove());
      window.removeEventListener("online", online);
      document.removeEventListener("visibilitychange", visible);
    };
  };
})();
