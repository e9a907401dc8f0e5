/*
 * A dataset at a glance: bars for status, split, length, turns, tokens, roles, tags, files, languages; below them what
 * the checks found (findings.js). A bar is a button that sets the filter of the table.
 */
(() => {
  "use strict";

  const { el, api, data } = window.ratchet;
  const OPEN = "ratchet.overview";
  const CHARTS = {
    chars: ["Characters", "columns"], turns: ["Turns", "columns"], tokens: ["Tokens", "columns"],
    statuses: ["Status", "rows"], splits: ["Split", "rows"], roles: ["Turns of", "rows"],
    languages: ["Languages", "rows"], tags: ["Tags", "rows"], sources: ["Files", "rows"],
  };
  const SHOWN = 6; // bars of a list; the table's filters name the rest
  const WORDS = { draft: "Draft", approved: "Approved", rejected: "Rejected", deleted: "In the trash", train: "Train", measure: "Measure" };

  // On a phone the rows come first, until somebody asks for the charts.
  const roomy = () => matchMedia("(min-width: 700px)").matches;
  const kept = () => { try { return (localStorage.getItem(OPEN) || (roomy() ? "open" : "shut")) === "open"; } catch { return roomy(); } };
  const keep = (open) => { try { localStorage.setItem(OPEN, open ? "open" : "shut"); } catch { /* storage is off */ } };

  window.ratchet.widgets.overview = (element) => {
    const charts = el("div", { class: "glance-charts" });
    const findings = data.findingsBox();
    const body = el("div", { class: "glance-body", id: "glance-body", hidden: !kept() }, charts, findings.node);
    const summary = el("p", { class: "muted small num glance-summary" });
    const toggle = el("button", { type: "button", class: "button button-ghost button-s", "aria-expanded": String(kept()), "aria-controls": "glance-body", onclick: turn });
    const card = el("section", { class: "card glance", "aria-labelledby": "glance-title", hidden: true },
      el("div", { class: "row-between glance-head" }, el("h2", { id: "glance-title" }, "At a glance"), summary, toggle), body);
    element.append(card);
    label();

    let shown = "";
    let asked = 0;

    function turn() {
      body.hidden = !body.hidden;
      keep(!body.hidden);
      label();
      if (!body.hidden) look();
    }

    function label() {
      toggle.textContent = body.hidden ? "Show" : "Hide";
      toggle.setAttribute("aria-expanded", String(!body.hidden));
    }

    async function look() {
      const { dataset } = data.place();
      if (!dataset || body.hidden) {
        card.hidden = !dataset;
        shown = dataset;
        return;
      }
      const turnOf = ++asked;
      try {
        const glance = await api(data.path("overview", dataset));
        if (turnOf !== asked) return;
        draw(glance);
      } catch {
        card.hidden = true; // the table says what is wrong with the dataset
      }
    }

    function draw(glance) {
      card.hidden = glance.rows === 0;
      shown = glance.dataset;
      summary.textContent = data.plural(glance.rows, "row");
      charts.replaceChildren(...Object.entries(CHARTS).filter(([name]) => glance.charts[name]).map(
        ([name, [title, form]]) => chart(title, glance.charts[name], form, glance.rows)));
      findings.look(glance.dataset);
      mark();
    }

    /** Which bars are set as filters now. */
    function mark() {
      const { filters } = data.place();
      for (const bar of charts.querySelectorAll("button[data-filters]")) {
        const set = Object.entries(JSON.parse(bar.dataset.filters));
        const on = set.every(([name, value]) => [filters[name] || []].flat().includes(value));
        bar.setAttribute("aria-pressed", String(on));
      }
    }

    data.on("place", () => { if (data.place().dataset !== shown) look(); else mark(); });
    data.on("changed", look);
    data.on("datasets", () => { if (data.place().dataset !== shown) look(); });
    look();
  };

  function chart(title, parts, form, all) {
    const most = Math.max(...parts.map((part) => part.rows), 1);
    const list = form === "columns" ? parts : parts.slice(0, SHOWN);
    const rest = parts.length - list.length;
    const narrow = form === "columns";
    return el("figure", { class: `glance-chart is-${form}` },
      el("figcaption", {}, title, rest > 0 && el("span", { class: "muted" }, ` (${rest} more in the filters)`)),
      el("div", { class: "glance-bars", role: "group", "aria-label": title }, list.map((part) => bar(title, part, most, all, narrow))));
  }

  /** A language by its name; zxx is what the standard calls a text in none. */
  function language(code) {
    if (code === "zxx") return "no language";
    return new Intl.DisplayNames(["en"], { type: "language", fallback: "code" }).of(code);
  }

  function bar(title, part, most, all, narrow) {
    const said = WORDS[part.label] || (title === "Languages" ? language(part.label) : part.label);
    const low = Number(Object.values(part.filters)[0]?.split?.("-")[0]);
    // Columns are narrow: they name where they begin, "1.6k".
    const short = narrow ? (low >= 1000 ? `${Math.round(low / 100) / 10}k` : String(low)) : said;
    const share = `${Math.round((part.rows / Math.max(all, 1)) * 100)} %`;
    const names = Object.keys(part.filters);
    const about = `${title}: ${said}, ${data.plural(part.rows, "row")}`;
    const inner = [
      el("span", { class: "glance-fill", style: { "--share": `${(part.rows / most) * 100}%` } }),
      el("span", { class: "glance-label" }, short),
      el("span", { class: "glance-count num" }, part.rows.toLocaleString("en")),
    ];
    if (!names.length) return el("div", { class: "glance-bar", title: `${about}, ${share}` }, inner);
    return el("button", { type: "button", class: "glance-bar", title: `${about}, ${share}`, "aria-label": `${about}: show them`,
      "aria-pressed": "false", "data-filters": JSON.stringify(part.filters), onclick: press }, inner);

    /** Sets the filter, or takes it away where it is set. */
    function press(event) {
      const on = event.currentTarget.getAttribute("aria-pressed") === "true";
      data.filter(on ? Object.fromEntries(names.map((name) => [name, null])) : part.filters);
    }
  }
})();
