/*
 * Demos on the page /studies: links by which strangers talk to models, made, copied once and closed; what visitors think
 * of the answers waits here until a curator accepts or refuses it, which can be taken back.
 *
 *   studies.demos(may)   the element; `may`: whether this person may run studies
 */
(() => {
  "use strict";

  const { el, api, at = (path) => path, toast, confirm, dialog, markdown, studies } = window.ratchet;
  const { card, field, act, command, plural, quote } = studies;
  const ADDRESS = "/api/demos";
  const WORDS = { up: "thumb up", down: "thumb down", a: "first is better", b: "second is better", tie: "as good", both_bad: "both bad" };
  const COMPARING = [["sometimes", "now and then, and on wish"], ["wish", "on wish"], ["never", "never"]];
  const RATE = 10;
  const one = (name) => `${ADDRESS}/${encodeURIComponent(name)}`;

  studies.demos = (may) => {
    const list = el("div", { class: "stack" });
    const fresh = el("div", { class: "stack-s" }); // the link of the demo made last, shown now alone
    draw();
    return card("demos", "Demos", "A link for people who have no account: they talk to the champion, or to models of your choice, and see nothing else. What they think of the answers waits here until it is accepted.",
      may && el("div", {}, el("button", { type: "button", class: "button button-secondary", id: "demo-new", onclick: ask }, "New demo")), fresh, list);

    async function draw() {
      const answer = await act(() => api(ADDRESS));
      if (!answer) return;
      list.replaceChildren(answer.demos.length ? el("ul", { class: "plain-list stack" }, answer.demos.map(row)) : el("p", { class: "muted" }, "There is no demo yet."));
    }

    function row(demo) {
      const seen = el("div", { class: "stack-s", hidden: true });
      const { pending, accepted, refused } = demo.votes;
      const button = (label, run, kind = "secondary") => el("button", { type: "button", class: `button button-${kind} button-s`, "aria-label": `${label}: ${demo.name}`, onclick: run }, label);
      return el("li", { class: "stack-s", dataset: { demo: demo.name } },
        el("div", { class: "row-between" }, el("h3", {}, demo.name), el("span", { class: "line" },
          el("span", { class: `chip ${demo.closed_at ? "" : "chip-good"}` }, demo.closed_at ? "closed" : "open"), pending > 0 && el("span", { class: "chip chip-warning" }, `${plural(pending, "vote")} waiting`))),
        el("p", { class: "small" }, `“${demo.terms.title}”: ${demo.models.join(", ") || "the champion"}; `, el("span", { class: "muted" }, `${accepted} accepted, ${refused} refused; made by ${demo.created_by}`)),
        demo.study && el("p", { class: "small" }, "Accepted votes stand in ", el("a", { class: "link", href: `/results?study=${encodeURIComponent(demo.study)}` }, demo.study), "."),
        el("div", { class: "line" }, pending > 0 && button("Look at them", () => look(demo, seen)),
          may && pending > 0 && [button("Accept all", () => decide(demo, "accept"), "primary"), button("Refuse all", () => decide(demo, "refuse"))],
          may && demo.decided && button("Take the last decision back", () => takeBack(demo, demo.decided), "ghost"),
          may && !demo.closed_at && button("Close", () => close(demo), "ghost")), seen);
    }

    async function look(demo, place) {
      place.hidden = !place.hidden;
      if (place.hidden) return;
      const answer = await act(() => api(`${one(demo.name)}/votes?limit=50`));
      if (!answer) return;
      place.replaceChildren(el("ul", { class: "plain-list stack" }, answer.votes.map((vote) => el("li", { class: "studies-candidate stack-s" },
        el("p", { class: "small" }, el("b", {}, WORDS[vote.choice]), el("span", { class: "muted" }, ` by visitor ${vote.visitor}`)),
        vote.prompt.map((turn) => el("p", { class: "studies-said", dir: "auto" }, el("span", { class: "muted small" }, `${turn.role}: `), turn.content.slice(0, 1200))),
        el("ol", { class: "studies-answers" }, vote.answers.map((said) => el("li", {}, el("span", { class: "muted small" }, said.model), el("div", { class: "answer prose studies-said", dir: "auto" }, markdown(said.text.slice(0, 1200)))))),
        may && el("div", { class: "line" }, ["accept", "refuse"].map((verb) => el("button", { type: "button", class: "button button-secondary button-s", onclick: () => decide(demo, verb, [vote.id]) }, verb === "accept" ? "Accept" : "Refuse")))))));
    }

    async function decide(demo, verb, votes = null) {
      const done = await act(() => api(`${one(demo.name)}/${verb}`, { body: { votes } }), null);
      await draw();
      if (!done) return;
      const words = verb === "accept" ? `${plural(done.accepted, "vote")} accepted into ${done.study}.` : `${plural(done.refused, "vote")} refused.`;
      toast(words, "good", () => takeBack(demo, done.decision));
    }

    /** Takes a decision back by its name: somebody else may have decided more since the page was drawn. */
    async function takeBack(demo, decision) {
      const done = await act(() => api(`${one(demo.name)}/take-back`, { body: { decision } }), null);
      if (done) toast(`${plural(done.taken_back, "vote")} waiting again.`, "good");
      draw();
    }

    async function close(demo) {
      if (!(await confirm(`Close the demo ${demo.name}?`, "Its link opens nothing any more, at once and for good. Votes that wait stay here.", { yes: "Close it", danger: true }))) return;
      await act(() => api(`${one(demo.name)}/close`, { method: "POST" }), "The link opens nothing any more.");
      draw();
    }

    /* ---- Making one ---- */

    async function ask() {
      const answer = await act(() => api("/api/models"));
      if (!answer) return;
      const name = el("input", { id: "demo-name", type: "text", maxlength: 60, autocomplete: "off" });
      const title = el("input", { id: "demo-title", type: "text", maxlength: 80, value: "Demo" });
      const lead = el("input", { id: "demo-lead", type: "text", maxlength: 300 });
      const models = el("select", { id: "demo-models", multiple: true, size: Math.min(6, Math.max(2, answer.models.length)) }, answer.models.filter((model) => ["base", "adapter", "endpoint"].includes(model.kind)).map((model) => el("option", { value: model.name }, model.name)));
      const examples = el("textarea", { id: "demo-examples", rows: 3 });
      const comparing = el("select", { id: "demo-comparing" }, COMPARING.map(([value, label]) => el("option", { value }, label)));
      const rate = el("input", { id: "demo-rate", type: "number", min: 1, max: 600, value: RATE });
      const check = (id, label) => { const box = el("input", { id, type: "checkbox" }); return [box, el("label", { class: "check" }, box, label)]; };
      const [system, systemLine] = check("demo-may-system", "Visitors may write a system prompt");
      const [settings, settingsLine] = check("demo-may-settings", "Visitors may choose temperature and length");
      const [names, namesLine] = check("demo-may-names", "Visitors see the names of the models");
      dialog("New demo", el("div", { class: "stack" },
        field("demo-name", "Name, for yourselves", name), field("demo-title", "Title, for visitors", title), field("demo-lead", "A sentence below it", lead),
        field("demo-models", "Who answers", models, "None chosen: whoever is champion when the question comes."), field("demo-examples", "Questions to begin with, one a line", examples),
        field("demo-comparing", "Two answers side by side", comparing), field("demo-rate", "Questions a minute from one address", rate), systemLine, settingsLine, namesLine), [
        { label: "Cancel", run: () => {} },
        { label: "Make the link", kind: "primary", run: () => make({
          name: name.value.trim(), models: [...models.selectedOptions].map((option) => option.value),
          terms: { title: title.value.trim(), lead: lead.value.trim(), examples: examples.value.split("\n").map((line) => line.trim()).filter(Boolean), comparing: comparing.value, rate: Number(rate.value), system: system.checked, settings: settings.checked, names: names.checked },
        }) },
      ]);
    }

    async function make(wanted) {
      const made = await act(() => api(ADDRESS, { body: wanted }), null);
      if (!made) return;
      const link = location.origin + at(made.path);
      const shown = el("code", { id: "demo-link", tabindex: 0 }, link);
      const copy = async () => {
        try {
          await navigator.clipboard.writeText(link);
          toast("The link is copied; it is shown only now.", "good");
        } catch {
          getSelection().selectAllChildren(shown);
          toast("Press Ctrl+C to copy the link.");
        }
      };
      const button = el("button", { type: "button", id: "demo-copy", class: "button button-secondary button-s", onclick: copy }, "Copy link");
      fresh.replaceChildren(el("p", { class: "notice notice-good" }, `The demo ${made.name} is open. Its link is shown only now:`),
        made.only_here && el("p", { class: "notice" }, "Only this machine reaches it as the studio is served now. For people elsewhere, make an account (ratchet people add) and serve to them: ratchet serve --host ADDRESS, or --allow-host NAME behind a proxy."),
        el("div", { class: "command" }, shown, button),
        command(`ratchet demo make ${quote(made.name)}${flags(made)}`));
      await draw();
      button.focus();
    }

    /** What the command line would have been told; what is as usual is left out. */
    function flags({ models, terms }) {
      const said = [...models.map((name) => ["model", name]), ["title", terms.title], terms.lead && ["lead", terms.lead], ...terms.examples.map((text) => ["example", text]),
        terms.comparing !== COMPARING[0][0] && ["comparing", terms.comparing], terms.rate !== RATE && ["rate", String(terms.rate)]].filter(Boolean);
      const allowed = ["system", "settings", "names"].filter((name) => terms[name]);
      return [...said.map(([name, value]) => ` --${name} ${quote(value)}`), ...allowed.map((name) => ` --${name}`)].join("");
    }
  };
})();
