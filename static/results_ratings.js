/*
 * Ratings of answers: the mean of each contestant with its interval, and how often each step was given; the same for
 * each criterion, with how well people agree on it.
 *
 *   ratchet.results.ratings(board)   ratchet.results.criteria(found)      cards, or null where nothing was rated
 */
(() => {
  "use strict";

  const { el, results } = window.ratchet;
  const { plural, percent, card, table, range } = results;
  const digits = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));

  /** How often each step was given, as columns; the numbers stand in the label. */
  function steps(one, scale) {
    const top = Math.max(...Object.values(one.steps));
    const words = Object.entries(one.steps).map(([step, count]) => `${count} times ${step}`).join(", ");
    const columns = Array.from({ length: scale }, (_, index) => one.steps[String(index + 1)] || 0);
    return el("div", { class: "results-steps", role: "img", "aria-label": words, title: words },
      columns.map((count) => el("span", { style: { height: `${Math.max(count ? 8 : 2, Math.round(100 * count / top))}%` } })));
  }

  const whole = (models, scale) => Math.max(scale || 0, ...models.flatMap((one) => Object.keys(one.steps).map(Number)), 2);

  function means(caption, models, scale) {
    const top = whole(models, scale);
    const place = (value) => (value - 1) / (top - 1);
    const rows = models.map((one) => [one.name, [digits(one.mean), "num"],
      one.low === null ? "–" : range(place(one.low), place(one.mean), place(one.high), 0.5, `${one.name}: ${digits(one.mean)}, ${digits(one.low)} to ${digits(one.high)}`),
      [one.low === null ? "–" : `${digits(one.low)} to ${digits(one.high)}`, "num"], steps(one, top), [one.ratings, "num"], [one.prompts, "num"]]);
    return table(caption, ["Model", ["Mean", "num"], `On the scale, 1 to ${top}`, ["From, to", "num"], "How often", ["Ratings", "num"], ["Prompts", "num"]], rows);
  }

  results.ratings = (board) => (board.ratings.length === 0 ? null : card("ratings", "Ratings",
    "The mean of each model; the interval is a bootstrap over prompts, 95 %.", means("Ratings", board.ratings, null)));

  results.criteria = (found) => {
    if (!found.criteria.length) return null;
    return card("criteria", "Criteria", "Alpha is ordinal: it is 1 where all agree and 0 where chance alone would do as well.",
      found.criteria.map((one) => {
        const { agreement } = one;
        const alpha = agreement.krippendorff_alpha === null ? "nobody rated the same answer as somebody else"
          : `same rating ${percent(agreement.percent)}, alpha ${digits(agreement.krippendorff_alpha)}${agreement.low === null ? "" : ` (${digits(agreement.low)} to ${digits(agreement.high)})`}`;
        return el("section", { class: "stack-s", "aria-label": one.label }, el("h3", {}, one.label),
          one.models.length > 0 && means(one.label, one.models, one.scale),
          el("p", { class: "muted small" }, `${plural(agreement.annotators, "person", "people")}, ${plural(agreement.items, "item")}: ${alpha}.`));
      }));
  };
})();
