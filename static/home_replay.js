/*
 * A round run again from its frozen inputs: are the weights and the figures the same?
 *
 *   ratchet.rounds.replayButton(number)   the button, which opens the dialog that asks, waits and tells
 *
 * Closing the dialog ends nothing: what came of it is said in a message then.
 */
(() => {
  "use strict";

  const { el, api, toast, dialog, taskEnded, resultOf } = window.ratchet;
  const rounds = (window.ratchet.rounds ||= {});

  rounds.replayButton = (number) => el("button", { type: "button", class: "button-text small", "aria-label": `Replay round ${number}`, onclick: () => open(number) }, "Replay");

  function open(number) {
    const said = el("div", { role: "status", id: "replay-said" });
    const begin = el("button", { type: "button", class: "button button-primary", id: "replay-begin", onclick: run }, "Run it again");
    const box = dialog(`Replay round ${number}`, el("div", { class: "stack" },
      el("p", {}, "Its training runs again from the rows, options and weights that were frozen then, which takes as long as it took. No model comes of it: the result is compared and thrown away."),
      said, el("div", { class: "line" }, begin)));
    begin.focus();

    async function run() {
      begin.disabled = true;
      try {
        const { task } = await api(`/api/rounds/${number}/replay`, { body: {} });
        const { identical, figures_same: same } = tell(resultOf(await ended(task), "It was not run to its end."));
        if (!box.isConnected) toast(`Round ${number} again: ${words(identical, same)}.`, identical && same ? "good" : "info");
      } catch (error) {
        if (box.isConnected) said.replaceChildren(el("p", { class: "notice notice-bad" }, error.message));
        else toast(error.message, "bad");
      }
      begin.disabled = false;
    }

    function ended(id) {
      said.replaceChildren(el("p", { class: "muted" }, "It is at work; closing this stops nothing."));
      return taskEnded(id);
    }

    function tell(found) {
      const changed = Object.entries(found.libraries).map(([name, [was, now]]) => `${name} ${was} → ${now}`).join(", ");
      said.replaceChildren(
        el("p", { class: `notice ${found.identical && found.figures_same ? "notice-good" : "notice-warning"}`, id: "replay-found" },
          `${found.steps} steps in ${found.seconds.toFixed(0)} s: ${words(found.identical, found.figures_same)}.`),
        changed && el("p", { class: "small" }, `Libraries have changed since: ${changed}.`));
      return found;
    }
  }

  const words = (identical, same) => `${identical ? "the same weights, bit by bit" : "other weights"}, ${same ? "the same figures" : "other figures"}`;
})();
