/*
 * Two people changed one row: the second sees both changes as differences and chooses theirs, their own, or a merge.
 *
 * A merge takes what only one side changed by itself; what both changed stays as the person wrote it, with the other
 * text beside it and a button to take it.
 */
(() => {
  "use strict";

  const { el, diff } = window.ratchet;
  const parts = (window.ratchet.editorParts ||= {});
  const clone = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  /** {content, tags} of three sides into one; clashes: [{label, theirs, mine, take(draft)}]. */
  function merge(base, mine, theirs) {
    const clashes = [];
    const content = {};
    for (const key of new Set([...Object.keys(mine.content), ...Object.keys(theirs.content)])) {
      const [b, m, t] = [base, mine, theirs].map((side) => side.content[key]);
      content[key] = clone(mergeOne(key, b, m, t, clashes));
      if (content[key] === undefined) delete content[key];
    }
    const tags = [...new Set([...theirs.tags, ...mine.tags])].filter((tag) =>
      mine.tags.includes(tag) && theirs.tags.includes(tag) ? true : !base.tags.includes(tag));
    return { draft: { content, tags }, clashes };
  }

  function mergeOne(key, b, m, t, clashes) {
    if (same(m, t) || same(b, t)) return m;
    if (same(b, m)) return t;
    const lists = [b, m, t].every(Array.isArray) && m.length === t.length && b.length === m.length;
    if (lists) return m.map((item, at) => {
      if (same(item, t[at]) || same(b[at], t[at])) return item;
      if (same(b[at], item)) return t[at];
      clashes.push({ label: `${key === "messages" ? "Turn" : `${parts.turns.HEADS[key] || key}, turn`} ${at + 1}`, theirs: t[at], mine: item, take: (draft) => { draft.content[key][at] = clone(t[at]); } });
      return item;
    });
    clashes.push({ label: key, theirs: t, mine: m, take: (draft) => { if (t === undefined) delete draft.content[key]; else draft.content[key] = clone(t); } });
    return m;
  }

  const words = (value) => (typeof value === "string" ? value : value?.content !== undefined && !value.tool_calls ? value.content : value === undefined ? "" : JSON.stringify(value, null, 1));
  const all = ({ content, tags }) => `${diff.spoken(content)}${tags.length ? `\ntags: ${tags.join(", ")}` : ""}`;

  /**
   * Asks what shall stand. base: what the person began with; found: the row as it is now.
   * Resolves nothing: each button does its work on the desk.
   */
  parts.conflict = (desk, base, found, why) => {
    const mine = { content: desk.plain(), tags: clone(desk.draft.tags) };
    const theirs = { content: found.content, tags: found.tags };
    const shown = (title, before, after) => el("section", {}, el("h3", {}, title), el("div", { class: "revision" }, diff.inline(all(before), all(after))));
    const button = (label, kind, run) => el("button", { type: "button", class: `button button-${kind} button-s`, onclick: run }, label);
    const when = new Date(found.revised_at * 1000).toLocaleTimeString("en-GB");
    desk.tell("warning", why || `${found.author} changed this example at ${when}, after you had opened it. Nothing is lost: choose what shall stand.`,
      el("div", { class: "answers conflict" }, shown(`What ${found.author} changed`, base, theirs), shown("What you changed", base, mine)),
      el("div", { class: "line" },
        button("Take theirs", "secondary", () => { desk.step("took the other text"); desk.rebase(found, clone(theirs)); desk.quiet(); }),
        button("Keep mine", "secondary", () => { desk.rebase(found, mine); desk.quiet(); desk.save(); }),
        button("Merge by hand", "primary", () => byHand(desk, merge(base, mine, theirs), found))));
    desk.card.scrollTop = 0;
    desk.card.querySelector(".conflict")?.scrollIntoView({ block: "nearest" });
  };

  function byHand(desk, { draft, clashes }, found) {
    desk.step("merged two changes");
    desk.rebase(found, draft);
    if (!clashes.length) return desk.tell("good", "Both changes stand in the editor now; save to keep them.");
    const list = el("ul", { class: "clashes" }, clashes.map((clash) => {
      const take = el("button", { type: "button", class: "button button-secondary button-s", onclick: () => {
        desk.step(`took their text of ${clash.label}`);
        clash.take(desk.draft);
        desk.redraw();
        take.disabled = true;
      } }, `Take theirs`, el("span", { class: "visually-hidden" }, ` for ${clash.label}`));
      return el("li", {}, el("div", { class: "row-between" }, el("b", {}, clash.label), take), el("div", { class: "revision" }, diff.inline(words(clash.mine), words(clash.theirs))));
    }));
    return desk.tell("info", "What only one of you changed is merged. Where both did, your text stands; what theirs has other is marked here.", list);
  }

  parts.conflict.merge = merge;
})();
