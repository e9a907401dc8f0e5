/*
 * The tree of models, drawn as the rounds are: a line that goes on downwards, and branches to its right.
 *
 *   ratchet.models.tree(open)   → {element, draw(list, {search, archived, chosen}), focus(id)}
 *
 * Of the children of a model one goes on in its line: the one that leads to the champion, else the newest. The others
 * branch off before it. So a line that was trained twenty times is no deeper than one that was trained once.
 */
(() => {
  "use strict";

  const { el } = window.ratchet;
  const { plural } = window.ratchet.training;
  const models = (window.ratchet.models ||= {});
  const DEEPEST = 7; // lanes that are drawn side by side; deeper ones share the last
  const KINDS = { base: "base", adapter: "adapter", endpoint: "endpoint", encoder: "reads only", reward: "reward model", classifier: "classifier" };

  const percent = (rate) => `${Math.round(100 * rate)} %`;
  const day = (seconds) => new Date(seconds * 1000).toLocaleString("en-GB", { dateStyle: "medium" });

  /** A count of weights in a few signs: 3.1 M, 135 M. */
  function weights(count) {
    const [size, unit] = count >= 1e9 ? [1e9, " B"] : count >= 1e6 ? [1e6, " M"] : count >= 1e3 ? [1e3, " k"] : [1, ""];
    const value = count / size;
    return `${value >= 100 || unit === "" ? Math.round(value) : value.toPrecision(2).replace(/\.0$/, "")}${unit}`;
  }

  /** What a model learnt from, in words. */
  function learnt({ method, material, mixed }) {
    if (mixed?.length) return `mixed from ${mixed.map(({ name }) => name).join(" and ")}`;
    if (!method) return "";
    const how = method.toUpperCase();
    if (!material) return how;
    return material.study ? `${how} on ${plural(material.votes, "vote")} of ${material.study}` : `${how} on ${plural(material.rows, "row")} of ${material.dataset}, version ${material.version}`;
  }

  /** Which models are shown: those that fit, and dimmed those that lead to them. */
  function chosenOf(list, { search, archived }) {
    const words = search.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const known = new Map(list.map((one) => [one.id, one]));
    const text = (one) => ` ${[KINDS[one.kind], learnt(one), one.champion ? "champion" : "", one.loaded ? "loaded" : ""].join(" ").toLowerCase()}`;
    // Other words by their beginnings: "dpo" stands in "endpoint" as well.
    const has = (one, word) => one.name.toLowerCase().includes(word) || text(one).includes(` ${word}`);
    const fits = list.filter((one) => (archived || !(one.archived || one.gone)) && words.every((word) => has(one, word)));
    const shown = new Map(fits.map((one) => [one.id, { ...one, dim: false, children: [] }]));
    for (const one of fits) {
      for (let up = known.get(one.parent); up && !shown.has(up.id); up = known.get(up.parent)) shown.set(up.id, { ...up, dim: true, children: [] });
    }
    return { shown, fits: fits.length };
  }

  /** The rows from top to bottom: {one, lane, level, head, more, place, of}. */
  function rowsOf(list, wish) {
    const { shown, fits } = chosenOf(list, wish);
    const roots = [];
    for (const { id } of list) {
      const one = shown.get(id);
      if (one) (shown.get(one.parent)?.children || roots).push(one);
    }
    const leads = (one) => one.champion || one.children.some(leads);
    const rows = [];
    const walk = (one, lane, level, head, place, of) => {
      const trunk = one.children.find(leads) || one.children.at(-1);
      const sides = one.children.filter((child) => child !== trunk);
      rows.push({ one, lane: Math.min(lane, DEEPEST), level, head, more: one.children.length > 0, place, of });
      sides.forEach((side, at) => walk(side, lane + 1, level + 1, true, at + 1, one.children.length));
      if (trunk) walk(trunk, lane, level + 1, false, one.children.length, one.children.length);
    };
    roots.forEach((root, at) => walk(root, 0, 1, true, at + 1, roots.length));
    return { rows, fits };
  }

  function chips(one) {
    const size = one.kind === "base" && one.parameters ? `, ${weights(one.parameters)}` : "";
    return [
      one.champion && el("span", { class: "chip chip-accent" }, "champion"),
      el("span", { class: "chip" }, `${KINDS[one.kind] || one.kind}${size}`),
      one.loaded && el("span", { class: "chip chip-info chip-dot" }, "loaded"),
      one.gone ? el("span", { class: "chip chip-bad" }, "deleted") : one.archived && el("span", { class: "chip chip-warning" }, "put away"),
    ];
  }

  function wins({ standing, against }) {
    if (!standing) return null;
    const kind = standing.word === "better" ? "chip-good" : standing.word === "worse" ? "chip-bad" : "";
    return el("span", { class: `chip num ${kind}` }, `wins ${percent(standing.win_rate)} against ${against}`);
  }

  /** What a screen reader says of a row: all of it in one sentence. */
  function spoken(one) {
    const states = [one.champion && "champion", KINDS[one.kind] || one.kind, one.loaded && "loaded", one.gone ? "deleted" : one.archived && "put away"];
    const won = one.standing ? `wins ${percent(one.standing.win_rate)} against ${one.against}` : "";
    return [one.name, ...states, learnt(one), won].filter(Boolean).join(", ");
  }

  function rails({ one, lane, head, more }) {
    const marks = Array.from({ length: lane }, (_, at) => el("span", { class: `model-rail${head && at === lane - 1 ? " is-elbow" : ""}` }));
    const kind = one.kind === "endpoint" ? "is-endpoint" : one.kind === "base" || one.kind === "encoder" ? "is-base" : "is-trained";
    const state = one.champion ? "is-champion" : one.gone || one.archived ? "is-away" : one.standing?.word === "worse" ? "is-worse" : "";
    return el("span", { class: "model-rails", "aria-hidden": "true" }, marks, el("span", { class: `model-node ${kind} ${state}${head ? "" : " has-above"}${more ? " has-below" : ""}` }));
  }

  models.tree = (open) => {
    const list = el("ul", { class: "model-tree", role: "tree", "aria-label": "Models", hidden: true });
    const none = el("p", { class: "muted", hidden: true }, "No model fits.");
    const element = el("div", {}, list, none);
    let rows = [];
    let at = null; // the id of the row that the Tab key reaches

    list.addEventListener("keydown", (event) => {
      const here = rows.findIndex(({ one }) => one.id === event.target.dataset?.id);
      if (here < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
      const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1,
        ArrowLeft: rows.findIndex(({ one }) => one.id === rows[here].one.parent), ArrowRight: rows.findIndex(({ one }) => one.parent === rows[here].one.id) }[event.key];
      if (event.key === "Enter" || event.key === " ") open(rows[here].one.id, true);
      else if (to === undefined) return;
      else if (rows[to]) focus(rows[to].one.id);
      event.preventDefault();
    });

    function item(row, chosen) {
      const { one } = row;
      return el("li", { class: `model-row${one.dim ? " is-dim" : ""}`, role: "treeitem", dataset: { id: one.id }, tabindex: one.id === at ? 0 : -1, "aria-label": spoken(one),
        "aria-level": row.level, "aria-posinset": row.place, "aria-setsize": row.of, "aria-selected": String(one.id === chosen), onclick: () => open(one.id) },
        rails(row), el("span", { class: "model-words" },
          el("span", { class: "model-title" }, el("b", { class: "model-name", dir: "auto" }, one.name), chips(one), wins(one)),
          el("span", { class: "muted small" }, [learnt(one), day(one.created_at)].filter(Boolean).join(" · "))));
    }

    function draw(all, wish) {
      const held = list.contains(document.activeElement) ? document.activeElement.dataset.id : null;
      const { rows: fresh, fits } = rowsOf(all, wish);
      rows = fresh;
      const ids = rows.map(({ one }) => one.id);
      at = [held, wish.chosen, at, ids[0]].find((id) => ids.includes(id)) ?? null;
      list.replaceChildren(...rows.map((row) => item(row, wish.chosen)));
      list.hidden = !rows.length;
      none.hidden = fits > 0;
      if (held !== null && at !== null) focus(at);
    }

    function focus(id) {
      at = id;
      for (const row of list.children) row.tabIndex = row.dataset.id === id ? 0 : -1;
      [...list.children].find((row) => row.dataset.id === id)?.focus();
    }

    return { element, draw, focus: () => at !== null && focus(at) };
  };

  Object.assign(models, { KINDS, chips, learnt, percent, weights, rowsOf });
})();
