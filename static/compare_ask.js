/*
 * A question of one's own, and how its answers are drawn.
 *
 *   judging.askBox(el, on)   → { node, text, send, inputs }
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });

  judging.askBox = (el, on) => {
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
  };
})();
