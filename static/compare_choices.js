/*
 * Two answers and the four things to say of them, as the layouts "pair" and "turns" share them:
 *
 *   judging.choices.all                  [{ choice, label, short, keys, cap }]
 *   judging.choices.shown                the sides, left to right
 *   judging.choices.said, .winners       as a layout has them (compare_screen.js)
 *   judging.choices.buttons(el, vote)    the four buttons; `vote(choice)` is called
 *   judging.choices.pane(el, letter, label, ...inside)   { node, body, note }: one side
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const ALL = [
    { choice: "left", label: "A is better", short: "A", keys: ["1", "ArrowLeft"], cap: "1" },
    { choice: "tie", label: "Tie", short: "Tie", keys: ["3", "t"], cap: "3" },
    { choice: "both_bad", label: "Both bad", short: "Both bad", keys: ["4", "x"], cap: "4" },
    { choice: "right", label: "B is better", short: "B", keys: ["2", "ArrowRight"], cap: "2" },
  ];
  const SAID = { left: "A is better", right: "B is better", tie: "a tie", both_bad: "both bad" };
  const SHOWN = ["left", "right"];

  const button = (el, vote, { choice, label, short, cap }) => el("button", { type: "button", class: `button vote vote-${choice}`, disabled: true,
    dataset: { choice }, "aria-label": label, onclick: () => vote(choice) },
    el("span", { class: "vote-long" }, label), el("span", { class: "vote-short", "aria-hidden": "true" }, short), el("kbd", { "aria-hidden": "true", dataset: { cap: choice } }, cap));

  function pane(el, letter, label, ...inside) {
    const body = el("div", { class: "pane-body prose", role: "region", tabindex: "0", "aria-label": label }, inside);
    const note = el("span", { class: "pane-note muted small" });
    const node = el("section", { class: `pane pane-${letter.toLowerCase()}`, "aria-label": label },
      el("div", { class: "pane-head" }, el("span", { class: `chip chip-${letter.toLowerCase()}` }, `Answer ${letter}`), note), body);
    return { node, body, note };
  }

  judging.choices = {
    all: ALL,
    shown: SHOWN,
    said: ({ choice }) => SAID[choice],
    winners: ({ choice }) => (SHOWN.includes(choice) ? [SHOWN.indexOf(choice)] : []),
    buttons: (el, vote) => ALL.map((one) => button(el, vote, one)),
    pane,
  };
})();
