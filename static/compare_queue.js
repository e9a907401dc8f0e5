/*
 * What is not saved yet: votes and undos in the order in which they were given, kept in localStorage until the studio
 * has answered, each under an id made here, so that none is lost and none counts twice.
 *
 *   judging.unsaved()     the box in which they are kept
 *   judging.sender({…})   sends what lies in the box, one after the other, again and again until it is answered
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const KEEP = "ratchet.unsaved.";
  const LONGEST = 5000; // ms between two attempts

  judging.newId = () => crypto.randomUUID ? crypto.randomUUID() : Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");

  /** Votes and undos in the order in which they were given; localStorage where there is one. */
  judging.unsaved = () => {
    const memory = new Map();
    return {
      read() {
        const found = new Map(memory);
        try {
          for (let n = 0; n < localStorage.length; n += 1) {
            const name = localStorage.key(n);
            if (name.startsWith(KEEP)) found.set(name.slice(KEEP.length), JSON.parse(localStorage.getItem(name)));
          }
        } catch { /* storage is switched off: memory lasts as long as the page */ }
        return [...found.values()].sort((a, b) => a.at - b.at || a.n - b.n);
      },
      keep(item) {
        memory.set(item.id, item);
        try { localStorage.setItem(KEEP + item.id, JSON.stringify(item)); } catch { /* see above */ }
      },
      drop(id) {
        memory.delete(id);
        try { localStorage.removeItem(KEEP + id); } catch { /* see above */ }
      },
    };
  };

  /**
   * One sender at a time. hold(): what the browser has already; saved(item, answer), refused(item, error),
   * cut(item) (nobody answers) and idle() tell what became of it.
   */
  judging.sender = ({ queue, hold, saved, refused, cut, idle }) => {
    const { api } = window.ratchet;
    const me = { sending: false, offline: 0, send, stop };
    let timer = null;
    let stopped = false;

    async function send() {
      if (me.sending) return;
      me.sending = true;
      clearTimeout(timer);
      for (let item = queue.read()[0]; item && !stopped; item = queue.read()[0]) {
        try {
          const answer = await api(`/api/compare/${item.kind}`, { body: { ...item, hold: hold() } });
          queue.drop(item.id);
          me.offline = 0;
          saved(item, answer);
        } catch (error) {
          if (!error.status || error.status >= 500) { cutOff(item); break; }
          queue.drop(item.id);
          refused(item, error);
        }
      }
      me.sending = false;
      idle();
    }

    function cutOff(item) {
      me.offline += 1;
      cut(item);
      timer = setTimeout(send, Math.min(500 * 2 ** me.offline, LONGEST));
    }

    function stop() {
      stopped = true;
      clearTimeout(timer);
    }

    return me;
  };
})();
