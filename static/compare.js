/*
 * /compare: blind answers, one vote, the next ones.
 *
 * The truth is in the store; this page can be built again from its address at any moment. What it keeps itself:
 *   - a few pairs ahead, drawn beforehand, so that the next one is painted at once after a vote has been saved;
 *   - votes and undos that are not saved yet (compare_queue.js).
 * A vote carries the id of the comparison and the hashes of the texts that were on the screen. Keys count only while
 * the root has data-state="ready": not while a vote is being saved, and not in the first moment of a new pair, so
 * that a key pressed twice does not vote on something unseen.
 *
 * LAYOUTS. How answers are shown and what is said of them is a layout: a script that registers
 *
 *   window.ratchet.judging.layouts.<name> = (el, on, settings) => ({ … })     settings: the study's, see /api/compare/next
 *
 *   node             stands between the prompt and the vote bar: the answers
 *   buttons          the row of the vote bar, or null
 *   keys             [{ id, label, keys: ["1", "ArrowLeft"], run() }]: they run only in "ready", and can be remapped
 *   show(pair)       a pair whose state is "ready"; `judging.answers(el, pair)` gives its drawn answers, left to right
 *   wait(pair)       answers that are not there yet
 *   stream(texts)    what has come of each so far
 *   note(text)       a word in every head: "writing", "Waiting for its turn …"
 *   can(yes)         whether something may be said now: buttons on or off
 *   answer()         what has been said so far, { choice, ranking, rating }, or null
 *   mark(answer)     shows what was said: the chosen side, the order
 *   clear()          nothing is said any more (before every paint)
 *   said(answer)     in words, within "You said: … ."
 *   winners(answer)  the indices of the sides said to be best
 *
 * and calls on.decide({ choice, ranking?, rating? }) when it is decided, on.changed() when answer() has changed, and
 * on.bring(pair) for a pair that comes first now (a conversation that goes on). Sides are counted as shown, from 0.
 *
 * EXTRAS. What stands beside a layout (tools, drawers) registers
 *
 *   window.ratchet.judging.extras.<name> = (desk) => undefined | () => { … }      the function runs when the page goes
 *
 *   desk.el, desk.root, desk.places.study | .view | .below    where its nodes go: with the study, above the answers, below
 *   desk.current(), desk.sitting(), desk.layout(), desk.last(), desk.state()      what is on the screen now
 *   desk.when("paint" | "saved" | "sitting", run)             run(pair), run(item, answer), run(sitting)
 *   desk.keys([{ id, label, keys, run, group }])              keys of its own; `when()` says where they count
 *   desk.bring(pair)                                          shows a pair before all others
 */
