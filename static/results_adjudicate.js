/*
 * Disputed comparisons: a list, the most split first, and one of them opened: the answers side by side, who said what,
 * a decision by one key, then the next. Nothing here names a model: whoever decides does it blind.
 *
 *   ratchet.results.adjudication(study, changed) -> element     `changed()` is called when the list comes back
 */
(() => {
  "use strict";

  const { el, api, keys, toast, markdown, results } = window.ratchet;
  const LETTERS = "ABCDEFGH";
  const CHOICES = [["left", "A is better", "1"], ["tie", "Tie", "3"], ["both_bad", "Both bad", "4"], ["right", "B is better", "2"]];
  const STRENGTHS = ["negligible", "slightly better", "better", "significantly better"];
  const GROUP = "Disputed comparison";

  results.adjudication = (study, changed) => {
    const body = el("div", { class: "stack-s" });
    const node = results.card("adjudication", "Disputed comparisons",
      "Where people disagree, somebody decides, with a reason. The leaderboard goes on counting votes; training takes the decision.", body);
    node.setAttribute("aria-live", "off");
    let bound = [];
    list();
    return node;

    function address(path = "") {
      return `/api/results/adjudications${path}?study=${encodeURIComponent(study)}`;
    }

    function fail(error) {
      body.replaceChildren(el("p", { class: "notice notice-bad" }, error.message));
    }

    function unbind() {
      bound.forEach((drop) => drop());
      bound = [];
    }

    async function list() {
      unbind();
      try {
        const found = await api(address());
        if (!found.disputed && !found.decided.length) {
          body.replaceChildren(el("p", { class: "muted" }, "No comparison has votes that disagree."));
          return;
        }
        body.replaceChildren(...[
          el("p", {}, `${results.plural(found.undecided, "comparison")} to decide, ${found.decided_count} decided.`),
          found.waiting.length > 0 && el("ol", { class: "plain-list stack-s results-queue" }, found.waiting.map(waiting)),
          found.undecided > found.waiting.length && el("p", { class: "muted small" }, `The ${found.waiting.length} most split are listed.`),
          found.decided.length > 0 && el("h3", {}, "Decided"),
          found.decided.length > 0 && el("ul", { class: "plain-list stack-s results-queue" }, found.decided.map(decided)),
        ].filter(Boolean));
      } catch (error) {
        fail(error);
      }
    }

    function prompt(one) {
      return el("span", { class: "results-queue-prompt" }, one.prompt || "(the prompt is not known)");
    }

    function waiting(one) {
      return el("li", { class: "results-queue-item" }, opinions(one.opinions), prompt(one),
        el("button", { type: "button", class: "button button-secondary button-s", "aria-label": `Decide: ${one.prompt || one.comparison}`, onclick: () => open(one.comparison) }, "Decide"));
    }

    function decided(one) {
      return el("li", { class: "results-queue-item" },
        el("span", {}, chip(one.decided.said), " ", el("span", { class: "muted small" }, `by ${one.decided.author}${one.decided.reason ? `: ${one.decided.reason}` : ""}`)), prompt(one),
        el("button", { type: "button", class: "button button-ghost button-s", "aria-label": `Take back: ${one.prompt || one.comparison}`, onclick: () => undo(one.comparison) }, "Take back"));
    }

    async function undo(comparison) {
      try {
        await api(address("/undo"), { body: { comparison } });
        toast("The decision is taken back; the votes speak for themselves again.", "good");
        list();
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    async function open(comparison) {
      unbind();
      try {
        draw(await api(address(`/${encodeURIComponent(comparison)}`)));
      } catch (error) {
        fail(error);
      }
    }

    function close() {
      unbind();
      list();
      changed();
    }

    function draw(item) {
      const reason = el("textarea", { id: "decision-reason", rows: 2, maxlength: 2000, placeholder: "for example: B invents a date" });
      const back = el("button", { type: "button", class: "button button-ghost button-s", onclick: close }, "Back to the list");
      const later = item.next && el("button", { type: "button", class: "button button-ghost button-s", onclick: () => open(item.next) }, "Later ", el("kbd", {}, "N"));
      const turns = item.prompt.length ? item.prompt : [{ role: "user", content: "(the prompt is not known)" }];
      const view = el("div", { class: "stack-s results-item", id: "disputed-item", tabindex: -1, role: "group", "aria-label": "Disputed comparison" },
        el("div", { class: "row-between" }, el("span", { class: "muted small" }, `${results.plural(item.undecided, "comparison")} to decide`), el("span", {}, back, later || "")),
        el("section", { class: "results-prompt", "aria-label": "Prompt" }, turns.map((turn) => el("div", {}, el("p", { class: "eyebrow" }, turn.role || "turn"), el("div", { class: "prose" }, markdown(turn.content))))),
        el("div", { class: "results-sides" }, item.sides.map(side)),
        said(item),
        item.decided && el("p", { class: "notice notice-info" }, `Decided by ${item.decided.author}: ${item.decided.said}${item.decided.reason ? `, ${item.decided.reason}` : ""}. A new decision takes its place.`),
        el("div", { class: "field" }, el("label", { for: "decision-reason" }, "Why (stands beside the decision)"), reason),
        buttons(item, (decision) => decide(item, { ...decision, reason: reason.value })));
      body.replaceChildren(view);
      bind("n", "Later: the next one", () => item.next && open(item.next));
      bind("Escape", "Back to the list", close);
      view.focus();
    }

    function bind(key, label, run) {
      bound.push(keys.add({ key, label, run, group: GROUP, when: () => document.body.contains(node) }));
    }

    function buttons(item, decide) {
      if (item.layout === "rate") return rating(item, decide);
      if (item.layout === "rank") return ranking(item, decide);
      const press = (choice) => () => decide({ choice });
      CHOICES.forEach(([choice, label, key]) => bind(key, label, press(choice)));
      return el("div", { class: "line", role: "group", "aria-label": "Decision" }, CHOICES.map(([choice, label, key]) =>
        el("button", { type: "button", class: "button button-secondary", onclick: press(choice) }, `${label} `, el("kbd", {}, key))));
    }

    function rating(item, decide) {
      const steps = Array.from({ length: item.scale }, (_, number) => number + 1);
      steps.forEach((step) => bind(String(step), `Rated ${step}`, () => decide({ choice: "rating", rating: step })));
      return el("div", { class: "line", role: "group", "aria-label": "Decision" }, steps.map((step) =>
        el("button", { type: "button", class: "button button-secondary", onclick: () => decide({ choice: "rating", rating: step }) }, `${step} `, el("kbd", {}, step))));
    }

    /** Best first by number keys; "=" puts the next one on the same place; Backspace takes the last one away. */
    function ranking(item, decide) {
      let groups = [];
      let tied = false;
      const shown = el("p", { class: "results-ranking", role: "status" });
      const done = el("button", { type: "button", class: "button button-primary", onclick: finish }, "Decide ", el("kbd", {}, "Enter"));
      const adds = item.sides.map((_, index) => el("button", { type: "button", class: "button button-secondary", onclick: () => add(index) }, `${LETTERS[index]} `, el("kbd", {}, index + 1)));
      const same = el("button", { type: "button", class: "button button-ghost", onclick: tie }, "Same place ", el("kbd", {}, "="));
      const less = el("button", { type: "button", class: "button button-ghost", onclick: remove }, "Take the last away ", el("kbd", {}, "⌫"));
      item.sides.forEach((_, index) => bind(String(index + 1), `Next best: ${LETTERS[index]}`, () => add(index)));
      bind("=", "The next one on the same place", tie);
      bind("Backspace", "Take the last away", remove);
      bind("Enter", "Decide", (event) => (event.target.closest("button") ? false : finish()));
      draw();
      return el("div", { class: "stack-s", role: "group", "aria-label": "Decision" }, shown, el("div", { class: "line" }, adds, same, less, done));

      function add(index) {
        if (groups.flat().includes(index)) return;
        if (tied && groups.length) groups.at(-1).push(index); else groups.push([index]);
        tied = false;
        draw();
      }

      function tie() {
        tied = groups.length > 0;
        draw();
      }

      function remove() {
        const last = groups.at(-1);
        if (last && last.length > 1) last.pop(); else groups = groups.slice(0, -1);
        tied = false;
        draw();
      }

      function draw() {
        const words = groups.map((group) => group.map((index) => LETTERS[index]).join(" = ")).join(" > ");
        shown.textContent = words ? `${words}${tied ? " = …" : ""}` : "Best first: press the number of each answer.";
        done.disabled = groups.flat().length !== item.sides.length;
      }

      function finish() {
        if (groups.flat().length === item.sides.length) decide({ choice: "ranking", ranking: groups });
      }
    }

    async function decide(item, decision) {
      try {
        await api(address(), { body: { comparison: item.comparison, ...decision, shown: item.sides.map((one) => one.sha256) } });
        toast("Decided.", "good", () => takeBack(item.comparison));
        if (item.next) open(item.next); else close();
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    async function takeBack(comparison) {
      await api(address("/undo"), { body: { comparison } });
      open(comparison);
    }
  };

  /* ---- Pieces ------------------------------------------------------------------------------------------- */

  const tone = (said) => (/^[A-H]$/.test(said) ? "abc"[LETTERS.indexOf(said)] || "c" : "info");
  const chip = (said) => el("span", { class: `chip chip-${tone(said)}` }, said);

  /** What was said, as a bar cut by how many said it. */
  function opinions(found) {
    const all = found.reduce((sum, one) => sum + one.people, 0);
    const words = found.map((one) => `${one.said} × ${one.people}`).join(", ");
    return el("span", { class: "results-opinions", role: "img", "aria-label": words, title: words }, found.map((one) =>
      el("span", { class: `results-opinion is-${tone(one.said)}`, style: { "flex-grow": one.people / all } }, `${one.said} × ${one.people}`)));
  }

  function side(one, index) {
    const history = (one.history || []).map((turn) => el("div", { class: "results-turn" }, el("p", { class: "eyebrow" }, turn.role || "turn"), el("div", { class: "prose" }, markdown(turn.content))));
    return el("section", { class: `pane pane-${"abc"[index] || "c"}`, "aria-label": `Answer ${LETTERS[index]}` },
      el("div", { class: "pane-head" }, el("span", { class: `chip chip-${"abc"[index] || "c"}` }, `Answer ${LETTERS[index]}`)),
      el("div", { class: "pane-body prose", role: "region", tabindex: 0, "aria-label": `Text of answer ${LETTERS[index]}` }, history, markdown(one.text || "")));
  }

  function said(item) {
    const labels = new Map(item.criteria.map((one) => [one.key, one.label]));
    const value = (values) => (Array.isArray(values) ? values.map((one, index) => `${LETTERS[index]} ${one ?? "–"}`).join(", ") : String(values));
    return el("ul", { class: "plain-list stack-s results-said", "aria-label": "Who said what" }, item.votes.map((vote) => el("li", { class: vote.excluded ? "is-excluded" : "" },
      el("b", {}, vote.annotator), " ", chip(vote.said), " ",
      el("span", { class: "muted small" }, [
        vote.strength !== null && STRENGTHS[vote.strength], ...vote.chips,
        ...Object.entries(vote.criteria).map(([key, values]) => `${labels.get(key) || key}: ${value(values)}`),
        vote.seconds !== null && `${vote.seconds.toFixed(0)} s`, vote.excluded && "does not count: excluded",
      ].filter(Boolean).join(" · ")),
      vote.rationale && el("p", { class: "results-rationale" }, vote.rationale),
      vote.edited && el("details", {}, el("summary", { class: "small" }, `Mended${vote.edited_side ? ` answer ${vote.edited_side}` : ""}`), el("div", { class: "prose" }, markdown(vote.edited))))));
  }
})();
