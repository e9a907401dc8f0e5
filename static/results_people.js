/*
 * People in a study: how well they agree, what is disputed, what stands out about each, and whose votes count.
 */
(() => {
  "use strict";

  const { el, api, toast, results, undoLearning } = window.ratchet;
  const { plural, percent, card, table, range } = results;
  const digits = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));
  const FLAGS = { fast: "fast", constant: "always the same", side: "one side", contrary: "disagrees", gold: "known answers", inconsistent: "changes" };
  const OF = { labels: "labels from elsewhere", votes: "votes", ratings: "ratings", criterion: "a criterion" };
  const shared = (share) => (share.n ? `${percent(share.rate)} of ${share.n}` : "–");

  /** A share with its interval, drawn on 0 to 100 %, or null where there is nothing to share. */
  function bar(label, share) {
    if (!share.n) return null;
    const words = `${percent(share.rate)} of ${share.n}, ${percent(share.low)} to ${percent(share.high)}`;
    return el("div", { class: "results-share" }, el("span", {}, label), range(share.low, share.rate, share.high, 0.5, `${label}: ${words}`), el("span", { class: "num small" }, words));
  }

  /** On which side those stood who said the other thing at the second look. */
  function sides(oneself) {
    const both = oneself.left_both + oneself.right_both;
    return both > 0 && el("p", { class: "small" }, `The answers had changed places, and the same side won both times in ${both} of ${oneself.n}: ${oneself.left_both} left, ${oneself.right_both} right.`);
  }

  function reliance(found) {
    const bars = [bar("Right on known answers", found.gold), bar("The same again at a second look", found.oneself)].filter(Boolean);
    if (!bars.length) return null;
    return el("div", { class: "stack-s", id: "reliance" }, bars,
      found.oneself.n > 0 && el("p", { class: "muted small" }, `Cohen's kappa with oneself: ${digits(found.oneself.kappa)}.`), sides(found.oneself));
  }

  results.agreement = (found) => {
    const interval = found.low === null ? "" : ` (${digits(found.low)} to ${digits(found.high)})`;
    const numbers = [["Same answer", percent(found.percent)], ["Cohen's kappa, mean of pairs", digits(found.cohen_kappa)],
      ["Fleiss' kappa", digits(found.fleiss_kappa)], [`Krippendorff's alpha, ${found.level}, with its interval`, `${digits(found.krippendorff_alpha)}${interval}`]];
    const pairs = found.pairs.map((pair) => [`${pair.a} and ${pair.b}`, [pair.n, "num"], [percent(pair.percent), "num"], [digits(pair.cohen_kappa), "num"]]);
    const disputed = found.of === "labels" ? found.disputed.map((one) => el("li", {},
      el("span", {}, one.prompt || one.item), " ",
      el("span", { class: "muted small" }, Object.entries(one.labels).map(([label, count]) => `${label.replaceAll("_", " ")} ${count}`).join(", ")))) : [];
    return card("agreement", "Agreement", `On ${OF[found.of]}. Kappa and alpha are 1 where all agree and 0 where chance alone would do as well.`,
      table("Agreement", ["Measure", ["Value", "num"]], numbers.map(([name, value]) => [name, [value, "num"]])),
      reliance(found),
      pairs.length > 0 && table("Agreement of pairs", ["Pair", ["Items", "num"], ["Same", "num"], ["Kappa", "num"]], pairs),
      found.notes.map((note) => el("p", { class: "muted small" }, note)),
      el("h3", {}, `Disputed: ${plural(found.disputed_count, "item")}`),
      disputed.length > 0 && el("ul", { class: "results-disputed" }, disputed));
  };

  /** `changed()` is called after an exclusion. */
  results.annotators = (found, study, changed) => {
    const reason = el("input", { type: "text", id: "exclusion-reason", maxlength: 500, placeholder: "for example: votes within a second" });
    const rows = found.annotators.map((one) => [
      el("span", {}, one.annotator, one.excluded !== null && el("span", { class: "chip chip-warning" }, `excluded: ${one.excluded}`)),
      [one.votes, "num"], [one.median_seconds === null ? "–" : `${one.median_seconds.toFixed(1)} s`, "num"], [time(one.working_seconds), "num"],
      [shared(one.agreement), "num"], [shared(one.gold), "num"], [again(one.oneself), "num"],
      [one.left.n ? `${percent(one.left.rate)} (${percent(one.left.low)} to ${percent(one.left.high)})` : "–", "num"],
      skips(one.skips),
      el("ul", { class: "plain-list results-flags" }, one.flags.map((flag) => el("li", {}, el("span", { class: "chip chip-warning" }, FLAGS[flag.kind] || flag.kind), ` ${flag.evidence}`))),
      button("annotator", one.annotator, one.excluded)]);
    const groups = (kind, list) => list.map((one) => [one.value, [one.votes, "num"], [one.people, "num"], one.excluded === null ? "" : one.excluded, button(kind, one.value, one.excluded)]);
    return card("annotators", "Annotators", "A flag is a reason to look. Nothing is left out unless somebody says so and why; it can be taken back.",
      el("div", { class: "field" }, el("label", { for: "exclusion-reason" }, "Why votes are excluded"), reason),
      table("Annotators", ["Name", ["Votes", "num"], ["Median", "num"], ["Work", "num"], ["Agrees", "num"], ["Known answers", "num"], ["Same again", "num"], ["Left", "num"], "Skipped", "What stands out", "Count"], rows),
      found.days.length > 0 && el("details", { class: "results-groups" }, el("summary", {}, "By day and by source"),
        table("Days", ["Day (UTC)", ["Votes", "num"], ["People", "num"], "Excluded because", "Count"], groups("day", found.days)),
        table("Sources", ["Source", ["Votes", "num"], ["People", "num"], "Excluded because", "Count"], groups("source", found.sources))));

    function button(kind, value, excluded) {
      const label = excluded === null ? "Exclude" : "Include";
      return el("span", { class: "line" },
        el("button", { type: "button", class: "button button-secondary button-s", "aria-label": `${label} ${value}`, onclick: () => change(kind, value, excluded !== null) }, label),
        el("button", { type: "button", class: "button-text small", "aria-label": `Models that learnt from ${value}`, onclick: () => undoLearning({ kind, value, study }, value, excluded || reason.value.trim(), changed) }, "Models…"));
    }

    async function change(kind, value, count) {
      if (!count && !reason.value.trim()) {
        reason.focus();
        return toast("Say why first: the reason stands beside the numbers.", "bad");
      }
      const whose = kind === "annotator" ? value : `the ${kind} ${value}`;
      try {
        await api(`/api/results/exclusions?study=${encodeURIComponent(study)}`, { body: { kind, value, reason: reason.value, count } });
        toast(count ? `Votes of ${whose} count again.` : `Votes of ${whose} are left out.`, "good");
        changed();
      } catch (error) {
        toast(error.message, "bad");
      }
    }
  };

  const again = (own) => (own.n ? `${percent(own.rate)} of ${own.n}` : "–");
  const time = (seconds) => (seconds < 60 ? `${Math.round(seconds)} s` : seconds < 6000 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`);

  function skips(found) {
    const all = Object.values(found).reduce((sum, count) => sum + count, 0);
    const words = Object.entries(found).map(([reason, count]) => `${count} ${reason}`).join(", ");
    return all ? el("span", { title: words }, `${all}: ${words}`) : "–";
  }

  results.exclusions = (excluded) => {
    if (!excluded.length) return null;
    return el("ul", { class: "notice notice-warning plain-list", id: "exclusions" }, excluded.map((one) =>
      el("li", {}, `${plural(one.votes, "vote")} of the ${one.kind} ${one.value} ${one.counted ? "count here, though excluded" : "left out"}: ${one.reason}`)));
  };
})();