(() => {
  "use strict";

  const SETTLE = 250; // ms in which a new pair takes no vote: a second press of the same key comes within 200
  const AHEAD = 3;
  const UNDOABLE = ["ready", "settling", "coming", "empty", "failed"];
  const USUAL = { layout: "pair", sides: 2 };
  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });

  window.ratchet.widgets.compare = (root) => {
    const { el, api, keys, toast } = window.ratchet;
    const s = { study: new URLSearchParams(location.search).get("study") || "", pairs: [], past: [], done: new Set(), last: null, tally: null,
      sitting: null, timer: null, shownAt: 0, n: 0, gone: false };
    const runs = { paint: [], saved: [], sitting: [] };
    const tell = (event, ...about) => runs[event].forEach((run) => run(...about));

    const queue = judging.unsaved();
    const sender = judging.sender({ queue, hold: () => hold(), saved, refused, cut: (item) => { if (root.dataset.state === "sending") moveOn(item, s.before); }, idle: () => drawQueue() });
    const stream = judging.stream({ note: (text) => layout.note(text), text: (texts) => { if (current()?.state !== "ready") layout.stream(texts); },
      done: (pair, whole) => { Object.assign(pair, whole); paint(); refresh(); }, lost: () => later(1500) });

    const on = { decide: (answer) => decide(answer), changed: () => {}, bring: (pair) => { bringBack(pair); paint(); } };
    const head = judging.head(el, { study: choose });
    const prompt = judging.prompt(el);
    const asking = judging.askBox(el, { ask, sampling: saveSampling });
    const cards = judging.cards(el, { progress: () => counted("progress"), standings: () => counted("standings") });
    const flag = el("p", { class: "notice notice-warning small", hidden: true }, "An answer mentions a model by name. Judge what it says, not who says it.");
    const places = { study: el("div", { class: "line tools-study" }), view: el("div", { class: "line tools-view" }), below: el("div", { class: "stack" }) };
    const skip = el("button", { type: "button", class: "button button-ghost button-s", onclick: () => decide({ choice: "skip" }) }, "Skip ", el("kbd", {}, "S"));
    const undoButton = el("button", { type: "button", class: "button button-ghost button-s", onclick: undo }, "Undo ", el("kbd", {}, "Z"));
    const waiting = el("span", { class: "chip chip-warning chip-dot", role: "status", hidden: true });
    const seat = el("div", { class: "seat" });
    const bar = el("div", { class: "vote-bar", role: "group", "aria-label": "Your vote" }, el("div", { class: "vote-more" }, undoButton, waiting, skip));
    const said = el("div", { class: "pair-state", role: "status", hidden: true });
    const whole = el("div", { class: "pair stack" }, prompt.node, flag, places.view, seat, bar);
    let layout = null;
    let bound = [];

    root.classList.add("compare", "stack");
    root.append(head.node, said, whole, asking.node, places.below, ...cards.nodes);
    whole.hidden = asking.node.hidden = true;
    cards.hide(true);
    seatLayout(USUAL);
    setState("loading");

    /* -- States -- */

    function setState(state) {
      root.dataset.state = state;
      layout.can(state === "ready");
      skip.disabled = !["ready", "coming"].includes(state);
    }

    const current = () => s.pairs[0];
    const pending = () => new Set(queue.read().filter((item) => item.kind === "vote").map((item) => item.comparison));
    const hold = () => s.pairs.filter((pair) => pair.state === "ready").map((pair) => pair.comparison);

    /** Puts the layout of a study in its seat. */
    function seatLayout(settings) {
      const name = judging.layouts[settings.layout] ? settings.layout : "pair";
      const kind = `${name} ${settings.sides} ${settings.scale} ${settings.continues}`;
      if (s.kind === kind) return;
      s.kind = kind;
      bound.forEach((remove) => remove());
      layout = judging.layouts[name](el, on, settings);
      seat.replaceChildren(layout.node);
      bar.querySelector(".vote-buttons")?.remove();
      if (layout.buttons) bar.prepend(layout.buttons);
      bound = layout.keys.flatMap(({ label, keys: names, run }) => names.map((key) => keys.add({ key, label, run: once(run), group: "Vote" })));
    }

    /* -- Drawing -- */

    /** Shows the first pair, or says why there is none. */
    function paint() {
      stream.close();
      const pair = current();
      layout.clear();
      drawQueue();
      if (!pair || (s.sitting?.error && pair.state !== "ready")) return nothing();
      said.hidden = true;
      whole.hidden = false;
      root.dataset.comparison = pair.comparison;
      prompt.show(pair);
      flag.hidden = !pair.names_a_model || pair.state !== "ready";
      if (pair.state === "ready") return paintReady(pair);
      if (pair.state === "failed") return paintFailed(pair);
      layout.wait(pair);
      setState("coming");
      return stream.watch(pair);
    }

    function paintReady(pair) {
      layout.show(pair);
      s.shownAt = performance.now();
      root.dataset.painted = pair.comparison;
      setState("settling");
      clearTimeout(s.settle);
      s.settle = setTimeout(() => { if (root.dataset.state === "settling") setState("ready"); }, SETTLE);
      tell("paint", pair);
      for (const next of s.pairs.slice(1)) (window.requestIdleCallback || setTimeout)(() => judging.answers(el, next));
    }

    function paintFailed(pair) {
      setState("failed");
      whole.hidden = true;
      say("This could not be answered", pair.error || "Something went wrong while it was asked.",
        el("button", { type: "button", class: "button button-primary", onclick: () => { s.done.add(pair.comparison); s.pairs.shift(); refresh(); paint(); } }, "Go on"),
        el("button", { type: "button", class: "button", onclick: again }, "Ask again"));
    }

    function say(title, sentence, ...buttons) {
      said.hidden = false;
      said.replaceChildren(el("div", { class: "empty" }, el("h2", {}, title), el("p", {}, sentence), buttons.length ? el("div", { class: "line" }, buttons) : null));
    }

    function nothing() {
      whole.hidden = true;
      root.dataset.comparison = "";
      const at = s.sitting;
      if (!at) return undefined;
      if (at.error) {
        setState("failed");
        return say("The models do not answer", at.error, el("button", { type: "button", class: "button button-primary", onclick: again }, "Try again"));
      }
      setState("empty");
      if (at.coming) say("The next pair is being written", "It appears here by itself.");
      else if (sender.offline) say("Waiting for the studio", "Your votes are kept in this browser and saved as soon as the studio answers.");
      else if (!at.open) say("This study is closed", "Its votes count as they are; choose another study above.");
      else if (!at.has_prompts) say("Ask the first question", "This study has no prompts of its own. Type a question below: both models answer it here.");
      else say("Getting the next pair ready", "The studio picks a prompt and asks both models.");
      return undefined;
    }

    function drawTally() {
      if (!s.tally) return;
      head.tally(s.tally);
      undoButton.disabled = !s.tally.mine && !s.past.length;
    }

    const drawReveal = () => head.reveal(s.last, layout);

    function drawQueue() {
      const count = queue.read().length;
      const wait = count > 0 && (sender.offline > 0 || !sender.sending);
      waiting.hidden = !wait;
      waiting.textContent = wait ? `${count} waiting to be saved` : "";
      root.dataset.unsaved = String(count);
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
      tell("sitting", sitting);
    }

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
        const waits = same && ["waiting", "answering"].includes(now.state) && !stream.open();
        if (!same || waits || (was !== "ready" && now.state === "ready")) paint();
        if (hold().length < AHEAD && sitting.open) later(document.hidden ? 5000 : 1200);
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
      seatLayout(sitting.settings || USUAL);
      asking.node.hidden = !sitting.can_ask;
      cards.hide(false);
      cards.command(`ratchet leaderboard --study ${sitting.study}`);
      for (const [name, input] of Object.entries(asking.inputs)) input.value = sitting.sampling[name];
      drawStudies();
      drawProgress();
      drawReveal();
    }

    function none() {
      setState("empty");
      head.node.hidden = true;
      say("Nothing to compare yet", "A study compares the answers of two models. One is made by itself when a training ends.", el("a", { class: "button button-primary", href: "/train" }, "Go to Train"));
    }

    function fail(error) {
      setState("failed");
      whole.hidden = true;
      say("This study cannot be shown", error.message, el("a", { class: "button button-primary", href: "/compare" }, "Show the newest study"));
      drawStudies();
    }

    async function drawStudies() {
      const { studies } = await api("/api/compare/studies").catch(() => ({ studies: [] }));
      head.studies(studies, s.study);
    }

    /** What /progress or /standings say of the study on the screen; null where another has been chosen meanwhile. */
    async function counted(what) {
      const data = await api(`/api/compare/${what}?study=${encodeURIComponent(s.study)}`);
      return data.study === s.study ? data : null;
    }

    function drawProgress() {
      clearTimeout(s.counting);
      s.counting = setTimeout(cards.count, 150);
    }

    function choose(name) {
      Object.assign(s, { study: name, pairs: [], past: [], last: null, sitting: null, begun: null });
      history.replaceState(null, "", `?study=${encodeURIComponent(name)}`);
      cards.close();
      setState("loading");
      stream.close();
      refresh();
    }

    /* -- Voting -- */

    function decide(answer) {
      const state = root.dataset.state;
      const pair = current();
      if (!pair || (state !== "ready" && !(answer.choice === "skip" && state === "coming"))) return;
      if (answer.choice !== "skip") layout.mark(answer);
      const seconds = pair.state === "ready" ? Math.round(performance.now() - s.shownAt) / 1000 : null;
      setState("sending");
      stream.close();
      give({ kind: "vote", id: judging.newId(), study: s.study, comparison: pair.comparison, ...answer, shown: pair.sides.map((side) => side.sha256), seconds });
    }

    function undo() {
      if (!UNDOABLE.includes(root.dataset.state)) return;
      const before = s.past.pop();
      setState("sending");
      give({ kind: "undo", id: judging.newId(), study: s.study, comparison: before ? before.comparison : null }, before);
    }

    /** Keeps a vote or undo, then sends what is kept, in order. */
    function give(item, before) {
      s.n += 1;
      queue.keep({ ...item, at: Date.now(), n: s.n });
      if (sender.offline) moveOn(item, before);
      s.before = before;
      drawQueue();
      sender.send();
    }

    const answerOf = ({ choice, ranking, rating }) => ({ choice, ranking, rating });

    /** Offline: what was given is kept here, and the page goes on with what it has. */
    function moveOn(item, before) {
      if (item.kind === "vote") {
        leave(item.comparison);
        s.last = { answer: answerOf(item), reveal: null, item };
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

    function saved(item, answer) {
      if (item.study !== s.study) return;
      const awaited = root.dataset.state === "sending";
      if (item.kind === "vote") {
        const here = current()?.comparison === item.comparison;
        leave(item.comparison);
        s.last = { answer: answerOf(item), reveal: answer.reveal, saved: true, item };
        take(answer.sitting);
        if (here || awaited || current()?.state !== "ready") paint();
        if (hold().length < AHEAD) later(800);
      } else {
        takenBack(answer);
      }
      tell("saved", item, answer);
      drawReveal();
      drawProgress();
    }

    function takenBack(answer) {
      s.tally = answer.tally;
      if (answer.pair) {
        const same = current()?.comparison === answer.pair.comparison;
        if (!same) bringBack(s.before?.comparison === answer.pair.comparison ? Object.assign(s.before, answer.pair) : answer.pair);
        s.last = null;
      } else {
        toast("There is nothing to take back.");
      }
      paint();
      drawTally();
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
      const question = asking.text.value.trim();
      if (!question || asking.send.disabled) return;
      asking.send.disabled = true;
      try {
        const { pair } = await api("/api/compare/prompt", { body: { study: s.study, prompt: question } });
        asking.text.value = "";
        asking.text.blur();
        on.bring(pair);
        root.scrollIntoView({ block: "start" });
      } catch (error) {
        toast(error.message, "bad");
      }
      asking.send.disabled = false;
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
      const values = Object.fromEntries(Object.entries(asking.inputs).map(([name, input]) => [name, Number(input.value)]));
      try {
        await api("/api/compare/sampling", { body: { study: s.study, ...values } });
        toast("Answers from now on are drawn this way.", "good");
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    /* -- Keys, and what stands beside -- */

    function once(run) { return (event) => { if (!event.repeat) run(event); }; }
    const own = [
      keys.add({ key: "s", label: "Skip this pair", run: once(() => decide({ choice: "skip" })), group: "Vote" }),
      keys.add({ key: "z", label: "Undo the last vote", run: once(undo), group: "Vote" }),
      keys.add({ key: "z", modifier: "ctrl", label: "Undo the last vote", run: once(undo), group: "Vote" }),
      keys.add({ key: "/", label: "Type a question of your own", run: () => asking.text.focus(), group: "Vote" }),
    ];
    const online = () => { if (queue.read().length) sender.send(); else refresh(); };
    const visible = () => { if (!document.hidden) online(); };
    window.addEventListener("online", online);
    document.addEventListener("visibilitychange", visible);

    const desk = { el, root, places, current, sitting: () => s.sitting, layout: () => layout, last: () => s.last, state: () => root.dataset.state,
      when: (event, run) => runs[event].push(run), bring: on.bring,
      keys: (list) => list.forEach(({ label, keys: names, run, group = "Beside", when }) => names.forEach((key) => own.push(keys.add({ key, label, run: once(run), group, when })))) };
    const ends = Object.values(judging.extras).map((extra) => extra(desk)).filter(Boolean);

    drawReveal();
    (async () => {
      if (queue.read().length) await sender.send();
      refresh();
    })();

    return () => {
      s.gone = true;
      stream.close();
      sender.stop();
      [s.timer, s.settle, s.counting].forEach(clearTimeout);
      [...bound, ...own, ...ends].forEach((end) => end());
      window.removeEventListener("online", online);
      document.removeEventListener("visibilitychange", visible);
    };
  };
})();
