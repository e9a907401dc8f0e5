/*
 * The panel of one model: its head, what can be done with it, what is known of it, and a conversation with it.
 *
 *   new ratchet.models.Panel({open, changed, close, may})   {element, show(id, all, prompts), focus(), chat(), leave()}
 *
 * What is known is asked for anew where the model's row in the tree has changed; the conversation stays as it is.
 */
(() => {
  "use strict";

  const { el, api } = window.ratchet;
  const models = window.ratchet.models;

  models.Panel = class {
    constructor({ open, changed, close, may }) {
      Object.assign(this, { open, changed, may });
      this.chats = new Map();
      this.title = el("h2", { id: "models-title", tabindex: -1, dir: "auto" });
      this.chips = el("span", { class: "line" });
      this.actions = el("div", {});
      this.known = el("div", { class: "stack models-known" });
      this.talk = el("div", {});
      this.element = el("section", { class: "card stack models-panel", "aria-labelledby": "models-title", hidden: true },
        el("div", { class: "row-between" }, el("div", { class: "line" }, this.title, this.chips),
          el("button", { type: "button", class: "button button-ghost button-s", id: "model-close", onclick: close }, "Close")),
        this.actions, this.talk, this.known);
    }

    async show(id, all, prompts) {
      const line = all.find((one) => one.id === id);
      const said = JSON.stringify([line, all.map((one) => [one.id, one.name, one.archived, one.gone, one.champion])]);
      this.element.hidden = !line;
      if (!line) {
        this.said = this.id = null;
        return;
      }
      if (said === this.said) return;
      const other = this.id !== id;
      [this.said, this.id] = [said, id];
      if (other) this.begin(line);
      try {
        const one = await api(`/api/models/${encodeURIComponent(id)}`);
        if (this.said === said) this.draw(one, all, prompts);
      } catch (error) {
        if (this.said !== said) return;
        this.said = null; // asked again at the next look
        this.known.replaceChildren(el("p", { class: "notice notice-bad" }, error.message));
      }
    }

    /** Another model: its name at once, the rest when it is known. */
    begin(line) {
      this.wanted = false;
      this.title.textContent = line.name;
      this.chips.replaceChildren(...models.chips(line).filter(Boolean));
      this.actions.replaceChildren();
      this.talk.replaceChildren();
      this.known.replaceChildren(el("div", { class: "skeleton", style: { height: "120px" } }));
    }

    draw(one, all, prompts) {
      this.title.textContent = one.name;
      this.chips.replaceChildren(...models.chips(one).filter(Boolean));
      const held = document.activeElement?.id;
      const opened = new Set([...this.known.querySelectorAll("details[open]")].map((details) => details.id));
      this.actions.replaceChildren(models.actions(one, all, { may: this.may, changed: this.changed, open: this.open, chat: () => this.chat(), prompts }));
      this.known.replaceChildren(...models.facts(one, this.open));
      for (const details of this.known.querySelectorAll("details")) details.open = opened.has(details.id);
      if (held && document.activeElement?.id !== held) document.getElementById(held)?.focus();
      const talk = this.chats.get(one.id);
      if (talk && this.talk.firstChild !== talk.element) this.talk.replaceChildren(talk.element);
      this.one = one;
      if (this.wanted) this.chat();
    }

    /** Opens the conversation; at once where the model is known, else as soon as it is. */
    chat() {
      this.wanted = this.one?.id !== this.id;
      if (this.wanted || this.one.gone) return;
      if (!this.chats.has(this.id)) this.chats.set(this.id, models.chat(this.one));
      const talk = this.chats.get(this.id);
      if (this.talk.firstChild !== talk.element) this.talk.replaceChildren(talk.element);
      talk.focus();
    }

    focus() {
      this.title.focus();
    }

    leave() {
      for (const talk of this.chats.values()) talk.stop();
    }
  };
})();
