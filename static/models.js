/*
 * The page /models: the tree on one side, the chosen model on the other. The address says which model is open, what is
 * searched for, and whether models that were put away are shown.
 */
(() => {
  "use strict";

  const { el, api, keys, poll } = window.ratchet;
  const models = window.ratchet.models;
  const LOOKS = 4000; // ms between two looks at the tree
  const here = () => new URLSearchParams(location.search);

  window.ratchet.widgets.models = (element) => {
    let all = [];
    let prompts = null;
    let drawn = "";
    const may = [];
    let polling = null;
    const search = el("input", { id: "models-search", type: "search", placeholder: "Name, kind, method, dataset", autocomplete: "off", spellcheck: "false", "aria-keyshortcuts": "/", oninput: () => go({ search: search.value }) });
    const archived = el("input", { id: "models-archived", type: "checkbox", onchange: () => go({ archived: archived.checked ? "1" : "" }) });
    const count = el("span", { class: "muted small num", role: "status" });
    const add = el("button", { type: "button", class: "button button-primary", id: "models-add", hidden: true, "aria-keyshortcuts": "a", onclick: addOne }, "Add a model ", el("kbd", { "aria-hidden": "true" }, "A"));
    const tree = models.tree(choose);
    const notice = el("p", { class: "notice notice-bad", hidden: true });
    const panel = new models.Panel({ open: openNamed, changed, close, may });
    const side = el("div", { class: "card stack models-side" },
      el("div", { class: "models-find" }, el("div", { class: "field grow" }, el("label", { for: "models-search" }, "Search"), search), add),
      el("div", { class: "row-between" }, el("label", { class: "check", for: "models-archived" }, archived, "Show those that were put away"), count),
      notice, tree.element);
    const place = el("div", { class: "models" }, side, panel.element);
    element.append(place);

    const free = () => !document.querySelector("dialog[open]");
    const leaves = [
      keys.add({ key: "/", label: "Search the models", run: () => search.focus(), when: free }),
      keys.add({ key: "a", label: "Add a model", run: addOne, when: () => free() && may.includes("manage models") }),
      keys.add({ key: "c", label: "Chat with the open model", run: () => panel.chat(), when: () => free() && here().has("model") }),
      keys.add({ key: "t", label: "Go to the tree", run: () => tree.focus(), when: free }),
      keys.add({ key: "Escape", label: "Close the open model", run: close, when: () => free() && here().has("model") }),
    ];
    const turned = () => { read(); draw(); };
    window.addEventListener("popstate", turned);
    read();
    begin();
    return () => {
      leaves.forEach((leave) => leave());
      window.removeEventListener("popstate", turned);
      polling?.stop();
      panel.leave();
    };

    async function begin() {
      try {
        may.push(...(await api("/api/people/me")).may);
      } catch {
        may.length = 0; // the routes say it again where it matters
      }
      add.hidden = !may.includes("manage models");
      polling = poll(look, LOOKS);
    }

    function read() {
      search.value = here().get("search") || "";
      archived.checked = here().get("archived") === "1";
    }

    async function look() {
      try {
        const found = await api("/api/models/tree");
        notice.hidden = true;
        [all, prompts] = [found.models, found.prompts];
        const said = JSON.stringify(found);
        if (said === drawn) return;
        drawn = said;
        draw();
      } catch (error) {
        notice.textContent = error.message;
        notice.hidden = false;
      }
    }

    function go(changes, anew = false) {
      const now = here();
      for (const [name, value] of Object.entries(changes)) if (value) now.set(name, value); else now.delete(name);
      const words = now.toString();
      history[anew ? "pushState" : "replaceState"](null, "", `${location.pathname}${words ? `?${words}` : ""}`);
      return draw();
    }

    /** The open model: the address names it, by a name that it has or had, or by its id. */
    function chosen() {
      const name = here().get("model");
      const one = name && (all.find(({ id }) => id === name) || all.find((other) => other.name === name) || all.find((other) => other.former_names.includes(name)));
      if (one && one.name !== name && one.id !== name) address(one.name);
      return one ? one.id : null;
    }

    function address(name) {
      const now = here();
      now.set("model", name);
      history.replaceState(null, "", `${location.pathname}?${now}`);
    }

    async function draw() {
      const id = chosen();
      const away = all.filter((one) => one.archived || one.gone).length;
      tree.draw(all, { search: search.value, archived: archived.checked, chosen: id });
      count.textContent = `${all.length - away} in use${away ? `, ${away} put away` : ""}`;
      place.classList.toggle("has-panel", id !== null);
      await panel.show(id, all, prompts);
    }

    async function choose(id, byKey = false) {
      const one = all.find((other) => other.id === id);
      await go({ model: one ? one.name : "" }, true);
      const top = panel.element.getBoundingClientRect().top;
      if (top < 0 || top > innerHeight / 2) panel.element.scrollIntoView({ block: "start" });
      if (byKey || matchMedia("(max-width: 900px)").matches) panel.focus();
    }

    function openNamed(name) {
      const one = all.find((other) => other.id === name) || all.find((other) => other.name === name);
      if (one) choose(one.id, true);
    }

    function close() {
      go({ model: "" }, true);
      tree.focus();
    }

    /** Something was changed: look at once. */
    async function changed() {
      drawn = "";
      panel.said = null; // what needs it may have changed though its row has not
      await look();
    }

    async function addOne() {
      const name = await window.ratchet.askForModel();
      if (name) address(name);
      await changed();
    }
  };
})();
