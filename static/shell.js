/*
 * The shell: what every page has. Other scripts use it as `window.ratchet`:
 *
 *   el(tag, attributes, ...children)   builds an element; text stays text, handlers are on…: functions
 *   at(path), inner(path)              an address of this studio as the browser asks for it, and back (`--root-path`)
 *   api(path, options)                 JSON to and from /api of this studio; throws Error with the sentence
 *   toast(sentence, kind, undo)        one line at the bottom; kind: "info" | "good" | "bad"; undo: function
 *   keys.add({key, label, run, …})     a key of this page; returns a function that takes it away
 *   poll(run, milliseconds)            again and again, never twice at once, not while the tab is hidden
 *   widgets.<name> = (element, props, gradio) => {…}   see studio/widgets/widget.py
 *   need(name)                         a promise of a script that comes when it is first wanted (studio/pages/document.py)
 *   markdown(text)                     safe Markdown (markdown.js)
 *   theme(), onTheme(run)              "light" | "dark", and a call when it changes
 */
(() => {
  "use strict";

  /* ---- Addresses ----------------------------------------------------------------------------------- */

  const ROOT = document.documentElement.dataset.root || ""; // studio/rooted.py
  const at = (path) => (ROOT && /^\/(?!\/)/.test(path) ? ROOT + path : path);
  const inner = (path) => (ROOT && (path === ROOT || path.startsWith(`${ROOT}/`)) ? path.slice(ROOT.length) || "/" : path);

  /* ---- Elements ------------------------------------------------------------------------------------ */

  const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "indeterminate", "selected", "readOnly"]);

  /** Builds an element. Children: elements, strings, numbers, lists of them; null and false are left out. */
  function el(tag, attributes, ...children) {
    const svg = tag === "svg" || tag.startsWith("svg:");
    const node = svg
      ? document.createElementNS("http://www.w3.org/2000/svg", tag.replace("svg:", ""))
      : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) set(node, name, value);
    node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false).map(
      (child) => (child instanceof Node ? child : String(child))));
    return node;
  }

  function set(node, name, value) {
    if (value === null || value === undefined) return;
    if (name.startsWith("on")) {
      if (typeof value !== "function") throw new TypeError(`${name} must be a function, never text`);
      node.addEventListener(name.slice(2).toLowerCase(), value);
    } else if (PROPERTIES.has(name)) {
      node[name] = value;
    } else if (name === "dataset") {
      Object.assign(node.dataset, value);
    } else if (name === "style" && typeof value === "object") {
      for (const [property, text] of Object.entries(value)) node.style.setProperty(property, text);
    } else if ((name === "href" || name === "src") && !/^(https?:|\/(?!\/)|#|\?|blob:|data:image\/)/i.test(String(value))) {
      throw new TypeError(`${name} must be an address of this studio or http(s)`);
    } else if (name === "href" || name === "src") {
      node.setAttribute(name, at(String(value)));
    } else if (value === true) {
      node.setAttribute(name, "");
    } else if (value !== false) {
      node.setAttribute(name, String(value));
    }
  }

  /* ---- Theme --------------------------------------------------------------------------------------- */

  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const CHOICES = ["system", "light", "dark"];
  const ICONS = {
    system: ["M4 5h16v11H4z", "M9 20h6M12 16v4"],
    light: ["M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8z", "M12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2"],
    dark: ["M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z"],
  };
  const themeListeners = new Set();

  const theme = () => root.dataset.theme;

  function applyTheme() {
    const choice = root.dataset.themeChoice;
    const dark = choice === "dark" || (choice === "system" && system.matches);
    const changed = (root.dataset.theme === "dark") !== dark;
    root.dataset.theme = dark ? "dark" : "light";
    if (document.body && document.body.classList.contains("dark") !== dark) document.body.classList.toggle("dark", dark);
    if (changed) themeListeners.forEach((run) => run(theme()));
  }

  function chooseTheme(choice) {
    root.dataset.themeChoice = choice;
    try {
      localStorage.setItem("ratchet.theme", choice);
    } catch {
      /* storage is switched off: the choice lasts as long as the page */
    }
    applyTheme();
    drawThemeToggle();
  }

  function drawThemeToggle() {
    const button = document.getElementById("theme-toggle");
    const choice = root.dataset.themeChoice;
    const next = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
    button.setAttribute("aria-label", `Theme: ${choice}. Switch to ${next}.`);
    button.title = `Theme: ${choice}`;
    button.replaceChildren(
      el("svg", { viewBox: "0 0 24 24", width: 18, height: 18, fill: "none", stroke: "currentColor",
        "stroke-width": 1.75, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" },
        ICONS[choice].map((d) => el("svg:path", { d }))));
    button.onclick = () => chooseTheme(next);
  }

  /* ---- Talking to the studio ----------------------------------------------------------------------- */

  const waiting = new Set();

  function showConnection() {
    const chip = document.getElementById("connection");
    if (!chip) return;
    chip.hidden = waiting.size === 0;
    chip.textContent = waiting.size ? `offline, ${waiting.size} waiting` : "";
  }

  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  /**
   * Sends JSON and returns JSON. options: method (POST where there is a body), body, signal, and
   * `retry: true` for requests that may be sent twice without harm (a vote with its own id): they are kept
   * and sent again until the studio answers, and the header says how many wait. Every request says for whom the page
   * was made: where somebody else has signed in meanwhile, in another tab, it is refused instead of done in their name.
   */
  async function api(path, { method, body, signal, retry = false } = {}) {
    const request = {
      method: method || (body === undefined ? "GET" : "POST"),
      headers: { ...(body !== undefined && { "Content-Type": "application/json" }), ...(document.body.dataset.person && { "X-Ratchet-Person": encodeURIComponent(document.body.dataset.person) }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal,
    };
    const ticket = {};
    for (let attempt = 0; ; attempt += 1) {
      let response;
      try {
        response = await fetch(at(path), request);
      } catch (error) {
        if (!retry || signal?.aborted) {
          if (signal?.aborted) throw error;
          throw new Error("The studio does not answer: is `ratchet serve` still running?");
        }
        waiting.add(ticket);
        showConnection();
        await sleep(Math.min(500 * 2 ** attempt, 8000));
        continue;
      }
      waiting.delete(ticket);
      showConnection();
      return answerOf(response);
    }
  }

  async function answerOf(response) {
    const text = await response.text();
    let answer = null;
    try {
      answer = text ? JSON.parse(text) : null;
    } catch {
      answer = null;
    }
    if (response.ok) return answer;
    const error = new Error(answer?.error?.sentence || `The studio answered with status ${response.status}.`);
    error.kind = answer?.error?.kind || "error";
    error.status = response.status;
    throw error;
  }

  window.addEventListener("beforeunload", (event) => {
    if (waiting.size) event.preventDefault();
  });

  /* ---- Toasts -------------------------------------------------------------------------------------- */

  function toast(sentence, kind = "info", undo = null) {
    let list = document.getElementById("toasts");
    if (!list) {
      list = el("div", { id: "toasts", class: "toasts", role: "region", "aria-label": "Messages" });
      document.body.append(list);
    }
    const close = () => item.remove();
    const item = el("div", { class: `toast toast-${kind}`, role: kind === "bad" ? "alert" : "status" },
      el("span", {}, sentence),
      undo && el("button", { type: "button", class: "button-text", onclick: () => { close(); undo(); } }, "Undo"),
      el("button", { type: "button", class: "toast-shut", "aria-label": "Close this message", onclick: close }, "×"));
    list.append(item);
    while (list.children.length > 3) list.firstChild.remove();
    if (kind !== "bad") setTimeout(close, undo ? 9000 : 5000);
    return close;
  }

  /* ---- Keys ---------------------------------------------------------------------------------------- */

  const bindings = new Set();

  const typing = (target) =>
    target instanceof Element && (target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]:not([contenteditable=false])") !== null);

  const keys = {
    /**
     * Adds a key of this page. key: as in event.key ("1", "ArrowLeft", "z"); label: what it does; run(event).
     * modifier: "ctrl" wants Ctrl or ⌘, "ctrl+shift" Shift as well; inFields: also while typing; when(): whether it counts now.
     */
    add({ key, label, run, modifier = null, inFields = false, when = () => true, group = "This page" }) {
      const binding = { key, label, run, modifier, inFields, when, group };
      bindings.add(binding);
      return () => bindings.delete(binding);
    },
    /** What is bound now, for the list and for tests. */
    list: () => [...bindings].map(({ key, label, modifier, group }) => ({ key, label, modifier, group })),
  };

  function matches(binding, event) {
    const shift = binding.modifier === "ctrl+shift";
    const same = event.key === binding.key
      || (binding.key.length === 1 && event.key.toLowerCase() === binding.key.toLowerCase() && (shift || !event.shiftKey));
    const shifted = shift ? event.shiftKey : !(binding.modifier && binding.key.length > 1 && event.shiftKey);
    return same && (event.ctrlKey || event.metaKey) === (binding.modifier !== null) && shifted
      && !event.altKey && (binding.inFields || !typing(event.target));
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if (document.querySelector("dialog[open]") && !event.target.closest?.("dialog[open]")) return;
    for (const binding of [...bindings].reverse()) {
      if (matches(binding, event) && binding.when()) {
        if (binding.run(event) !== false) event.preventDefault();
        return;
      }
    }
  });

  function keyCap(binding) {
    const names = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", " ": "Space", Escape: "Esc", Enter: "Enter" };
    const ctrl = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";
    return el("span", {}, binding.modifier && el("kbd", {}, ctrl), binding.modifier === "ctrl+shift" && el("kbd", {}, "⇧"), el("kbd", {}, names[binding.key] || binding.key));
  }

  function showKeys() {
    const groups = Map.groupBy ? Map.groupBy(bindings, (b) => b.group) : new Map([["Keys", [...bindings]]]);
    dialog("Keys", [...groups].map(([name, list]) => el("section", {},
      el("h3", {}, name),
      el("dl", { class: "key-list" }, list.map((b) => [el("dt", {}, keyCap(b)), el("dd", {}, b.label)])))));
  }

  /* ---- Dialogs ------------------------------------------------------------------------------------- */

  /** Opens a dialog with a title, content and buttons [{label, kind, run}]; returns the element. */
  function dialog(title, content, buttons = [{ label: "Close", kind: "secondary", run: () => {} }]) {
    const heading = el("h2", { id: `dialog-${Date.now()}` }, title);
    const box = el("dialog", { class: "dialog", "aria-labelledby": heading.id }, heading, el("div", { class: "dialog-body" }, content),
      el("div", { class: "dialog-buttons" }, buttons.map(({ label, kind = "secondary", run }) =>
        el("button", { type: "button", class: `button button-${kind}`, onclick: () => { box.close(); run(); } }, label))));
    box.addEventListener("close", () => box.remove());
    box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
    document.body.append(box);
    box.showModal();
    return box;
  }

  /** Asks before something that cannot be taken back; resolves to true or false. */
  const confirm = (title, sentence, { yes = "Go on", danger = false } = {}) =>
    new Promise((resolve) => {
      let said = false;
      const box = dialog(title, el("p", {}, sentence), [
        { label: "Cancel", kind: "secondary", run: () => {} },
        { label: yes, kind: danger ? "danger" : "primary", run: () => { said = true; } },
      ]);
      box.addEventListener("close", () => setTimeout(() => resolve(said)));
    });

  /* ---- Polling ------------------------------------------------------------------------------------- */

  /** Runs at once and then each `milliseconds`, never twice at once, not while hidden. Returns {stop, now}. */
  function poll(run, milliseconds) {
    let timer = null;
    let busy = false;
    let stopped = false;
    async function turn() {
      clearTimeout(timer);
      if (stopped || busy) return;
      if (!document.hidden) {
        busy = true;
        try {
          await run();
        } catch (error) {
          console.warn("poll:", error.message);
        } finally {
          busy = false;
        }
      }
      if (!stopped) timer = setTimeout(turn, milliseconds);
    }
    const visible = () => { if (!document.hidden) turn(); };
    document.addEventListener("visibilitychange", visible);
    turn();
    return {
      now: turn,
      stop: () => { stopped = true; clearTimeout(timer); document.removeEventListener("visibilitychange", visible); },
    };
  }

  /* ---- Parts that come when they are wanted ---------------------------------------------------------- */

  const parts = new Map();

  /** Loads a script that the page announces as a part for later; resolves once it has run, rejects where it cannot be had. */
  function need(name) {
    if (!parts.has(name)) {
      parts.set(name, new Promise((resolve, reject) => {
        const src = JSON.parse(document.getElementById("parts")?.textContent || "{}")[name];
        const gone = () => { parts.delete(name); reject(new Error(`The part "${name}" of the page did not come.`)); };
        if (src) document.head.append(el("script", { src, onload: resolve, onerror: gone }));
        else gone();
      }));
    }
    return parts.get(name);
  }

  /* ---- Widgets ------------------------------------------------------------------------------------- */

  const widgets = {};

  /** Called by Gradio when a Widget (studio/widgets/widget.py) appears on the page. */
  function mount(element, name, { props, server, trigger, watch, upload }) {
    const place = element.querySelector(`[data-widget="${name}"]`);
    const make = widgets[name];
    if (!make) {
      place.append(el("p", { class: "notice notice-bad" }, `This part of the page did not load (${name}.js). Reload the page.`));
      return;
    }
    const gradio = {
      server: new Proxy({}, { get: (_, fn) => async (argument = null) => {
        const { answer, error } = await server[fn](argument);
        if (error) throw Object.assign(new Error(error.sentence), { kind: error.kind });
        return answer;
      } }),
      trigger,
      watch: (run) => watch("value", () => run(props.value)),
      upload,
      get value() { return props.value; },
      set value(value) { props.value = value; },
    };
    const leave = make(place, props.options || {}, gradio);
    place.dataset.mounted = "true";
    if (typeof leave === "function") whenGone(place, leave);
  }

  function whenGone(place, run) {
    const observer = new MutationObserver(() => {
      if (place.isConnected) return;
      observer.disconnect();
      run();
    });
    observer.observe(document.body, { childList: true, subtree: true });
  }

  /* ---- Start --------------------------------------------------------------------------------------- */

  function ready() {
    const loaded = () => {
      if (!document.querySelector("gradio-app .gradio-container .column, gradio-app .gradio-container .widget, gradio-app .gradio-container .block")) return;
      document.getElementById("boot")?.remove();
      seen.disconnect();
    };
    const seen = new MutationObserver(loaded);
    const app = document.querySelector("gradio-app");
    if (!app) return; // a page of our own: nothing to wait for
    seen.observe(app, { childList: true, subtree: true });
    loaded();
  }

  window.ratchet = { el, api, at, inner, toast, keys, poll, need, widgets, mount, dialog, confirm, theme, chooseTheme,
    onTheme: (run) => { themeListeners.add(run); return () => themeListeners.delete(run); } };

  applyTheme();
  drawThemeToggle();
  system.addEventListener("change", applyTheme);
  // Gradio sets its own idea of the theme on the body when it starts; ours stands.
  new MutationObserver(applyTheme).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  const here = document.querySelector(".shell-nav [aria-current]"); // on a phone the names do not fit
  const showHere = () => { here.parentElement.scrollLeft = here.offsetLeft + here.offsetWidth - here.parentElement.offsetLeft - here.parentElement.clientWidth + 24; };
  if (here) new ResizeObserver(showHere).observe(here.parentElement); // what stands beside it takes room later
  // A page keeps its state in its query, and the link's address has none: following it would load the page anew.
  document.querySelector(".skip-link").addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("content").focus();
  });
  document.getElementById("show-keys").addEventListener("click", () => [...bindings].findLast((binding) => binding.key === "?" && binding.when()).run()); // a page may show them its own way
  const signOut = document.getElementById("sign-out");
  if (signOut) signOut.addEventListener("click", () => api("/api/people/sign-out", { method: "POST" }).then(() => location.assign(at("/sign-in")), (error) => toast(error.message, "bad")));
  keys.add({ key: "?", label: "Show the keys of this page", run: showKeys, group: "Everywhere" });
  ready();
})();
