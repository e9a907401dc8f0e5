/*
 * The methods as cards, by family: what one has at hand decides, so families are named by what they learn from.
 *
 *   new ratchet.training.Methods(chosen)   {box, fill(methods, name), one}; chosen(name)
 */
(() => {
  "use strict";

  const { el } = window.ratchet;
  const FAMILIES = [
    ["Good answers", (method) => method.makes === "answers" && !method.votes && ["sft", "text"].includes(method.rows[0]) && method.name !== "distill"],
    ["Preferences and votes", (method) => method.makes === "answers" && (method.votes || method.rows[0] === "preference")],
    ["Rewards", (method) => method.makes === "scores" || (method.makes === "answers" && ["rloo", "grpo"].includes(method.name))],
    ["Another model", (method) => method.name === "distill"],
    ["Labels", (method) => method.makes === "labels"],
  ];
  const MAKES = { scores: "makes a reward model", labels: "makes a classifier" };
  const FROM = { sft: "examples", text: "raw text", preference: "preferences", prompts: "prompts" };

  const family = (method) => FAMILIES.find(([, fits]) => fits(method))?.[0] || "Others";

  class Methods {
    constructor(chosen) {
      this.chosen = chosen;
      this.list = [];
      this.cards = el("div", { class: "method-families" });
      this.about = el("p", { class: "hint", id: "method-about", "aria-live": "polite" });
      this.box = el("fieldset", { class: "bare stack-s" }, el("legend", { class: "visually-hidden" }, "Method"), this.cards, this.about);
    }

    fill(list, name) {
      this.list = list;
      const names = [...FAMILIES.map(([title]) => title), "Others"];
      this.cards.replaceChildren(...names.map((title) => {
        const found = list.filter((method) => family(method) === title);
        return found.length && el("div", { class: "method-family" }, el("span", { class: "muted small" }, title),
          el("div", { class: "method-cards" }, found.map((method) => this.card(method, name))));
      }).filter(Boolean));
      this.choose(name);
    }

    card(method, name) {
      const id = `method-${method.name}`;
      const input = el("input", { type: "radio", name: "method", id, value: method.name, checked: method.name === name,
        "aria-describedby": "method-about", onchange: () => { this.choose(method.name); this.chosen(method.name); } });
      return el("label", { class: "method-card", for: id, title: method.summary }, input, el("span", {}, method.title));
    }

    choose(name) {
      this.one = this.list.find((method) => method.name === name);
      if (!this.one) return;
      const { votes, rows, makes, summary, paper } = this.one;
      const from = [votes && "votes", ...rows.map((kind) => FROM[kind] || kind)].filter(Boolean);
      this.about.replaceChildren(el("b", {}, summary), ` From ${from.join(" or ")}${MAKES[makes] ? `; ${MAKES[makes]}` : ""}. `, el("span", { class: "muted" }, paper));
    }
  }

  window.ratchet.training.Methods = Methods;
})();
