/*
 * The prompt, and the layout "pair": two answers side by side, four buttons. Other layouts are scripts of their own;
 * what a layout is stands at the head of compare_screen.js.
 *
 *   judging.prompt(el)        the card with the earlier turns and the question
 *   judging.answers(el, pair) the nodes of a pair's answers, made once and beforehand
 */
(() => {
  "use strict";

  const { markdown } = window.ratchet;
  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });

  judging.LETTERS = ["A", "B", "C", "D", "E", "F", "G", "H"];

  judging.prompt = (el) => {
    const turns = el("div", { class: "turns" });
    const question = el("div", { class: "question prose" });
    const node = el("section", { class: "card prompt", "aria-label": "Prompt" }, turns, el("p", { class: "eyebrow" }, "Prompt"), question);

    function show(pair) {
      const earlier = pair.prompt.slice(0, -1);
      turns.replaceChildren(...earlier.map((turn) => el("div", { class: `turn turn-${turn.role === "user" ? "user" : turn.role === "system" ? "system" : "other"}` },
        el("span", { class: "turn-role" }, turn.role || "turn"), el("div", { class: "prose" }, markdown(turn.content)))));
      turns.hidden = !earlier.length;
      const last = pair.prompt.at(-1);
      question.replaceChildren(last ? markdown(last.content) : el("span", { class: "muted" }, "(the prompt is not known)"));
    }

    return { node, show };
  };

  judging.answers = (el, pair) => {
    if (!pair.nodes && pair.state === "ready") {
      pair.nodes = pair.sides.map((side) => {
        const node = el("div", { class: "answer" });
        if (side.text.trim()) node.append(markdown(side.text));
        else node.append(el("p", { class: "muted" }, side.text ? "(only white space)" : "(an empty answer)"));
        return node;
      });
    }
    return pair.nodes;
  };

  judging.layouts.pair = (el, on) => {
    const { all, shown, said, winners } = judging.choices;
    const panes = shown.map((_, index) => judging.choices.pane(el, judging.LETTERS[index], `Answer ${judging.LETTERS[index]}`));
    const buttons = judging.choices.buttons(el, (choice) => on.decide({ choice }));
    const each = (run) => panes.forEach(run);

    return {
      node: el("div", { class: "panes" }, panes.map(({ node }) => node)),
      buttons: el("div", { class: "vote-buttons" }, buttons),
      keys: all.map(({ choice, label, keys }) => ({ id: choice, label, keys, run: () => on.decide({ choice }) })),
      show(pair) {
        judging.answers(el, pair).forEach((node, index) => {
          panes[index].body.replaceChildren(node);
          panes[index].body.scrollTop = 0;
          panes[index].note.textContent = "";
        });
      },
      wait: () => each(({ body, note }) => { body.replaceChildren(el("div", { class: "skeleton" }), el("div", { class: "skeleton short" })); note.textContent = ""; }),
      stream: (texts) => each(({ node, body, note }, index) => {
        note.textContent = "writing";
        node.classList.add("is-streaming");
        if (texts[index]) body.replaceChildren(el("div", { class: "answer" }, markdown(texts[index])));
      }),
      note: (text) => each(({ note }) => { note.textContent = text; }),
      can: (yes) => buttons.forEach((button) => { button.disabled = !yes; }),
      answer: () => null, // one key says it all
      mark({ choice }) { panes[shown.indexOf(choice)]?.node.classList.add("is-chosen"); },
      clear: () => each(({ node }) => node.classList.remove("is-chosen", "is-streaming")),
      said,
      winners,
    };
  };
})();
