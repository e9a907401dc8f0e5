/*
 * Searches over options: what was tried, which trials nothing beats (the Pareto front), and the best one's options,
 * which can be put into the form. The trials are jobs like all others.
 *
 * Raises the window event `ratchet:options` with {options}; listens to `ratchet:search` with {id}.
 */
(() => {
  "use strict";

  const { el, api, poll, toast, figure } = window.ratchet;
  const { label, number, spell, pareto } = window.ratchet.training;
  const LIVE = ["running", "stopping"];
  const TITLES = { held_out_loss: "Held-out loss", forgetting: "Forgetting", seconds: "Seconds" };
  const show = (job) => window.dispatchEvent(new CustomEvent("ratchet:job", { detail: { job } }));

  window.ratchet.widgets.search = (element) => {
    const card = el("section", { class: "card stack search-card", "aria-labelledby": "search-title", hidden: true });
    element.append(card);
    let chosen = new URLSearchParams(location.search).get("search");
    let list = null;
    let drawn = "";
    let quiet = 0;

    async function look(force = false) {
      quiet = force || list === null || list.some((one) => LIVE.includes(one.state)) ? 0 : (quiet + 1) % 10;
      if (quiet) return;
      list = (await api("/api/searches")).searches;
      const id = chosen || list[0]?.id;
      card.hidden = !id;
      if (!id) return;
      const search = await api(`/api/searches/${encodeURIComponent(id)}`).catch((error) => { toast(error.message, "bad"); choose(null); return null; });
      const text = JSON.stringify([search, list.map((one) => one.id)]);
      if (search && text !== drawn) draw(search);
      drawn = text;
    }

    function choose(id) {
      chosen = id;
      const query = new URLSearchParams(location.search);
      if (id) query.set("search", id);
      else query.delete("search");
      history.replaceState(null, "", `${location.pathname}?${query}`);
      if (id) look(true).catch((error) => toast(error.message, "bad"));
    }

    function draw(search) {
      const held = card.contains(document.activeElement) ? document.activeElement.id || document.activeElement.getAttribute("aria-label") : null;
      const pick = el("select", { id: "search-pick", class: "input", "aria-label": "Search", hidden: list.length < 2, onchange: () => choose(pick.value) },
        list.map((one) => el("option", { value: one.id, selected: one.id === search.id }, one.name)));
      card.replaceChildren(
        el("div", { class: "card-head" }, el("h2", { id: "search-title" }, `Search: ${search.name}`),
          el("span", { class: "line" }, el("span", { class: "chip" }, search.method.toUpperCase()), el("span", { class: `status status-${search.state}` }, search.state))),
        ...[pick, about(search), search.error && el("p", { class: "notice notice-bad" }, search.error.sentence || search.error), best(search), ...pareto(search, TITLES), trials(search)].filter(Boolean));
      if (held) [...card.querySelectorAll("button, select, a, [tabindex]")].find((one) => one.id === held || one.getAttribute("aria-label") === held)?.focus();
    }

    function about(search) {
      const ended = search.trials.filter((trial) => trial.state !== "running").length;
      const stop = search.state === "running" && el("button", { type: "button", class: "button button-s", id: "search-stop", onclick: () => end(search) }, "Stop the search");
      const limit = search.budget?.seconds ? ` within ${spell(search.budget.seconds)}` : "";
      return el("div", { class: "row-between" }, el("p", { class: "muted" }, `${ended} of ${search.budget?.trials ?? search.trials.length} trials${limit}. Made small: ${search.objectives.map((goal) => (TITLES[goal] || goal).toLowerCase()).join(", ")}.`), stop);
    }

    async function end(search) {
      try {
        await api(`/api/searches/${search.id}/stop`, { body: {} });
        await look(true);
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    const polling = poll(look, 3000);
    const begun = ({ detail }) => choose(detail.id);
    window.addEventListener("ratchet:search", begun);
    return () => {
      polling.stop();
      window.removeEventListener("ratchet:search", begun);
    };
  };

  const write = (options) => Object.entries(options).map(([name, value]) => `${label(name).toLowerCase()} ${number(value)}`).join(", ");

  function best(search) {
    if (!search.best) return null;
    const goal = search.objectives[0];
    const against = Number.isFinite(search.median) ? `; the median trial has ${figure(search.median)}` : "";
    return el("div", { class: "notice notice-good" }, el("p", {}, el("b", {}, `Best: trial ${search.best.number}`), `, ${(TITLES[goal] || goal).toLowerCase()} ${figure(search.best.values[goal])}${against}.`),
      el("p", { class: "small" }, write(search.best.options)),
      el("button", { type: "button", class: "button button-s", id: "search-use", onclick: () => window.dispatchEvent(new CustomEvent("ratchet:options", { detail: { options: search.best.options } })) }, "Put these options into the form"));
  }

  function trials(search) {
    const goals = Object.keys(TITLES).filter((goal) => search.trials.some((trial) => Number.isFinite(trial.values[goal])));
    const row = (trial) => el("tr", { class: trial.pareto ? "is-front" : "" },
      el("td", { class: "num" }, el("a", { class: "link", href: `?job=${trial.job}`, "aria-label": `Trial ${trial.number}`, onclick: (event) => { event.preventDefault(); show(trial.job); } }, trial.number)),
      el("td", { class: "small" }, write(trial.options), trial.pareto && el("span", { class: "visually-hidden" }, " (on the front)")), el("td", {}, trial.state),
      goals.map((goal) => el("td", { class: "num" }, figure(trial.values[goal]))));
    return el("details", { class: "more-options", id: "search-trials", open: search.trials.length <= 12 }, el("summary", {}, `All ${search.trials.length} trials`),
      el("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": "Trials" }, el("table", { class: "table table-s" },
        el("thead", {}, el("tr", {}, el("th", { class: "num" }, "Trial"), el("th", {}, "Options"), el("th", {}, "State"), goals.map((goal) => el("th", { class: "num" }, TITLES[goal])))),
        el("tbody", {}, search.trials.map(row)))));
  }
})();
