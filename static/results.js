/*
 * The page /results. Nothing that names a model is asked for before the person says that names may be shown: who has
 * seen the standings judges the rest of the study blind no longer.
 */
(() => {
  "use strict";

  const { el, api, results } = window.ratchet;
  const CHOICES = { margin: [["strength", "Strength"], ["none", "None"]], ties: [["drop", "Dropped"], ["keep", "Kept"]], both_bad: [["drop", "Dropped"], ["negatives", "Negatives (KTO)"]], ranking: [["all", "All pairs"], ["best", "Best against the rest"]], edited: [["use", "Used"], ["drop", "Dropped"]] };
  const TITLES = { margin: "Margin", ties: "Ties", both_bad: "Both bad", ranking: "Rankings", edited: "Mended answers" };
  const here = () => new URLSearchParams(location.search);

  window.ratchet.widgets.results = (element) => {
    const study = el("select", { id: "results-study", onchange: () => go({ study: study.value }) });
    const ties = choice("results-ties", [["model", "Modelled"], ["half", "Half a win each"], ["drop", "Left out"]], () => go({ ties: ties.value }));
    const all = el("input", { type: "checkbox", id: "results-all", onchange: () => go({ all: all.checked ? "1" : "" }) });
    const numbers = el("div", { class: "stack results-numbers", "aria-live": "polite" });
    element.append(el("div", { class: "stack" },
      el("div", { class: "card results-choose" }, field("results-study", "Study", study), field("results-ties", "Ties", ties),
        el("label", { class: "check", for: "results-all" }, all, "Count excluded votes as well")), numbers));
    let asked = 0;
    let judged = new Set(); // studies in which people judge blind
    begin();

    async function begin() {
      try {
        const found = (await api("/api/results")).studies;
        if (!found.length) {
          numbers.replaceChildren(el("div", { class: "empty" }, el("h2", {}, "There is no study yet"), el("p", {}, "Compare two models and vote; the results are shown here."), el("a", { class: "button button-primary", href: "/compare" }, "Compare")));
          return;
        }
        judged = new Set(found.filter((one) => one.judgeable).map((one) => one.name));
        study.replaceChildren(...found.map((one) => el("option", { value: one.name }, one.name)));
        study.value = found.some((one) => one.name === here().get("study")) ? here().get("study") : (found.find((one) => one.votes) || found[0]).name;
        ties.value = here().get("ties") || "model";
        all.checked = here().get("all") === "1";
        draw();
      } catch (error) {
        fail(error);
      }
    }

    function go(changes) {
      const place = here();
      for (const [name, value] of Object.entries(changes)) if (value) place.set(name, value); else place.delete(name);
      history.replaceState(null, "", `${location.pathname}?${place}`);
      draw();
    }

    const query = (more) => new URLSearchParams({ study: study.value, with_excluded: String(all.checked), ...more });
    const ask = (what, more) => api(`/api/results/${what}?${query(more)}`);
    const fail = (error) => numbers.replaceChildren(el("p", { class: "notice notice-bad" }, error.message));

    function draw() {
      // Votes from files alone: nobody judges there, so nobody can lose their blindness.
      if (here().get("show") !== study.value && judged.has(study.value)) {
        numbers.replaceChildren(el("div", { class: "notice notice-info stack-s", id: "unblind" },
          el("p", {}, "Results name the models. Whoever looks at them is no longer blind in this study: judge first, then look."),
          el("button", { type: "button", class: "button button-primary", onclick: () => go({ study: study.value, show: study.value }) }, "Show the results")));
        return;
      }
      fill();
    }

    async function fill() {
      const turn = ++asked;
      try {
        const [board, agreement, criteria, scores, annotators] = await Promise.all([ask("board", { ties: ties.value }), ask("agreement"), ask("criteria"), ask("scores"), api(`/api/results/annotators?study=${encodeURIComponent(study.value)}`)]);
        if (turn !== asked) return;
        const voted = board.pairs.length > 0, rated = board.ratings.length > 0;
        numbers.replaceChildren(...[results.exclusions(board.excluded),
          voted ? results.verdicts(board) : !rated && el("p", { class: "notice notice-info" }, "Nobody has voted in this study yet."),
          results.ratings(board), (voted || !rated) && results.board(board), voted && results.matrix(board), results.circles(board), voted && splitCard(),
          results.criteria(criteria), results.scores(scores.judges, study.value), results.agreement(agreement), (voted || rated) && results.adjudication(study.value, fill),
          results.annotators(annotators, study.value, fill), policyCard(), commands()].filter(Boolean));
      } catch (error) {
        if (turn === asked) fail(error);
      }
    }

    /** Parts of the study, asked for when somebody chooses how to split it. */
    function splitCard() {
      const box = el("div", {});
      const by = ["tag", "annotator", "length"].map((name) => el("button", { type: "button", "aria-pressed": "false", onclick: (event) => split(name, event.currentTarget) },
        { tag: "By tag", annotator: "By annotator", length: "By length of the prompt" }[name]));
      return results.card("splits", "Parts", "With twenty parts, one interval of 95 % misses by chance: take a surprise as a question.",
        el("div", { class: "segmented", role: "group", "aria-label": "Split" }, by), box);

      async function split(name, button) {
        by.forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
        try {
          box.replaceChildren(results.parts(await ask("splits", { by: name, ties: ties.value })));
        } catch (error) {
          box.replaceChildren(el("p", { class: "notice notice-bad" }, error.message));
        }
      }
    }

    function policyCard() {
      const box = el("div", {});
      const selects = Object.entries(CHOICES).map(([name, options]) => [name, choice(`policy-${name}`, options, look)]);
      look();
      return results.card("policies", "Training data from these votes", "Prompts that are kept for measuring never train, under any policy.",
        el("div", { class: "results-choose" }, selects.map(([name, select]) => field(`policy-${name}`, TITLES[name], select))), box);

      async function look() {
        try {
          box.replaceChildren(results.policies(await ask("policies", Object.fromEntries(selects.map(([name, select]) => [name, select.value])))));
        } catch (error) {
          box.replaceChildren(el("p", { class: "notice notice-bad" }, error.message));
        }
      }
    }

    function commands() {
      const more = all.checked ? " --with-excluded" : "";
      const lines = [`ratchet leaderboard --study ${study.value} --ties ${ties.value}${more}`, `ratchet agreement --study ${study.value}${more}`, `ratchet agreement --study ${study.value} --criterion KEY${more}`,
        `ratchet votes exclude --study ${study.value} --annotator NAME --reason WHY`, `ratchet votes exclude --study ${study.value} --day 2026-01-31 --reason WHY`, `ratchet votes include --study ${study.value} --annotator NAME`];
      return results.card("commands", "The same as commands", null, lines.map((line) => el("div", { class: "command" }, el("code", { tabindex: 0 }, line))));
    }
  };

  function field(id, label, control) {
    return el("div", { class: "field" }, el("label", { for: id }, label), control);
  }

  function choice(id, options, changed) {
    return el("select", { id, onchange: changed }, options.map(([value, label]) => el("option", { value }, label)));
  }
})();
