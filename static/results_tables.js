/*
 * Numbers as tables: verdicts with their interval drawn, the leaderboard, the matrix, parts of a study, policies.
 *
 *   ratchet.results   {percent, card, table, verdicts, board, matrix, circles, parts, policies}
 */
(() => {
  "use strict";

  const { el } = window.ratchet;
  const plural = (count, noun, many = `${noun}s`) => `${count.toLocaleString("en")} ${count === 1 ? noun : many}`;
  const percent = (rate) => (rate === null || rate === undefined ? "–" : `${Math.round(100 * rate)} %`);
  const ordered = (pair) => [pair.interval_anytime[0], pair.interval_anytime[1]];

  /** A card with a heading; `id` names its heading. */
  function card(id, title, lead, ...content) {
    return el("section", { class: "card stack results-card", "aria-labelledby": `${id}-title`, id },
      el("h2", { id: `${id}-title` }, title), lead && el("p", { class: "muted small" }, lead), ...content);
  }

  /** Rows of cells under a heading; a cell is text, or [text or element, "num"]. */
  function table(caption, head, rows) {
    const cell = (tag, one) => (Array.isArray(one) ? el(tag, { class: one[1] }, one[0]) : el(tag, {}, one));
    return el("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": caption },
      el("table", { class: "table table-s" },
        el("caption", { class: "visually-hidden" }, caption),
        el("thead", {}, el("tr", {}, head.map((one) => el("th", { class: Array.isArray(one) ? one[1] : null, scope: "col" }, Array.isArray(one) ? one[0] : one)))),
        el("tbody", {}, rows.map((row) => el("tr", {}, row.map((one) => cell("td", one)))))));
  }

  /** An interval on a scale, with a point and a line in the middle. */
  function range(low, point, high, middle, words) {
    const at = (share) => `${Math.max(0, Math.min(1, share)) * 100}%`;
    return el("div", { class: "results-range", role: "img", "aria-label": words },
      el("span", { class: "results-middle", style: { left: at(middle) } }),
      el("span", { class: "results-span", style: { left: at(low), width: `${Math.max(0.5, (high - low) * 100)}%` } }),
      point !== null && el("span", { class: "results-point", style: { left: at(point) } }));
  }

  function sentence(pair) {
    const [low, high] = ordered(pair);
    if (pair.verdict !== "not decided") {
      const [better, worse, rate] = pair.verdict === "a better" ? [pair.a, pair.b, pair.win_rate] : [pair.b, pair.a, 1 - pair.win_rate];
      return [el("b", {}, better), " is better than ", el("b", {}, worse), `: it wins ${percent(rate)}.`];
    }
    const more = pair.votes_needed === null ? "Too close to say how many more votes would tell." : `About ${plural(pair.votes_needed, "more vote")} to tell.`;
    return [el("b", {}, pair.a), " and ", el("b", {}, pair.b), `: not decided (${percent(low)} to ${percent(high)}). ${more}`];
  }

  function verdict(pair) {
    const [low, high] = ordered(pair);
    const decided = pair.verdict !== "not decided";
    const words = `Win rate of ${pair.a} over ${pair.b}: ${percent(pair.win_rate)}, interval ${percent(low)} to ${percent(high)}`;
    return el("li", { class: `results-verdict ${decided ? "is-told" : ""}` },
      el("p", {}, sentence(pair)),
      range(low, pair.win_rate, high, 0.5, words),
      el("p", { class: "muted small num" }, `${pair.a} ${pair.wins_a}, ${pair.b} ${pair.wins_b}, ${plural(pair.ties, "tie")}, both bad ${pair.both_bad}; ${plural(pair.prompts, "prompt")}`));
  }

  const verdicts = (board) => card("verdicts", "Verdicts",
    "The interval holds however often it is looked at. Votes on one prompt are averaged first.",
    el("ul", { class: "plain-list stack-s" }, board.pairs.map(verdict)));

  function leaderboard(board) {
    const low = Math.min(...board.models.map((one) => one.low), 900);
    const high = Math.max(...board.models.map((one) => one.high), 1100);
    const place = (rating) => (rating - low) / (high - low);
    const rows = board.models.map((one) => [
      one.name, [Math.round(one.rating), "num"],
      range(place(one.low), place(one.rating), place(one.high), place(1000), `${one.name}: ${Math.round(one.rating)}, ${Math.round(one.low)} to ${Math.round(one.high)}`),
      [`${Math.round(one.low)} to ${Math.round(one.high)}`, "num"], [one.votes, "num"], [`${one.both_bad} (${percent(one.votes ? one.both_bad / one.votes : null)})`, "num"]]);
    return table("Leaderboard", ["Model", ["Rating", "num"], "95 % interval", ["From, to", "num"], ["Votes", "num"], ["Both bad", "num"]], rows);
  }

  /** What gold and adjudication are beside the votes that are counted here. */
  function beside(found) {
    const { comparisons, against_majority: against } = found.adjudicated;
    return comparisons > 0 && el("p", { class: "small", id: "adjudicated" },
      `${plural(comparisons, "comparison")} decided by adjudication, ${against} of them against the majority: votes are counted here, training takes the decisions.`);
  }

  const board = (found) => card("board", "Leaderboard",
    "Bradley and Terry's model with ties; 400 points are odds of ten to one. Both bad is counted apart and moves no rating.",
    leaderboard(found), beside(found), found.notes.map((note) => el("p", { class: "muted small" }, note)),
    el("p", { class: "small", id: "left-rate" }, found.left_rate === null ? "Nobody knows yet which side was preferred."
      : `The left answer won ${percent(found.left_rate)} of ${plural(found.left_votes, "decisive vote")}; half is fair.`));

  /** Win rates of rows over columns; colour is strength, the number says it as well. */
  function matrix(found) {
    const names = found.models.map((one) => one.name);
    const rates = new Map(found.pairs.flatMap((pair) => [
      [`${pair.a}\n${pair.b}`, [pair.win_rate, pair]], [`${pair.b}\n${pair.a}`, [1 - pair.win_rate, pair]]]));
    const cell = (row, column) => {
      const [rate, pair] = rates.get(`${row}\n${column}`) || [];
      if (rate === undefined) return el("td", { class: "num muted" }, row === column ? "" : "–");
      const tint = `${Math.round(Math.abs(rate - 0.5) * 100)}%`;
      return el("td", { class: `num results-cell ${rate > 0.5 ? "is-win" : "is-loss"}`, style: { "--tint": tint }, title: plural(pair.wins_a + pair.wins_b + pair.ties + pair.both_bad, "vote") }, percent(rate));
    };
    return card("matrix", "Win rates", "How often the model of the row beats the model of the column; ties count one half.",
      el("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": "Win rates" }, el("table", { class: "table table-s results-matrix" },
        el("thead", {}, el("tr", {}, el("td", {}), names.map((name) => el("th", { scope: "col", class: "num" }, name)))),
        el("tbody", {}, names.map((row) => el("tr", {}, el("th", { scope: "row" }, row), names.map((column) => cell(row, column))))))));
  }

  function circles(found) {
    if (!found.cycles.length) return null;
    return card("circles", "Circles", "No rating can express these; with few votes they are chance.",
      el("ul", {}, found.cycles.slice(0, 20).map((one) => el("li", {}, `${[...one.models, one.models[0]].join(" beats ")} (at least ${plural(one.fewest_votes, "vote")} a step)`))));
  }

  function parts(found) {
    if (!found.parts.length) return el("p", { class: "muted" }, found.by === "tag" ? "No prompt of this study comes from an example with tags." : "There are no votes yet.");
    const rows = found.parts.flatMap((part) => part.board.pairs.map((pair) => [
      part.name, `${pair.a} over ${pair.b}`, [percent(pair.win_rate), "num"],
      range(...[pair.interval_anytime[0], pair.win_rate, pair.interval_anytime[1]], 0.5, `${percent(pair.interval_anytime[0])} to ${percent(pair.interval_anytime[1])}`),
      [pair.prompts, "num"], [part.votes, "num"]]));
    return table("Parts of the study", ["Part", "Pair", ["Win rate", "num"], "Interval", ["Prompts", "num"], ["Votes", "num"]], rows);
  }

  /** What votes become, as a bar; votes and comparisons that make nothing stand grey at its end. */
  function becomes(one) {
    const out = Object.values(one.dropped).reduce((sum, count) => sum + count, 0);
    const made = [["pair", one.rows, "a"], ["tie", one.ties, "c"], ["negative", one.negatives, "b"], ["positive", one.positives, "good"], ["left out", out, "out"]].filter(([, count]) => count);
    const words = made.map(([name, count]) => (name === "left out" ? `${count} left out` : plural(count, name))).join(", ") || "nothing";
    return el("span", { class: "results-opinions results-becomes", role: "img", "aria-label": words, title: words },
      made.map(([, count, tone]) => el("span", { class: `results-opinion is-${tone}`, style: { "flex-grow": count } }, count)));
  }

  function policies(found) {
    const dropped = (one) => Object.entries(one.dropped).map(([reason, count]) => `${count} ${reason.replaceAll("_", " ")}`).join(", ") || "nothing";
    const decided = found.policies[0]?.adjudicated;
    return el("div", { class: "stack-s" },
      table("Policies", ["Policy", "What it does", "Votes become", ["Pairs", "num"], ["Mended", "num"], ["Ties", "num"], ["Thumbs down", "num"], ["Thumbs up", "num"], "Left out"],
        found.policies.map((one) => [one.policy, one.meaning, becomes(one), [one.rows, "num"], [one.edited, "num"], [one.ties, "num"], [one.negatives, "num"], [one.positives, "num"], dropped(one)])),
      decided > 0 && el("p", { class: "small", id: "policies-adjudicated" }, `On ${plural(decided, "comparison")} the decision of adjudication stands in the place of the votes.`));
  }

  window.ratchet.results = { plural, percent, card, table, range, verdicts, board, matrix, circles, parts, policies };
})();
