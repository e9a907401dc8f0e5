/*
 * The layout "turns": a conversation on each side, and a box to say the next thing.
 *
 * The study says how it goes on. "both": what is said next goes to both sides, each of which has its own conversation so
 * far. "chosen": first the better answer is chosen, which is a vote; it becomes part of the one conversation that both
 * sides go on from. Votes end a conversation: A, B, a tie, both bad, as in the layout "pair".
 */
(() => {
  "use strict";

  const { api, markdown, toast } = window.ratchet;
  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const ROLES = { user: "You", assistant: "Answer", system: "System" };

  const asksMore = ({ strength, rationale, criteria }) => strength === "required" || rationale === "required" || (criteria || []).some((one) => one.required);
  let later = null; // the turn that waits for its vote to be saved

  /** The pair in which it goes on; null, and a sentence, where it does not. */
  async function say(turn) {
    try {
      return (await api("/api/compare/continue", { body: turn })).pair;
    } catch (error) {
      toast(error.message, "bad");
      return null;
    }
  }

  judging.extras.turns = (desk) => {
    desk.when("saved", async (item) => {
      if (item.kind !== "vote" || item.comparison !== later?.comparison || item.choice !== later.mode) return;
      const { done, ...turn } = later;
      later = null;
      const next = await say(turn);
      if (!next) return;
      done();
      desk.bring(next);
    });
  };

  judging.layouts.turns = (el, on, settings) => {
    const chosenGoesOn = settings.continues === "chosen";
    let pair = null;
    let able = false;
    let sending = false;
    let chosen = null; // "left" or "right": whose answer the conversation goes on from

    const { all, shown, said, winners } = judging.choices;
    const panes = shown.map((_, index) => pane(el, judging.LETTERS[index]));
    const each = (run) => panes.forEach(run);
    const buttons = judging.choices.buttons(el, vote);

    const text = el("textarea", { class: "input", id: "turn-text", rows: "1", maxlength: "50000", placeholder: chosenGoesOn ? "Choose an answer, then say the next thing" : "Say the next thing to both",
      onkeydown: (event) => {
        if (event.key === "Escape") { event.preventDefault(); choose(null); text.blur(); }
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); enter(); }
      }, oninput: offer });
    const label = el("label", { for: "turn-text", class: "small" });
    const send = el("button", { type: "button", class: "button button-primary", onclick: enter }, "Say ", el("kbd", { "aria-hidden": "true" }, "Enter"));
    const end = el("button", { type: "button", class: "button", hidden: true, onclick: () => finish(chosen) }, "End here");
    const box = el("div", { class: "next-turn" }, label, el("div", { class: "ask-line" }, text, send, end));
    offer();

    /* -- Going on -- */

    /** A vote ends the conversation, unless the chosen answer may go on: then the box asks what to say next. */
    function vote(choice) {
      if (!able) return;
      if (!chosenGoesOn || !shown.includes(choice)) return void finish(choice);
      choose(choice);
      text.focus();
    }

    /** The conversation ends here; what was typed before and left is not said any more. */
    function finish(choice) {
      later = null;
      on.decide({ choice });
    }

    function choose(choice) {
      chosen = choice;
      each(({ node }, index) => node.classList.toggle("is-chosen", shown[index] === choice));
      offer();
      on.changed();
    }

    function offer() {
      const name = chosen && judging.LETTERS[shown.indexOf(chosen)];
      label.textContent = chosenGoesOn
        ? (chosen ? `${name} goes on. Say the next thing, or press Enter with nothing to end here.` : "The better answer goes on: choose it first.")
        : "Say the next thing: both sides go on, each from its own answer.";
      text.disabled = !able || sending || (chosenGoesOn && !chosen);
      send.disabled = text.disabled || !text.value.trim();
      box.classList.toggle("is-waiting", chosenGoesOn && !chosen);
      end.hidden = !chosen;
      end.disabled = !able || sending;
    }

    function enter() {
      if (text.value.trim()) goOn();
      else if (chosen) finish(chosen);
    }

    async function goOn() {
      if (!able || sending || !pair) return;
      const turn = { id: judging.newId(), study: on.study(), comparison: pair.comparison, mode: chosenGoesOn ? chosen : "both", prompt: text.value.trim(),
        shown: pair.sides.map((side) => side.sha256) };
      if (chosenGoesOn && asksMore(settings)) { // the vote comes first, with all that it has to say
        later = { ...turn, done: () => { text.value = ""; } };
        text.blur();
        on.decide({ choice: chosen });
        return;
      }
      sending = true;
      offer();
      const next = await say(turn);
      sending = false;
      if (next) {
        text.value = "";
        text.blur();
        on.bring(next);
      }
      offer();
    }

    /* -- Drawing -- */

    const turn = (one) => el("div", { class: `turn turn-${["user", "system"].includes(one.role) ? one.role : "other"}` },
      el("span", { class: "turn-role" }, ROLES[one.role] || one.role || "turn"), el("div", { class: "prose" }, markdown(one.content)));

    function histories(of) {
      each(({ past }, index) => {
        const turns = of.sides[index]?.history || [];
        past.replaceChildren(...turns.map(turn));
        past.hidden = !turns.length;
      });
    }

    return {
      node: el("div", { class: "panes turns-panes" }, panes.map(({ node }) => node)),
      buttons: el("div", { class: "stack-s" }, box, el("div", { class: "vote-buttons" }, buttons)), // in reach, whatever is being read
      keys: [
        ...all.map(({ choice, label: words, keys }) => ({ id: choice, label: chosenGoesOn && shown.includes(choice) ? `${words}: it goes on` : words, keys, run: () => vote(choice) })),
        { id: "next_turn", label: "Say the next thing", keys: ["c"], run: () => { if (!text.disabled) text.focus(); } },
      ],
      show(of) {
        pair = of;
        histories(of);
        judging.answers(el, of).forEach((node, index) => {
          panes[index].answer.replaceChildren(node);
          panes[index].note.textContent = "";
          panes[index].body.scrollTop = panes[index].body.scrollHeight;
        });
      },
      wait(of) {
        pair = of;
        histories(of);
        each(({ answer, note, body }) => {
          answer.replaceChildren(el("div", { class: "skeleton" }), el("div", { class: "skeleton short" }));
          note.textContent = "";
          body.scrollTop = body.scrollHeight;
        });
      },
      stream: (texts) => each(({ node, body, answer, note }, index) => {
        note.textContent = "writing";
        node.classList.add("is-streaming");
        const below = body.scrollHeight - body.scrollTop - body.clientHeight < 40; // who scrolled up to read stays there
        if (texts[index]) answer.replaceChildren(el("div", { class: "answer" }, markdown(texts[index])));
        if (below) body.scrollTop = body.scrollHeight;
      }),
      note: (words) => each(({ note }) => { note.textContent = words; }),
      can(yes) {
        able = yes;
        buttons.forEach((button) => { button.disabled = !yes; });
        offer();
      },
      answer: () => (chosen ? { choice: chosen } : null),
      mark({ choice }) { each(({ node }, index) => node.classList.toggle("is-chosen", shown[index] === choice)); },
      clear() {
        chosen = null;
        each(({ node }) => node.classList.remove("is-chosen", "is-streaming"));
        offer();
      },
      said,
      winners,
    };
  };

  function pane(el, letter) {
    const past = el("div", { class: "turns" });
    const answer = el("div", { class: "turn-answer" });
    return { past, answer, ...judging.choices.pane(el, letter, `Conversation ${letter}`, past, answer) };
  }
})();
