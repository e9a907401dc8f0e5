/*
 * The cards below the vote: what these votes will do, the standings when somebody asks for them, the command line.
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });

  function effectCard(el) {
    const body = el("div", { class: "stack-s" });
    const node = el("section", { class: "card" }, el("div", { class: "card-head" }, el("h2", {}, "What these votes will do")), body);
    return { node, body };
  }

  function drawEffect(el, body, data) {
    const dropped = Object.entries(data.dropped);
    const measure = data.dropped["measure prompt"] || 0;
    const others = dropped.filter(([reason]) => reason !== "measure prompt" && reason !== "skip");
    const sentence = data.votes === 0
      ? "Each clear vote becomes a training pair: the better answer against the worse one. One prompt in five never trains; it only measures whether the next model is better."
      : `${judging.plural(data.votes, "vote")} so far make ${judging.plural(data.pairs, "training pair")}. ${judging.plural(measure, "vote")} on the one prompt in five that only measures${others.length ? `; ${others.map(([reason, n]) => `${n} left out as ${reason.replaceAll("_", " ")}`).join(", ")}` : ""}.`;
    body.replaceChildren(el("p", {}, sentence), el("div", { class: "line" },
      data.enough
        ? el("a", { class: "button button-primary", href: data.train }, "Train on these votes")
        : el("span", { class: "small muted" }, `${judging.plural(data.missing, "more pair")} until training on them is worth while.`)));
  }

  function standingsCard(el, on) {
    const body = el("div", { class: "stack-s" });
    const button = el("button", { type: "button", class: "button button-s", "aria-expanded": "false", onclick: on.standings }, "Show");
    const node = el("section", { class: "card", id: "standings" }, el("div", { class: "card-head" }, el("h2", {}, "Standings"), button), body);
    const hide = () => body.replaceChildren(el("p", { class: "muted" }, "Hidden while you judge, so that names and scores sway nobody."));
    hide();
    return { node, body, button, hide };
  }

  function drawStandings(el, body, data) {
    const low = Math.min(...data.models.map((m) => m.low), 800);
    const high = Math.max(...data.models.map((m) => m.high), 1200);
    const at = (rating) => `${(100 * (rating - low)) / (high - low)}%`;
    const bars = data.models.map((m) => el("div", { class: "standing" },
      el("span", { class: "truncate", title: m.name }, m.name), el("span", { class: "num small muted" }, `${Math.round(m.rating)} ± ${Math.round((m.high - m.low) / 2)}`),
      el("span", { class: "interval", style: { "--low": at(m.low), "--high": at(m.high), "--at": at(m.rating) }, role: "img",
        "aria-label": `rating ${Math.round(m.rating)}, between ${Math.round(m.low)} and ${Math.round(m.high)}` })));
    const duels = data.pairs.map((p) => {
      const ahead = p.verdict === "a better" ? `${p.a} is better` : p.verdict === "b better" ? `${p.b} is better` : "not decided";
      const more = p.votes_needed ? `about ${judging.plural(p.votes_needed, "more vote")} to tell` : p.votes_needed === 0 ? "" : "too close, or too few votes, to say how many more";
      const percent = (x) => Math.round(100 * x);
      return el("p", { class: "small" }, el("b", {}, `${p.a} over ${p.b}: ${percent(p.win_rate)} %`),
        ` (${percent(p.interval_anytime[0])} to ${percent(p.interval_anytime[1])} %, ${p.wins_a}–${p.wins_b}, ${judging.plural(p.ties, "tie")}, ${p.both_bad} both bad): ${ahead}${more ? `; ${more}` : ""}.`);
    });
    const none = !data.pairs.length && el("p", { class: "muted" }, data.models.length < 2 ? "This study compares a model with itself: its votes train, and there is nobody to rank." : "No votes yet.");
    body.replaceChildren(...(data.models.length > 1 ? bars : []), ...duels, ...(none ? [none] : []), ...data.notes.map((note) => el("p", { class: "small muted" }, note)));
  }

  function commands(el) {
    const code = el("code", { tabindex: 0, "aria-label": "The same as a command" });
    const copy = el("button", { type: "button", class: "button button-s", onclick: () => navigator.clipboard?.writeText(code.textContent).then(() => window.ratchet.toast("Copied.", "good")) }, "Copy");
    return { node: el("div", { class: "stack-s" }, el("p", { class: "small muted" }, "The same on the command line"), el("div", { class: "command" }, code, copy)), code };
  }

  /** Both cards and the command. on.progress() and on.standings() fetch what they show. */
  judging.cards = (el, on) => {
    const effect = effectCard(el);
    const standings = standingsCard(el, { standings: toggle });
    const command = commands(el);
    const annotator = document.body.classList.contains("role-annotator");
    let opened = false;

    function open(yes) {
      opened = yes;
      standings.button.textContent = yes ? "Hide" : "Show";
      standings.button.setAttribute("aria-expanded", String(yes));
      if (!yes) standings.hide();
    }

    function toggle() {
      open(!opened);
      if (opened) rank();
    }

    async function rank() {
      try {
        const data = await on.standings();
        if (opened && data) drawStandings(el, standings.body, data);
      } catch (error) {
        standings.body.replaceChildren(el("p", { class: "muted" }, error.message));
      }
    }

    async function count() {
      if (annotator) return; // these numbers are not theirs: they would tell a known answer from the rest
      const data = await on.progress().catch(() => null);
      if (data) drawEffect(el, effect.body, data);
      if (opened) rank();
    }

    const grid = el("div", { class: "grid-2" }, effect.node, standings.node);
    const hide = (yes) => { grid.hidden = command.node.hidden = yes || annotator; };
    return { nodes: [grid, command.node], count, hide, close: () => open(false), command: (text) => { command.code.textContent = text; } };
  };
})();
