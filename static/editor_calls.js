/*
 * Tools in the editor: the schema of each tool, the calls that an assistant makes, and which call a result answers.
 *
 * Arguments and parameters are JSON in a text field. What is no JSON stays in the draft as the text it is, so that
 * nothing typed is lost, and `problems` says what is wrong with it before anything is saved.
 */
(() => {
  "use strict";

  const { el } = window.ratchet;
  const NAME = /^[\w.-]{1,64}$/;
  const TYPES = { string: (v) => typeof v === "string", number: (v) => typeof v === "number", integer: Number.isInteger, boolean: (v) => typeof v === "boolean",
    array: Array.isArray, object: (v) => v !== null && typeof v === "object" && !Array.isArray(v), null: (v) => v === null };
  const parts = (window.ratchet.editorParts ||= {});

  const isObject = TYPES.object;
  const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value ?? {}, null, 2));
  const inner = (tool) => (isObject(tool?.function) ? tool.function : tool);
  const newId = () => `call_${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;

  /** The value of a text that should be a JSON object: {value} or {wrong}. */
  function parsed(text, what) {
    try {
      const value = JSON.parse(text.trim() || "{}");
      return isObject(value) ? { value } : { wrong: `${what} must be a JSON object, like {"city": "Paris"}.` };
    } catch (error) {
      return { wrong: `${what} are no JSON: ${error.message}.` };
    }
  }

  /** A field for a JSON object that is kept as text while it is none. */
  function jsonField({ label, what, value, put, check = () => "", id }) {
    const wrong = el("p", { class: "field-error", role: "status" });
    const area = el("textarea", { class: "input mono", id, "aria-label": id ? null : label, value: shown(value), rows: 3, spellcheck: "false", oninput: read });
    function read() {
      const { value: made, wrong: sentence } = parsed(area.value, what);
      put(sentence ? area.value : made);
      tell(sentence || check(made));
    }
    function tell(sentence) {
      wrong.textContent = sentence || "";
      area.setAttribute("aria-invalid", String(Boolean(sentence)));
    }
    const first = parsed(shown(value), what);
    tell(first.wrong || check(first.value));
    return { area, node: el("div", { class: "field json-field" }, id && el("label", { for: id }, label), area, wrong) };
  }

  /* ---- Schemas ------------------------------------------------------------------------------------------- */

  /** What is wrong with the parameters of a tool, or "". */
  function schemaProblem(schema) {
    if (!isObject(schema)) return "The parameters must be a JSON object.";
    if (!Object.keys(schema).length) return "";
    if (schema.type !== undefined && schema.type !== "object") return `The parameters' type is "object", not ${JSON.stringify(schema.type)}.`;
    const { properties = {}, required = [] } = schema;
    if (!isObject(properties)) return "The properties must be a JSON object.";
    const odd = Object.entries(properties).find(([, one]) => !isObject(one));
    if (odd) return `The property "${odd[0]}" must be an object, like {"type": "string"}.`;
    const type = Object.entries(properties).find(([, one]) => typeof one.type === "string" && !TYPES[one.type]);
    if (type) return `The property "${type[0]}" has the type "${type[1].type}"; use one of ${Object.keys(TYPES).join(", ")}.`;
    if (!Array.isArray(required)) return "What is required must be a list of names.";
    const missing = required.find((name) => !(name in properties));
    return missing === undefined ? "" : `"${missing}" is required, and there is no property of that name.`;
  }

  /** Where the arguments of a call do not fit the schema of its tool, or "". */
  function callProblem(tools, name, args) {
    const tool = (tools || []).map(inner).find((one) => one?.name === name);
    if (!tools?.length || !isObject(args)) return "";
    if (!tool) return name ? `There is no tool named "${name}"; there are ${tools.map((one) => inner(one)?.name).join(", ")}.` : "";
    const { properties = {}, required = [] } = isObject(tool.parameters) ? tool.parameters : {};
    const missing = Array.isArray(required) && required.find((key) => !(key in args));
    if (missing) return `The argument "${missing}" is missing.`;
    for (const [key, value] of Object.entries(args)) {
      const wanted = isObject(properties) && properties[key];
      if (!wanted && Object.keys(properties || {}).length) return `The tool "${name}" has no argument "${key}".`;
      if (typeof wanted?.type === "string" && TYPES[wanted.type] && !TYPES[wanted.type](value)) return `The argument "${key}" is of type ${wanted.type}.`;
      if (Array.isArray(wanted?.enum) && !wanted.enum.includes(value)) return `The argument "${key}" is one of ${wanted.enum.join(", ")}.`;
    }
    return "";
  }

  /** The first thing in a content that cannot be saved, as a sentence, or "". */
  function problem(content) {
    const names = new Set();
    for (const [at, tool] of (content.tools || []).entries()) {
      const one = inner(tool);
      if (!isObject(one) || typeof one.name !== "string" || !NAME.test(one.name)) return `Tool ${at + 1} needs a name of letters, digits, dots, dashes and underscores.`;
      if (names.has(one.name)) return `Two tools are named "${one.name}".`;
      names.add(one.name);
      if (typeof one.parameters === "string") return `Tool "${one.name}": ${parsed(one.parameters, "The parameters").wrong || "The parameters are text."}`;
      const wrong = schemaProblem(one.parameters ?? {});
      if (wrong) return `Tool "${one.name}": ${wrong}`;
    }
    for (const [name, turns] of Object.entries(content)) {
      if (!Array.isArray(turns)) continue;
      for (const [at, turn] of turns.entries()) {
        for (const call of turn?.tool_calls || []) {
          const where = name === "messages" ? `Turn ${at + 1}` : `${parts.turns.HEADS[name] || name}, turn ${at + 1}`;
          if (!call.function?.name) return `${where}: a tool call has no name.`;
          const wrong = typeof call.function.arguments === "string" && parsed(call.function.arguments, "The arguments").wrong;
          if (wrong) return `${where}: ${wrong}`;
        }
      }
    }
    return "";
  }

  /* ---- Calls and results --------------------------------------------------------------------------------- */

  /** The calls of an assistant's turn. */
  function form(desk, item, said, { change, answer }) {
    const calls = item.tool_calls || [];
    const add = el("button", { type: "button", class: "button button-ghost button-s", onclick: () => change("added a tool call", () => {
      const first = (desk.draft.content.tools || []).map(inner)[0]?.name || "";
      (item.tool_calls ||= []).push({ id: newId(), type: "function", function: { name: first, arguments: {} } });
    }, ".call:last-of-type input") }, "Add a tool call");
    if (!calls.length && !desk.draft.content.tools?.length) return null;
    return el("div", { class: "calls" }, calls.map((call, at) => drawCall(desk, item, call, at, said, change, answer)), add);
  }

  function drawCall(desk, item, call, at, said, change, answer) {
    const label = `${said}: tool call ${at + 1}`;
    const names = el("datalist", { id: `call-names-${Math.random().toString(36).slice(2)}` }, (desk.draft.content.tools || []).map((tool) => el("option", { value: inner(tool)?.name || "" })));
    const name = el("input", { class: "input mono", value: call.function.name, "aria-label": `${label}: name`, list: names.id, autocomplete: "off", spellcheck: "false",
      oninput: () => { desk.typed(label); call.function.name = name.value.trim(); desk.mark(); } });
    const args = jsonField({ label: `${label}: arguments`, what: "The arguments", value: call.function.arguments,
      put: (value) => { desk.typed(label); call.function.arguments = value; desk.mark(); },
      check: (value) => callProblem(desk.draft.content.tools, call.function.name, value) });
    const drop = () => change("deleted a tool call", () => { item.tool_calls.splice(at, 1); if (!item.tool_calls.length) delete item.tool_calls; }, "textarea");
    return el("div", { class: "call" },
      el("div", { class: "call-head" }, el("span", { class: "chip" }, "calls"), name, names,
        el("button", { type: "button", class: "button button-ghost button-s", onclick: () => answer(call) }, "Add its result"),
        el("button", { type: "button", class: "turn-tool", "aria-label": `${label}: delete`, title: "Delete this tool call", onclick: drop }, "×")),
      args.node);
  }

  /** In a tool's turn: which call it answers. */
  function resultFields(desk, item, before, said) {
    if (item.role !== "tool") return null;
    const calls = before.flatMap((turn) => turn.tool_calls || []);
    const place = calls.findIndex((call) => (item.tool_call_id ? call.id === item.tool_call_id : call.function?.name === item.name));
    const select = el("select", { class: "role result-of", "aria-label": `${said}: the call that it answers`, onchange: () => {
      desk.step("changed what a result answers");
      const call = calls[select.value];
      delete item.tool_call_id;
      delete item.name;
      if (call) Object.assign(item, call.id ? { tool_call_id: call.id } : {}, { name: call.function.name });
      desk.mark();
    } },
      el("option", { value: "", selected: place < 0 }, item.name ? `result of ${item.name}` : "answers no call"),
      calls.map((call, at) => el("option", { value: at, selected: at === place }, `result of ${call.function?.name || "?"}${calls.length > 1 ? ` (call ${at + 1})` : ""}`)));
    return select;
  }

  /* ---- The tools of a row -------------------------------------------------------------------------------- */

  function tools(desk) {
    const list = desk.draft.content.tools || [];
    const box = el("details", { class: "fold tools", open: desk.unfolded.has("tools"), ontoggle: () => desk.unfolded[box.open ? "add" : "delete"]("tools") },
      el("summary", {}, `Tools (${list.length})`),
      list.map((tool, at) => drawTool(desk, list, tool, at)),
      el("button", { type: "button", class: "button button-secondary button-s", onclick: () => {
        desk.step("added a tool");
        (desk.draft.content.tools ||= []).push({ type: "function", function: { name: "", description: "", parameters: { type: "object", properties: {}, required: [] } } });
        desk.unfolded.add("tools");
        desk.redraw();
        desk.card.querySelector(".tool:last-of-type input")?.focus();
      } }, "Add a tool"));
    return box;
  }

  function drawTool(desk, list, tool, at) {
    const one = inner(tool);
    if (!isObject(one)) return el("pre", { class: "log" }, JSON.stringify(tool));
    const id = `tool-${at}`;
    const put = (key, value) => { desk.typed(`tool ${at + 1}`); one[key] = value; desk.mark(); };
    const name = el("input", { id: `${id}-name`, class: "mono", value: one.name || "", autocomplete: "off", spellcheck: "false", oninput: () => put("name", name.value.trim()) });
    const about = el("input", { id: `${id}-about`, value: one.description || "", autocomplete: "off", oninput: () => put("description", about.value) });
    const schema = jsonField({ id: `${id}-schema`, label: "Parameters (JSON schema)", what: "The parameters", value: one.parameters, put: (value) => put("parameters", value), check: schemaProblem });
    return el("div", { class: "tool" },
      el("div", { class: "tool-head" }, el("div", { class: "field" }, el("label", { for: `${id}-name` }, "Name"), name),
        el("div", { class: "field grow" }, el("label", { for: `${id}-about` }, "What it does"), about),
        el("button", { type: "button", class: "turn-tool", "aria-label": `Delete the tool ${one.name || at + 1}`, title: "Delete this tool", onclick: () => {
          desk.step("deleted a tool");
          list.splice(at, 1);
          if (!list.length) desk.draft.content.tools = [];
          desk.redraw();
        } }, "×")),
      schema.node);
  }

  parts.calls = { form, resultFields, tools, problem };
})();
