/*
 * What is not saved yet: votes and undos in the order in which they were given, kept in localStorage until the studio
 * has answered, each under an id made here, so that none is lost and none counts twice. They belong to a person: what
 * somebody else left in this browser stays where it is until they sign in again.
 *
 *   judging.unsaved(person)   the box in which they are kept
 *   judging.sender({…})       sends what lies in the box, one after the other, again and again until it is answered
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const KEEP = "ratchet.unsaved.";
  const LONGEST = 5000; // ms between two attempts

  judging.newId = () => crypto.randomUUID ? crypto.randomUUID() : Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");

  /** What somebody left in this browser; what is not ours or cannot be read is no item. */
  function kept() {
    const found = [];
    try {
      for (let n = 0; n < localStorage.length; n += 1) {
        const name = localStorage.key(n);
        if (name.startsWith(KEEP)) found.push(parsed(localStorage.getItem(name)));
      }
    } catch { /* storage is switched off: memory lasts as long as the page */ }
    return found.filter((item) => item?.id && item.kind);
  }

  function parsed(text) {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  /** `fleeting()`: how many would be gone with the page, because this browser keeps nothing. */
  judging.unsaved = (person) => {
    const memory = new Map();
    const gone = new Set();
    const name = (id) => `${KEEP}${encodeURIComponent(person)}.${id}`;
    const mine = () => kept().filter((item) => item.person === person && !gone.has(item.id));
    return {
      read: () => [...new Map([...mine().map((item) => [item.id, item]), ...memory]).values()].sort((a, b) => a.at - b.at || a.n - b.n),
      strangers: () => kept().filter((item) => item.person !== person && item.kind === "vote").length,
      fleeting: () => memory.size,
      keep(item) {
        const whole = { ...item, person };
        try { localStorage.setItem(name(item.id), JSON.stringify(whole)); } catch { memory.set(item.id, whole); }
      },
      drop(id) {
        memory.delete(id);
        gone.add(id);
        try { localStorage.removeItem(name(id)); } catch { /* see above */ }
      },
    };
  };

  /**
   * One sender at a time. hold(): what the browser has already; saved(item, answer) and refused(item, error) tell what
   * became of an item, cut(item) that nobody took it now (no network, no session), idle() that the box was gone through.
   */
  judging.sender = ({ queue, hold, saved, refused, cut, idle }) => {
    const { api } = window.ratchet;
    const me = { sending: false, offline: 0, locked: null, send, stop };
    let timer = null;
    let stopped = false;

    async function send() {
      if (me.sending) return;
      me.sending = true;
      clearTimeout(timer);
      const later = new Set(); // comparisons of which something could not be taken yet: what follows on them waits
      try {
        await goThrough(later);
      } finally {
        me.sending = false;
        if (later.size && !stopped) timer = setTimeout(send, Math.min(500 * 2 ** me.offline, LONGEST));
        idle();
      }
    }

    async function goThrough(later) {
      const next = () => queue.read().find((item) => !later.has(item.comparison) && !(later.size && !item.comparison));
      for (let item = next(); item && !stopped; item = next()) {
        const { person, at, n, kind, told, ...body } = item; // `told` is for this page alone
        const { answer, error } = await api(`/api/compare/${kind}`, { body: { ...body, hold: hold() } }).then((found) => ({ answer: found }), (wrong) => ({ error: wrong }));
        if (error && judging.mayComeLater(error)) {
          later.add(item.comparison);
          me.locked = judging.locked(error) ? error : null;
          cutOff(item);
          if (!error.status || me.locked) break; // nobody is there, or nobody knows who asks
          continue;
        }
        queue.drop(item.id);
        if (error) { refused(item, error); continue; }
        me.offline = 0;
        me.locked = null;
        saved(item, answer);
      }
    }

    function cutOff(item) {
      me.offline += 1;
      cut(item);
    }

    function stop() {
      stopped = true;
      clearTimeout(timer);
    }

    return me;
  };

  /** The studio knows nobody here, or knows somebody else. */
  judging.locked = (error) => error.status === 401 || error.kind === "other-person";

  /** Whether the same request may be taken later: it is kept then. */
  judging.mayComeLater = (error) => !error.status || error.status >= 500 || error.status === 429 || judging.locked(error);
})();
