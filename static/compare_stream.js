/*
 * Tokens as they come: one stream at a time, of the comparison that is on the screen, painted once a frame.
 *
 *   judging.stream({ note(text), text(texts), done(pair), lost() })   → { watch(pair), close(), open() }
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const PHASES = { waiting: "Waiting for its turn", starting: "The engine is starting", loading: "The engine is loading the model" };

  judging.stream = ({ note, text, done, lost }) => {
    let source = null;

    function watch(pair) {
      close();
      const texts = pair.sides.map(() => "");
      let frame = null;
      const mine = new EventSource(`/api/compare/stream/${encodeURIComponent(pair.comparison)}`);
      source = mine;
      mine.onmessage = ({ data }) => {
        const event = JSON.parse(data);
        if (source !== mine) return;
        if (event.kind === "status") note(`${PHASES[event.phase] || event.phase}${event.seconds ? ` … ${event.seconds} s` : " …"}`);
        if (event.kind === "text") {
          event.add.forEach((add, index) => { texts[index] = event.anew ? add : texts[index] + add; });
          frame ??= requestAnimationFrame(() => { frame = null; if (source === mine) text(texts); });
        }
        if (event.kind === "done") { close(); done(pair, event.pair); }
      };
      mine.onerror = () => { if (source === mine) { close(); lost(); } };
    }

    function close() {
      source?.close();
      source = null;
    }

    return { watch, close, open: () => source !== null };
  };
})();
