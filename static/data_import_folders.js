/*
 * Files in folders that the administrator allowed, chosen from a list: nobody types a path.
 *
 *   imports.folders()            the names of the folders, [] where none is allowed
 *   imports.askFolder(names, take)   take([{id, name, size}]) runs with the files that were chosen
 */
(() => {
  "use strict";

  const imports = (window.ratchet.imports ||= {});
  const { el, api, dialog } = window.ratchet;
  const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

  imports.folders = async () => (await api("/api/data/folders")).folders;

  imports.askFolder = (names, take) => {
    const chosen = new Set(); // paths in the folder that is open; another folder begins anew
    let folder = 0;
    const where = el("nav", { class: "crumbs", "aria-label": "Folder" });
    const find = el("input", { class: "input", type: "search", placeholder: "Find by name", "aria-label": "Find by name", oninput: () => draw(listing) });
    const list = el("ul", { class: "folder-list", "aria-label": "Files and folders" });
    const wrong = el("p", { class: "field-error", role: "alert" });
    const use = el("button", { type: "button", class: "button button-primary", disabled: true, onclick: agree }, "Choose");
    const box = dialog("Files in allowed folders", el("div", { class: "stack-s" }, where, find, list, wrong,
      el("div", { class: "dialog-buttons" }, el("button", { type: "button", class: "button button-secondary", onclick: () => box.close() }, "Cancel"), use)), []);
    box.classList.add("dialog-wide");
    let listing = null;
    open(names.length > 1 ? null : 0, "");

    /** Opens a folder; null: the list of the allowed ones. */
    async function open(number, path) {
      wrong.textContent = "";
      find.value = "";
      chosen.clear();
      try {
        listing = number === null ? { top: true, path: "", folders: names.map((name, at) => ({ name, at })), files: [], left_out: 0 } : await api(`/api/data/folders/${number}/list`, { body: { path } });
        folder = number;
        draw(listing);
        (list.querySelector("button, input") || find).focus();
      } catch (error) {
        wrong.textContent = error.message;
      }
    }

    function draw(here) {
      const parts = here.path ? here.path.split("/") : [];
      const crumb = (label, run, last) => (last ? el("span", { "aria-current": "location" }, label) : el("button", { type: "button", class: "button-text", onclick: run }, label));
      const steps = [];
      if (names.length > 1) steps.push(crumb("Allowed folders", () => open(null, ""), here.top));
      if (!here.top) {
        steps.push(crumb(here.name, () => open(folder, ""), !parts.length));
        parts.forEach((part, at) => steps.push(crumb(part, () => open(folder, parts.slice(0, at + 1).join("/")), at === parts.length - 1)));
      }
      where.replaceChildren(...steps);
      const wanted = ({ name }) => name.toLowerCase().includes(find.value.trim().toLowerCase());
      const inner = (name) => [...parts, name].join("/");
      const folders = here.folders.filter(wanted).map((entry) => el("li", {}, el("button", { type: "button", class: "folder", onclick: () => (here.top ? open(entry.at, "") : open(folder, inner(entry.name))) }, el("span", { class: "truncate" }, entry.name), el("span", { class: "muted small" }, "folder"))));
      const files = here.files.filter(wanted).map((entry) => el("li", {}, el("label", { class: "check" },
        el("input", { type: "checkbox", checked: chosen.has(inner(entry.name)), onchange: (event) => mark(inner(entry.name), event.target.checked) }),
        el("span", { class: "truncate" }, entry.name), el("span", { class: "muted small num" }, imports.size(entry.size)), el("span", { class: "muted small num when" }, day.format(entry.modified * 1000)))));
      list.replaceChildren(...folders, ...files);
      if (!folders.length && !files.length) list.append(el("li", { class: "muted small" }, find.value ? "Nothing here has this name." : "This folder holds nothing that can be chosen."));
      if (here.left_out) list.append(el("li", { class: "muted small" }, `and ${here.left_out.toLocaleString("en")} more, which ratchet import on the command line takes`));
      count();
    }

    function mark(path, on) {
      chosen[on ? "add" : "delete"](path);
      count();
    }

    function count() {
      use.disabled = !chosen.size;
      use.textContent = chosen.size > 1 ? `Choose ${chosen.size} files` : "Choose";
    }

    async function agree() {
      try {
        const { uploads } = await api(`/api/data/folders/${folder}/choose`, { body: { paths: [...chosen] } });
        box.close();
        take(uploads);
      } catch (error) {
        wrong.textContent = error.message;
      }
    }
  };
})();
