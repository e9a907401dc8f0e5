/*
 * What a training may have beside its material: rows to measure on, earlier rows mixed in, a teacher, reward models,
 * and when it runs. A method shows only what it can use (`needs` of the plan).
 *
 *   new ratchet.training.Extras(changed)   {needed, folded, fill(offer, method), show(plan), values()}
 */
(() => {
  "use strict";

  const { el } = window.ratchet;
  const { field, fillSelect, plural } = window.ratchet.training;

  class Extras {
    constructor(changed) {
      const select = (id) => el("select", { id, onchange: changed });
      this.teacher = select("train-teacher");
      this.teacherBox = field("train-teacher", "Learn from the model", this.teacher,
        el("p", { class: "hint", id: "train-teacher-hint" }, "The teacher. Its tokenizer must be that of the model that learns, where it learns from probabilities."));
      this.rewards = el("div", { class: "stack-s" });
      this.rewardsHint = el("p", { class: "hint" });
      this.rewardsBox = el("fieldset", { class: "bare field" }, el("legend", {}, "Reward models"), this.rewards, this.rewardsHint);
      this.needed = el("div", { class: "stack" }, this.teacherBox, this.rewardsBox);

      this.replay = select("train-replay");
      this.replayBox = field("train-replay", "Mix in earlier rows", this.replay,
        el("p", { class: "hint", id: "train-replay-hint" }, "Some rows of what was learnt before, so that it is not forgotten."));
      this.eval = select("train-eval");
      this.evalBox = field("train-eval", "Measure on", this.eval,
        el("p", { class: "hint", id: "train-eval-hint" }, "Rows that are never learnt; without a dataset some rows are held out."));
      this.devices = el("input", { id: "train-devices", type: "number", min: 1, max: 64, value: "1", inputmode: "numeric", onchange: changed });
      this.devicesBox = field("train-devices", "Accelerators", this.devices, el("p", { class: "hint", id: "train-devices-hint" }, "How many the run wants at once."));
      this.after = select("train-after");
      this.afterBox = field("train-after", "Wait for", this.after, el("p", { class: "hint", id: "train-after-hint" }, "The job that must be done first."));
      this.idle = el("input", { type: "checkbox", id: "train-idle", onchange: changed });
      this.folded = el("div", { class: "option-grid" }, this.replayBox, this.evalBox, this.afterBox, this.devicesBox,
        el("div", { class: "field" }, el("label", { class: "check", for: "train-idle" }, this.idle, "Run when idle"),
          el("p", { class: "hint" }, "Begins when nobody asks the models anything.")));
      this.changed = changed;
      this.show({});
    }

    fill(offer, method) {
      const kind = method.rows.filter((one) => one !== "prompts").concat(method.rows.includes("prompts") ? ["prompts"] : []);
      const fitting = offer.datasets.filter((dataset) => kind.includes(dataset.kind));
      const rows = (none, list) => [el("option", { value: "" }, none), ...list.map((one) => el("option", { value: one.name }, `${one.name} (${plural(one.rows, "row")})`))];
      const keep = (select, options) => fillSelect(select, options, [...options].some((option) => option.value === select.value) ? select.value : "");
      keep(this.replay, rows("nothing", fitting));
      keep(this.eval, rows("some held-out rows", fitting));
      const answering = offer.models.filter((model) => ["base", "adapter"].includes(model.kind));
      keep(this.teacher, [el("option", { value: "" }, "choose a model"), ...answering.map((model) => el("option", { value: model.name }, model.name))]);
      keep(this.after, [el("option", { value: "" }, "nothing"), ...(offer.waiting || []).map((job) => el("option", { value: job.job }, `job ${job.number}: ${job.name}`))]);
      this.afterBox.hidden = !offer.waiting?.length;
      this.devicesBox.hidden = !(offer.devices > 1);
      this.fillRewards(offer.models.filter((model) => model.kind === "reward"));
    }

    fillRewards(models) {
      const ticked = this.ticked();
      const boxes = models.map((model) => el("label", { class: "check", for: `reward-${model.name}` },
        el("input", { type: "checkbox", id: `reward-${model.name}`, value: model.name, checked: ticked.includes(model.name), onchange: this.changed }), model.name));
      if (!el("div", {}, boxes).isEqualNode(this.rewards)) this.rewards.replaceChildren(...boxes);
      this.rewardsHint.textContent = models.length ? "Each scores the answers; rules are options below."
        : "There is none yet: train one with the method for reward models, or give rules among the options below.";
    }

    ticked() {
      return [...this.rewards.querySelectorAll("input:checked")].map((box) => box.value);
    }

    show(plan) {
      this.needs = plan.needs || {};
      this.teacherBox.hidden = !this.needs.teacher;
      this.rewardsBox.hidden = !this.needs.rewards;
      this.replayBox.hidden = !this.needs.replay;
      this.needed.hidden = !this.needs.teacher && !this.needs.rewards;
    }

    /** The part of the request; empty where nothing is said, so that the command stays short. */
    values() {
      const { teacher, rewards, replay } = this.needs;
      return {
        ...(this.eval.value && { eval: this.eval.value }),
        ...(replay && this.replay.value && { replay: this.replay.value }),
        ...(teacher && this.teacher.value && { teacher: this.teacher.value }),
        ...(rewards && this.ticked().length && { rewards: this.ticked() }),
        ...(this.after.value && { after: this.after.value }),
        ...(this.idle.checked && { when_idle: true }),
        ...(Number(this.devices.value) > 1 && { devices: Number(this.devices.value) }),
      };
    }
  }

  window.ratchet.training.Extras = Extras;
})();
