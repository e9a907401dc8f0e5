/*
 * What can be done with a model: compare it, make it the champion, export, rename, put away, delete.
 *
 *   ratchet.models.actions(one, all, {may, changed, open, chat, prompts})   the buttons that this person may press
 *
 * Every change that can be taken back says so in its message; what a deletion would take along is said before.
 */
(() => {
  "use strict";

  const { el, api, toast, dialog, confirm } = window.ratchet;
  const { bytes, exportButton } = window.ratchet.training;
  const models = window.ratchet.models;
  const ANSWERING = ["base", "adapter", "endpoint"];
  const answers = (one) => ANSWERING.includes(one.kind) && !one.gone;

  /** A dialog with a form: `send()` returns what closes it, or throws the sentence that is shown in it. */
  function ask(title, label, fields, send) {
    const error = el("p", { class: "field-error", role: "alert", hidden: true });
    const go = el("button", { type: "submit", class: "button button-primary" }, label);
    const form = el("form", { class: "stack", onsubmit: async (event) => {
      event.preventDefault();
      if (go.disabled) return;
      go.disabled = true;
      error.hidden = true;
      try {
        await send();
        box.close();
      } catch (problem) {
        error.textContent = problem.message;
        error.hidden = false;
      } finally {
        go.disabled = false;
      }
    } }, fields, error, el("div", { class: "dialog-buttons" }, go));
    const box = dialog(title, form, [{ label: "Cancel", kind: "secondary", run: () => {} }]);
    form.querySelector("input, select, textarea")?.focus();
    return box;
  }

  const field = (id, name, control, hint) => el("div", { class: "field" }, el("label", { for: id }, name), control, hint && el("p", { class: "hint" }, hint));

  models.actions = (one, all, { may, changed, open, chat, prompts }) => {
    const address = `/api/models/${encodeURIComponent(one.id)}`;
    const manages = may.includes("manage models");
    const button = (id, label, run, kind = "") => el("button", { type: "button", class: `button ${kind}`, id, onclick: run }, label);

    /** Does one thing and says so; `back` undoes it. */
    async function act(run, sentence, back) {
      try {
        const done = await run();
        toast(typeof sentence === "function" ? sentence(done) : sentence, "good", back);
      } catch (error) {
        toast(error.message, "bad");
      }
      await changed();
    }

    async function compare() {
      const others = all.filter((other) => other.id !== one.id && answers(other) && !other.archived);
      if (!others.length) {
        toast("There is no other model to compare with yet.", "info");
        return;
      }
      const { datasets } = await api("/api/data/datasets").catch(() => ({ datasets: [] }));
      const asking = datasets.filter((dataset) => dataset.kind !== "text" && dataset.rows > 0);
      const usual = others.find((other) => other.champion) || others.find((other) => other.id === one.parent) || others.at(-1);
      const other = el("select", { id: "compare-other" }, others.map(({ id, name }) => el("option", { value: id, selected: id === usual.id }, name)));
      const dataset = el("select", { id: "compare-prompts" }, asking.map(({ name }) => el("option", { value: name, selected: name === prompts }, name)));
      ask(`Compare ${one.name}`, "Compare them, blind", [field("compare-other", "With", other),
        asking.length > 0 && field("compare-prompts", "On the prompts of", dataset, "An open study of these two on these prompts is used again; else one is made.")], async () => {
        const { study } = await api(`${address}/compare`, { body: { other: other.value, prompts: dataset.value || null } });
        location.assign(ratchet.at(`/compare?study=${encodeURIComponent(study)}`));
      });
    }

    async function crown(body) {
      const { champion } = await api("/api/rounds/promote", { body: { model: one.id, ...body } });
      toast(`${champion} is the champion now.`, "good", () => act(() => api("/api/rounds/rollback", { body: { champion } }), (done) => `${done.champion} is the champion again.`));
      await changed();
    }

    async function promote() {
      if (one.gate?.passes) {
        if (await confirm(`Make ${one.name} the champion?`, one.gate.reason, { yes: "Make it the champion" })) await crown({}).catch((error) => toast(error.message, "bad"));
        return;
      }
      const reason = el("textarea", { id: "promote-reason", rows: 2, maxlength: 500, required: true });
      const said = one.gate ? el("ul", { class: "models-checks" }, one.gate.checks.map((check) => el("li", { class: `is-${check.state}` }, check.sentence, check.settles ? ` ${check.settles}` : "")))
        : el("p", {}, "It is the candidate of no round, so no votes speak for it.");
      ask(`Make ${one.name} the champion?`, "Overrule the gate", [el("p", {}, one.gate ? "The gate does not let it pass:" : "The gate has nothing to go by:"), said,
        field("promote-reason", "Why it becomes champion all the same", reason, "Your name and this reason stand beside the promotion for good.")], () => crown({ overrule: true, reason: reason.value }));
    }

    const call = (name) => api(address, { method: "PATCH", body: { name } });

    function rename() {
      const name = el("input", { id: "rename-name", value: one.name, maxlength: 64, required: true, autocomplete: "off", spellcheck: "false" });
      ask(`Rename ${one.name}`, "Rename", [field("rename-name", "New name", name, "What named it before still finds it.")], async () => {
        const done = await call(name.value);
        toast(`It is called ${done.name} now.`, "good", () => act(() => call(one.name), `It is called ${one.name} again.`));
        await changed();
      });
      name.select();
    }

    const away = (archived) => api(address, { method: "PATCH", body: { archived } });
    const archive = () => act(() => away(true), `${one.name} is put away.`, () => act(() => away(false), `${one.name} is offered again.`));
    const takeBack = () => act(() => away(false), `${one.name} is offered again.`, () => act(() => away(true), `${one.name} is put away.`));

    async function remove() {
      if (one.needed.length) {
        dialog(`${one.name} cannot be deleted yet`, [el("p", {}, "This stands in the way:"), el("ul", {}, one.needed.map((sentence) => el("li", {}, sentence[0].toUpperCase() + sentence.slice(1))))]);
        return;
      }
      if (one.elsewhere) {
        if (!await confirm(`Forget ${one.name}?`, `It is forgotten here; ${one.elsewhere} stays as it is. Its row, votes and rounds stay too.`, { yes: "Forget it", danger: true })) return;
        await act(() => api(address, { method: "DELETE" }), ({ stays }) => `${one.name} is forgotten here; ${stays} stays as it is.`);
        return;
      }
      const size = one.bytes ? ` (${bytes(one.bytes)})` : "";
      if (!await confirm(`Delete ${one.name}?`, `Its weights${size} go for good. Its row, votes and rounds stay.`, { yes: "Delete the weights", danger: true })) return;
      await act(() => api(address, { method: "DELETE" }), (done) => `The weights of ${one.name} are deleted; ${bytes(done.freed)} are free.`);
    }

    /** A model that no round has set against the present champion gets one, so that votes can speak for it. */
    const unmeasured = one.round === null ? one.parent !== null : !all.some((other) => other.champion && other.name === one.against);
    const candidate = () => act(() => api(`${address}/propose`, { body: {} }), (done) => `${done.model} is the candidate of round ${done.round}: vote in ${done.study}.`);

    async function mix() {
      const others = all.filter((other) => other.id !== one.id && other.kind === "adapter" && !other.gone && !other.archived && other.base_id === one.base_id);
      if (!others.length) {
        toast("There is no other adapter on the same base to mix with yet.", "info");
        return;
      }
      const made = await window.ratchet.mixModels([one, ...others], [one.name]);
      await changed();
      if (made) open(made);
    }

    return el("div", { class: "line models-actions" },
      answers(one) && button("model-chat", "Chat", chat, "button-primary"),
      answers(one) && !one.archived && button("model-compare", "Compare…", compare),
      answers(one) && !one.archived && !one.champion && manages && button("model-promote", "Make it the champion…", promote),
      answers(one) && !one.archived && !one.champion && unmeasured && one.kind !== "endpoint" && manages && button("model-propose", "Make it a candidate", candidate),
      one.kind === "adapter" && !one.gone && manages && button("model-mix", "Mix…", mix),
      manages && answers(one) && one.kind !== "endpoint" && exportButton(one.name, one.kind),
      manages && button("model-rename", "Rename…", rename),
      manages && !one.gone && (one.archived ? button("model-back", "Take it back", takeBack) : !one.champion && button("model-archive", "Put away", archive)),
      manages && !one.gone && button("model-delete", "Delete…", remove, "button-danger"));
  };
})();
