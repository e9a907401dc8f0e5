/*
 * /compare: blind answers, one vote, the next ones.
 *
 * The truth is in the store; this page can be built again from its address at any moment. What it keeps itself:
 *   - a few pairs ahead, drawn beforehand, so that the next one is painted at once after a vote has been saved;
 *   - votes and undos that are not saved yet (compare_queue.js), and what is typed but not given (compare_second.js).
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
 * on.bring(pair) for a pair that comes first now (a conversation that goes on); on.study() is the study's name. A key's
 * run(event) that answers false leaves the key to the page. Sides are counted as shown, from 0.
 *
 * EXTRAS. What stands beside a layout (tools, drawers) registers
 *
 *   window.ratchet.judging.extras.<name> = (desk) => undefined | () => { … }      the function runs when the page goes
 *
 *   desk.el, desk.root, desk.places.study | .above | .view | .below    where its nodes go: with the study, above the prompt, above the answers, below
 *   desk.current(), desk.sitting(), desk.layout(), desk.last(), desk.state(), desk.person   what is on the screen now, and who looks
 *   desk.when("paint" | "saved" | "sitting", run)             run(pair), run(item, answer), run(sitting)
 *   desk.keys([{ id, label, keys, run, group, when }])        keys of its own; `when()` says where they count
 *   desk.bring(pair)                                          shows a pair before all others
 *   desk.revise({ pair, choice, … })                          shows the pair of an earlier vote; what is said now replaces it
 */
