/*
 * Views of a dataset: all rows, those that a person saved under a name, and the trash.
 *
 * A view is a name for search, filters, order and page size. What it says goes into the address whole, so a link to it
 * works for everybody; the name only marks which one is open. `ratchet.data.viewStrip()` gives an element.
 */
(() => {
  "use strict";

  const { el, api, toast, dialog, confirm, data } = window.ratchet;
  const NOTHING = { search: "", filters: {}, sort: "", view: "", page: 1 };

  data.viewStrip = () => {
    const strip = el("nav", { class: "views", "aria-label": "Views" });
    let views = [];
    let loaded = "";

    async function follow() {
      const { dataset } = data.place();
      if (dataset !== loaded) {
        loaded = dataset;
        views = [];
        if (dataset) await load(dataset);
      }
      draw();
    }

    async function load(dataset) {
      try {
        const answer = await api(data.path("views", dataset));
        if (dataset === data.place().dataset) views = answer.views;
      } catch (error) {
        if (error.status !== 404) toast(error.message, "bad");
      }
      draw();
    }

    const state = () => {
      const { search, filters, sort, size } = data.place();
      return { search, filters, sort, size };
    };
    /** The same state, however its keys are ordered. */
    const key = (one) => JSON.stringify([one.search || "", one.sort || "", one.size || 25, Object.entries(one.filters || {}).sort()]);

    function draw() {
      const { dataset, view, filters, search, sort } = data.place();
      strip.hidden = !dataset;
      const here = state();
      const open = views.find((item) => item.id === view);
      const trash = filters.status === "deleted";
      const set = Object.keys(filters).length > 0 || Boolean(search) || Boolean(sort);
      strip.replaceChildren(
        tab("All rows", !set, () => data.go({ ...NOTHING })),
        ...views.map((item) => tab(item.name, item === open && key(item.state) === key(here), () => go(item))),
        tab("Trash", trash && !open, () => data.go({ ...NOTHING, filters: { status: "deleted" } })),
        el("span", { class: "view-tools" },
          set && !trash && (!open || key(open.state) !== key(here)) && tool("Save view", () => save(open)),
          open && tool("Rename", () => name("Rename the view", open.name, (said) => change(open, { name: said }))),
          open && tool("Delete view", () => remove(open)),
          set && tool("Copy link", copyLink)));
    }

    const tab = (label, current, run) => el("button", { type: "button", class: "view", "aria-current": current ? "page" : null, onclick: run }, label);
    const tool = (label, run) => el("button", { type: "button", class: "button-text small", onclick: run }, label);

    const go = (item) => data.go({ ...NOTHING, ...item.state, view: item.id });

    /** Saves what is set: over the open view, or under a new name. */
    async function save(open) {
      if (open && await confirm("Change the view?", `“${open.name}” becomes what is set now. To keep it as it is, save under another name.`, { yes: "Change it" })) {
        await change(open, { state: state() });
        return;
      }
      name("Save this view", "", async (said) => {
        const made = await api(data.path("views"), { body: { name: said, state: state() } });
        await load(loaded);
        await data.go({ view: made.id }, true);
        toast(`The view “${made.name}” is saved.`, "good");
      });
    }

    async function change(item, what) {
      await api(data.path(`views/${item.id}`), { method: "PATCH", body: what });
      await load(loaded);
    }

    function name(title, value, run) {
      const input = el("input", { id: "view-name", value, maxlength: 60, autocomplete: "off" });
      const wrong = el("p", { class: "field-error", role: "alert" });
      const box = dialog(title, el("form", { class: "stack", onsubmit: submit },
        el("div", { class: "field" }, el("label", { for: "view-name" }, "Name"), input), wrong,
        el("div", { class: "dialog-buttons" }, el("button", { type: "button", class: "button button-secondary", onclick: () => box.close() }, "Cancel"), el("button", { class: "button button-primary" }, "Save"))), []);
      input.focus();
      async function submit(event) {
        event.preventDefault();
        try {
          await run(input.value.trim());
          box.close();
        } catch (error) {
          wrong.textContent = error.message;
        }
      }
    }

    async function remove(item) {
      try {
        await api(data.path(`views/${item.id}`), { method: "DELETE" });
        await load(loaded);
        await data.go({ view: "" }, true);
        toast(`The view “${item.name}” is deleted.`, "info", async () => {
          const back = await api(data.path("views"), { body: { name: item.name, state: item.state } });
          await load(loaded);
          await data.go({ view: back.id }, true);
        });
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    async function copyLink() {
      const { dataset, view, size } = data.place();
      const query = data.asked();
      query.set("dataset", dataset);
      if (view) query.set("view", view);
      if (size !== data.sizes[0]) query.set("size", size);
      const link = `${location.origin}${location.pathname}?${query}`;
      try {
        await navigator.clipboard.writeText(link);
        toast("The link to this view is copied.", "good");
      } catch {
        dialog("The link to this view", el("p", {}, el("code", {}, link)));
      }
    }

    data.on("place", follow);
    follow();
    return strip;
  };
})();
