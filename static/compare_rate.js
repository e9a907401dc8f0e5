/*
 * The layout "rate": one answer, one number. On a scale of two they are thumbs: 1 is down, 2 is up. One key says it all.
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const THUMB = "M7 21V10l4.5-7.5c1.6 0 2.4 1 2.1 2.5L13 9h5.4c1.4 0 2.3 1.2 2 2.6l-1.6 7.2c-.3 1.3-1.3 2.2-2.6 2.2H7zM7 10H3.5v11H7";

  /** What a number means, from the worst to the best. */
  const WORDS = {
    2: ["bad", "good"],
    3: ["bad", "fair", "good"],
    4: ["bad", "weak", "fair", "good"],
    5: ["very bad", "bad", "fair", "good", "very good"],
    6: ["very bad", "bad", "weak", "fair", "good", "very good"],
    7: ["very bad", "bad", "weak", "fair", "good", "very good", "excellent"],
  };

  const thumb = (el, down) => el("svg", { viewBox: "0 0 24 24", width: 22, height: 22, fill: "none", stroke: "currentColor", "stroke-width": 1.75,
    "stroke-linejoin": "round", "aria-hidden": "true", class: down ? "thumb thumb-down" : "thumb" }, el("svg:path", { d: THUMB }));

  judging.layouts.rate = (el, on, settings) => {
    const scale = settings.scale || 5;
    const words = WORDS[scale];
    const body = el("div", { class: "pane-body prose", role: "region", tabindex: "0", "aria-label": "The answer" });
    const note = el("span", { class: "pane-note muted small" });
    const pane = el("section", { class: "pane pane-a rate-pane", "aria-label": "The answer" }, el("div", { class: "pane-head" }, el("span", { class: "chip chip-a" }, "Answer"), note), body);
    const numbers = Array.from({ length: scale }, (_, index) => index + 1);
    const buttons = numbers.map((number) => el("button", { type: "button", class: "button vote rating", disabled: true, "aria-label": scale === 2 ? words[number - 1] : `${number} of ${scale}, ${words[number - 1]}`,
      dataset: { rating: String(number) }, style: { "--share": `${(100 * (number - 1)) / (scale - 1)}%` }, onclick: () => rate(number) },
      scale === 2 ? thumb(el, number === 1) : el("b", {}, String(number)), el("span", { class: "rating-word small" }, words[number - 1]),
      scale === 2 ? el("kbd", { "aria-hidden": "true", dataset: { cap: `rate_${number}` } }, String(number)) : null));
    const rate = (rating) => on.decide({ choice: "rating", rating });
    const also = { 1: ["ArrowDown"], 2: ["ArrowUp"] };

    return {
      node: el("div", { class: "panes" }, pane),
      buttons: el("div", { class: "rate-seat" }, el("div", { class: `vote-buttons rate-buttons${scale === 2 ? " rate-thumbs" : ""}`, style: { "--steps": String(scale) } }, buttons),
        scale > 3 ? el("div", { class: "rate-ends small muted", "aria-hidden": "true" }, el("span", {}, words[0]), el("span", {}, words.at(-1))) : null),
      keys: numbers.map((number) => ({ id: `rate_${number}`, label: scale === 2 ? `The answer is ${words[number - 1]}` : `${number} of ${scale}: ${words[number - 1]}`,
        keys: [String(number), ...(scale === 2 ? also[number] : [])], run: () => rate(number) })),
      show(pair) {
        body.replaceChildren(...judging.answers(el, pair).slice(0, 1));
        body.scrollTop = 0;
        note.textContent = "";
      },
      wait() {
        body.replaceChildren(el("div", { class: "skeleton" }), el("div", { class: "skeleton short" }));
        note.textContent = "";
      },
      stream([text]) {
        note.textContent = "writing";
        pane.classList.add("is-streaming");
        if (text) body.replaceChildren(el("div", { class: "answer" }, window.ratchet.markdown(text)));
      },
      note(text) { note.textContent = text; },
      can: (yes) => buttons.forEach((button) => { button.disabled = !yes; }),
      answer: () => null, // one key says it all
      mark: ({ rating }) => buttons.forEach((button) => button.classList.toggle("is-said", Number(button.dataset.rating) === rating)),
      clear() {
        pane.classList.remove("is-streaming");
        buttons.forEach((button) => button.classList.remove("is-said"));
      },
      said: ({ rating }) => (scale === 2 ? words[rating - 1] : `${rating} of ${scale}`),
      winners: () => [],
    };
  };
})();
