/*
 * What reward models say about the answers of a study: means by contestant, and how often they agree with the votes.
 *
 *   ratchet.results.scores(judges, study)      a card, or null where no reward model has scored the study
 */
(() => {
  "use strict";

  const { el, results } = window.ratchet;
  const { plural, percent, card, table, range } = results;
  const digits = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));

  function means(judge) {
    const ends = judge.contestants.flatMap((one) => [one.low, one.mean, one.high]).filter((value) => value !== null);
    const low = Math.min(...ends), width = Math.max(...ends) - low || 1;
    const place = (value) => (value - low) / width;
    const rows = judge.contestants.map((one) => [one.name, [digits(one.mean), "num"],
      one.low === null ? "–" : range(place(one.low), place(one.mean), place(one.high), 0.5, `${one.name}: ${digits(one.mean)}, ${digits(one.low)} to ${digits(one.high)}`),
      [one.low === null ? "–" : `${digits(one.low)} to ${digits(one.high)}`, "num"], [one.count, "num"]]);
    return table(`Scores by ${judge.model}`, ["Model", ["Mean", "num"], "From lowest to highest", ["From, to", "num"], ["Answers", "num"]], rows);
  }

  const agreed = (judge) => (judge.agreement === null ? "No vote can be held against these scores yet."
    : `Its higher score went to the preferred answer in ${percent(judge.agreement)} of ${plural(judge.votes, "vote")}.`);

  results.scores = (judges, study) => (judges.length === 0 ? null : card("scores", "Reward models",
    "What a reward model scores is what it learnt from votes; the interval is of the mean, 95 %. It is no vote and counts nowhere.",
    judges.map((judge) => el("section", { class: "stack-s", "aria-label": judge.model }, el("h3", {}, judge.model), means(judge),
      el("p", { class: "muted small" }, agreed(judge)),
      el("div", { class: "command" }, el("code", { tabindex: 0 }, `ratchet score ${judge.model} --study ${study}`))))));
})();
