/*
 * The gate's limit of forgetting on Home: a number in a sentence, for those who may overrule the gate.
 *
 *   ratchet.rounds.limit(look)   {element, show(limits, wanted)}; look() after a change
 *
 * The form stays the same element, so that the page's looks every two seconds take nobody's cursor.
 */
(() => {
  "use strict";

  const { el, api, toast } = window.ratchet;
  const rounds = (window.ratchet.rounds ||= {});

  rounds.limit = (look) => {
    const number = el("input", { type: "number", class: "input", id: "gate-limit", min: 0, max: 100, step: "any", required: true, inputmode: "decimal", "aria-describedby": "gate-limit-unit", oninput: offer });
    const change = el("button", { type: "submit", class: "button button-s", id: "gate-limit-set", disabled: true }, "Change");
    const element = el("form", { class: "line gate-limit small", hidden: true, onsubmit: (event) => { event.preventDefault(); set(number.valueAsNumber); } },
      el("label", { for: "gate-limit" }, "The gate lets the loss on earlier rows rise by at most"), number, el("span", { id: "gate-limit-unit" }, "nats a token."), change);
    let known = null; // the limit that is in force
    let may = false;
    api("/api/people/me").then((me) => { may = me.may.includes("manage models"); }, () => {}); // the route says it again

    function offer() {
      change.disabled = !number.validity.valid || number.valueAsNumber === known;
    }

    function show({ forgetting }, wanted) {
      element.hidden = !may || !wanted;
      if (forgetting === known) return;
      known = forgetting;
      if (document.activeElement !== number) number.value = known;
      offer();
    }

    async function set(forgetting) {
      try {
        const { limits, before } = await api("/api/rounds/gate", { method: "PATCH", body: { forgetting } });
        number.value = limits.forgetting;
        show(limits, true);
        toast(`The loss on earlier rows may rise by ${limits.forgetting} now, not by ${before.forgetting}.`, "good", () => set(before.forgetting));
      } catch (error) {
        toast(error.message, "bad");
      }
      look();
    }

    return { element, show };
  };
})();
