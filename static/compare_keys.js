/*
 * The keys of /compare: one map, from which come the bindings, the caps on the buttons and the overlay under "?", in
 * which each key can be changed. What somebody changed is kept in this browser.
 *
 *   judging.keymap(el)   → { add([{ id, label, keys, run, when, group }]) → remove, cap(id), draw(), show() }
 *
 * A cap is <kbd data-cap="ID">: it shows the first key of that action. Keys within a stage (strength, reasons …) belong
 * to what is open there; they are told in the overlay and cannot be changed.
 */
(() => {
  "use strict";

  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const KEPT = "ratchet.keys.compare";
  const NAMES = { Escape: "Esc", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", " ": "Space" };
  const TAKEN = { Enter: "saves what is open", Escape: "goes back", Tab: "moves from field to field", "?": "shows this list", " ": "presses the button in focus" };
  const LONE = ["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "Dead", "Process", "Unidentified"];
  const STAGES = [
    [["1", "–", "4"], "How much better, once an answer is chosen"],
    [["Tab"], "From field to field; number keys rate the field in focus"],
    [["a", "–", "z"], "The reason with that letter"],
    [["Enter"], "Save; in a skip: without a reason"],
    [["Esc"], "Go back"],
  ];

  const shown = (key) => NAMES[key] || (key.length === 1 ? key.toUpperCase() : key);
  const plain = (key) => (key.length === 1 ? key.toLowerCase() : key);

  function chosen() {
    try {
      const found = JSON.parse(localStorage.getItem(KEPT)) || {};
      return Object.fromEntries(Object.entries(found).filter(([, keys]) => Array.isArray(keys) && keys.every((key) => typeof key === "string")));
    } catch {
      return {};
    }
  }

  judging.keymap = (el) => {
    const { keys, dialog } = window.ratchet;
    const actions = new Map();
    const unbind = new Map();
    let own = chosen();

    const keysOf = (action) => (action.fixed ? action.keys : own[action.id] || action.keys);

    function bind(action) {
      unbind.get(action.id)?.forEach((remove) => remove());
      const run = (event) => (event.repeat ? undefined : action.run(event));
      const group = action.group || "Vote";
      unbind.set(action.id, [
        ...keysOf(action).map((key) => keys.add({ key, label: action.label, run, when: action.when, group })),
        ...(action.ctrl || []).map((key) => keys.add({ key, modifier: "ctrl", label: action.label, run, when: action.when, group })),
      ]);
    }

    function add(list) {
      list.forEach((action) => { actions.set(action.id, action); bind(action); });
      draw();
      return () => list.forEach(({ id }) => {
        unbind.get(id)?.forEach((remove) => remove());
        unbind.delete(id);
        actions.delete(id);
      });
    }

    const cap = (id) => (actions.has(id) ? shown(keysOf(actions.get(id))[0]) : "");

    function draw() {
      document.querySelectorAll("kbd[data-cap]").forEach((node) => {
        const text = cap(node.dataset.cap);
        if (text && node.textContent !== text) node.textContent = text;
      });
    }

    function change(values) {
      own = values;
      try {
        if (Object.keys(own).length) localStorage.setItem(KEPT, JSON.stringify(own));
        else localStorage.removeItem(KEPT);
      } catch { /* storage is switched off: the keys last as long as the page */ }
      actions.forEach(bind);
      draw();
    }

    /** Why this key cannot be that action's, or null. */
    function refusal(action, event) {
      const key = plain(event.key);
      if (event.ctrlKey || event.metaKey || event.altKey) return "Keys with Ctrl, Alt or ⌘ belong to the browser; press a single key.";
      if (TAKEN[key]) return `${shown(key)} ${TAKEN[key]}; press another key.`;
      const other = [...actions.values()].find((one) => one !== action && keysOf(one).some((taken) => plain(taken) === key));
      return other ? `${shown(key)} is already taken by “${other.label}”; press another key, or Escape.` : null;
    }

    /* -- The overlay -- */

    function show() {
      const said = el("p", { class: "small keys-said", role: "status" });
      const groups = el("div", { class: "stack" });
      const reset = el("button", { type: "button", class: "button button-s", onclick: () => { change({}); list(); said.textContent = "All keys are as usual again."; } }, "All as usual");
      let waiting = null; // the action whose new key is awaited

      function row(action) {
        const waits = waiting === action;
        const caps = keysOf(action).map((key) => el("kbd", {}, shown(key)));
        const fixed = (action.ctrl || []).map((key) => el("span", {}, el("kbd", {}, "Ctrl"), el("kbd", {}, shown(key))));
        return el("div", { class: `keys-row${waits ? " is-waiting" : ""}` }, el("span", { class: "keys-caps" }, waits ? el("span", { class: "small" }, "Press a key …") : [caps, fixed]),
          el("span", { class: "grow" }, action.label),
          action.fixed ? null : el("button", { type: "button", class: "button button-s button-ghost", "aria-label": `Change the key of: ${action.label}`, dataset: { change: action.id }, onclick: () => ask(action) }, "Change"));
      }

      function list() {
        const named = new Map();
        [...actions.values()].sort((a, b) => Boolean(b.first) - Boolean(a.first)).forEach((action) => { const group = action.group || "Vote"; named.set(group, [...(named.get(group) || []), action]); });
        groups.replaceChildren(...[...named].map(([name, members]) => el("section", {}, el("h3", {}, name), members.map(row))),
          el("section", {}, el("h3", {}, "When something is asked"), STAGES.map(([caps, label]) => el("div", { class: "keys-row" }, el("span", { class: "keys-caps" }, caps.map((key) => (key === "–" ? "–" : el("kbd", {}, key)))), el("span", { class: "grow" }, label)))));
        reset.hidden = !Object.keys(own).length;
      }

      function ask(action) {
        waiting = action;
        said.textContent = "";
        list();
        box.focus();
      }

      function take(event) {
        if (!waiting || LONE.includes(event.key)) return;
        event.preventDefault();
        event.stopPropagation();
        const action = waiting;
        if (event.key === "Escape") {
          waiting = null;
        } else {
          said.textContent = refusal(action, event) || "";
          if (said.textContent) return;
          waiting = null;
          change({ ...own, [action.id]: [plain(event.key)] });
          said.textContent = `“${action.label}” is ${shown(plain(event.key))} now.`;
        }
        list();
        groups.querySelector(`[data-change="${CSS.escape(action.id)}"]`)?.focus();
      }

      const box = dialog("Keys", [el("p", { class: "small muted" }, "They never count while you type in a field."), groups, said, reset]);
      box.tabIndex = -1;
      box.classList.add("keys-dialog");
      box.addEventListener("keydown", take, true);
      box.addEventListener("cancel", (event) => { if (waiting) { event.preventDefault(); waiting = null; list(); } });
      list();
      return box;
    }

    return { add, cap, draw, show };
  };
})();
