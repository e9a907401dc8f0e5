/*
 * The layout "rank": three to eight answers, put in an order from the best to the worst, ties allowed.
 *
 * The order stands on a ladder in the vote bar, so that it is in sight whatever is being read. Three ways lead there,
 * and all do the same: number keys (best first; = ties the next one to the one before, as Shift with the number does;
 * Backspace takes the last one back), a press on a card's place, or dragging a card's grip or a rung of the ladder with
 * mouse, pen or finger. Between two rungs stands a button that ties or parts them. The last one left needs no key.
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const DRAGGED = 6; // px from which a press is a drag
  const PLACES = ["1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th"];
  const letter = (index) => judging.LETTERS[index];

  /* ---- The order: [[side, …], …], best first; all of it is a function of the one before ---------------------- */

  const without = (groups, side) => groups.map((group) => group.filter((one) => one !== side)).filter((group) => group.length);
  const placed = (groups) => groups.flat();
  const placeOf = (groups, side) => groups.slice(0, groups.findIndex((group) => group.includes(side))).flat().length;

  /** At the end; `tied`: beside the last one. */
  function put(groups, side, tied) {
    const rest = without(groups, side);
    return tied && rest.length ? [...rest.slice(0, -1), [...rest.at(-1), side]] : [...rest, [side]];
  }

  /** Takes back what was put last. */
  function back(groups) {
    const last = groups.at(-1) || [];
    return last.length > 1 ? [...groups.slice(0, -1), last.slice(0, -1)] : groups.slice(0, -1);
  }

  /** Drops a side before the group at `at`, or into it. The groups are counted as they stood before. */
  function drop(groups, side, at, into) {
    const marked = groups.map((group) => ({ group, target: false }));
    if (marked[at]) marked[at].target = true;
    const rest = marked.map((one) => ({ ...one, group: one.group.filter((other) => other !== side) }));
    const place = marked[at] ? rest.findIndex((one) => one.target) : rest.length;
    if (into) rest[place].group.push(side);
    else rest.splice(place, 0, { group: [side], target: false });
    return rest.map((one) => one.group).filter((group) => group.length);
  }

  /** Ties the group at `at` to the one before it. */
  const join = (groups, at) => [...groups.slice(0, at - 1), [...groups[at - 1], ...groups[at]], ...groups.slice(at + 1)];

  /** Parts a tie behind the `n`th of the group at `at`. */
  const part = (groups, at, n) => [...groups.slice(0, at), groups[at].slice(0, n), groups[at].slice(n), ...groups.slice(at + 1)];

  const words = (groups) => groups.map((group) => group.map(letter).join(" = ")).join(" > ");

  judging.orders = { put, back, drop, join, part, words, without }; // for tests

  /* ---- The layout -------------------------------------------------------------------------------------------- */

  judging.layouts.rank = (el, on, settings) => {
    let groups = [];
    let sides = settings.sides;
    let tie = false; // the next one is tied to the one before
    let able = false;
    let cards = [];

    const node = el("div", { class: "panes rank-panes" });
    const ladder = el("div", { class: "ladder", role: "group", "aria-label": "Your order, best first" });
    const told = el("span", { class: "visually-hidden", role: "status", "aria-live": "polite" });
    const hint = el("span", { class: "ladder-hint small muted" });
    const save = el("button", { type: "button", class: "button button-primary rank-save", disabled: true, onclick: () => decide() }, "Save ", el("kbd", { "aria-hidden": "true" }, "Enter"));
    const buttons = el("div", { class: "vote-buttons rank-buttons" }, ladder, el("div", { class: "rank-end" }, hint, save), told);
    build(sides);

    function build(count) {
      sides = count;
      cards = Array.from({ length: count }, (_, index) => card(index));
      node.replaceChildren(...cards.map((one) => one.node));
      node.dataset.sides = String(count);
    }

    function card(index) {
      const side = letter(index);
      const place = el("button", { type: "button", class: "place", onclick: (event) => {
        if (event.detail) place.blur(); // a mouse leaves no focus behind, or Enter would press this again instead of saving
        change(placed(groups).includes(index) ? without(groups, index) : put(groups, index, tie));
      } });
      const grip = el("span", { class: "grip", "aria-hidden": "true", title: "Drag it to the order below" });
      const note = el("span", { class: "pane-note muted small" });
      const body = el("div", { class: "pane-body prose", role: "region", tabindex: "0", "aria-label": `Answer ${side}` });
      const pane = el("section", { class: `pane pane-${side.toLowerCase()}`, "aria-label": `Answer ${side}` },
        el("div", { class: "pane-head" }, grip, el("span", { class: `chip chip-${side.toLowerCase()}` }, `Answer ${side}`), el("kbd", { "aria-hidden": "true", dataset: { cap: `place_${index + 1}` } }, String(index + 1)), note, place), body);
      draggable(grip, index);
      return { node: pane, body, note, place };
    }

    /* -- Changing -- */

    function change(next, tying = false) {
      if (!able) return;
      groups = next;
      tie = tying && groups.length > 0 && placed(groups).length < sides;
      draw();
      told.textContent = groups.length ? words(groups) : "nothing placed";
      on.changed();
    }

    function press(index, tied) {
      if (!able || index >= sides || placed(groups).includes(index)) return;
      change(put(groups, index, tied || tie));
    }

    const complete = () => placed(groups).length >= sides - 1 && sides > 0 && groups.length > 0;

    /** The order, with the one that is left as the worst. */
    function whole() {
      const left = Array.from({ length: sides }, (_, index) => index).filter((index) => !placed(groups).includes(index));
      return left.length ? put(groups, left[0], tie) : groups;
    }

    function decide() {
      if (able && complete()) on.decide({ choice: "ranking", ranking: whole() });
    }

    /* -- Drawing -- */

    function draw() {
      const focused = ladder.querySelector(":focus-visible")?.dataset.side;
      const left = Array.from({ length: sides }, (_, index) => index).filter((index) => !placed(groups).includes(index));
      const rungs = groups.flatMap((group, at) => [
        at > 0 && between(">", `Tie ${letter(groups[at - 1].at(-1))} and ${letter(group[0])}`, () => change(join(groups, at)), at),
        el("span", { class: "rung", dataset: { at: String(at) } }, group.flatMap((index, n) => [
          n > 0 && between("=", `${letter(group[n - 1])} before ${letter(index)}`, () => change(part(groups, at, n)), at), stone(index)])),
      ]);
      ladder.replaceChildren(el("span", { class: "ladder-end small muted" }, "Best"), ...rungs.filter(Boolean),
        groups.length ? el("span", { class: "ladder-next", "aria-hidden": "true" }, left.length ? (tie ? "=" : ">") : "") : "",
        ...left.map((index) => stone(index, true)));
      cards.forEach(({ place, node: pane }, index) => {
        const here = placed(groups).includes(index);
        const group = groups.find((one) => one.includes(index));
        const text = here ? `${PLACES[placeOf(groups, index)]}${group.length > 1 ? ", tied" : ""}` : "Place";
        place.textContent = text;
        place.setAttribute("aria-label", here ? `Answer ${letter(index)} is ${text}; take it out` : `Place answer ${letter(index)} next`);
        place.classList.toggle("is-placed", here);
        pane.classList.toggle("is-chosen", here && placeOf(groups, index) === 0);
      });
      hint.textContent = complete() ? "" : groups.length ? (tie ? "= the next one is tied" : "= ties the next one") : "Press the numbers, best first";
      save.disabled = !able || !complete();
      if (focused) ladder.querySelector(`[data-side="${focused}"]`)?.focus({ preventScroll: true });
    }

    function between(sign, label, run) {
      return el("button", { type: "button", class: "between", title: label, "aria-label": label, disabled: !able, onclick: run }, sign);
    }

    /** One answer on the ladder. */
    function stone(index, loose = false) {
      const label = loose ? `Place answer ${letter(index)} next` : `Take answer ${letter(index)} out`;
      const node = el("button", { type: "button", class: `stone chip chip-${letter(index).toLowerCase()}${loose ? " is-loose" : ""}`, dataset: { side: String(index) }, title: label, "aria-label": label,
        disabled: !able, onclick: () => change(loose ? put(groups, index, tie) : without(groups, index)) }, letter(index));
      draggable(node, index);
      return node;
    }

    /* -- Dragging: pointer events, so that mouse, pen and finger are one -- */

    function draggable(handle, index) {
      handle.addEventListener("pointerdown", (event) => {
        if (!able || event.button !== 0) return;
        const from = [event.clientX, event.clientY];
        let ghost = null;
        let target = null;
        handle.setPointerCapture(event.pointerId);

        function move(at) {
          if (!ghost && Math.hypot(at.clientX - from[0], at.clientY - from[1]) < DRAGGED) return;
          ghost ||= begin(index);
          ghost.style.setProperty("translate", `${at.clientX}px ${at.clientY}px`);
          target = aim(at.clientX, at.clientY);
          show(target);
        }

        function end(at) {
          handle.removeEventListener("pointermove", move);
          handle.removeEventListener("pointerup", end);
          handle.removeEventListener("pointercancel", end);
          ghost?.remove();
          buttons.classList.remove("is-dragging");
          show(null);
          if (!ghost) return;
          target = at.type === "pointerup" ? aim(at.clientX, at.clientY) : null; // moves come once a frame: the last one may be missing
          // A drag that ends on its own button is no click.
          handle.addEventListener("click", (click) => { click.preventDefault(); click.stopImmediatePropagation(); }, { capture: true, once: true });
          setTimeout(() => { if (target) land(target, index); else draw(); });
        }

        handle.addEventListener("pointermove", move);
        handle.addEventListener("pointerup", end);
        handle.addEventListener("pointercancel", end);
      });
    }

    function begin(index) {
      buttons.classList.add("is-dragging");
      const ghost = el("span", { class: `ghost chip chip-${letter(index).toLowerCase()}`, "aria-hidden": "true" }, letter(index));
      document.body.append(ghost);
      return ghost;
    }

    /** Where a drop at this point would land: {at, into}; at = how many groups there are is the end; "out" takes it off. */
    function aim(x, y) {
      const box = ladder.getBoundingClientRect();
      if (y < box.top - 24 || y > box.bottom + 24) return null;
      const rungs = [...ladder.querySelectorAll(".rung")];
      const loose = ladder.querySelector(".stone.is-loose")?.getBoundingClientRect();
      if (loose && groups.length && y >= loose.top && x > loose.left + loose.width / 2) return { out: true };
      for (const [at, rung] of rungs.entries()) {
        const rect = rung.getBoundingClientRect();
        if (y > rect.bottom + 4) continue; // the ladder wraps on a phone
        const edge = Math.min(18, rect.width / 4);
        if (x < rect.left + edge) return { at, into: false };
        if (x <= rect.right - edge) return { at, into: true };
        if (x <= rect.right + 6) return { at: at + 1, into: false };
      }
      return { at: rungs.length, into: false };
    }

    function show(target) {
      [...ladder.querySelectorAll(".rung")].forEach((rung, at) => {
        rung.classList.toggle("is-target", Boolean(target?.into && target.at === at));
        rung.classList.toggle("is-before", Boolean(target && !target.into && target.at === at));
        rung.classList.toggle("is-behind", Boolean(target && !target.into && target.at === groups.length && at === groups.length - 1));
      });
    }

    function land(target, index) {
      if (target.out) return change(without(groups, index));
      if (target.into && groups[target.at].includes(index)) return undefined;
      return change(drop(groups, index, target.at, target.into));
    }

    /* -- Keys -- */

    // Shift with a number: what it writes differs from keyboard to keyboard, its place does not.
    function shifted(event) {
      if (!node.isConnected) return undefined; // another layout has the seat
      const digit = /^(?:Digit|Numpad)([1-8])$/.exec(event.code);
      if (!digit || !event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return undefined;
      if (event.target.closest?.("input, textarea, select, [contenteditable], dialog[open]") || document.querySelector("dialog[open]")) return undefined;
      event.preventDefault();
      return press(Number(digit[1]) - 1, true);
    }
    document.addEventListener("keydown", shifted);

    const numbers = Array.from({ length: settings.sides }, (_, index) => ({ id: `place_${index + 1}`, label: `Answer ${letter(index)} comes next, best first (with Shift: tied with the one before)`,
      keys: [String(index + 1)], run: () => press(index, false) }));

    return {
      node,
      buttons,
      keys: [
        ...numbers,
        { id: "rank_tie", label: "The next one is tied with the one before", keys: ["="], run: () => change(groups, !tie) },
        { id: "rank_back", label: "Take the last one back", keys: ["Backspace"], fixed: true, run: () => change(back(groups)) },
        { id: "rank_save", label: "Save the order; the one that is left comes last", keys: ["Enter"], fixed: true, run: (event) => (event?.target.closest?.("button, a, summary, select") ? false : decide()) },
      ],
      show(pair) {
        if (pair.sides.length !== sides) { build(pair.sides.length); draw(); }
        judging.answers(el, pair).forEach((answer, index) => {
          cards[index].body.replaceChildren(answer);
          cards[index].body.scrollTop = 0;
          cards[index].note.textContent = "";
          cards[index].node.classList.remove("is-streaming");
        });
      },
      wait(pair) {
        if (pair.sides.length !== sides) { build(pair.sides.length); draw(); }
        cards.forEach(({ body, note }) => { body.replaceChildren(el("div", { class: "skeleton" }), el("div", { class: "skeleton short" })); note.textContent = ""; });
      },
      stream: (texts) => cards.forEach(({ node: pane, body, note }, index) => {
        note.textContent = "writing";
        pane.classList.add("is-streaming");
        if (texts[index]) body.replaceChildren(el("div", { class: "answer" }, window.ratchet.markdown(texts[index])));
      }),
      note: (text) => cards.forEach(({ note }) => { note.textContent = text; }),
      can(yes) {
        if (able === yes) return;
        able = yes;
        ladder.querySelectorAll("button").forEach((button) => { button.disabled = !yes; });
        cards.forEach(({ place }) => { place.disabled = !yes; });
        save.disabled = !yes || !complete();
      },
      answer: () => (complete() ? { choice: "ranking", ranking: whole() } : null),
      mark(answer) {
        groups = (answer.ranking || []).map((group) => [...group]);
        tie = false;
        draw();
      },
      clear() {
        groups = [];
        tie = false;
        cards.forEach(({ node: pane }) => pane.classList.remove("is-chosen", "is-streaming"));
        draw();
      },
      said: ({ ranking }) => words(ranking || []),
      winners: ({ ranking }) => ranking?.[0] || [],
    };
  };
})();
