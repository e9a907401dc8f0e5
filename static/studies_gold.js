/*
 * Known answers: comparisons whose answer is certain, mixed in to see how well each person judges. They are found by
 * their prompt; who gave an answer is not shown, so that whoever marks them judges as blind as the others.
 */
(() => {
  "use strict";

  const { el, api, toast, studies } = window.ratchet;
  const { card, field, act, command, quote } = studies;
  const CHOICES = [["a", "1 is better"], ["b", "2 is better"], ["tie", "As good"], ["both_bad", "Both bad"]];

  /** What is expected, in words. */
  function words(expected) {
    if (expected.choice) return Object.fromEntries(CHOICES)[expected.choice];
    if (expected.ranking) return expected.ranking.map((group) => [group].flat().map((place) => place + 1).join(" = ")).join(" > ");
    return `rated ${expected.rating}`;
  }

  studies.gold = (study, may) => {
    const address = `/api/studies/${encodeURIComponent(study.name)}`;
    const listed = el("div", {});
    const found = el("div", { class: "stack", "aria-live": "polite" });
    const search = el("input", { id: "gold-search", type: "search", maxlength: 200, autocomplete: "off" });
    const form = el("form", { class: "line studies-search", onsubmit: (event) => { event.preventDefault(); look(); } },
      field("gold-search", "Find a comparison by its prompt", search), el("button", { type: "submit", class: "button button-secondary" }, "Find"));
    list();
    const lines = [`ratchet study ${quote(study.name)} --find TEXT`, `ratchet study ${quote(study.name)} --gold COMPARISON=a --note WHY`, `ratchet study ${quote(study.name)} --lift-gold COMPARISON`];
    return card("gold", "Known answers", "Votes on them count for nothing but how well each person judges. One comes every so many comparisons, as the settings say.", listed, may && form, found,
      may && el("div", { class: "stack-s" }, lines.map((line) => command(line))));

    async function list() {
      const { gold } = (await act(() => api(`${address}/gold`))) || { gold: [] };
      listed.replaceChildren(gold.length ? el("ul", { class: "plain-list stack-s" }, gold.map((one) => el("li", { class: "row-between" },
        el("span", { class: "studies-said" }, el("b", {}, words(one.expected)), ` ${one.prompt}`, one.note && el("span", { class: "muted small" }, ` (${one.note})`)),
        may && el("button", { type: "button", class: "button button-ghost button-s", "aria-label": `Take back what is known of: ${one.prompt.slice(0, 60)}`, onclick: () => lift(one) }, "Take back"))))
        : el("p", { class: "muted" }, "No answer is known yet."));
    }

    async function tell(comparison, expected, note) {
      const body = { comparison, expected, note };
      const made = await act(() => api(`${address}/gold`, { body }), null);
      if (!made) return;
      toast("The answer is known from now on.", "good", () => act(() => api(`${address}/gold/${comparison}`, { method: "DELETE" }), "It is like the others again.").then(list));
      found.replaceChildren();
      list();
      search.focus();
    }

    async function lift(one) {
      const gone = await act(() => api(`${address}/gold/${one.comparison}`, { method: "DELETE" }), null);
      if (!gone) return;
      toast("It is like the others again.", "good", () => tell(one.comparison, one.expected, one.note || ""));
      list();
    }

    async function look(after = 0) {
      const place = new URLSearchParams({ search: search.value, after, limit: 5 });
      const answer = await act(() => api(`${address}/comparisons?${place}`));
      if (!answer) return;
      const rows = answer.comparisons.map(candidate);
      found.replaceChildren(...(rows.length ? rows : [el("p", { class: "muted" }, "No comparison has that in its prompt.")]),
        ...(answer.next ? [el("div", {}, el("button", { type: "button", class: "button button-ghost button-s", onclick: () => look(answer.next) }, "More"))] : []));
    }

    function candidate(one) {
      const prompt = one.prompt.at(-1)?.content || "";
      const note = el("input", { id: `note-${one.number}`, type: "text", maxlength: 2000, placeholder: "why it is certain" });
      return el("article", { class: "studies-candidate stack-s", "aria-label": `Comparison ${one.number}` },
        el("p", { class: "studies-said" }, prompt), one.expected && el("span", { class: "chip chip-accent" }, `known: ${words(one.expected)}`),
        el("ol", { class: "studies-answers" }, one.answers.map((answer) => el("li", {}, el("div", { class: "answer studies-said" }, answer.text.slice(0, 1200))))),
        field(`note-${one.number}`, "Note", note), expectation(one, (expected) => tell(one.comparison, expected, note.value)));
    }

    /** Buttons for two answers, a scale for one, places for more. */
    function expectation(one, say) {
      const button = (label, expected) => el("button", { type: "button", class: "button button-secondary button-s", onclick: () => say(expected) }, label);
      const group = (...content) => el("div", { class: "line", role: "group", "aria-label": "What is right" }, content);
      if (one.answers.length === 2 && study.settings.layout !== "rank") return group(CHOICES.map(([choice, label]) => button(label, { choice })));
      if (one.answers.length === 1) {
        return group(Array.from({ length: study.settings.scale }, (_, place) => button(study.settings.scale === 2 ? ["Thumb down", "Thumb up"][place] : place + 1, { rating: place + 1 })));
      }
      const places = one.answers.map((_, place) => el("select", { class: "input studies-scale", "aria-label": `Place of answer ${place + 1}` },
        one.answers.map((__, rank) => el("option", { value: rank, selected: rank === place }, `place ${rank + 1}`))));
      return group(places, el("button", { type: "button", class: "button button-secondary button-s", onclick: () => say({ ranking: grouped(places.map((select) => Number(select.value))) }) }, "This order is right"));
    }

    /** Answers by place, best first; those on one place are tied. */
    function grouped(places) {
      return [...new Set(places)].sort((a, b) => a - b).map((rank) => places.flatMap((place, index) => (place === rank ? [index] : [])));
    }
  };
})();
