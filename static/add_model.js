/*
 * The dialog that adds a model: a folder on this machine, an id on the Hub, or an endpoint's address, which brings
 * questions of its own: what kind of server it is, how it is asked, and what it costs. An adapter may also be sent from
 * the browser (a zip file, or its files), and a base without a chat template can be given one.
 * Used by train.js as `ratchet.askForModel()`, which resolves to the new model's name, or null: an endpoint answers,
 * and nothing can be trained on it.
 */
(() => {
  "use strict";

  const { el, api, dialog, toast } = window.ratchet;
  const ADDRESS = /^\s*https?:\/\//i;
  const USUAL = "as usual";

  function field(id, label, input, hint) {
    return el("div", { class: "field" }, el("label", { for: id }, label), input,
      hint ? el("p", { class: "hint", id: `${id}-hint` }, hint) : null);
  }

  function number(id, more) {
    return el("input", { id, type: "number", inputmode: "decimal", placeholder: USUAL, min: 0, step: "any", ...more });
  }

  const count = (value) => value.toLocaleString("en-GB");

  /** What the endpoints there are were asked and cost so far. */
  function spent(models) {
    const endpoints = models.filter((model) => model.usage);
    if (!endpoints.length) return null;
    const cells = ({ name, dialect, usage }) => [
      el("th", { scope: "row", dir: "auto" }, name), el("td", {}, dialect),
      ...[usage.requests, usage.failures, usage.prompt_tokens, usage.completion_tokens].map((value) => el("td", { class: "num" }, count(value))),
      el("td", { class: "num" }, usage.cost === null ? "–" : usage.estimated ? `about ${usage.cost}` : String(usage.cost)),
    ];
    const heads = ["Endpoint", "Kind", "Questions", "Failed", "Tokens read", "Tokens written", "Cost"];
    return el("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": "What endpoints were asked so far" },
      el("table", { class: "table table-s" },
        el("thead", {}, el("tr", {}, heads.map((head, at) => el("th", { scope: "col", class: at > 1 ? "num" : null }, head)))),
        el("tbody", {}, endpoints.map((model) => el("tr", {}, cells(model))))));
  }

  /** The questions about an endpoint: {element, body(): fields of the request}. */
  function endpointForm() {
    const kind = el("select", { id: "model-dialect" });
    const key = el("input", { id: "model-key-env", autocomplete: "off", spellcheck: "false", placeholder: "none", "aria-describedby": "model-key-env-hint" });
    const secret = el("input", { id: "model-key", type: "password", autocomplete: "off", placeholder: "none", "aria-describedby": "model-key-hint" });
    const atOnce = number("model-at-once", { min: 1, step: 1, inputmode: "numeric" });
    const timeout = number("model-timeout");
    const [priceIn, priceOut] = ["model-price-in", "model-price-out"].map((id) => number(id, { placeholder: "unknown" }));
    const serves = el("select", { id: "model-serves", "aria-describedby": "model-serves-hint" });
    const serving = field("model-serves", "Answers for our adapters on", serves,
      "A base that this server holds: what is trained on it is loaded there. It must see this machine's folders.");
    const told = el("div", {});
    const element = el("div", { class: "stack", id: "model-endpoint", hidden: true },
      el("div", { class: "fields" },
        field("model-dialect", "Kind of server", kind),
        field("model-key", "Its key", secret, "Kept in keys.json of the project's folder; in no database, backup or pack."),
        field("model-key-env", "Or the variable with its key", key, "Of the environment that the studio was started in."),
        field("model-at-once", "Questions at once", atOnce),
        field("model-timeout", "Longest silence (seconds)", timeout),
        field("model-price-in", "Price of a million tokens read", priceIn),
        field("model-price-out", "Price of a million tokens written", priceOut)),
      serving, told);
    let dialects = null;
    const turn = () => {
      const one = (dialects || []).find(({ name }) => name === kind.value);
      serving.hidden = !one?.loads_adapters;
      atOnce.placeholder = one ? `${one.at_once}, ${USUAL}` : USUAL;
    };
    kind.addEventListener("change", turn);

    async function fill() {
      if (dialects) return;
      const [said, { models }] = await Promise.all([api("/api/models/dialects"), api("/api/models")]);
      dialects = said.dialects;
      kind.replaceChildren(...dialects.map(({ name, title }) => el("option", { value: name }, title)));
      serves.replaceChildren(el("option", { value: "" }, "none"),
        ...models.filter((model) => model.kind === "base").map(({ name }) => el("option", { value: name }, name)));
      const table = spent(models);
      if (table) told.replaceChildren(table);
      turn();
    }

    const value = (input) => (input.value.trim() === "" ? null : Number(input.value));
    const body = () => (element.hidden ? {} : {
      dialect: kind.value || null, key: secret.value.trim() || null, key_env: key.value.trim() || null, at_once: value(atOnce), timeout: value(timeout),
      price_in: value(priceIn), price_out: value(priceOut), serves: serving.hidden ? null : serves.value || null,
    });
    const show = (yes) => { element.hidden = !yes; return yes ? fill() : null; };
    return { element, body, show };
  }

  /** Sends a file to the studio and answers its id. */
  async function send(file) {
    const person = document.body.dataset.person;
    const headers = { "Content-Type": "application/octet-stream", ...(person && { "X-Ratchet-Person": encodeURIComponent(person) }) };
    const name = encodeURIComponent(file.name.toWellFormed?.() ?? file.name);
    const response = await fetch(ratchet.at(`/api/models/upload?name=${name}`), { method: "PUT", headers, body: file, credentials: "same-origin" });
    const answer = await response.json().catch(() => null);
    if (!response.ok) throw new Error(answer?.error?.sentence || `The studio answered with status ${response.status}.`);
    return answer.id;
  }

  /** What is asked only where it matters: {element, mend(message): show what would help, body()}. */
  function mendingForm() {
    const template = el("select", { id: "model-template" },
      [["", "its own"], ["chatml", "ChatML (<|im_start|> …)"], ["plain", "plain (User: … Assistant: …)"]].map(([value, words]) => el("option", { value }, words)));
    const base = el("input", { id: "model-base", autocomplete: "off", spellcheck: "false", maxlength: 64 });
    const [forTemplate, forBase] = [field("model-template", "Chat template", template), field("model-base", "Lies on the base (its name here)", base)];
    forTemplate.hidden = forBase.hidden = true;
    const mend = (message) => {
      if (/chat template/.test(message)) forTemplate.hidden = false;
      if (/belongs to the base/.test(message)) forBase.hidden = false;
    };
    const body = () => ({ template: template.value || null, base: base.value.trim() || null });
    return { element: el("div", { class: "fields" }, forTemplate, forBase), mend, body };
  }

  function askForModel() {
    return new Promise((resolve) => {
      const ref = el("input", { id: "model-ref", autocomplete: "off", spellcheck: "false", "aria-describedby": "model-ref-hint" });
      const name = el("input", { id: "model-name", autocomplete: "off", spellcheck: "false", maxlength: 64 });
      const error = el("p", { class: "field-error", role: "alert", hidden: true });
      const add = el("button", { type: "submit", class: "button button-primary" }, "Add the model");
      const endpoint = endpointForm();
      const mending = mendingForm();
      const files = el("input", { id: "model-files", type: "file", multiple: true, accept: ".zip,.safetensors,.json,.md", "aria-describedby": "model-files-hint" });
      let added = null;
      const form = el("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); submit(); } },
        field("model-ref", "Where it is", ref,
          "A folder on this machine, a Hub id (owner/name), or an endpoint (https://host/v1#model). Safetensors only."),
        field("model-files", "Or an adapter from your own machine", files, "A zip file, or adapter_config.json and adapter_model.safetensors."),
        field("model-name", "Name (optional)", name), endpoint.element, mending.element,
        error, el("div", { class: "dialog-buttons" }, add));
      const box = dialog("Add a model", form, [{ label: "Cancel", kind: "secondary", run: () => {} }]);
      box.addEventListener("close", () => resolve(added));
      ref.addEventListener("input", () => endpoint.show(ADDRESS.test(ref.value))?.catch(tell));
      ref.focus();

      function tell(problem) {
        error.textContent = problem.message;
        error.hidden = false;
        mending.mend(problem.message);
        (files.files.length ? files : ref).focus();
      }

      async function sent() {
        const named = name.value.trim() || null;
        if (!files.files.length) return api("/api/models", { body: { ref: ref.value, name: named, ...mending.body(), ...endpoint.body() } });
        const uploads = [];
        for (const file of files.files) uploads.push(await send(file));
        return api("/api/models/uploaded", { body: { uploads, name: named, base: mending.body().base } });
      }

      async function submit() {
        if (add.disabled) return;
        add.disabled = true;
        add.textContent = "Adding…";
        error.hidden = true;
        try {
          const model = await sent();
          added = model.kind === "endpoint" ? null : model.name;
          toast(model.kind === "endpoint" ? `${model.name} is added: it can answer in studies.` : `${model.name} is added.`, "good");
          box.close();
        } catch (problem) {
          tell(problem);
        } finally {
          add.disabled = false;
          add.textContent = "Add the model";
        }
      }
    });
  }

  window.ratchet.askForModel = askForModel;
})();
