/*
 * The page /studies: the list, one study (?study=NAME), or the form for a new one (?new=1). The address says which.
 */
(() => {
  "use strict";

  const { el, api, keys, studies } = window.ratchet;
  const here = () => new URLSearchParams(location.search);

  window.ratchet.widgets.studies = (element) => {
    const place = el("div", { class: "stack studies" });
    element.append(place);
    let may = false;
    let asked = 0;
    const leave = keys.add({ key: "n", label: "Make a new study", run: () => go({ new: "1" }), when: () => may && !here().get("new") });
    const back = keys.add({ key: "Escape", label: "Back to the list", run: () => go({}), when: () => location.search !== "" && !here().get("new") });
    const turned = () => draw();
    window.addEventListener("popstate", turned);
    begin();
    const unfollow = studies.follow(place);
    return () => { leave(); back(); unfollow(); window.removeEventListener("popstate", turned); };

    async function begin() {
      try {
        may = (await api("/api/people/me")).may.includes("run studies");
      } catch {
        may = false; // the routes say it again where it matters
      }
      draw();
    }

    function go(query) {
      const words = new URLSearchParams(query).toString();
      history.pushState(null, "", `${location.pathname}${words ? `?${words}` : ""}`);
      draw().then(() => place.querySelector("h2")?.scrollIntoView({ block: "nearest" }));
    }

    /** A link within the page: no reload. */
    function link(query, attributes, ...content) {
      return el("a", { ...attributes, href: `/studies?${new URLSearchParams(query)}`,
        onclick: (event) => { if (event.ctrlKey || event.metaKey || event.shiftKey) return; event.preventDefault(); go(query); } }, ...content);
    }

    async function draw() {
      const turn = ++asked;
      try {
        const content = await page();
        if (turn === asked) place.replaceChildren(...content.filter(Boolean));
      } catch (error) {
        if (turn === asked) place.replaceChildren(el("p", { class: "notice notice-bad" }, error.message), listLink());
      }
    }

    async function page() {
      const name = here().get("study");
      if (name) return [listLink(), studies.one(await api(`/api/studies/${encodeURIComponent(name)}`), may, draw)];
      const all = await api("/api/studies");
      if (here().get("new") && may) return [await studies.form(all.usual, (made) => go({ study: made }))];
      return [may && newLink(), list(all.studies), all.studies.length > 0 && studies.command("ratchet studies"), studies.demos(may)];
    }

    function listLink() {
      return el("p", {}, el("a", { href: "/studies", onclick: (event) => { event.preventDefault(); go({}); } }, "All studies"));
    }

    function newLink() {
      return el("div", {}, link({ new: "1" }, { class: "button button-primary" }, "New study", el("kbd", {}, "N")));
    }

    function list(all) {
      if (!all.length) return el("div", { class: "empty" }, el("h2", {}, "There is no study yet"), el("p", {}, "A study says which answers are compared, how they are judged and by whom."));
      return el("ul", { class: "plain-list studies-list" }, all.map((one) => el("li", { class: "card stack-s" },
        el("div", { class: "row-between" }, el("h2", {}, link({ study: one.name }, {}, one.name)),
          el("span", { class: "line" }, el("span", { class: `chip ${one.state === "open" && one.judgeable ? "chip-good" : ""}` }, one.judgeable ? one.state : "votes from elsewhere"), el("span", { class: "chip" }, studies.LAYOUTS[one.layout][0]))),
        studies.bar(one), studies.ahead(one),
        el("p", { class: "small" }, one.answers ? `answers of ${one.answers}` : one.names.join(" · ") || (one.judgeable ? "typed questions" : "from files"), el("span", { class: "muted" }, one.prompts ? ` on ${one.prompts}` : "")),
        el("p", { class: "muted small" }, `${studies.plural(one.votes, "vote")}, `, one.people.length ? one.people.slice(0, 6).map((person) => person.name).join(", ") : "nobody yet", one.people.length > 6 && ` and ${one.people.length - 6} more`,
          one.votes > 0 && [" · ", el("a", { href: `/results?study=${encodeURIComponent(one.name)}`, "aria-label": `Results and agreement of ${one.name}` }, "results and agreement")]))));
    }
  };
})();
