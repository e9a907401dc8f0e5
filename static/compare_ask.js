/*
 * A question of one's own, and how its answers are drawn.
 *
 *   judging.asking(el, { study(), bring(pair), again() })   → { node, focus(), begin(sampling), repeat() }
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const FIELDS = [
    ["temperature", "Temperature", "0 takes the likeliest word each time", { min: 0, max: 5, step: 0.1 }],
    ["top_p", "Top-p", "draw from the likeliest part", { min: 0.01, max: 1, step: 0.01 }],
    ["max_tokens", "Longest answer", "in tokens", { min: 1, max: 8192, step: 1 }],
  ];

  judging.asking = (el, on) => {
    const { api, toast } = window.ratchet;
    const complain = (error) => toast(error.message, "bad");
    const text = el("textarea", { class: "input", id: "ask-text", rows: "1", placeholder: "Ask the models something of your own", maxlength: "50000",
      onkeydown: (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); ask(); }
        if (event.key === "Escape") event.target.blur();
      } });
    const send = el("button", { type: "button", class: "button button-primary", onclick: ask }, "Ask ", el("kbd", {}, "Enter"));
    const inputs = Object.fromEntries(FIELDS.map(([id, , , range]) => [id, el("input", { id: `sampling-${id}`, type: "number", ...range, onchange: saveSampling })]));
    const node = el("section", { class: "card ask", "aria-label": "Your own question" },
      el("label", { for: "ask-text", class: "ask-label" }, "Your own question"),
      el("div", { class: "ask-line" }, text, send),
      el("details", { class: "sampling" }, el("summary", { class: "small" }, "How answers are drawn"),
        el("div", { class: "fields" }, FIELDS.map(([id, label, hint]) => el("div", { class: "field" }, el("label", { for: `sampling-${id}` }, label), inputs[id], el("span", { class: "hint" }, hint)))),
        el("p", { class: "hint" }, "Both sides always share the settings. They hold for answers made from now on; every answer keeps a stamp of its own.")));

    async function ask() {
      const prompt = text.value.trim();
      if (!prompt || send.disabled) return;
      send.disabled = true;
      try {
        const { pair } = await api("/api/compare/prompt", { body: { study: on.study(), prompt } });
        text.value = "";
        text.blur();
        on.bring(pair);
      } catch (error) {
        complain(error);
      }
      send.disabled = false;
    }

    /** Asks what failed once more. */
    const repeat = () => api("/api/compare/again", { body: { study: on.study() } }).then(on.again, complain);

    async function saveSampling() {
      const values = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, Number(input.value)]));
      try {
        await api("/api/compare/sampling", { body: { study: on.study(), ...values } });
        toast("Answers from now on are drawn this way.", "good");
      } catch (error) {
        complain(error);
      }
    }

    return { node, repeat, focus: () => text.focus(), begin: (sampling) => Object.entries(inputs).forEach(([name, input]) => { input.value = sampling[name]; }) };
  };
})();
