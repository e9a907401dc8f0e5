/*
 * V opens my votes: what I said in this study, newest first. Each can be taken back or changed: a change shows the pair
 * in its old order with what I said marked, and the vote that I give then takes the place of the old one.
 *
 * The list is the server's, a page at a time. Searching goes through what has been fetched and offers to fetch more; it
 * never leaves the browser. Who wrote what is told on request, and only to those who may see results.
 */
(() => {
  "use strict";

  const { api, toast } = window.ratchet;
  const judging = (window.ratchet.judging ||= { layouts: {}, extras: {} });
  const PAGE = 20;
  const STRENGTHS = ["negligible", "slightly better", "better", "significantly better"];

  judging.extras.mine = (desk) => {
    const { el } = desk;
    let votes = [];
    let more = false;
    let busy = false;
    let study = null;

    const opener = el("button", { type: "button", class: "button button-ghost button-s", "aria-haspopup": "dialog", onclick: toggle }, "My votes ", el("kbd", { "aria-hidden": "true", dataset: { cap: "mine" } }, "V"));
    desk.places.study.append(opener);
    const search = el("input", { class: "input", type: "search", id: "mine-search", placeholder: "Search prompts and reasons", oninput: draw, autocomplete: "off" });
    const list = el("ol", { class: "mine-list" });
    const told = el("p", { class: "small muted", role: "status" });
    const older = el("button", { type: "button", class: "button", onclick: fetchOlder }, "Older votes");
    const shut = el("button", { type: "button", class: "button button-ghost button-s", onclick: () => drawer.close() }, "Close ", el("kbd", { "aria-hidden": "true" }, "Esc"));
    const drawer = el("dialog", { class: "drawer", "aria-labelledby": "mine-head" },
      el("div", { class: "drawer-head" }, el("h2", { id: "mine-head" }, "My votes"), shut),
      el("div", { class: "field" }, el("label", { for: "mine-search", class: "visually-hidden" }, "Search my votes"), search), list, told, older);
    // What is pressed in here is no vote on the pair behind it.
    drawer.addEventListener("keydown", (event) => {
      if (event.target !== search && event.key === "v" && !event.ctrlKey && !event.metaKey) drawer.close();
      event.stopPropagation();
    });
    drawer.addEventListener("click", (event) => { if (event.target === drawer) drawer.close(); });
    document.body.append(drawer);

    function toggle() {
      if (drawer.open) return drawer.close();
      const sitting = desk.sitting();
      if (!sitting?.study) return undefined;
      study = sitting.study;
      votes = [];
      more = true;
      search.value = "";
      list.replaceChildren();
      drawer.showModal();
      shut.focus();
      return fetchOlder();
    }

    async function fetchOlder() {
      if (busy || !more) return;
      busy = true;
      older.disabled = true;
      told.textContent = "Looking …";
      try {
        const size = search.value ? 5 * PAGE : PAGE;
        const found = await api(`/api/compare/mine?study=${encodeURIComponent(study)}&before=${encodeURIComponent(votes.at(-1)?.vote || "")}&limit=${size}`);
        votes = [...votes, ...found.votes];
        more = found.more;
        draw();
      } catch (error) {
        told.textContent = error.message;
      }
      busy = false;
      older.disabled = false;
    }

    /* -- Drawing -- */

    const question = (vote) => vote.pair.prompt.findLast((turn) => turn.role === "user")?.content || vote.pair.prompt.at(-1)?.content || "";

    function fits(vote, words) {
      const said = [question(vote), vote.rationale, vote.reason, ...(vote.chips || []), saidOf(vote), ...vote.pair.sides.map((side) => side.text)].join(" ").toLowerCase();
      return words.every((word) => said.includes(word));
    }

    function draw() {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const shown = votes.filter((vote) => fits(vote, words));
      list.replaceChildren(...shown.map(item));
      const newest = more ? `the newest ${judging.plural(votes.length, "vote")}` : judging.plural(votes.length, "vote");
      told.textContent = !votes.length ? "You have not voted in this study yet." : words.length ? `${shown.length} of ${newest}` : `${more ? "The" : ""} ${newest.replace(/^the /, "")}`.trim();
      older.hidden = !more;
      older.textContent = words.length ? "Search older votes" : "Older votes";
    }

    const saidOf = (vote) => (vote.choice === "skip" ? `skipped${vote.reason ? `: ${vote.reason}` : ""}` : desk.layout().said(vote) || vote.choice);

    function item(vote) {
      const when = new Date(vote.created_at * 1000);
      const today = when.toDateString() === new Date().toDateString();
      const details = [vote.strength !== null && vote.strength !== undefined && STRENGTHS[vote.strength], ...(vote.chips || []), vote.edited && "mended"].filter(Boolean);
      return el("li", { class: "mine-vote", dataset: { comparison: vote.comparison } },
        el("p", { class: "mine-question" }, question(vote)),
        el("p", { class: "mine-said" }, el("b", {}, saidOf(vote)), details.map((one) => el("span", { class: "chip" }, one))),
        vote.rationale && el("p", { class: "small muted mine-why" }, vote.rationale),
        el("div", { class: "row-between" },
          el("time", { class: "small muted num", datetime: when.toISOString() }, when.toLocaleString([], today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" })),
          el("div", { class: "line" }, vote.reveal && vote.choice !== "skip" && names(vote),
            el("button", { type: "button", class: "button button-s", onclick: () => takeBack(vote) }, "Take back"),
            el("button", { type: "button", class: "button button-s", onclick: () => change(vote) }, "Change"))));
    }

    /** Who wrote what, told after a press. */
    function names(vote) {
      const button = el("button", { type: "button", class: "button button-ghost button-s", onclick: () => {
        button.replaceWith(el("span", { class: "small" }, vote.reveal.map((name, index) => `${vote.reveal.length > 1 ? `${judging.LETTERS[index]}: ` : ""}${name}`).join(", ")));
      } }, "Who wrote it");
      return button;
    }

    /* -- Changing -- */

    function change(vote) {
      drawer.close();
      desk.revise(vote);
    }

    async function takeBack(vote) {
      try {
        const answer = await api("/api/compare/undo", { body: { id: judging.newId(), study, comparison: vote.comparison } });
        votes = votes.filter((one) => one.vote !== vote.vote);
        draw();
        if (answer.pair) desk.bring(answer.pair);
        toast("Taken back; the pair waits to be judged again.", "good");
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    desk.keys([{ id: "mine", label: "My votes: look, change, take back", keys: ["v"], run: toggle, group: "Vote" }]);
    return () => drawer.remove();
  };
})();
