/*
 * The canaries, on the page /results: prompts by models as a table of what passes, then two models side by side.
 *
 * It is closed until somebody opens it (or comes by #canaries), and asks for nothing before: it names models, and who
 * judges blind may not want to know how they answer.
 */
(() => {
  "use strict";

  const { el, api, toast, canaries, taskEnded } = window.ratchet;
  const SIGNS = { passed: "✓", failed: "✗", answered: "•", unknown: "?", missing: "–" };
  const WORDS = { passed: "as expected", failed: "not as expected", answered: "answered, nothing is expected", unknown: "not scored yet", missing: "not answered yet" };
  const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

  window.ratchet.widgets.canaries = (element) => {
    const place = el("div", { class: "stack" });
    const box = el("details", { class: "card canaries", id: "canaries", ontoggle: () => { if (box.open && !known) draw(); } },
      el("summary", {}, "Canaries: the same prompts, answered by every model"), place);
    const said = el("p", { class: "muted small", role: "status", id: "canaries-said" });
    let known = null; // what /api/canaries told last
    let gone = false;
    element.append(box);
    box.open = location.hash === "#canaries";

    const fail = (error) => place.replaceChildren(el("p", { class: "notice notice-bad" }, error.message));

    async function draw() {
      try {
        known = await api("/api/canaries");
      } catch (error) {
        fail(error);
        return;
      }
      if (gone) return;
      place.replaceChildren(...[lead(), known.models.length > 0 && grid(), canaries.changes(known, draw), canaries.expected(known, draw), commands()].flat().filter(Boolean));
      if (known.task) follow(known.task);
    }

    function lead() {
      const ask = el("button", { type: "button", class: "button button-primary", id: "canaries-run", disabled: Boolean(known.task), onclick: () => run([]) }, "Let every model answer");
      return el("div", { class: "stack-s" },
        el("p", { class: "muted" }, "Answered greedily, so a change of words is a change of the model. What is expected here, and met by the champion, the gate asks of every candidate."),
        el("div", { class: "line" }, ask,
          known.own ? el("a", { class: "button button-secondary", href: "/data?dataset=canaries" }, "Edit the prompts")
            : el("button", { type: "button", class: "button button-secondary", id: "canaries-begin", onclick: begin }, "Make them the project's own"), said));
    }

    async function begin(event) {
      event.currentTarget.disabled = true;
      try {
        await api("/api/canaries/begin", { body: { of: "starter" } });
        toast("The dataset canaries holds these prompts now, with what is expected of their answers.", "good");
      } catch (error) {
        toast(error.message, "bad");
      }
      draw();
    }

    async function run(models) {
      try {
        const { task } = await api("/api/canaries/run", { body: { models } });
        place.querySelector("#canaries-run").disabled = true;
        follow(task);
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    let following = null;

    async function follow(id) {
      if (following === id) return;
      following = id;
      try {
        const task = await taskEnded(id, { begun: (now) => { said.textContent = now.message || "It begins in a moment."; }, over: () => gone });
        const errors = (task.result?.models || []).filter((one) => one.error);
        if (task.status !== "done") toast(task.error?.sentence || "The canaries were not asked to the end.", "bad");
        else if (errors.length) toast(`${errors[0].model}: ${errors[0].error}`, "bad");
        else toast("Every model has answered the canaries.", "good");
      } catch (error) {
        toast(error.message, "bad");
      }
      following = null;
      said.textContent = "";
      if (!gone) draw();
    }

    /** Prompts by models: one look says what a model has lost. */
    function grid() {
      const head = known.models.map((one) => el("th", { scope: "col", class: "canaries-model" }, one.model, one.champion && el("span", { class: "chip chip-accent" }, "champion")));
      const foot = known.models.map((one) => el("td", { class: "num" }, one.answered === 0 ? "–" : one.expected ? `${one.met} of ${one.expected}` : plural(one.answered, "answer")));
      const meaning = `${Object.entries(WORDS).map(([state, words]) => `${SIGNS[state]} ${words}`).join("   ")}   underlined: other words than the champion's`;
      const wrap = el("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": "Canaries by model" },
        el("table", { class: "table table-s canaries-grid", id: "canaries-grid" },
          el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Prompt"), head)),
          el("tbody", {}, known.prompts.map((prompt, at) => el("tr", {},
            el("th", { scope: "row", class: "canaries-prompt" }, `${prompt.number}. ${prompt.prompt}`), known.models.map((one) => el("td", {}, cell(one, prompt, one.cells[at])))))),
          el("tfoot", {}, el("tr", {}, el("th", { scope: "row" }, "Expectations met"), foot))));
      return [wrap, el("p", { class: "muted small canaries-legend", "aria-hidden": "true" }, meaning)];
    }

    function cell(one, prompt, found) {
      const words = [`${one.model}, prompt ${prompt.number}: ${WORDS[found.state]}`, found.failed.length > 0 && `not: ${found.failed.join("; ")}`,
        !one.champion && found.same !== null && (found.same ? "the champion's words" : "other words than the champion's")].filter(Boolean).join(", ");
      return el("button", { type: "button", class: `canaries-cell is-${found.state}${found.same === false && !one.champion ? " is-changed" : ""}`, "aria-label": words, title: words,
        onclick: () => place.querySelector("#canaries-changes")?.show(one.model, prompt.number) }, SIGNS[found.state]);
    }

    function commands() {
      const lines = ["ratchet canaries run", "ratchet canaries show MODEL", 'ratchet canaries expect 3 --contains "Paris"', "ratchet canaries --strict"];
      return el("section", { class: "stack-s", "aria-label": "The same as commands" }, lines.map((line) => el("div", { class: "command" }, el("code", { tabindex: 0 }, line))));
    }

    return () => { gone = true; };
  };
})();
