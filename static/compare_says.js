/*
 * What stands where no pair is: why there is none, and the way on.
 *
 *   judging.says(el, on)   → { node, hide(), nothing(sitting, offline), … }   on: { again(), next() }
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });

  judging.says = (el, on) => {
    const node = el("div", { class: "pair-state", role: "status", hidden: true });

    function say(title, sentence, ...buttons) {
      node.hidden = false;
      node.replaceChildren(el("div", { class: "empty" }, el("h2", {}, title), el("p", {}, sentence), buttons.length ? el("div", { class: "line" }, buttons) : null));
    }

    const button = (label, kind, run) => el("button", { type: "button", class: `button ${kind}`, onclick: run }, label);
    const way = (label, href) => el("a", { class: "button button-primary", href }, label);

    function nothing(at, offline) {
      if (at.error) return say("The models do not answer", at.error, button("Try again", "button-primary", on.again));
      if (at.closed_to_me) return say("This study is for others", at.closed_to_me);
      if (at.coming) return say("The next pair is being written", "It appears here by itself.");
      if (offline) return say("Waiting for the studio", "Your votes are kept in this browser and saved as soon as the studio answers.");
      if (!at.open) return say("This study is closed", "Its votes count as they are; choose another study above.");
      if (at.tally.round_total && at.tally.round_done >= at.tally.round_total) return say("Everything is judged", "Each comparison of this study has the votes that it needs. What comes new appears here by itself.");
      if (!at.has_prompts) return say("Ask the first question", "This study has no prompts of its own. Type a question below: the models answer it here.");
      return say("Getting the next pair ready", "The studio picks a prompt and asks the models.");
    }

    return {
      node, nothing,
      hide: () => { node.hidden = true; },
      failed: (pair) => say("This could not be answered", pair.error || "Something went wrong while it was asked.",
        button("Go on", "button-primary", on.next), button("Ask again", "", on.again)),
      none: () => say("Nothing to compare yet", "A study compares the answers of two models. One is made by itself when a training ends.", way("Go to Train", "/train")),
      unknown: (error) => say("This study cannot be shown", error.message, way("Show the newest study", "/compare")),
      silent: (error) => say("The studio does not answer", error.message),
    };
  };
})();
