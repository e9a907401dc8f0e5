/*
 * What the model sees: the row through the chosen model's chat template, token by token, with those marked that
 * training on answers learns. A space is a dot and a new line a sign, so that nothing hides.
 */
(() => {
  "use strict";

  const { el, api } = window.ratchet;
  const WAIT = 500; // milliseconds after the last letter before the row is rendered again
  const MOST = 4000; // tokens drawn; a page with more would be slow to scroll
  const parts = (window.ratchet.editorParts ||= {});
  // A token comes as a list, for there are thousands of them.
  const named = ([id, text, trained]) => ({ id, text, trained });
  const visible = (text) => text.replaceAll(" ", "·").replaceAll("\n", "↵\n").replaceAll("\t", "⇥");

  parts.sees = (desk) => {
    const facts = el("p", { class: "small muted", role: "status" });
    const which = el("div", { class: "segmented", role: "group", "aria-label": "Which answer", hidden: true });
    const text = el("div", { class: "tokens mono", tabindex: 0, role: "region", "aria-label": "The row as the model reads it" });
    const node = el("section", { class: "sees stack-s", hidden: true, "aria-label": "What the model sees" },
      el("div", { class: "row-between" }, el("h3", {}, "What the model sees"), which,
        el("span", { class: "small line" }, el("span", { class: "seen-token is-trained" }, "trained"), el("span", { class: "seen-token" }, "masked"))), facts, text);
    let turn = 0;
    let waiting = 0;
    let answer = "";

    async function draw() {
      if (node.hidden || !desk.row) return;
      const mine = ++turn;
      facts.textContent = text.childNodes.length ? facts.textContent : "Asking the model …";
      try {
        const seen = await api("/api/data/render", { body: { model: desk.model.name(), content: desk.plain() } });
        if (mine !== turn) return;
        choose(seen.parts);
        show((seen.parts.find((part) => part.name === answer)?.tokens || []).map(named), seen);
      } catch (error) {
        if (mine !== turn) return;
        facts.textContent = error.message;
        text.replaceChildren();
      }
    }

    /** A row with several answers is read once with each. */
    function choose(all) {
      const names = all.map((part) => part.name);
      if (!names.includes(answer)) answer = names[0];
      which.hidden = names.length < 2;
      which.replaceChildren(...names.map((name) => el("button", { type: "button", "aria-pressed": String(name === answer), onclick: () => { answer = name; draw(); } }, name)));
    }

    function show(tokens, { context }) {
      const trained = tokens.filter((token) => token.trained).length;
      facts.textContent = `${tokens.length.toLocaleString("en")} tokens, ${trained.toLocaleString("en")} of them trained, ${(tokens.length - trained).toLocaleString("en")} masked.${context && tokens.length > context ? ` The model reads ${context.toLocaleString("en")} at most.` : ""}${tokens.length > MOST ? ` The first ${MOST.toLocaleString("en")} are shown.` : ""}`;
      text.replaceChildren(...tokens.slice(0, MOST).map((token) => el("span", { class: `seen-token${token.trained ? " is-trained" : ""}`, title: `token ${token.id}` }, visible(token.text))));
    }

    desk.onMark(() => {
      if (node.hidden) return;
      clearTimeout(waiting);
      waiting = setTimeout(draw, WAIT);
    });

    return {
      node, draw,
      toggle() {
        node.hidden = !node.hidden;
        if (node.hidden) return;
        draw();
        node.scrollIntoView({ block: "nearest" });
      },
    };
  };
})();
