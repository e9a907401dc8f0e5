/*
 * What a run is found to be like: the doctor's sentences while it trains, samples by step, and the evaluation after it.
 *
 *   ratchet.training.symptoms(list)     the doctor's sentences as elements
 *   new ratchet.training.Samples()      {element, read(job)}
 *   ratchet.training.evaluation(found)  a section, or null
 */
(() => {
  "use strict";

  const { el, api, figure } = window.ratchet;
  const KIND = { good: "notice-good", warning: "notice-warning", bad: "notice-bad" };

  const symptoms = (list) => (list || []).map(({ level, sentence, evidence, fix }) => el("div", { class: `notice ${KIND[level] || ""} symptom` },
    el("p", {}, sentence), evidence && el("p", { class: "small" }, evidence), fix && el("p", { class: "small" }, fix)));

  /* ---- Samples ---- */

  class Samples {
    constructor() {
      this.list = el("div", { class: "stack" });
      this.element = el("details", { class: "more-options", id: "run-samples", hidden: true }, el("summary", {}, "What it writes"), this.list);
    }

    async read(job) {
      const { samples } = await api(`/api/jobs/${job}/samples`);
      this.element.hidden = !samples.length;
      const prompts = [...new Set(samples.map((sample) => sample.prompt))];
      const fresh = prompts.map((prompt) => el("section", { class: "sample stack-s" }, el("h4", {}, prompt || "(no words)"),
        el("dl", {}, samples.filter((sample) => sample.prompt === prompt).map(said))));
      if (!el("div", { class: "stack" }, fresh).isEqualNode(this.list)) this.list.replaceChildren(...fresh);
    }
  }

  const said = ({ step, text, before }) => [before && [el("dt", {}, "before"), el("dd", {}, before)],
    el("dt", {}, step === null ? "finished" : `step ${step}`), el("dd", {}, text || "(nothing)")];

  /* ---- Evaluation ---- */

  const NAMES = { loss: "Loss", before_loss: "Loss before", perplexity: "Perplexity", exact_match: "Exact match", rouge_l: "ROUGE-L", chrf: "chrF",
    reward: "Reward", accuracy: "Accuracy", rows: "Rows" };
  const SHARES = ["exact_match", "accuracy", "baseline", "f1", "precision", "recall"];
  const HIDDEN = ["answered"];
  const called = (key) => NAMES[key] || key[0].toUpperCase() + key.slice(1).replaceAll("_", " ");
  const written = (key, value) => (!Number.isFinite(value) ? "–" : SHARES.includes(key) ? `${Math.round(100 * value)} %` : Number.isInteger(value) ? value : figure(value));

  function evaluation(found) {
    if (!found) return null;
    const { held_out: held, by, canaries, forgetting, best, stopped_early: early } = found;
    const words = [best && `The best held-out measure, ${figure(best.loss)}, was at step ${best.step}; those weights are kept.`, early && "It ended early, because nothing became better."].filter(Boolean).join(" ");
    const measures = Object.keys(held || {}).filter((key) => Number.isFinite(held[key]) && !HIDDEN.includes(key));
    return el("section", { class: "stack evaluation", id: "run-evaluation", "aria-labelledby": "evaluation-title" },
      el("h3", { id: "evaluation-title" }, held ? "On rows that it never learnt" : "What it changed"),
      held && el("dl", { class: "facts" }, measures.map((key) => el("div", {}, el("dt", {}, called(key)), el("dd", {}, written(key, held[key]))))),
      words && el("p", { class: "hint" }, words),
      Object.entries(by || {}).filter(([, rows]) => rows?.length).map(([kind, rows]) => table(kind, rows)),
      forgetting && forgot(forgetting), canaries?.length > 0 && canary(canaries));
  }

  function table(kind, rows) {
    const keys = ["rows", ...Object.keys(rows[0]).filter((key) => !["name", "rows"].includes(key) && typeof rows[0][key] === "number")];
    return el("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": `By ${kind}` }, el("table", { class: "table table-s" },
      el("thead", {}, el("tr", {}, el("th", {}, `By ${kind}`), keys.map((key) => el("th", { class: "num" }, called(key))))),
      el("tbody", {}, rows.map((row) => el("tr", {}, el("td", {}, row.name), keys.map((key) => el("td", { class: "num" }, written(key, row[key]))))))));
  }

  /** What it lost: the loss on what it knew, before and after. */
  function forgot({ earlier, base_answers: own }) {
    const rows = [["What was learnt before", earlier], ["What the base answers by itself", own]].filter(([, one]) => one);
    return rows.length > 0 && el("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": "Forgetting" }, el("table", { class: "table table-s", id: "run-forgetting" },
      el("thead", {}, el("tr", {}, el("th", {}, "Forgetting: loss on"), el("th", { class: "num" }, "Before"), el("th", { class: "num" }, "After"))),
      el("tbody", {}, rows.map(([name, one]) => el("tr", {}, el("td", {}, name, one.rows ? ` (${one.rows} rows)` : ""), el("td", { class: "num" }, figure(one.before)),
        el("td", { class: "num" }, figure(one.after), " ", el("span", { class: `chip ${one.after > one.before * 1.05 ? "chip-warning" : "chip-good"}` }, one.after > one.before * 1.05 ? "worse" : "kept")))))));
  }

  /** The fixed prompts: what was said before and after, the difference by words. */
  function canary(list) {
    const changed = list.filter((one) => !one.same).length;
    return el("details", { class: "more-options", id: "run-canaries" }, el("summary", {}, `Canaries: ${changed} of ${list.length} answered differently`),
      el("div", { class: "stack" }, list.map((one) => el("section", { class: "sample stack-s" }, el("h4", {}, one.prompt),
        el("p", { class: "answer" }, one.same ? [one.after, " ", el("span", { class: "muted small" }, "as before")] : changes(one.before, one.after))))));
  }

  /** Words that went and words that came, the longest common part kept; long texts stand side by side instead. */
  function changes(before, after) {
    const [old, fresh] = [before, after].map((text) => text.split(/(\s+)/));
    if (old.length * fresh.length > 250000) return [el("del", { class: "diff-removed" }, before), " ", el("ins", { class: "diff-added" }, after)];
    const length = Array.from({ length: old.length + 1 }, () => new Uint16Array(fresh.length + 1));
    for (let i = old.length - 1; i >= 0; i -= 1) {
      for (let j = fresh.length - 1; j >= 0; j -= 1) length[i][j] = old[i] === fresh[j] ? length[i + 1][j + 1] + 1 : Math.max(length[i + 1][j], length[i][j + 1]);
    }
    const parts = [];
    const add = (kind, word) => { if (parts.at(-1)?.kind === kind) parts.at(-1).text += word; else parts.push({ kind, text: word }); };
    for (let i = 0, j = 0; i < old.length || j < fresh.length;) {
      if (i < old.length && j < fresh.length && old[i] === fresh[j]) { add("same", old[i]); i += 1; j += 1; }
      else if (j >= fresh.length || (i < old.length && length[i + 1][j] >= length[i][j + 1])) { add("old", old[i]); i += 1; }
      else { add("new", fresh[j]); j += 1; }
    }
    return parts.map(({ kind, text }) => (kind === "same" ? text : kind === "old" ? el("del", { class: "diff-removed" }, text) : el("ins", { class: "diff-added" }, text)));
  }

  Object.assign(window.ratchet.training, { symptoms, Samples, evaluation });
})();
