/*
 * One study: how far it is, its contestants, its settings, which can be changed back, and its guidelines by version.
 */
(() => {
  "use strict";

  const { el, api, toast, markdown, studies } = window.ratchet;
  const { card, field, command, quote, flags, plural, act } = studies;
  const day = (seconds) => new Date(seconds * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

  /** How many slots hold a vote, as a bar with words. */
  studies.bar = (study) => el("div", { class: "studies-bar" },
    el("div", { class: "progress", role: "progressbar", "aria-label": `Slots filled in ${study.name}`, "aria-valuemin": 0, "aria-valuemax": study.wanted, "aria-valuenow": study.filled,
      style: { "--value": `${study.wanted ? (100 * study.filled) / study.wanted : 0}%` } }, el("span", {})),
    el("span", { class: "small num" }, `${study.filled.toLocaleString("en")} of ${study.wanted.toLocaleString("en")}`));

  /** `draw()` asks anew and shows again. */
  studies.one = (study, may, draw) => {
    const address = `/api/studies/${encodeURIComponent(study.name)}`;
    return el("div", { class: "stack" }, head(), contestants(), may ? settingsCard() : null, guidelinesCard(), studies.gold(study, may), studies.choice(study));

    function head() {
      const turn = study.state === "open" ? "close" : "open";
      const query = `?study=${encodeURIComponent(study.name)}`;
      return card("study", study.name, null,
        el("div", { class: "line" }, el("span", { class: `chip ${study.state === "open" ? "chip-good" : ""}` }, study.state), el("span", { class: "chip" }, studies.LAYOUTS[study.layout][0]),
          el("span", { class: "muted small" }, study.answers ? `answers of ${study.answers}` : study.prompts ? `prompts of ${study.prompts}` : study.judgeable ? "typed questions" : "from files")),
        studies.bar(study), studies.ahead(study),
        el("p", { class: "muted small" }, `Slots with a vote, ${study.overlap} a comparison; ${plural(study.votes, "vote")} by ${plural(study.people.length, "person").replace("persons", "people")}`,
          "."),
        study.failed > 0 && study.error && el("p", { class: "notice notice-warning" }, study.error),
        study.people.length > 0 && el("p", { class: "small" }, study.people.map((one) => `${one.name} ${one.votes}`).join(", ")),
        el("div", { class: "line" },
          study.judgeable && study.state === "open" && el("a", { class: "button button-primary", href: `/compare${query}` }, "Judge"),
          el("a", { class: "button button-secondary", href: `/results${query}` }, "Results and agreement"),
          may && el("a", { class: "button button-secondary", href: "/people" }, "Invite people"),
          may && study.judgeable && el("button", { type: "button", class: "button button-secondary", onclick: () => set(turn) }, turn === "close" ? "Close" : "Open again")),
        may && el("div", { class: "stack-s" }, study.judgeable && command(`ratchet study ${quote(study.name)} --${turn}`), command("ratchet people invite")));
    }

    async function set(turn) {
      const back = turn === "close" ? "open" : "close";
      const done = await act(() => api(`${address}/${turn}`, { method: "POST", body: {} }), null);
      if (!done) return;
      toast(turn === "close" ? "Closed: nothing more of it is given out." : "Open: people can judge in it.", "good", () => set(back));
      draw();
    }

    function contestants() {
      if (!study.contestants.length) return null;
      const sampled = (one) => (one.sampling ? `temperature ${one.sampling.temperature}, top-p ${one.sampling.top_p}` : "as the study");
      return card("contestants", "Contestants", "They stay as they are, for votes rest on them. Who judges is not told their names.",
        el("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": "Contestants" }, el("table", { class: "table table-s" },
          el("caption", { class: "visually-hidden" }, "Contestants"),
          el("thead", {}, el("tr", {}, ["Name", "Model", "Sampling", "System prompt"].map((title) => el("th", { scope: "col" }, title)))),
          el("tbody", {}, study.contestants.map((one) => el("tr", {}, el("td", {}, one.name), el("td", {}, one.model), el("td", {}, sampled(one)), el("td", { class: "studies-said" }, one.system || "none")))))));
    }

    function settingsCard() {
      const form = studies.settings("set", study.settings, tell);
      const line = command("");
      const save = el("button", { type: "button", class: "button button-primary", onclick: () => change(form.changes(study.settings)) }, "Save the settings");
      tell();
      return card("settings", "Settings", "They hold from now on; votes that were given stay as they are.", form.element, el("div", { class: "stack-s" }, el("div", {}, save), line));

      function tell() {
        if (!line || !save) return;
        const changes = form.changes(study.settings);
        save.disabled = !Object.keys(changes).length;
        line.firstChild.textContent = `ratchet study ${quote(study.name)}${flags(changes) || " --set K=V"}`;
      }
    }

    async function change(changes, back = false) {
      const changed = await act(() => api(address, { method: "PATCH", body: changes }), null);
      if (!changed) return;
      toast(back ? "The settings are as they were." : "The settings are changed.", "good", back ? null : () => change(changed.before, true));
      draw();
    }

    function guidelinesCard() {
      const standing = study.guidelines ? study.guidelines.text : "";
      const text = el("textarea", { id: "guidelines-text", rows: 6, value: standing, maxlength: 20000, oninput: show });
      const preview = el("div", { class: "prose studies-preview", role: "region", "aria-label": "As people read it", tabindex: 0 });
      const save = el("button", { type: "button", class: "button button-primary", disabled: true, onclick: () => write(text.value, standing) }, "Put in force");
      const older = el("details", { class: "studies-more", ontoggle: versions }, el("summary", {}, "Earlier versions"), el("div", {}));
      show();
      return card("guidelines", study.guidelines ? `Guidelines, version ${study.guidelines.number}` : "Guidelines", "Markdown. Each vote keeps the version that was in force.",
        may ? el("div", { class: "grid-2" }, field("guidelines-text", "Text", text), preview) : preview,
        may && el("div", { class: "stack-s" }, el("div", {}, save), command(`ratchet study ${quote(study.name)} --guidelines FILE`)), study.guidelines && older);

      function show() {
        preview.replaceChildren(text.value.trim() ? markdown(text.value) : el("p", { class: "muted" }, "Nothing is written yet."));
        save.disabled = text.value.trim() === standing.trim();
      }

      async function versions() {
        if (!older.open) return;
        const answer = await act(() => api(`${address}/guidelines`));
        older.lastChild.replaceChildren(...(answer ? answer.versions : []).map((one) => el("section", { class: "studies-version stack-s" },
          el("h3", {}, `Version ${one.number}`), el("p", { class: "muted small" }, `${one.author}, ${day(one.created_at)}`), el("div", { class: "prose" }, markdown(one.text)))));
      }
    }

    async function write(text, before) {
      const made = await act(() => api(`${address}/guidelines`, { body: { text } }), null);
      if (!made) return;
      toast(`Version ${made.number} is in force.`, "good", () => write(before, text));
      draw();
    }
  };
})();
