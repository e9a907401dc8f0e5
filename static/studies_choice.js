/*
 * What active choice saved: the widest interval of any pair over the votes, in random and in active order, each with the
 * spread over the shuffles. Counted when somebody asks, for it replays the whole study.
 */
(() => {
  "use strict";

  const { el, api, studies } = window.ratchet;
  const { card, act, command, plural, quote } = studies;
  const [WIDTH, HEIGHT] = [640, 240];
  const PLOT = { left: 46, right: 628, top: 10, bottom: 206 };

  studies.choice = (study) => {
    const box = el("div", { class: "stack", "aria-live": "polite" });
    const button = el("button", { type: "button", class: "button button-secondary", onclick: count }, "Count it on this study's votes");
    return card("choice", "What active choice saves", "The votes of this study are handed out again in random order, and with what tells most first; both end alike, and a saving is how much sooner one gets there.",
      el("div", {}, button), box, command(`ratchet study ${quote(study.name)} --choice`));

    async function count() {
      button.disabled = true;
      box.replaceChildren(el("p", { class: "muted" }, "Counting…"));
      const found = await act(() => api(`/api/studies/${encodeURIComponent(study.name)}/choice`));
      button.disabled = false;
      box.replaceChildren(...(found ? [el("p", { class: "studies-saved" }, found.sentence), found.votes > 1 && chart(found), found.votes > 1 && numbers(found),
        el("p", { class: "muted small" }, `${plural(found.votes, "vote")} on ${plural(found.replayed, "judged prompt")}, ${plural(found.shuffles, "shuffle")}; ${found.near_identical} with near-identical answers, which come last. `,
          "Active choice asks other prompts than random choice would: until all are judged, win rates hold for what was asked. ", found.margin)].filter(Boolean) : []));
    }
  };

  function numbers(found) {
    const row = (title, against) => against && el("tr", {}, el("th", { scope: "row" }, title),
      ["random", "active"].map((name) => el("td", { class: "num" }, `${Math.round(against[name].median)} (${Math.round(against[name].low)} to ${Math.round(against[name].high)})`)),
      el("td", { class: "num" }, against.saved === null ? "cannot be told" : `${Math.round(100 * against.saved)} %`));
    return el("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": "Votes until" }, el("table", { class: "table table-s" },
      el("caption", { class: "visually-hidden" }, "Votes until"),
      el("thead", {}, el("tr", {}, ["Votes until", "At random", "Active", "Saved"].map((head, place) => el("th", { scope: "col", class: place ? "num" : null }, head)))),
      el("tbody", {}, row(`the same ${plural(found.verdicts.length, "verdict")}`, found.until_verdicts), row(`the widest interval is ${(100 * (found.width || 0)).toFixed(0)} points`, found.until_width))));
  }

  function chart(found) {
    const { votes, random, active } = found.curve;
    const top = Math.max(...random.map((one) => one.high), ...active.map((one) => one.high), 0.01);
    const last = votes.at(-1);
    const x = (at) => PLOT.left + (at / last) * (PLOT.right - PLOT.left);
    const y = (value) => PLOT.bottom - (value / top) * (PLOT.bottom - PLOT.top);
    const line = (spread, key) => spread.map((one, place) => `${place ? "L" : "M"}${x(votes[place]).toFixed(1)} ${y(one[key]).toFixed(1)}`).join("");
    const band = (spread) => `${line(spread, "high")}${[...spread].reverse().map((one, place) => `L${x(votes[votes.length - 1 - place]).toFixed(1)} ${y(one.low).toFixed(1)}`).join("")}Z`;
    const ticks = [0, 0.5, 1].map((share) => share * top);
    return el("figure", { class: "studies-chart" },
      el("figcaption", { class: "line small" }, "Widest interval of any pair, in points, over the votes.", el("span", { class: "studies-key is-random" }, "at random"), el("span", { class: "studies-key is-active" }, "active")),
      el("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": found.sentence },
        ticks.map((tick) => [el("svg:line", { x1: PLOT.left, x2: PLOT.right, y1: y(tick), y2: y(tick), class: "studies-grid" }),
          el("svg:text", { x: PLOT.left - 8, y: y(tick) + 4, class: "studies-tick", "text-anchor": "end" }, Math.round(100 * tick))]),
        [0, 0.5, 1].map((share) => el("svg:text", { x: x(share * last), y: HEIGHT - 14, class: "studies-tick", "text-anchor": share === 1 ? "end" : "middle" }, Math.round(share * last))),
        [["random", random], ["active", active]].map(([name, spread]) => [
          el("svg:path", { d: band(spread), class: `studies-band is-${name}` }), el("svg:path", { d: line(spread, "median"), class: `studies-line is-${name}` })])));
  }
})();
