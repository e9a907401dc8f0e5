/*
 * The comparisons that lie before a person, the first of them on the screen, and those that lie behind.
 *
 *   judging.ahead(pending)   pending(): the comparisons whose vote is not saved yet
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const BEHIND = 50;

  judging.ahead = (pending) => {
    let pairs = [];
    let past = [];
    const done = new Set();
    const ready = () => pairs.filter((pair) => pair.state === "ready");

    /** New ones behind those that are here, in the studio's order; `stay`: the first one stays whatever is said. */
    function take(list, stay) {
      const skip = pending();
      const known = new Map(pairs.map((pair) => [pair.comparison, pair]));
      const over = (pair) => skip.has(pair.comparison) || done.has(pair.comparison);
      const fresh = list.filter((pair) => !over(pair))
        .map((pair) => (pair.held ? known.get(pair.comparison) : Object.assign(known.get(pair.comparison)?.state === "ready" ? {} : known.get(pair.comparison) || {}, pair)))
        .filter(Boolean);
      const first = pairs[0];
      if (!first || (over(first) && !stay)) { pairs = fresh; return; }
      const newer = fresh.find((pair) => pair.comparison === first.comparison);
      if (newer && !stay) Object.assign(first, newer);
      pairs = [first, ...fresh.filter((pair) => pair.comparison !== first.comparison)];
    }

    function leave(comparison) {
      const pair = pairs.find((one) => one.comparison === comparison);
      if (!pair) return;
      pairs = pairs.filter((one) => one !== pair);
      past = [...past.filter((one) => one.comparison !== comparison), pair].slice(-BEHIND);
      done.add(comparison);
    }

    function bring(pair) {
      done.delete(pair.comparison);
      pairs = [pair, ...pairs.filter((one) => one.comparison !== pair.comparison)];
    }

    function drop(comparison) {
      pairs = pairs.filter((pair) => pair.comparison !== comparison);
    }

    return {
      first: () => pairs[0], others: () => pairs.slice(1), last: () => past.at(-1), back: () => past.pop(), behind: () => past.length,
      hold: () => ready().map((pair) => pair.comparison),
      take, leave, bring, drop,
      pass: (comparison) => { done.add(comparison); drop(comparison); },
      forgive: (comparison) => { done.delete(comparison); drop(comparison); },
      clear: () => { pairs = []; past = []; },
      again: () => { pairs = []; },
    };
  };
})();