(() => {
  "use strict";

  const SETTLE = 250; // ms in which a new pair takes no vote: a second press of the same key comes within 200
  const AHEAD = 3;
  const AGAIN = 5000; // ms until it is asked again whether somebody has signed in
  const UNDOABLE = ["ready", "settling", "coming", "empty", "failed"];
  const BUSY = ["details", "fixing", "skipping"]; // something is open on the pair: it stays as it is
  const USUAL = { layout: "pair", sides: 2, strength: "off", criteria: [], chips: [], rationale: "off", skip_reasons: [] };
  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });

  const capital = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);
  const asks = (settings) => settings.strength !== "off" || settings.rationale !== "off" || settings.criteria.length > 0 || settings.chips.length > 0;

  window.ratchet.widgets.compare = (root) => {
    const { el, api, toast } = window.ratchet;
    const person = document.body.dataset.person || "";
    const s = { study: new URLSearchParams(location.search).get("study") || "", last: null, tally: null, sitting: null, mending: false,
      stale: false, locked: null, timer: null, n: 0, gone: false };
    const runs = { paint: [], saved: [], sitting: [] };
    const tell = (event, ...about) => runs[event].forEach((run) => run(...about));
    const state = () => root.dataset.state;
    const settings = () => ({ ...USUAL, ...s.sitting?.settings });

    const queue = judging.unsaved(person);
    const pending = () => new Set(queue.read().filter((item) => item.kind === "vote").map((item) => item.comparison));
    const ahead = judging.ahead(pending);
    const current = ahead.first;
    const clock = judging.clock();
    const sender = judging.sender({ queue, hold: ahead.hold, saved, refused, cut: (item) => { if (state() === "sending") moveOn(item, s.before); drawQueue(); },
      idle: () => { lock(sender.locked); drawQueue(); } });
    const stream = judging.stream({ note: (text) => layout.note(text), text: (texts) => { if (current()?.state !== "ready") layout.stream(texts); },
      done: (pair, whole) => { Object.assign(pair, whole); paint(); refresh(); }, lost: () => later(1500) });
    const keymap = judging.keymap(el);

    /* -- What is to be seen -- */

    const on = { decide, changed: () => {}, bring: (pair) => { ahead.bring(pair); paint(); root.scrollIntoView({ block: "start" }); }, study: () => s.study };
    const head = judging.head(el, { study: choose });
    const session = judging.session(el, person);
    const prompt = judging.prompt(el);
    const asking = judging.asking(el, { study: () => s.study, bring: on.bring, again: () => { ahead.again(); root.dataset.comparison = ""; return refresh(); } });
    const cards = judging.cards(el, { progress: () => counted("progress"), standings: () => counted("standings") });
    const says = judging.says(el, { again: asking.repeat, next: () => { ahead.pass(current().comparison); refresh(); paint(); } });
    const second = judging.second(el, { commit, leave, state: setState }, person);
    const skipping = judging.skip(el, { skip: (reason) => { skipping.close(); give({ choice: "skip", reason }, current()); }, back: () => { skipping.close(); awake(); } });
    const flag = el("p", { class: "notice notice-warning small", hidden: true }, "An answer mentions a model by name. Judge what it says, not who says it.");
    const places = { study: head.tools, above: el("div", { class: "stack" }), view: el("div", { class: "line tools-view" }), below: el("div", { class: "stack" }) };
    const button = (id, label, run) => el("button", { type: "button", class: "button button-ghost button-s", onclick: run }, `${label} `, el("kbd", { dataset: { cap: id } }));
    const skipButton = button("skip", "Skip", skip);
    const undoButton = button("undo", "Undo", undo);
    const moreButton = button("more", "Say more", more);
    const mendButton = button("mend", "Mend", () => arm(!s.mending));
    mendButton.title = "The better answer opens for mending after your vote";
    mendButton.setAttribute("aria-pressed", "false");
    const waiting = el("span", { class: "chip chip-warning chip-dot", role: "status", hidden: true });
    const hint = el("p", { class: "small muted vote-hint", role: "status", hidden: true });
    const seat = el("div", { class: "seat" });
    const votes = el("div", { class: "vote-seat" });
    const bar = el("div", { class: "vote-bar", role: "group", "aria-label": "Your vote" }, hint, votes,
      el("div", { class: "vote-more" }, undoButton, moreButton, waiting, el("span", { class: "grow" }), mendButton, skipButton));
    const whole = el("div", { class: "pair stack" }, prompt.node, flag, places.view, seat, ...second.nodes, skipping.node);
    const made = new Map(); // layouts by kind: one that comes back is not made again
    let layout = null;
    let unbind = () => {};

    root.classList.add("compare", "stack");
    root.append(session.node, head.node, places.above, says.node, whole, bar, asking.node, places.below, ...cards.nodes);
    whole.hidden = bar.hidden = asking.node.hidden = true;
    cards.hide(true);
    sit(USUAL);
    setState("loading");

    /** Puts the layout that fits a study or a pair in its seat. */
    function sit(wanted) {
      const name = judging.layouts[wanted.layout] ? wanted.layout : "pair";
      const kind = `${name} ${wanted.sides} ${wanted.scale} ${wanted.continues}`;
      if (s.kind === kind) return;
      s.kind = kind;
      unbind();
      if (!made.has(kind)) made.set(kind, judging.layouts[name](el, on, wanted));
      layout = made.get(kind);
      layout.clear();
      seat.replaceChildren(layout.node);
      votes.replaceChildren(...(layout.buttons ? [layout.buttons] : []));
      unbind = keymap.add(layout.keys.map((one) => ({ ...one, when: () => state() === "ready" && (one.when?.() ?? true) })));
    }

    function setState(name) {
      root.dataset.state = name;
      layout.can(name === "ready");
      skipButton.disabled = !["ready", "coming"].includes(name);
      mendButton.disabled = name !== "ready" && name !== "settling" && name !== "sending"; // no flicker between two pairs
    }

    /* -- Drawing -- */

    /** Shows the first pair, or says why there is none. */
    function paint() {
      if (BUSY.includes(state())) { s.stale = true; return undefined; }
      s.stale = false;
      stream.close();
      const pair = current();
      layout.clear();
      drawQueue();
      bar.hidden = !s.sitting;
      if (!pair || (s.sitting?.error && pair.state !== "ready")) return nothing();
      says.hide();
      whole.hidden = votes.hidden = false;
      sit({ ...settings(), layout: pair.layout || settings().layout, sides: pair.sides.length });
      root.dataset.comparison = pair.comparison;
      prompt.show(pair);
      flag.hidden = !pair.names_a_model || pair.state !== "ready";
      hinted(pair);
      if (pair.state === "ready") return paintReady(pair);
      if (pair.state === "failed") return blank(() => says.failed(pair), "failed");
      layout.wait(pair);
      setState("coming");
      return stream.watch(pair);
    }

    function paintReady(pair) {
      layout.show(pair);
      clock.restart();
      root.dataset.painted = pair.comparison;
      setState("settling");
      clearTimeout(s.settle);
      s.settle = setTimeout(() => { if (state() === "settling") setState("ready"); }, SETTLE);
      if (pair.earlier) layout.mark(pair.earlier);
      tell("paint", pair);
      for (const next of ahead.others()) (window.requestIdleCallback || setTimeout)(() => judging.answers(el, next));
    }

    function blank(run, name) {
      whole.hidden = votes.hidden = true;
      setState(name);
      run();
    }

    function nothing() {
      root.dataset.comparison = "";
      hinted(null);
      if (s.sitting) blank(() => says.nothing(s.sitting, sender.offline), s.sitting.error ? "failed" : "empty");
      else whole.hidden = true;
    }

    function hinted(pair) {
      const text = pair?.earlier ? "This is an earlier vote of yours. Vote again to change it; Escape leaves it as it is."
        : s.mending ? "The better answer opens for mending after your vote." : "";
      hint.hidden = !text;
      if (hint.textContent !== text) hint.textContent = text;
    }

    function drawTally() {
      if (!s.tally) return;
      head.tally(s.tally);
      undoButton.disabled = !s.tally.mine && !ahead.behind();
    }

    function drawReveal() {
      head.reveal(s.last, layout);
      moreButton.hidden = !canSayMore() || !asks(settings());
    }

    function drawQueue() {
      const count = queue.read().length;
      const wait = count > 0 && (sender.offline > 0 || !sender.sending);
      const text = wait ? `${count} waiting to be saved` : "";
      waiting.hidden = !wait;
      if (waiting.textContent !== text) waiting.textContent = text;
      root.dataset.unsaved = String(count);
      if (s.locked) session.show(s.locked, count);
      head.strangers(queue.strangers());
    }

    /** `error`: the studio does not know who asks; null: it does. */
    function lock(error) {
      s.locked = error;
      if (error) session.show(error, queue.read().length);
      else session.hide();
    }

    /* -- From the studio -- */

    function take(sitting) {
      s.sitting = sitting;
      s.tally = sitting.tally;
      ahead.take(sitting.pairs, BUSY.includes(state()) || Boolean(current()?.earlier));
      drawTally();
      tell("sitting", sitting);
    }

    /** Asks what lies ahead; paints only where nothing was to be seen, or where what was seen has become ready. */
    async function refresh() {
      clearTimeout(s.timer);
      if (s.gone) return;
      const before = root.dataset.comparison;
      try {
        const sitting = await api(`/api/compare/next?study=${encodeURIComponent(s.study)}&hold=${ahead.hold().join(",")}`);
        if (s.gone) return;
        if (s.locked) { lock(null); sender.send(); }
        if (sitting.study === null) return none();
        const was = current()?.state;
        take(sitting);
        begin(sitting);
        const now = current();
        const same = now && now.comparison === before;
        const waits = same && ["waiting", "answering"].includes(now.state) && !stream.open();
        if (!same || waits || (was !== "ready" && now.state === "ready")) paint();
        if (ahead.hold().length < AHEAD && sitting.open) later(document.hidden ? 5000 : 1200);
      } catch (error) {
        unanswered(error);
      }
    }

    function unanswered(error) {
      if (judging.locked(error)) { lock(error); later(AGAIN); return; }
      if (!judging.mayComeLater(error)) { blank(() => says.unknown(error), "failed"); drawStudies(); return; }
      if (!s.sitting) blank(() => says.silent(error), "failed");
      later(2000);
    }

    function later(ms) {
      clearTimeout(s.timer);
      s.timer = setTimeout(refresh, ms);
    }

    function begin(sitting) {
      if (s.begun === sitting.study) return;
      s.begun = s.study = sitting.study;
      asking.node.hidden = !sitting.can_ask;
      asking.begin(sitting.sampling);
      cards.hide(false);
      cards.command(`ratchet leaderboard --study ${sitting.study}`);
      drawStudies();
      drawProgress();
      drawReveal();
    }

    function none() {
      head.node.hidden = bar.hidden = true;
      blank(says.none, "empty");
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
      Object.assign(s, { study: name, last: null, sitting: null, begun: null });
      ahead.clear();
      second.close();
      skipping.close();
      history.replaceState(null, "", `?study=${encodeURIComponent(name)}`);
      cards.close();
      setState("loading");
      stream.close();
      refresh();
    }

    /* -- Voting -- */

    function decide(answer) {
      const pair = current();
      if (!pair || state() !== "ready") return;
      layout.mark(answer);
      const mending = s.mending;
      if (mending) arm(false);
      const again = Boolean(pair.earlier) && asks(settings());
      second.begin(about(pair, answer, { values: pair.earlier, again }), mending);
    }

    const about = (pair, answer, rest) => ({ pair, answer, settings: settings(), said: capital(layout.said(answer)), title: `You say: ${layout.said(answer)}`, side: layout.winners(answer)[0] ?? 0, ...rest });

    /** The whole vote, with whatever was said besides. */
    function commit({ pair, answer }, said) {
      give({ ...answer, ...said, guidelines: s.sitting?.guidelines?.number ?? null, told: { said: layout.said(answer), winners: layout.winners(answer) } }, pair);
    }

    /** The panel was left without a vote. */
    function leave({ pair, answer, straight }) {
      if (straight) return letBe(pair);
      layout.clear();
      if (pair.earlier || answer.ranking) layout.mark(answer.ranking ? answer : pair.earlier); // an order is not to be made again
      return awake();
    }

    /** Nothing is open any more: the pair takes votes again. */
    function awake() {
      setState(current()?.state === "ready" ? "ready" : "coming");
      if (s.stale) paint();
    }

    function skip() {
      if (!["ready", "coming"].includes(state()) || !current()) return;
      const reasons = settings().skip_reasons;
      if (!reasons.length) { give({ choice: "skip", reason: null }, current()); return; }
      setState("skipping");
      skipping.open(reasons);
    }

    function arm(yes) {
      s.mending = yes;
      mendButton.setAttribute("aria-pressed", String(yes));
      hinted(current());
    }

    /* -- Votes that were given -- */

    const canSayMore = () => Boolean(s.last?.item && s.last.answer.choice !== "skip" && ahead.last()?.comparison === s.last.item.comparison);

    /** More is said of the earlier vote on the screen, or of the last one. */
    function more() {
      if (!["ready", "settling", "empty"].includes(state())) return;
      const straight = !current()?.earlier;
      if (straight && !canSayMore()) return;
      if (straight) revise({ ...s.last.item, pair: ahead.last() });
      const { earlier } = current();
      const title = `You said: ${layout.said(earlier)}`;
      second.begin(about(current(), answerOf(earlier), { values: earlier, again: true, straight, title }), false);
    }

    function revise(earlier) {
      if (BUSY.includes(state()) || state() === "sending") return;
      ahead.bring({ ...earlier.pair, state: "ready", earlier });
      paint();
    }

    /** An earlier vote stays as it is. */
    function letBe(pair) {
      ahead.pass(pair.comparison);
      setState("settling");
      paint();
      refresh();
    }

    function undo() {
      if (!UNDOABLE.includes(state())) return;
      if (current()?.earlier) ahead.pass(current().comparison);
      const before = ahead.back();
      if (before) delete before.earlier;
      setState("sending");
      keep({ kind: "undo", id: judging.newId(), study: s.study, comparison: before ? before.comparison : null }, before);
    }

    function give(vote, pair) {
      const seconds = pair.state === "ready" ? clock.seconds() : null;
      setState("sending");
      stream.close();
      keep({ kind: "vote", id: judging.newId(), study: s.study, comparison: pair.comparison, ...vote, shown: pair.sides.map((side) => side.sha256), seconds });
    }

    /** Keeps a vote or undo, then sends what is kept, in order. */
    function keep(item, before) {
      s.n += 1;
      queue.keep({ ...item, at: Date.now(), n: s.n });
      if (sender.offline) moveOn(item, before);
      s.before = before;
      drawQueue();
      sender.send();
    }

    const answerOf = ({ choice, ranking, rating }) => ({ choice, ranking, rating });
    const lastOf = (item, reveal, saved) => ({ answer: answerOf(item), reveal, saved, item, ...item.told });

    /** Nobody takes it now: what was given is kept here, and the page goes on with what it has. */
    function moveOn(item, before) {
      if (item.kind === "vote") {
        ahead.leave(item.comparison);
        s.last = lastOf(item, null, false);
        drawReveal();
      } else if (before) {
        ahead.bring(before);
      }
      paint();
    }

    function saved(item, answer) {
      if (item.study !== s.study) return;
      const awaited = state() === "sending";
      if (item.kind === "vote") {
        const here = current()?.comparison === item.comparison && !BUSY.includes(state());
        ahead.leave(item.comparison);
        s.last = lastOf(item, answer.reveal, true);
        take(answer.sitting);
        if (here || awaited || current()?.state !== "ready") paint();
        if (ahead.hold().length < AHEAD) later(800);
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
        if (!same) ahead.bring(s.before?.comparison === answer.pair.comparison ? Object.assign(s.before, answer.pair) : answer.pair);
        s.last = null;
      } else {
        toast("There is nothing to take back.");
      }
      paint();
      drawTally();
    }

    function refused(item, error) {
      toast(error.message, "bad");
      if (item.kind === "vote") ahead.forgive(item.comparison);
      root.dataset.comparison = "";
      refresh();
    }

    /* -- Keys, and what stands beside -- */

    keymap.add([
      { id: "skip", label: "Skip this pair, with or without a reason", keys: ["s"], run: skip },
      { id: "undo", label: "Undo the last vote", keys: ["z"], ctrl: ["z"], run: undo },
      { id: "mend", label: "Mend the better answer after the vote", keys: ["f"], run: () => arm(!s.mending), when: () => ["ready", "settling"].includes(state()) },
      { id: "more", label: "Say more about the last vote", keys: ["d"], run: more },
      { id: "leave", label: "Leave an earlier vote as it is", keys: ["Escape"], run: () => letBe(current()), when: () => state() === "ready" && Boolean(current()?.earlier), fixed: true },
      { id: "ask", label: "Type a question of your own", keys: ["/"], run: () => asking.focus() },
    ]);
    const own = [window.ratchet.keys.add({ key: "?", label: "Show and change the keys of this page", run: () => { keymap.show(); }, group: "Everywhere" })];
    const listen = (target, name, run) => { target.addEventListener(name, run); own.push(() => target.removeEventListener(name, run)); };
    const online = () => { if (queue.read().length) sender.send(); else refresh(); };
    listen(window, "online", online);
    listen(document, "visibilitychange", () => { if (!document.hidden) online(); });
    listen(window, "storage", drawQueue); // another tab has sent or kept something
    listen(window, "beforeunload", (event) => { if (queue.fleeting()) event.preventDefault(); });

    const desk = { el, root, places, person, current, sitting: () => s.sitting, layout: () => layout, last: () => s.last, state,
      when: (event, run) => runs[event].push(run), bring: on.bring, revise, keys: (list) => own.push(keymap.add(list)) };
    own.push(...Object.values(judging.extras).map((extra) => extra(desk)).filter(Boolean));
    keymap.draw();

    drawReveal();
    (async () => {
      if (queue.read().length) await sender.send();
      refresh();
    })();

    return () => {
      s.gone = true;
      [stream.close, sender.stop, clock.stop, second.stop, skipping.stop, unbind, ...own].forEach((end) => end());
      [s.timer, s.settle, s.counting].forEach(clearTimeout);
    };
  };
})();
