/*
 * How long somebody worked on a pair: from one sign of life to the next, as long as less than five minutes lie between
 * them. A longer silence counts for nothing, and neither does a tab that is hidden.
 *
 *   judging.clock()   → { restart(), seconds(), stop() }
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const SILENCE = 300_000; // ms
  const SIGNS = ["keydown", "pointerdown", "pointermove", "wheel", "scroll", "touchstart", "input"];

  judging.clock = (now = () => Date.now()) => {
    let worked = 0;
    let last = now();
    let away = document.hidden;

    function sign() {
      const at = now();
      if (!away && at - last < SILENCE) worked += Math.max(0, at - last);
      last = at;
      away = document.hidden;
    }

    SIGNS.forEach((name) => document.addEventListener(name, sign, { capture: true, passive: true }));
    document.addEventListener("visibilitychange", sign);

    return {
      restart() { sign(); worked = 0; },
      seconds() { sign(); return Math.round(worked) / 1000; },
      stop() {
        SIGNS.forEach((name) => document.removeEventListener(name, sign, { capture: true }));
        document.removeEventListener("visibilitychange", sign);
      },
    };
  };
})();
