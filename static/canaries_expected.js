/*
 * What is expected of the answers to the canaries: added in a dialog, taken away with an undo.
 *
 *   ratchet.canaries.expected(known, redraw)   a section
 */
(() => {
  "use strict";

  const { el, api, toast, dialog } = window.ratchet;
  const KINDS = {
    contains: ["Contains", "Paris", "Whatever its case."],
    "not-contains": ["Does not contain", "As an AI", "Whatever its case."],
    regex: ["Matches the pattern", "(?i)\\b(5|five)\\b", "A regular expression, found anywhere in the answer."],
    exact: ["Is exactly", "5", "Spaces at the ends do not count."],
    "json-schema": ["Is JSON that fits", '{"type": "object", "required": ["name"]}', "A JSON Schema without references to elsewhere."],
    words: ["Has at most so many words", "40", "A whole number."],
    characters: ["Has at most so many characters", "200", "A whole number."],
    score: ["Is scored at least", "judge>=0.5", "A reward model's name, and the least score."],
  };

  function expected(known, redraw) {
    const items = known.prompts.map((prompt) => el("li", { class: "canaries-expects" },
      el("div", { class: "row-between" }, el("span", {}, `${prompt.number}. ${prompt.prompt}`),
        el("button", { type: "button", class: "button button-ghost button-s", "aria-label": `Expect something of prompt ${prompt.number}`, onclick: () => ask(prompt) }, "Expect…")),
      prompt.expected.length > 0 && el("ul", { class: "plain-list" }, prompt.expected.map((one) => el("li", { class: "line" }, el("span", {}, one.says), el("span", { class: "muted small" }, one.author),
        el("button", { type: "button", class: "button-text", "aria-label": `No longer expect: ${one.says}`, onclick: () => lift(one, true) }, "Take away"))))));
    return el("details", { class: "results-groups", id: "canaries-expected", open: keptOpen() ? true : null, ontoggle: (event) => keep(event.currentTarget.open) },
      el("summary", {}, "What is expected"), el("ul", { class: "plain-list stack-s" }, items));

    async function lift(one, lifted) {
      try {
        await api(`/api/canaries/expectations/${one.id}`, { method: "PATCH", body: { lifted } });
        if (lifted) toast(`No longer expected: ${one.says}.`, "good", () => lift(one, false));
        redraw();
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    function ask(prompt) {
      const kind = el("select", { id: "expect-kind", onchange: () => hint() }, known.kinds.map((name) => el("option", { value: name }, (KINDS[name] || [name])[0])));
      const value = el("textarea", { id: "expect-value", rows: 2, maxlength: 20000, required: true, "aria-describedby": "expect-hint" });
      const words = el("p", { class: "hint", id: "expect-hint" });
      const wrong = el("p", { class: "field-error", role: "alert" });
      const form = el("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); send(); } },
        el("p", {}, prompt.prompt),
        el("div", { class: "field" }, el("label", { for: "expect-kind" }, "The answer"), kind),
        el("div", { class: "field" }, el("label", { for: "expect-value" }, "What"), value, words, wrong),
        el("div", { class: "dialog-buttons" }, el("button", { type: "submit", class: "button button-primary", id: "expect-send" }, "Expect it")));
      const box = dialog("Expect something", form, [{ label: "Cancel", kind: "secondary", run: () => {} }]);
      hint();
      value.focus();

      function hint() {
        const [, example, sentence] = KINDS[kind.value] || ["", "", ""];
        value.placeholder = example;
        words.textContent = sentence;
      }

      async function send() {
        wrong.textContent = "";
        try {
          const made = await api("/api/canaries/expectations", { body: { canary: prompt.prompt_sha256, kind: kind.value, value: value.value } });
          box.close();
          keep(true);
          toast(`Expected: ${made.says}.`, "good", () => lift(made, true));
          redraw();
        } catch (error) {
          wrong.textContent = error.message;
        }
      }
    }
  }

  let open = false;
  const keptOpen = () => open;
  const keep = (yes) => { open = yes; };

  window.ratchet.canaries = { ...window.ratchet.canaries, expected };
})();
