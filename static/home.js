/*
 * The first page: the one next step, the loop as a picture, the run at work, and the film of the rounds.
 *
 * Read from /api/rounds every two seconds; a part is redrawn only where it changed, so focus stays where it is.
 */
(() => {
  "use strict";

  const { el, api, poll, toast, rounds: controls } = window.ratchet;

  const LOOP = [
    ["Curate", "Read the examples and mend them by hand.", "/data"],
    ["Train", "A small adapter learns from them, here on your machine.", "/train"],
    ["Compare", "The new model and the one before answer side by side, blind.", "/compare"],
    ["Vote", "You say which answer is better. The names are shown afterwards.", "/compare"],
    ["Train on votes", "The next adapter learns your taste from the votes.", "/train"],
    ["Keep it, or not", "It is kept when the votes say that it is better, and that it is no accident.", "/"],
  ];

  const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
  const percent = (rate) => `${Math.round(100 * rate)} %`;

  function spell(seconds) {
    if (seconds < 90) return `${Math.round(seconds)} s`;
    return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
  }

  /* ---- The next step --------------------------------------------------------------------------------- */

  function nextCard(next) {
    return el("section", { class: "card next-card", "aria-labelledby": "next-title" },
      el("div", { class: "next-said" },
        el("p", { class: "next-eyebrow" }, "Next step"),
        el("h2", { id: "next-title" }, next.title),
        el("p", { class: "next-why" }, next.why)),
      el("div", { class: "next-do" },
        next.does ? el("button", { type: "button", class: "button button-primary button-l", id: "next-step", onclick: (event) => crown(next.does, event.currentTarget) }, next.button)
          : el("a", { class: "button button-primary button-l", id: "next-step", href: next.href }, next.button),
        el("div", { class: "command" }, el("code", { tabindex: 0, "aria-label": "The same as a command" }, next.command))));
  }

  /* ---- The champion ---------------------------------------------------------------------------------- */

  let look = () => {}; // asks for the page's state at once

  async function crown(address, button) {
    button.disabled = true;
    try {
      const done = await api(address, { method: "POST", body: {} });
      toast(done.champion ? `${done.champion} is the champion now.` : `${done.model} is the candidate of round ${done.round}: vote in ${done.study}.`, "good", address.endsWith("/promote") ? () => crown("/api/rounds/rollback", button) : null);
    } catch (error) {
      toast(error.message, "bad");
      button.disabled = false;
    }
    look();
  }

  function crownLine({ champion, rounds }) {
    const backs = rounds.some((round) => round.promotion && !round.rolled_back);
    return champion ? [el("p", { class: "champion" }, el("span", { class: "muted" }, "Champion: "), el("b", { id: "champion" }, champion), " ",
      backs ? el("button", { type: "button", class: "button-text", id: "roll-back", onclick: (event) => crown("/api/rounds/rollback", event.currentTarget) }, "Roll back") : null)] : [];
  }

  /* ---- The loop -------------------------------------------------------------------------------------- */

  /** Six steps up a rack: each is a tooth, the present one filled. */
  function loop(stage) {
    const open = localStorageSays("ratchet.loop") !== "closed";
    const box = el("details", { class: "loop-box", open, ontoggle: () => keep("ratchet.loop", box.open ? "open" : "closed") },
      el("summary", {}, "How the loop works"),
      el("ol", { class: "loop" }, LOOP.map(([name, meaning, href], index) =>
        el("li", { class: index + 1 === stage ? "loop-step is-now" : index + 1 < stage ? "loop-step is-past" : "loop-step", "aria-current": index + 1 === stage ? "step" : null },
          el("span", { class: "loop-tooth", "aria-hidden": "true" }),
          el("span", { class: "loop-name" }, el("span", { class: "loop-number" }, index + 1), href === "/" ? name : el("a", { href }, name)),
          el("span", { class: "muted small" }, meaning)))));
    return box;
  }

  function localStorageSays(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage is switched off
    }
  }

  function keep(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      /* storage is switched off: the choice lasts as long as the page */
    }
  }

  /* ---- The run at work ------------------------------------------------------------------------------- */

  function strip(job) {
    const share = job.total_steps ? Math.round((100 * job.step) / job.total_steps) : 0;
    const left = job.eta_seconds === null ? "" : `, about ${spell(job.eta_seconds)} left`;
    const words = job.phase === "training" && job.total_steps ? `step ${job.step} of ${job.total_steps}${left}` : job.phase || "starting";
    return el("a", { class: "run-strip card", href: `/train?job=${job.job}` },
      el("span", { class: "status status-running" }, "running"), el("b", {}, job.name), el("span", { class: "muted num" }, words),
      el("span", { class: `progress${share ? "" : " progress-unknown"}`, role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": share, "aria-label": `${job.name}: ${words}` },
        el("span", { style: { "--value": `${share}%` } })));
  }

  /* ---- The film -------------------------------------------------------------------------------------- */

  const VERDICT = {
    open: ["open", "chip-warning", "is-open"],
    kept: ["kept", "chip-good", "is-kept"],
    worse: ["worse", "chip-bad", "is-rejected"],
    back: ["rolled back", "chip-bad", "is-rejected"],
    undecided: ["not decided", "", ""],
  };

  function verdictOf(round) {
    if (round.state === "open") return VERDICT.open;
    if (round.rolled_back) return VERDICT.back;
    if (round.kept) return VERDICT.kept;
    return round.standing?.word === "worse" ? VERDICT.worse : VERDICT.undecided;
  }

  function roundItem(round, sparks) {
    const [word, chip, state] = verdictOf(round);
    return el("li", { class: `timeline-item ${state}`, "aria-label": `Round ${round.round}, ${word}` },
      el("div", { class: "timeline-head" }, el("h3", {}, `Round ${round.round}`), el("span", { class: `chip ${chip}` }, word),
        round.model ? el("span", { class: "muted small" }, `${round.parent} → `, el("b", {}, round.model)) : el("span", { class: "muted small" }, `from ${round.parent || "the starter"}`),
        round.model && el("a", { class: "link small", href: `/report/${round.round}`, "aria-label": `Report of round ${round.round}` }, "Report"),
        round.job?.status === "done" && controls.replayButton(round.round)),
      el("div", { class: "film" }, materialFrame(round), jobFrame(round, sparks), resultFrame(round), figuresFrame(round)));
  }

  const frame = (title, ...content) => el("div", { class: "film-frame" }, el("h4", {}, title), ...content);
  const pending = (text) => el("p", { class: "muted small" }, text);

  function materialFrame(round) {
    const from = round.material;
    if (!from) return frame("Learns from", pending(round.model ? "It comes from elsewhere." : "Examples or votes, as you choose."));
    if (from.mixed?.length) return frame("Mixed from", el("p", { class: "small", dir: "auto" }, from.mixed.join(", ")));
    const verb = round.model ? "Learnt" : "Learns";
    if (from.study) {
      return frame(`${verb} from votes`, el("p", { class: "stat-value" }, from.votes), el("p", { class: "muted small" }, "votes of ",
        el("a", { class: "link", href: `/compare?study=${encodeURIComponent(from.study)}` }, from.study)));
    }
    return frame(`${verb} from examples`, el("p", { class: "stat-value" }, from.rows), el("p", { class: "muted small" }, "rows of ",
      el("a", { class: "link", href: `/data?dataset=${encodeURIComponent(from.dataset)}` }, from.dataset), `, version ${from.version}`));
  }

  function jobFrame(round, sparks) {
    const { job } = round;
    if (!job) return frame("Training", pending(round.model ? "None: its weights were there." : "Not trained yet."));
    const took = job.seconds === null ? "" : `, ${spell(job.seconds)}`;
    const spark = el("div", { class: "spark" });
    sparks.draw(job, spark);
    return frame("Training", spark, el("p", { class: "muted small" },
      el("a", { class: "link", href: `/train?job=${job.id}` }, `${job.method.toUpperCase()}, job ${job.number}`), took, job.status === "done" ? "" : el("span", {}, " ", el("span", { class: `status status-${job.status}` }, job.status))));
  }

  function resultFrame(round) {
    const stand = round.standing;
    if (!round.model) return frame(`Against ${round.against || "the champion"}`, pending("Comes after the training."));
    if (!stand || !stand.votes) {
      return frame(`Against ${round.against || "the champion"}`, pending("No votes yet."), round.measuring && el("a", { class: "link small", href: `/compare?study=${encodeURIComponent(round.measuring)}` }, "Compare and vote"));
    }
    return frame(`Against ${round.against || "the champion"}`, winRate(stand),
      el("p", { class: "small" }, el("b", {}, `wins ${percent(stand.win_rate)}`), el("span", { class: "muted" }, ` (${percent(stand.low)} to ${percent(stand.high)})`)),
      el("p", { class: "muted small" }, `${plural(stand.wins, "win")}, ${stand.losses} lost, ${plural(stand.ties, "tie")}. `, settles(stand)),
      gateChecks(round));
  }

  /** The round in numbers, on one line under the frames; what is not known is not there. */
  function figuresFrame({ figures: of, model, job }) {
    if (!of || !model) return null;
    const loss = (change) => `${change.before.toFixed(2)} → ${change.after.toFixed(2)}`;
    const facts = [
      of.agreement && ["Agreement", percent(of.agreement.rate), `Of ${plural(of.agreement.pairs, "pair")} of people who judged the same answers`],
      of.held_out && ["Held-out loss", loss(of.held_out), `Loss per token on ${of.held_out.of} that it never learnt, before and after`],
      of.forgetting && ["Forgetting", `${of.forgetting.after >= of.forgetting.before ? "+" : "−"}${Math.abs(of.forgetting.after - of.forgetting.before).toFixed(2)}`, `Loss per token on ${of.forgetting.of}: ${loss(of.forgetting)}`],
      of.device_seconds !== null && of.device_seconds !== job?.seconds && ["On devices", spell(of.device_seconds), "Seconds of training, times its devices"],
      of.judging_seconds > 0 && ["Judging", spell(of.judging_seconds), "What people spent on the votes that count"],
      of.money > 0 && ["Servers", of.money.toFixed(2), "What servers wrote for its study, by their prices"],
    ].filter(Boolean);
    return facts.length > 0 && el("dl", { class: "film-figures small" }, facts.map(([name, value, title]) =>
      el("div", { title }, el("dt", {}, name), el("dd", { class: "num" }, value))));
  }

  /** What else the gate asks: shown where votes alone do not decide. */
  function gateChecks(round) {
    // What is still open of a closed round's model nobody needs to settle.
    const others = (round.gate?.checks || []).filter((check) => check.name !== "votes" && (round.state === "open" || check.state === "fails"));
    if (round.promotion?.kind === "overruled") return el("p", { class: "small" }, `Overruled by ${round.promotion.author}: ${round.promotion.reason}`);
    return others.length ? el("ul", { class: "gate-checks small" }, others.map((check) => el("li", { class: `gate-${check.state}` }, check.sentence,
      check.name === "canaries" && check.state !== "holds" ? [" ", el("a", { class: "link", href: "/results#canaries" }, "See the canaries")] : null))) : null;
  }

  function settles(stand) {
    if (stand.word !== "open") return stand.word === "better" ? "Better, and no accident." : "Worse, and no accident.";
    if (stand.needed) return `About ${plural(stand.needed, "more vote")} would tell.`;
    return stand.votes < 30 ? "Too early to tell." : "Too close to tell.";
  }

  /** The win rate between its bounds, around one half. */
  function winRate(stand) {
    const x = (rate) => (4 + 192 * rate).toFixed(1);
    const words = `Wins ${percent(stand.win_rate)}, surely between ${percent(stand.low)} and ${percent(stand.high)}`;
    return el("svg", { class: `win-rate is-${stand.word}`, viewBox: "0 0 200 34", preserveAspectRatio: "xMinYMid meet", role: "img", "aria-label": words },
      el("svg:line", { x1: 4, x2: 196, y1: 14, y2: 14, class: "win-axis" }),
      el("svg:line", { x1: 100, x2: 100, y1: 3, y2: 25, class: "win-half" }),
      el("svg:text", { x: 100, y: 33, "text-anchor": "middle", class: "win-text" }, "50 %"),
      el("svg:rect", { x: x(Math.min(0.5, stand.win_rate)), width: Math.abs(192 * (stand.win_rate - 0.5)).toFixed(1), y: 10, height: 8, class: "win-bar" }),
      el("svg:path", { d: `M${x(stand.low)} 9V19M${x(stand.low)} 14H${x(stand.high)}M${x(stand.high)} 9V19`, class: "win-whisker" }),
      el("svg:circle", { cx: x(stand.win_rate), cy: 14, r: 4, class: "win-dot" }));
  }

  /** Small loss curves, each fetched once: an ended job's curve does not change. */
  class Sparks {
    constructor() {
      this.known = new Map();
    }

    async draw(job, place) {
      const key = `${job.id} ${job.status} ${job.status === "running" ? job.step : ""}`;
      if (!this.known.has(key)) {
        this.known.set(key, api(`/api/jobs/${job.id}/curves?points=60`).then(({ series }) => (series.loss || []).filter(([, value]) => value !== null), () => []));
      }
      const points = await this.known.get(key);
      if (points.length < 2) return;
      const values = points.map(([, value]) => value);
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const last = points.at(-1)[0];
      const first = points[0][0];
      const at = ([step, value]) => `${(2 + (116 * (step - first)) / (last - first || 1)).toFixed(1)} ${(3 + 26 * (1 - (value - low) / (high - low || 1))).toFixed(1)}`;
      place.replaceChildren(el("svg", { viewBox: "0 0 120 32", role: "img", preserveAspectRatio: "none", "aria-label": `Loss from ${values[0].toFixed(2)} to ${values.at(-1).toFixed(2)}` },
        el("svg:polyline", { points: points.map(at).join(" ").replaceAll(/(\S+) (\S+)/g, "$1,$2"), class: "spark-line" })),
        el("span", { class: "muted small num" }, `${values[0].toFixed(2)} → ${values.at(-1).toFixed(2)}`));
    }
  }

  /* ---- The page -------------------------------------------------------------------------------------- */

  window.ratchet.widgets.home = (element) => {
    const parts = { next: el("div", {}), loop: el("div", {}), running: el("div", { class: "stack-s" }), champion: el("div", {}), rounds: el("div", {}) };
    const limit = controls.limit(() => look());
    const sparks = new Sparks();
    const drawn = {};
    element.append(el("div", { class: "stack-l" }, el("div", { class: "home-top" }, parts.next, parts.running), parts.loop, parts.champion, limit.element, parts.rounds));

    function redraw(name, data, draw) {
      const text = JSON.stringify(data);
      if (drawn[name] === text) return;
      drawn[name] = text;
      parts[name].replaceChildren(...[draw(data)].flat());
    }

    function film(rounds) {
      const items = [...rounds].reverse().map((round) => roundItem(round, sparks));
      return [el("h2", { class: "film-title" }, "The rounds so far"), el("ol", { class: "timeline" }, items)];
    }

    async function refresh() {
      const { rounds, next, running, champion, limits } = await api("/api/rounds");
      redraw("next", next, nextCard);
      redraw("loop", next.stage, loop);
      redraw("running", running, (jobs) => jobs.map(strip));
      parts.running.hidden = !running.length;
      redraw("champion", { champion, rounds: rounds.map(({ promotion, rolled_back }) => ({ promotion, rolled_back })) }, crownLine);
      limit.show(limits, rounds.some((round) => round.model));
      redraw("rounds", rounds, (all) => (all.length ? film(all) : []));
    }

    look = refresh;
    const polling = poll(refresh, 2000);
    return () => polling.stop();
  };
})();
