/*
 * The Pareto view of a search: each trial as a point of two goals, those that no other trial beats in both joined by a
 * step line. Lower is better in both, so the best stand at the lower left.
 *
 *   ratchet.training.pareto(search, titles)   one drawing for each pair of goals with two trials or more
 */
(() => {
  "use strict";

  const { el, figure } = window.ratchet;
  const [WIDTH, HEIGHT] = [520, 240];
  const SPAN = { left: 56, right: WIDTH - 14, top: 12, bottom: HEIGHT - 40 };
  const PAIRS = [["held_out_loss", "seconds"], ["held_out_loss", "forgetting"]];

  function scale(values, from, to) {
    let [low, high] = [Math.min(...values), Math.max(...values)];
    if (high - low < 1e-12) [low, high] = [low - 1, high + 1];
    const pad = (high - low) * 0.08;
    return Object.assign((value) => from + ((value - low + pad) / (high - low + 2 * pad)) * (to - from), { low, high });
  }

  /** Of the points those that none beats in both, from left to right. */
  function front(points) {
    let lowest = Infinity;
    return [...points].sort((a, b) => a.x - b.x || a.y - b.y).filter((point) => {
      const better = point.y < lowest;
      lowest = Math.min(lowest, point.y);
      return better;
    });
  }

  function drawing(search, [first, second], titles) {
    const points = search.trials.filter((trial) => Number.isFinite(trial.values[first]) && Number.isFinite(trial.values[second]))
      .map((trial) => ({ trial, x: trial.values[first], y: trial.values[second] }));
    if (points.length < 2) return null;
    const x = scale(points.map((point) => point.x), SPAN.left, SPAN.right);
    const y = scale(points.map((point) => point.y), SPAN.bottom, SPAN.top);
    const best = front(points);
    const line = best.map((point, at) => (at ? `H${x(point.x)}V${y(point.y)}` : `M${x(point.x)} ${y(point.y)}`)).join("");
    const words = `${titles[first]} against ${titles[second].toLowerCase()} of ${points.length} trials; no trial beats ${best.map((point) => point.trial.number).join(", ")}.`;
    const text = (tx, ty, said, anchor = "middle") => el("svg:text", { x: tx, y: ty, "text-anchor": anchor }, said);
    return el("figure", { class: "curve-small" }, el("figcaption", { class: "small muted" }, `${titles[second]} against ${titles[first].toLowerCase()}`),
      el("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "pareto", role: "img", "aria-label": words },
        [x.low, x.high].map((value) => text(x(value), SPAN.bottom + 18, figure(value))), [y.low, y.high].map((value) => text(SPAN.left - 8, y(value) + 4, figure(value), "end")),
        el("svg:line", { x1: SPAN.left, x2: SPAN.right, y1: SPAN.bottom, y2: SPAN.bottom }), el("svg:line", { x1: SPAN.left, x2: SPAN.left, y1: SPAN.top, y2: SPAN.bottom }),
        text((SPAN.left + SPAN.right) / 2, HEIGHT - 6, titles[first]), el("svg:path", { d: line, class: "pareto-step" }),
        points.map((point) => el("svg:circle", { cx: x(point.x), cy: y(point.y), r: best.includes(point) ? 6 : 4, class: best.includes(point) ? "is-front" : "" },
          el("svg:title", {}, `Trial ${point.trial.number}: ${figure(point.x)}, ${figure(point.y)}`)))));
  }

  window.ratchet.training.pareto = (search, titles) => PAIRS.map((pair) => drawing(search, pair, titles)).filter(Boolean);
})();
