/*
 * The bar for a session that has ended while somebody judged: votes wait in this browser until the same person is back.
 *
 *   judging.session(el, person)   → { node, show(error, waiting), hide() }
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });

  judging.session = (el, person) => {
    const words = el("p", {});
    const link = el("a", { class: "button button-primary button-s" }, "Sign in again");
    const other = el("button", { type: "button", class: "button button-s", onclick: () => location.reload() }, "Go on with the other name");
    const node = el("div", { class: "notice notice-warning session-bar row-between", role: "alert", hidden: true }, words, el("div", { class: "line" }, link, other));

    function show(error, waiting) {
      const wait = waiting ? `${judging.plural(waiting, "vote")} ${waiting === 1 ? "waits" : "wait"} here` : "nothing is lost";
      const stranger = error.kind === "other-person";
      const text = stranger ? `Somebody else has signed in in this browser. Sign in again${person ? ` as ${person}` : ""}; ${wait}.` : `Your session has ended. Sign in again; ${wait}.`;
      if (words.textContent !== text) words.textContent = text;
      link.href = ratchet.at(`/sign-in?next=${encodeURIComponent(ratchet.inner(location.pathname) + location.search)}`);
      other.hidden = !stranger;
      node.hidden = false;
    }

    return { node, show, hide: () => { node.hidden = true; } };
  };
})();
