/*
 * People in a study: how well they agree, what is disputed, what stands out about each, and whose votes count.
 */
(() => {
  "use strict";

  const { el, api, toast, results } = window.ratchet;
  const { plural, percent, card, table } = results;
  const digits = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));
  const FLAGS = { fast: "fast", constant: "always the same", side: "one side", contrary: "disagrees" };

  results.agreement = (found) => {
    const interval = found.low === null ? "" : ` (${digits(found.low)} to ${digits(found.high)})`;
    const numbers = [["Same answer", percent(found.percent)], ["Cohen's kappa, mean of pairs", digits(found.cohen_kappa)],
      ["Fleiss' kappa", digits(found.fleiss_kappa)], ["Krippendorff's alpha, with its interval", `${digits(found.krippendorff_alpha)}${interval}`]];
    const pairs = found.pairs.map((pair) => [`${pair.a} and ${pair.b}`, [pair.n, "num"], [percent(pair.percent), "num"], [digits(pair.cohen_kappa), "num"]]);
    const disputed = found.disputed.map((one) => el("li", {},
      el("span", {}, one.prompt || one.item), " ",
      el("span", { class: "muted small" }, Object.entries(one.labels).map(([label, count]) => `${label.replaceAll("_", " ")} ${count}`).join(", "))));
    return card("agreement", "Agreement", "Kappa and alpha are 1 where all agree and 0 where chance alone would do as well.",
      table("Agreement", ["Measure", ["Value", "num"]], numbers.map(([name, value]) => [name, [value, "num"]])),
      pairs.length > 0 && table("Agreement of pairs", ["Pair", ["Items", "num"], ["Same", "num"], ["Kappa", "num"]], pairs),
      el("h3", {}, `Disputed: ${plural(found.disputed_count, "item")}`),
      disputed.length > 0 && el("ul", { class: "results-disputed" }, disputed));
  };

  /** `changed()` is called after an exclusion. */
  results.annotators = (found, study, changed) => {
    const reason = el("input", { type: "text", id: "exclusion-reason", maxlength: 500, placeholder: "for example: votes within a second" });
    const rows = found.annotators.map((one) => [
      el("span", {}, one.annotator, one.excluded !== null && el("span", { class: "chip chip-warning" }, `excluded: ${one.excluded}`)),
      [one.votes, "num"], [one.median_seconds === null ? "–" : `${one.median_seconds.toFixed(1)} s`, "num"],
      [one.agreement.n ? `${percent(one.agreement.rate)} of ${one.agreement.n}` : "–", "num"],
      [one.left.n ? `${percent(one.left.rate)} (${percent(one.left.low)} to ${percent(one.left.high)})` : "–", "num"],
      el("ul", { class: "plain-list results-flags" }, one.flags.map((flag) => el("li", {}, el("span", { class: "chip chip-warning" }, FLAGS[flag.kind] || flag.kind), ` ${flag.evidence}`))),
      el("button", { type: "button", class: "button button-secondary button-s", "aria-label": `${one.excluded === null ? "Exclude" : "Include"} ${one.annotator}`, onclick: () => change(one) }, one.excluded === null ? "Exclude" : "Include")]);
    return card("annotators", "Annotators", "A flag is a reason to look. Nothing is left out unless somebody says so and why; it can be taken back.",
      el("div", { class: "field" }, el("label", { for: "exclusion-reason" }, "Why votes are excluded"), reason),
      table("Annotators", ["Name", ["Votes", "num"], ["Median", "num"], ["Agrees", "num"], ["Left", "num"], "What stands out", "Count"], rows));

    async function change(one) {
      const count = one.excluded !== null;
      if (!count && !reason.value.trim()) {
        reason.focus();
        return toast("Say why first: the reason stands beside the numbers.", "bad");
      }
      try {
        await api(`/api/results/exclusions?study=${encodeURIComponent(study)}`, { body: { kind: "annotator", value: one.annotator, reason: reason.value, count } });
        toast(count ? `Votes of ${one.annotator} count again.` : `Votes of ${one.annotator} are left out.`, "good");
        changed();
      } catch (error) {
        toast(error.message, "bad");
      }
    }
  };

  results.exclusions = (excluded) => {
    if (!excluded.length) return null;
    return el("ul", { class: "notice notice-warning plain-list", id: "exclusions" }, excluded.map((one) =>
      el("li", {}, `${plural(one.votes, "vote")} of the ${one.kind} ${one.value} ${one.counted ? "count here, though excluded" : "left out"}: ${one.reason}`)));
  };
})();
