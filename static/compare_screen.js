/*
 * What is to be seen of a pair: prompt, answers in their layout, panels below them, the bar of the vote; or why there is
 * none. It knows nothing of votes; `root.dataset.state` is what all of the page goes by.
 *
 *   judging.screen(el, root, { keymap, stream, panels, on })
 *     on: { layout: what a layout calls, skip, undo, more, mend, again, next, painted(pair) }
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
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const SETTLE = 250; // ms in which a new pair takes no vote: a second press of the same key comes within 200

  judging.BUSY = ["details", "fixing", "skipping"]; // something is open on the pair: it stays as it is
  judging.USUAL = { layout: "pair", sides: 2, strength: "off", criteria: [], chips: [], rationale: "off", skip_reasons: [] };

  judging.screen = (el, root, { keymap, stream, panels, on }) => {
    const prompt = judging.prompt(el);
    const says = judging.says(el, { again: on.again, next: on.next });
    const flag = el("p", { class: "notice notice-warning small", hidden: true }, "An answer mentions a model by name. Judge what it says, not who says it.");
    const view = el("div", { class: "line tools-view" });
    const seat = el("div", { class: "seat" });
    const whole = el("div", { class: "pair stack", hidden: true }, prompt.node, flag, view, seat, panels);
    const bar = voteBar(el, on);
    const made = new Map(); // layouts by kind: one that comes back is not made again
    let kind = null;
    let layout = null;
    let unbind = () => {};
    let settling = null;

    const state = () => root.dataset.state;

    /** Puts the layout that fits a study or a pair in its seat. */
    function sit(settings) {
      const name = judging.layouts[settings.layout] ? settings.layout : "pair";
      const wanted = `${name} ${settings.sides} ${settings.scale} ${settings.continues}`;
      if (kind === wanted) return;
      kind = wanted;
      unbind();
      if (!made.has(kind)) made.set(kind, judging.layouts[name](el, on.layout, settings));
      layout = made.get(kind);
      seat.replaceChildren(layout.node);
      bar.votes.replaceChildren(...(layout.buttons ? [layout.buttons] : []));
      unbind = keymap.add(layout.keys.map((one) => ({ ...one, first: true, when: () => state() === "ready" && (one.when?.() ?? true) })));
    }

    function set(name) {
      root.dataset.state = name;
      layout.can(name === "ready");
      bar.can(name);
    }

    /** A pair, ready or not. */
    function show(pair, settings) {
      says.hide();
      whole.hidden = bar.votes.hidden = false;
      sit({ ...settings, layout: pair.layout || settings.layout, sides: pair.sides.length });
      layout.clear();
      root.dataset.comparison = pair.comparison;
      prompt.show(pair);
      flag.hidden = !pair.names_a_model || pair.state !== "ready";
      if (pair.state === "ready") return ready(pair);
      if (pair.state === "failed") return blank("failed", (words) => words.failed(pair));
      layout.wait(pair);
      set("coming");
      return stream.watch(pair);
    }

    function ready(pair) {
      layout.show(pair);
      root.dataset.painted = pair.comparison;
      set("settling");
      clearTimeout(settling);
      settling = setTimeout(() => { if (state() === "settling") set("ready"); }, SETTLE);
      if (pair.earlier) layout.mark(pair.earlier);
      on.painted(pair);
    }

    /** No pair, but words. */
    function blank(name, words) {
      whole.hidden = bar.votes.hidden = true;
      set(name);
      words(says);
    }

    sit(judging.USUAL);
    set("loading");
    return { nodes: [says.node, whole, bar.node], bar, view, show, blank, set, state, layout: () => layout, stop: () => { unbind(); clearTimeout(settling); } };
  };

  /** Sticks to the lower edge: what can be said, and what waits to be saved, whatever else is to be seen. */
  function voteBar(el, on) {
    const button = (id, label, run) => el("button", { type: "button", class: "button button-ghost button-s", onclick: run }, `${label} `, el("kbd", { dataset: { cap: id } }));
    const skip = button("skip", "Skip", on.skip);
    const undo = button("undo", "Undo", on.undo);
    const more = button("more", "Say more", on.more);
    const mend = button("mend", "Mend", on.mend);
    mend.title = "The better answer opens for mending after your vote";
    mend.setAttribute("aria-pressed", "false");
    const waiting = el("span", { class: "chip chip-warning chip-dot", role: "status", hidden: true });
    const hint = el("p", { class: "small muted vote-hint", role: "status", hidden: true });
    const votes = el("div", { class: "vote-seat" });
    const node = el("div", { class: "vote-bar", role: "group", "aria-label": "Your vote", hidden: true }, hint, votes,
      el("div", { class: "vote-more" }, undo, more, waiting, el("span", { class: "grow" }), mend, skip));

    /** Writes only where something changes: between a key and the next pair the page stays as it is. */
    function write(place, text) {
      place.hidden = !text;
      if (place.textContent !== text) place.textContent = text;
    }

    return {
      node, votes, undo, more,
      hint: (text) => write(hint, text),
      waiting: (text) => write(waiting, text),
      mending: (yes) => mend.setAttribute("aria-pressed", String(yes)),
      can(name) {
        skip.disabled = !["ready", "coming"].includes(name);
        mend.disabled = !["ready", "settling", "sending"].includes(name); // no flicker between two pairs
      },
    };
  }
})();
