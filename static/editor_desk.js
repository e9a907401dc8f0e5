/*
 * The desk: one row being edited, apart from how it is drawn. What stands in the editor, what the studio has, and the
 * steps between that can be undone and done again before anything is saved.
 *
 * Which model wrote a turn stands in the metadata of the content, by the turn's place (`drafted_by`); while it is
 * edited the mark hangs on the turn itself, so that it moves along with it.
 */
(() => {
  "use strict";

  const PAUSE = 3000; // milliseconds: what is typed after a longer pause is another step
  const MOST_STEPS = 200;
  const HUGE = 200_000; // characters: a longer text is not wrapped, which a browser needs seconds for
  const MOST_KEPT = 20_000_000; // characters of all steps: a row may hold megabytes
  const parts = (window.ratchet.editorParts ||= {});
  const clone = (value) => JSON.parse(JSON.stringify(value));
  const TURNS = ["messages", "prompt", "chosen", "rejected", "completion"];

  /** A stored content as the editor holds it. */
  function opened(content) {
    const made = clone(content);
    // A bare text stands for one message.
    for (const name of TURNS) if (typeof made[name] === "string") made[name] = [{ role: name === "prompt" ? "user" : "assistant", content: made[name] }];
    for (const [place, mark] of Object.entries(made.metadata?.drafted_by || {})) {
      const [name, at] = place.split(".");
      if (TURNS.includes(name) && made[name]?.[at]) made[name][at].drafted = mark;
    }
    return made;
  }

  /** What the editor holds as it is stored: marks in the metadata, nothing that is empty. */
  function plain(content) {
    const made = clone(content);
    const marks = {};
    for (const name of TURNS) {
      for (const [at, turn] of (made[name] || []).entries()) {
        if (turn.drafted) marks[`${name}.${at}`] = turn.drafted;
        delete turn.drafted;
      }
    }
    for (const answer of made.answers || []) for (const turn of answer.messages || []) delete turn.drafted;
    const { drafted_by: before, ...rest } = made.metadata || {};
    made.metadata = Object.keys(marks).length ? { ...rest, drafted_by: marks } : rest;
    if (!Object.keys(made.metadata).length) delete made.metadata;
    for (const name of ["tools", "answers"]) if (made[name] && !made[name].length) delete made[name];
    for (const name of ["margin"]) if (made[name] === null) delete made[name];
    return made;
  }

  /** Steps: what was before each change, by its label; typing in one field is one step until a pause. */
  parts.steps = (desk) => {
    let done = [];
    let undone = [];
    let typing = { label: "", at: 0 };
    const now = () => JSON.stringify(desk.draft);

    function push(label, before = now()) {
      done.push({ label, draft: before });
      let kept = done.reduce((sum, step) => sum + step.draft.length, 0);
      while (done.length > MOST_STEPS || (done.length > 1 && kept > MOST_KEPT)) kept -= done.shift().draft.length;
      undone = [];
      typing = { label: "", at: 0 };
    }

    function typed(label) {
      if (typing.label !== label || Date.now() - typing.at > PAUSE) push(`typing in ${label.charAt(0).toLowerCase()}${label.slice(1)}`);
      typing = { label, at: Date.now() };
    }

    function turn(from, to) {
      const step = from.pop();
      if (!step) return false;
      to.push({ label: step.label, draft: now() });
      typing = { label: "", at: 0 };
      desk.draft = JSON.parse(step.draft);
      return true;
    }

    return {
      push, typed,
      snapshot: now,
      back: () => turn(done, undone),
      again: () => turn(undone, done),
      clear: () => { done = []; undone = []; typing = { label: "", at: 0 }; },
      undo: () => done.at(-1)?.label,
      redo: () => undone.at(-1)?.label,
    };
  };

  /** A field grows with what is typed, in browsers that do not do it by themselves as well. */
  parts.grown = (area) => {
    if (area.value.length > HUGE) {
      area.classList.add("is-huge");
      area.wrap = "off";
      area.spellcheck = false;
      return area;
    }
    if (CSS.supports("field-sizing", "content")) return area;
    const fit = () => { area.style.height = "auto"; area.style.height = `${area.scrollHeight + 2}px`; };
    ["input", "grow"].forEach((name) => area.addEventListener(name, fit));
    requestAnimationFrame(fit);
    return area;
  };

  parts.stored = { opened, plain, clone };
})();
