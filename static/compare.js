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
 * How answers are shown and what is said of them is a layout: see compare_screen.js.
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

  const AHEAD = 3;
  const AGAIN = 5000; // ms until it is asked again whether somebody has signed in
  const UNDOABLE = ["ready", "settling", "coming", "empty", "failed"];
  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });

  const capital = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);
  const asks = (settings) => settings.strength !== "off" || settings.rationale !== "off" || settings.criteria.length > 0 || settings.chips.length > 0;

  window.ratchet.widgets.compare = (root) => {
    const { el, api, toast } = window.ratchet;
    const person = document.body.dataset.person || "";
    const s = { study: new URLSearchParams(location.search).get("study") || "", last: null, tally: null, sitting: null, mending: false,
      stale: false, locked: null, timer: null, n: 0, era: 0, gone: false };
    const runs = { paint: [], saved: [], sitting: [] };
    const tell = (event, ...about) => runs[event].forEach((run) => run(...about));
    const state = () => root.dataset.state;
    const busy = () => judging.BUSY.includes(state());
    const settings = () => ({ ...judging.USUAL, ...s.sitting?.settings });

    const queue = judging.unsaved(person);
    const pending = () => new Set(queue.read().filter((item) => item.kind === "vote").map((item) => item.comparison));
    const ahead = judging.ahead(pending);
    const current = ahead.first;
    const clock = judging.clock();
    const sender = judging.sender({ queue, hold: ahead.hold, saved, refused, cut: (item) => { if (state() === "sending") moveOn(item, s.before); drawQueue(); },
      idle: () => { lock(sender.locked); drawQueue(); } });
    const stream = judging.stream({ note: (text) => screen.layout().note(text), text: (texts) => { if (current()?.state !== "ready") screen.layout().stream(texts); },
      done: (pair, whole) => { Object.assign(pair, whole); paint(); refresh(); }, lost: () => later(1500) });
    const keymap = judging.keymap(el);

    /* -- What is to be seen -- */

    const bring = (pair) => { ahead.bring(pair); paint(); root.scrollIntoView({ block: "start" }); };
    const head = judging.head(el, { study: choose });
    const session = judging.session(el, person);
    const asking = judging.asking(el, { study: () => s.study, bring, again: () => { ahead.again(); root.dataset.comparison = ""; return refresh(); } });
    const cards = judging.cards(el, { progress: () => counted("progress"), standings: () => counted("standings") });
    const second = judging.second(el, { commit, leave, state: (name) => screen.set(name) }, person);
    const skipping = judging.skip(el, { skip: (reason) => { skipping.close(); give({ choice: "skip", reason }, current()); }, back: () => { skipping.close(); awake(); } });
    const screen = judging.screen(el, root, { keymap, stream, panels: [...second.nodes, skipping.node],
      on: { layout: { decide, changed: () => {}, bring, study: () => s.study }, skip, undo, more, mend: () => arm(!s.mending), again: asking.repeat, painted, next: () => { ahead.pass(current().comparison); refresh(); paint(); } } });
    const { bar } = screen;
    const places = { study: head.tools, above: el("div", { class: "stack above" }), view: screen.view, below: el("div", { class: "stack" }) };

    root.classList.add("compare", "stack");
    root.append(session.node, head.node, places.above, ...screen.nodes, asking.node, places.below, ...cards.nodes);
    asking.node.hidden = true;
    cards.hide(true);

    /** Shows the first pair, or says why there is none. */
    function paint() {
      s.stale = busy();
      if (s.stale) return;
      stream.close();
      const pair = current();
      drawQueue();
      bar.node.hidden = !s.sitting;
      hinted(pair);
      if (pair && (!s.sitting?.error || pair.state === "ready")) screen.show(pair, settings());
      else nothing();
    }

    function painted(pair) {
      clock.restart();
      tell("paint", pair);
      for (const next of ahead.others()) (window.requestIdleCallback || setTimeout)(() => judging.answers(el, next));
    }

    function nothing() {
      root.dataset.comparison = "";
      if (s.sitting) screen.blank(s.sitting.error ? "failed" : "empty", (words) => words.nothing(s.sitting, sender.offline));
    }

    function hinted(pair) {
      bar.hint(pair?.earlier ? "This is an earlier vote of yours. Vote again to change it; Escape leaves it as it is."
        : s.mending ? "The better answer opens for mending after your vote." : "");
    }

    function drawTally() {
      if (!s.tally) return;
      head.tally(s.tally);
      bar.undo.disabled = !s.tally.mine && !ahead.behind();
    }

    function drawReveal() {
      head.reveal(s.last, screen.layout());
      bar.more.hidden = !canSayMore() || !asks(settings());
    }

    function drawQueue() {
      const count = queue.read().length;
      const wait = count > 0 && (sender.offline > 0 || !sender.sending);
      bar.waiting(wait ? `${count} waiting to be saved` : "");
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
      ahead.take(sitting.pairs, busy() || Boolean(current()?.earlier));
      drawTally();
      tell("sitting", sitting);
    }

    /** Asks what lies ahead; paints only where nothing was to be seen, or where what was seen has become ready. */
    async function refresh() {
      clearTimeout(s.timer);
      if (s.gone) return undefined;
      const before = root.dataset.comparison;
      const { era } = s;
      let sitting;
      try {
        sitting = await api(`/api/compare/next?study=${encodeURIComponent(s.study)}&hold=${ahead.hold().join(",")}`);
      } catch (error) {
        return era === s.era ? unanswered(error) : undefined;
      }
      if (s.gone || era !== s.era) return undefined; // another study was chosen meanwhile
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
      return undefined;
    }

    function unanswered(error) {
      if (judging.locked(error)) { lock(error); later(AGAIN); return; }
      if (!judging.mayComeLater(error)) { screen.blank("failed", (words) => words.unknown(error)); drawStudies(); return; }
      if (!s.sitting) screen.blank("failed", (words) => words.silent(error));
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
      head.node.hidden = bar.node.hidden = true;
      screen.blank("empty", (words) => words.none());
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
      Object.assign(s, { study: name, last: null, sitting: null, begun: null, era: s.era + 1 });
      ahead.clear();
      second.close();
      skipping.close();
      history.replaceState(null, "", `?study=${encodeURIComponent(name)}`);
      cards.close();
      screen.set("loading");
      stream.close();
      refresh();
    }

    /* -- Voting -- */

    function decide(answer) {
      const pair = current();
      if (!pair || state() !== "ready") return;
      screen.layout().mark(answer);
      const mending = s.mending;
      if (mending) arm(false);
      const again = Boolean(pair.earlier) && asks(settings());
      second.begin(about(pair, answer, { values: pair.earlier, again }), mending);
    }

    const about = (pair, answer, rest) => ({ pair, answer, settings: settings(), said: capital(screen.layout().said(answer)), title: `You say: ${screen.layout().said(answer)}`, side: screen.layout().winners(answer)[0] ?? 0, ...rest });

    /** The whole vote, with whatever was said besides. */
    function commit({ pair, answer }, said) {
      give({ ...answer, ...said, guidelines: s.sitting?.guidelines?.number ?? null, told: { said: screen.layout().said(answer), winners: screen.layout().winners(answer) } }, pair);
    }

    /** The panel was left without a vote. */
    function leave({ pair, answer, straight }) {
      if (straight) return letBe(pair);
      screen.layout().clear();
      if (pair.earlier || answer.ranking) screen.layout().mark(answer.ranking ? answer : pair.earlier); // an order is not to be made again
      return awake();
    }

    /** Nothing is open any more: the pair takes votes again. */
    function awake() {
      screen.set(current()?.state === "ready" ? "ready" : "coming");
      if (s.stale) paint();
    }

    function skip() {
      if (!["ready", "coming"].includes(state()) || !current()) return;
      const reasons = settings().skip_reasons;
      if (!reasons.length) { give({ choice: "skip", reason: null }, current()); return; }
      screen.set("skipping");
      skipping.open(reasons);
    }

    function arm(yes) {
      s.mending = yes;
      bar.mending(yes);
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
      const title = `You said: ${screen.layout().said(earlier)}`;
      second.begin(about(current(), answerOf(earlier), { values: earlier, again: true, straight, title }), false);
    }

    function revise(earlier) {
      if (busy() || state() === "sending") return;
      ahead.bring({ ...earlier.pair, state: "ready", earlier });
      paint();
    }

    /** An earlier vote stays as it is. */
    function letBe(pair) {
      ahead.pass(pair.comparison);
      screen.set("settling");
      paint();
      refresh();
    }

    function undo() {
      if (!UNDOABLE.includes(state())) return;
      if (current()?.earlier) ahead.pass(current().comparison);
      const before = ahead.back();
      if (before) delete before.earlier;
      screen.set("sending");
      keep({ kind: "undo", id: judging.newId(), study: s.study, comparison: before ? before.comparison : null }, before);
    }

    function give(vote, pair) {
      const seconds = pair.state === "ready" ? clock.seconds() : null;
      screen.set("sending");
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
        const here = current()?.comparison === item.comparison && !busy();
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

    const desk = { el, root, places, person, current, sitting: () => s.sitting, layout: screen.layout, last: () => s.last, state,
      when: (event, run) => runs[event].push(run), bring, revise, keys: (list) => own.push(keymap.add(list)) };
    own.push(...Object.values(judging.extras).map((extra) => extra(desk)).filter(Boolean));
    keymap.draw();

    drawReveal();
    (async () => {
      if (queue.read().length) await sender.send();
      refresh();
    })();

    return () => {
      s.gone = true;
      [stream.close, sender.stop, clock.stop, second.stop, skipping.stop, screen.stop, ...own].forEach((end) => end());
      [s.timer, s.counting].forEach(clearTimeout);
    };
  };
})();
