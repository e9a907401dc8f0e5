/*
 * A method's options with their advice: presets above, the usual ones shown, the others folded.
 *
 *   new ratchet.training.Options(changed)   {presets, basic, more, count, why, show(plan, method), own, preset}
 *
 * What a person sets stays; all else follows the advice, which follows the preset, the model and the rows.
 */
(() => {
  "use strict";

  const { el } = window.ratchet;
  const { label, number } = window.ratchet.training;

  const LONG = 120; // letters of help from which an option takes the whole width

  function makeControl(item, id, changed) {
    if (item.choices.length) {
      return el("select", { id, onchange: changed }, item.choices.map((choice) => el("option", { value: choice }, choice)));
    }
    if (item.type === "bool") return el("input", { type: "checkbox", id, onchange: changed });
    return el("input", { id, inputmode: item.type === "str" ? "text" : "decimal", autocomplete: "off", spellcheck: "false", oninput: changed });
  }

  const readControl = (control) => (control.type === "checkbox" ? control.checked : control.value.trim());

  function writeControl(control, value) {
    if (control.type === "checkbox") control.checked = Boolean(value);
    else control.value = number(value);
  }

  class Options {
    constructor(changed) {
      this.changed = changed;
      this.own = {};
      this.preset = "";
      this.inputs = {};
      this.presetButtons = el("div", { class: "segmented", role: "group", "aria-label": "Preset" });
      this.presetWhy = el("p", { class: "hint", id: "preset-why", "aria-live": "polite" });
      this.presets = el("div", { class: "stack-s", hidden: true }, this.presetButtons, this.presetWhy);
      this.basic = el("div", { class: "option-grid" });
      this.more = el("div", { class: "option-grid" });
      this.count = el("span", { class: "muted" });
      this.why = el("p", { class: "hint advice" });
    }

    /** Another method: nothing that was set for the one before holds. */
    forget() {
      this.own = {};
      this.preset = "";
    }

    show(plan, method) {
      this.showPresets(plan.presets || []);
      this.why.textContent = plan.why && !plan.presets?.length ? `Advised: ${plan.why}` : "";
      this.why.hidden = !this.why.textContent;
      const fields = plan.fields;
      const kind = `${method}:${fields.map((item) => item.name).join()}`;
      if (this.kind !== kind) {
        this.kind = kind;
        this.inputs = Object.fromEntries(fields.map((item) => [item.name, this.field(item)]));
        this.basic.replaceChildren(...fields.filter((item) => item.basic).map((item) => this.inputs[item.name].box));
        this.more.replaceChildren(...fields.filter((item) => !item.basic).map((item) => this.inputs[item.name].box));
        this.count.textContent = `(${fields.filter((item) => !item.basic).length})`;
      }
      for (const item of fields) this.inputs[item.name].show(item);
    }

    showPresets(presets) {
      this.presets.hidden = !presets.length;
      const chosen = presets.find((preset) => preset.name === this.preset) || presets.find((preset) => preset.name === "balanced") || presets[0];
      const buttons = presets.map((preset) => el("button", { type: "button", id: `preset-${preset.name}`,
        "aria-pressed": String(preset === chosen), "aria-describedby": "preset-why", onclick: () => this.choosePreset(preset.name) }, preset.title));
      const same = buttons.length === this.presetButtons.childElementCount
        && buttons.every((button, at) => button.isEqualNode(this.presetButtons.children[at]));
      if (!same) {
        const held = this.presetButtons.contains(document.activeElement) && document.activeElement.id;
        this.presetButtons.replaceChildren(...buttons);
        if (held) document.getElementById(held)?.focus();
      }
      this.presetWhy.textContent = chosen ? chosen.why : "";
    }

    choosePreset(name) {
      this.preset = name;
      this.changed(true);
    }

    field(item) {
      const id = `option-${item.name}`;
      const control = makeControl(item, id, () => this.set(item.name, readControl(control)));
      control.setAttribute("aria-describedby", `${id}-hint`);
      const reset = el("button", { type: "button", class: "button-text small", hidden: true, onclick: () => this.set(item.name, null) });
      const hint = el("p", { class: "hint", id: `${id}-hint` }, item.help, " ", reset);
      const kind = `field${item.help.length > LONG ? " is-wide" : ""}`;
      const box = item.type === "bool"
        ? el("div", { class: kind }, el("label", { class: "check", for: id }, control, label(item.name)), hint)
        : el("div", { class: kind }, el("label", { for: id }, label(item.name)), control, hint);
      const show = (fresh) => {
        const own = item.name in this.own;
        if (document.activeElement !== control) writeControl(control, own ? this.own[item.name] : fresh.advised);
        box.classList.toggle("is-own", own);
        reset.hidden = !own;
        reset.textContent = `Use the advised ${fresh.advised === "" ? "nothing" : number(fresh.advised)}`;
        this.inputs[item.name].advised = fresh.advised;
      };
      return { box, control, show, advised: item.advised };
    }

    set(name, value) {
      const { control, advised } = this.inputs[name];
      if (value === null || (value === "" && advised !== "") || String(value) === number(advised)) {
        delete this.own[name];
        if (value === null) writeControl(control, advised);
      } else {
        this.own[name] = value;
      }
      this.changed(false);
    }

    /** Marks the options that a sentence names. */
    mark(sentences) {
      for (const [name, input] of Object.entries(this.inputs)) {
        input.control.setAttribute("aria-invalid", String(sentences.some((sentence) => sentence.includes(`"${name}"`))));
      }
    }
  }

  window.ratchet.training.Options = Options;
})();
