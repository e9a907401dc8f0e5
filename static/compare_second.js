/*
 * What comes between the first key and the vote: mending, details, or nothing at all. What is typed here is kept in
 * this tab until the vote is given, so that a reload or a new sign-in takes nothing away.
 *
 *   judging.second(el, on)   → { nodes, begin(about, mend), close(), stop() }
 *
 * about: { pair, answer, settings, title, said, side, values?, again? }     `again`: the panel opens whatever is missing
 * on: { commit(about, said) the whole vote, leave(about) nothing was said, state("details" | "fixing") }
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });

  judging.second = (el, on, person) => {
    let at = null;
    const name = () => `ratchet.draft.${encodeURIComponent(person)}.${at.pair.comparison}`;
    const details = judging.details(el, { save: done, back: leave, fix: mend, draft: keep });
    const fix = judging.fix(el, {
      save(edited) { at.values.edited = edited; done(at.values); },
      back(edited) { at.values.typed = edited; keep(); at.fromDetails ? ask() : leave(); },
      draft(edited) { at.values.typed = edited; keep(); },
    });

    function begin(about, mending) {
      const begun = typed(about);
      at = { ...about, values: { ...given(about.values), ...begun } };
      if (mending) return mend();
      if (about.again || begun.rationale || judging.missing(at.settings, at.answer, at.values, at.pair.sides.length).length) return ask();
      return done(at.values);
    }

    /** What an earlier vote said besides its choice, to be changed without changing that vote. */
    function given(vote) {
      const { strength, criteria, chips, rationale, edited } = vote || {};
      return structuredClone({ strength, criteria: criteria || {}, chips: chips || [], rationale, edited });
    }

    function ask() {
      close();
      on.state("details");
      details.open({ settings: at.settings, answer: at.answer, sides: at.pair.sides.length, title: at.title, values: at.values });
      at.fromDetails = true;
    }

    function mend() {
      close();
      on.state("fixing");
      fix.open({ pair: at.pair, side: at.side, said: at.said, edited: at.values.typed || at.values.edited });
    }

    function done(values) {
      if (judging.missing(at.settings, at.answer, values, at.pair.sides.length).length) return ask();
      close();
      forget();
      return on.commit(at, judging.said(at.answer, values, at.pair.sides.length));
    }

    function leave() {
      keep();
      close();
      on.leave(at);
    }

    function close() {
      details.close();
      fix.close();
    }

    /* -- What was typed -- */

    function keep() {
      const { rationale, typed: text } = at.values;
      try {
        if (rationale || text) sessionStorage.setItem(name(), JSON.stringify({ rationale, typed: text }));
        else sessionStorage.removeItem(name());
      } catch { /* storage is switched off: it lasts as long as the panel */ }
    }

    function typed(about) {
      at = about;
      try {
        return JSON.parse(sessionStorage.getItem(name())) || {};
      } catch {
        return {};
      }
    }

    function forget() {
      try { sessionStorage.removeItem(name()); } catch { /* see above */ }
    }

    return { nodes: [details.node, fix.node], begin, close, stop: () => { details.stop(); fix.stop(); } };
  };
})();
