/*
 * Tokens as they come: one stream at a time, of the comparison that is on the screen, painted at most once a frame.
 *
 *   judging.stream({ note(text), text(texts), done(pair), lost() })   → { watch(pair), close(), open() }
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const MOST = 1500;
  const PHASES = { waiting: "Waiting for its turn", starting: "The engine is starting", loading: "The engine is loading the model", answering: "The answers are being written",
    restarting: "The engine had ended by itself; it is being started again, and the answers begin anew",
    aside: "The engine has made room for a training and comes back by itself" };

  judging.stream = ({ note, text, done, lost }) => {
    let source = null;

    function watch(pair) {
      close();
      const texts = pair.sides.map(() => "");
      let phase = "";
      let frame = null;
      let rest = 0; // ms until the next drawing: three times as long as the last one took, so that long texts leave the page free
      const mine = new EventSource(ratchet.at(`/api/compare/stream/${encodeURIComponent(pair.comparison)}`));
      source = mine;
      mine.onmessage = ({ data }) => {
        const event = JSON.parse(data);
        if (source !== mine) return;
        if (event.kind === "status") {
          phase = `${PHASES[event.phase] || event.phase}${event.seconds ? ` … ${event.seconds} s` : " …"}`;
          note(phase);
        }
        if (event.kind === "text") {
          event.add.forEach((add, index) => { texts[index] = event.anew ? add : texts[index] + add; });
          frame ??= setTimeout(() => requestAnimationFrame(() => { frame = null; if (source === mine) rest = timed(draw); }), rest);
        }
        if (event.kind === "done") { close(); done(pair, event.pair); }
      };
      const draw = () => {
        text(texts);
        if (!texts.some(Boolean)) note(phase); // they begin anew: why, is what matters now
      };
      mine.onerror = () => { if (source === mine) { close(); lost(); } };
    }

    function timed(run) {
      const begun = performance.now();
      run();
      return Math.min(MOST, 3 * (performance.now() - begun));
    }

    function close() {
      source?.close();
      source = null;
    }

    return { watch, close, open: () => source !== null };
  };
})();
