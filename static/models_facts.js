/*
 * What is known of a model, as sections of the panel: where it comes from, how it did, recipe, measurements, card.
 *
 *   ratchet.models.facts(one, open)   a list of elements; open(id or name) goes to another model
 */
(() => {
  "use strict";

  const { el, markdown } = window.ratchet;
  const { bytes, spell, number, label, plural, evaluation } = window.ratchet.training;
  const models = window.ratchet.models;
  const { KINDS, weights, percent } = models;

  const moment = (seconds) => new Date(seconds * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
  const section = (name, title, ...content) => el("section", { class: "stack-s models-part", "aria-labelledby": `models-${name}` }, el("h3", { id: `models-${name}` }, title), ...content);
  const list = (pairs) => {
    const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== false && value !== "");
    return known.length > 0 && el("dl", { class: "models-facts" }, known.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
  };
  const link = (href, ...words) => el("a", { class: "link", href }, ...words);
  const folded = (id, title, ...content) => el("details", { class: "models-more", id }, el("summary", {}, title), ...content);

  models.facts = (one, open) => {
    const other = (name) => el("button", { type: "button", class: "button-text models-other", onclick: () => open(name) }, name);

    function origin() {
      const line = one.lineage.slice(1).reverse();
      const from = one.material;
      const where = from && (from.study ? [plural(from.votes, "vote"), " of ", link(`/results?study=${encodeURIComponent(from.study)}`, from.study)]
        : [plural(from.rows, "row"), " of ", link(`/data?dataset=${encodeURIComponent(from.dataset)}`, from.dataset), `, version ${from.version}`]);
      return section("origin", "Where it comes from", list([
        ["Kind", `${KINDS[one.kind] || one.kind}${one.parameters ? `, ${weights(one.parameters)} weights` : ""}`],
        ["Line", line.length > 0 && el("span", { class: "models-line" }, line.flatMap((name) => [other(name), el("span", { "aria-hidden": "true" }, "→\u2002")]), el("span", { dir: "auto" }, one.name))],
        ["Base", one.base && !line.includes(one.base) ? other(one.base) : null],
        ["Mixed from", one.mixed?.length > 0 && el("span", { class: "models-line" }, one.mixed.flatMap(({ name, weight }) => [other(name), el("span", { class: "muted num" }, `${number(weight)}\u2002`)]))],
        ["Learnt from", where],
        ["Made by", one.recipe ? [link(`/train?job=${encodeURIComponent(one.recipe.job)}`, `${one.recipe.title}, job ${one.recipe.number}`), one.author ? `, asked for by ${one.author}` : ""] : one.kind === "endpoint" ? null : one.mixed?.length ? `mixed by ${one.how} for ${one.author}` : "added, not trained here"],
        ["Since", moment(one.created_at)],
        ["Round", one.round === null ? null : link("/", `round ${one.round}`)],
        ["Size on disk", one.bytes === null ? null : bytes(one.bytes)],
        ["Held by", one.loaded ? "the engine, now" : one.kind === "endpoint" ? `${one.url}, as ${one.remote_name}` : null],
        ["Labels", (one.labels || []).join(", ")],
        ["Earlier names", one.former_names.join(", ")],
        ["Goes on in", one.children.length > 0 && el("span", { class: "models-line" }, one.children.map(other))],
        ["Put away", one.archived_at && !one.gone_at ? moment(one.archived_at) : null],
        ["Weights deleted", one.gone_at ? moment(one.gone_at) : null],
      ]));
    }

    function standing() {
      const stands = one.standing;
      const rate = stands && el("div", { class: "stack-s" },
        el("p", {}, el("b", {}, `Wins ${percent(stands.win_rate)}`), ` against ${one.against}, surely between ${percent(stands.low)} and ${percent(stands.high)}.`),
        el("span", { class: "interval", "aria-hidden": "true", style: { "--low": `${100 * stands.low}%`, "--high": `${100 * stands.high}%`, "--at": `${100 * stands.win_rate}%` } }, el("i", {})),
        el("p", { class: "muted small" }, `${plural(stands.wins, "win")}, ${stands.losses} lost, ${plural(stands.ties, "tie")}${stands.left_out ? `; ${plural(stands.left_out, "vote")} on prompts that trained are left out` : ""}.`));
      const gate = one.gate && el("ul", { class: "models-checks small", "aria-label": "The gate" }, one.gate.checks.map((check) => el("li", { class: `is-${check.state}` }, check.sentence, check.settles ? ` ${check.settles}` : "")));
      const crowned = one.promotions.map((made) => el("p", { class: "small" }, `${KIND[made.kind]} ${moment(made.at)} by ${made.author}: ${made.reason}`));
      const votes = one.votes.length > 0 && el("p", { class: "small" }, "Votes on its answers: ", one.votes.flatMap(({ study, votes }, at) => [at ? ", " : "", link(`/results?study=${encodeURIComponent(study)}`, `${votes} in ${study}`)]), ".");
      const parts = [rate, gate, ...crowned, votes].filter(Boolean);
      return section("standing", "How it did", ...(parts.length ? parts : [el("p", { class: "muted small" }, "Nobody has judged its answers yet.")]));
    }

    function recipe() {
      const made = one.recipe;
      if (!made) return null;
      const options = Object.entries(made.options);
      return section("recipe", "Recipe", list([
        ["Method", made.title], ["From", [made.start, made.how ? ` (${made.how})` : ""]], ["Votes become pairs by", made.policy], ["Rows", made.rows],
        ["Mixed in", made.replay], ["Teacher", made.teacher], ["Reward models", made.rewards.join(", ")], ["Seed", made.seed], ["Took", made.seconds === null ? null : spell(made.seconds)],
      ]),
      options.length > 0 ? el("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": "Options that differ" }, el("table", { class: "table table-s" },
        el("caption", { class: "visually-hidden" }, "Options that differ from the method's own"),
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Option that differs"), el("th", { scope: "col", class: "num" }, "Value"))),
        el("tbody", {}, options.map(([name, value]) => el("tr", {}, el("td", {}, label(name)), el("td", { class: "num" }, number(value)))))))
        : el("p", { class: "muted small" }, "Every option as the method has it."),
      el("div", { class: "command" }, el("code", { tabindex: 0, "aria-label": "The same as a command" }, made.command)));
    }

    function hashes() {
      const mono = (value) => value && el("code", { class: "models-hash" }, value);
      return folded("models-hashes", "Hashes and place", list([
        ["Base, SHA-256", mono(one.hashes.base)], ["Adapter, SHA-256", mono(one.hashes.adapter)], ["Template, SHA-256", mono(one.hashes.template)], ["Data, SHA-256", mono(one.data_sha256)],
        ["Folder", mono(one.path)], ["Libraries", one.recipe && Object.entries(one.recipe.libraries).map(([name, version]) => `${name} ${version}`).join(", ")],
        ["Probe", one.probe && Object.entries(one.probe).map(([name, value]) => `${label(name)}: ${number(value)}`).join(", ")],
      ]) || el("p", { class: "muted small" }, "Nothing is known of its files."));
    }

    /** The card; what hubs read in front of it is shown as it stands. */
    function card() {
      if (!one.card) return null;
      const [, front, body] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(one.card) || [null, "", one.card];
      return folded("models-card", "Model card", front && el("pre", { class: "log", tabindex: 0, "aria-label": "Front matter" }, front), el("div", { class: "prose" }, markdown(body)));
    }

    function needed() {
      return one.needed.length > 0 && folded("models-needed", `What needs it (${one.needed.length})`, el("ul", { class: "small" }, one.needed.map((sentence) => el("li", {}, sentence[0].toUpperCase() + sentence.slice(1)))));
    }

    function commands() {
      const words = /^[\w.-]+$/.test(one.name) ? one.name : "MODEL";
      const answers = ["base", "adapter", "endpoint"].includes(one.kind);
      const lines = [`ratchet model ${words}`, answers && `ratchet generate --model ${words} --prompt TEXT`, answers && `ratchet compare --study NAME --models ${words},OTHER --prompts DATASET`,
        answers && !one.champion && `ratchet promote ${words}`, answers && one.kind !== "endpoint" && `ratchet export-model ${words} --as ${one.kind === "adapter" ? "adapter" : "merged"} --out FOLDER`,
        `ratchet rename-model ${words} NAME`, `ratchet archive-model ${words}${one.archived ? " --back" : ""}`, `ratchet delete-model ${words}`];
      return folded("models-commands", "The same as commands", el("div", { class: "stack-s" }, lines.filter(Boolean).map((line) => el("div", { class: "command" }, el("code", { tabindex: 0 }, line)))));
    }

    return [origin(), standing(), recipe(), evaluation(one.evaluation), needed(), card(), hashes(), commands()].filter(Boolean);
  };

  const KIND = { gate: "Became champion through the gate,", overruled: "Became champion, the gate overruled,", "rolled-back": "Became champion again by rolling back," };
})();
