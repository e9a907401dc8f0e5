/*
 * The page /data: where the person is, and what the parts of the page say to each other.
 *
 *   ratchet.data.place()                 {dataset, page, size, sort, view, search, filters, row, task} as the address says
 *   ratchet.data.go(changes, replace)    changes the address and tells everybody; answers false where a guard held
 *   ratchet.data.filter(changes, how)    sets filters of the table, see below: what a bar of a chart calls when clicked
 *   ratchet.data.on(name, run)           "place" (the address changed) · "changed" (rows changed) · "datasets"
 *   ratchet.data.say(name, detail)       tells everybody
 *   ratchet.data.when(seconds), plural(count, noun), toRows()   a moment and a number in words; scrolls to the table
 *   ratchet.data.guard                   set by the editor: async () => true where its row may be left
 *   ratchet.data.datasets(), deleted()   what the studio has, as of the last look
 *   ratchet.data.path(rest, dataset)     "/api/data/datasets/<name>/<rest>" of the open dataset, or of another
 *
 * The filters, each a text as the address has it (studio/curation/filters.py reads the same):
 *   search  words, each of which must occur            status  "draft", "approved,rejected", "deleted" (the trash)
 *   tag     a list of tags, all of which must be there split   "train" | "measure"
 *   role    system | user | assistant | tool | "tool calls" source  id of an import
 *   chars, turns, tokens  "10-200", "10-", "-200"      tokenizer  which one counted the tokens
 *   finding name of a check                            author  who changed the row last
 *   since, until  "2026-01-31", both days included
 *
 *   await ratchet.data.filter({ finding: "empty_answer", status: null });   // adds one, removes another
 *   await ratchet.data.filter({ chars: "400-799" }, { only: true });        // instead of all others
 */
(() => {
  "use strict";

  const { el, api, toast } = window.ratchet;
  const KINDS = {
    sft: ["Conversations", "A question and the answer a model should learn."],
    preference: ["Preferences", "Two answers to one prompt, one of them better."],
    prompts: ["Prompts", "Questions without answers, to compare models on."],
    text: ["Texts", "Plain text, a row each."],
  };
  const FILTERS = ["status", "tag", "split", "role", "chars", "turns", "tokens", "tokenizer", "source", "finding", "author", "since", "until"];
  const SIZES = [25, 50, 100];

  /* ---- Where the person is ----------------------------------------------------------------------------- */

  const listeners = {};
  const on = (name, run) => (listeners[name] ||= []).push(run);
  const say = (name, detail) => (listeners[name] || []).forEach((run) => run(detail));

  function place() {
    const query = new URLSearchParams(location.search);
    const said = (name) => query.get(name) || "";
    const filters = {};
    for (const name of FILTERS) if (said(name)) filters[name] = name === "tag" ? query.getAll("tag") : said(name);
    return {
      dataset: said("dataset"), page: Math.max(1, Number(said("page")) || 1), size: SIZES.includes(Number(said("size"))) ? Number(said("size")) : SIZES[0],
      sort: said("sort"), view: said("view"), search: said("search"), filters, row: said("row"), task: said("import"),
    };
  }

  /** Search, filters and sort as parameters of a request. */
  function asked({ search, filters, sort } = place()) {
    const query = new URLSearchParams();
    if (search) query.set("search", search);
    for (const name of FILTERS) [filters[name] || []].flat().forEach((one) => query.append(name, one));
    if (sort) query.set("sort", sort);
    return query;
  }

  function write(changes, replace) {
    const before = place();
    const fresh = "dataset" in changes && changes.dataset !== before.dataset;
    const now = { ...before, ...(fresh ? { filters: {}, search: "", sort: "", view: "", page: 1 } : {}), ...changes };
    const query = new URLSearchParams();
    if (now.dataset) query.set("dataset", now.dataset);
    for (const [name, value] of asked(now)) query.append(name, value);
    if (now.view) query.set("view", now.view);
    if (now.size !== SIZES[0]) query.set("size", now.size);
    if (now.page > 1) query.set("page", now.page);
    if (now.row) query.set("row", now.row);
    if (now.task) query.set("import", now.task);
    const address = `${location.pathname}${query.size ? `?${query}` : ""}`;
    if (address === location.pathname + location.search) return;
    history[replace ? "replaceState" : "pushState"]({}, "", address);
  }

  /** Sets filters (null or "" removes one); only: nothing else stays. Always goes to the first page. */
  function filter(changes, { only = false, replace = false } = {}) {
    const { filters, search } = only ? { filters: {}, search: "" } : place();
    const now = { ...filters };
    for (const name of FILTERS) {
      if (!(name in changes)) continue;
      const empty = !changes[name] || changes[name].length === 0;
      if (empty) delete now[name];
      else now[name] = name === "tag" ? [...new Set([changes.tag].flat())] : String(changes[name]);
    }
    return page.go({ filters: now, search: "search" in changes ? changes.search || "" : search, page: 1 }, replace);
  }

  const page = {
    place, on, say, filter, asked,
    sizes: SIZES,
    path: (rest, dataset = place().dataset) => `/api/data/datasets/${encodeURIComponent(dataset)}${rest ? `/${rest}` : ""}`,
    guard: async () => true,
    async go(changes, replace = false) {
      const leaves = ["dataset", "row"].some((key) => key in changes && changes[key] !== place()[key]);
      if (leaves && !(await page.guard())) return false;
      write(changes, replace);
      say("place");
      return true;
    },
    datasets: () => known,
    deleted: () => deleted,
    formats: () => formats,
    kinds: KINDS,
    refresh,
    when: (seconds) => new Date(seconds * 1000).toLocaleString("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }),
    /** Brings the table into sight, which the charts push below the window. */
    toRows: () => document.querySelector(".rows-card")?.scrollIntoView({ block: "start" }),
    plural: (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`,
    command: (text) => commandLine(text),
  };
  window.ratchet.data = page;

  let known = [];
  let deleted = [];
  let formats = {};

  let address = location.search;
  window.addEventListener("popstate", async () => {
    const wanted = location.search;
    if (!(await page.guard())) {
      history.pushState({}, "", location.pathname + address);
      return;
    }
    address = wanted;
    say("place");
  });
  on("place", () => { address = location.search; });

  async function refresh() {
    const answer = await api("/api/data/datasets");
    known = answer.datasets;
    deleted = (await api("/api/data/deleted")).datasets;
    formats = answer.formats;
    if (!place().dataset && known.length) write({ dataset: known[0].name }, true);
    say("datasets");
  }

  /** The same as a button does, as a command to copy. */
  function commandLine(text) {
    const copy = async () => {
      await navigator.clipboard.writeText(text);
      toast("The command is copied.", "good");
    };
    return el("div", { class: "command" },
      el("code", { tabindex: 0, "aria-label": "The same as a command" }, text),
      navigator.clipboard && el("button", { type: "button", class: "button button-ghost button-s", onclick: copy }, "Copy"));
  }
})();
