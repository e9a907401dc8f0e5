/*
 * What a training learns from: a dataset of a kind that the method reads, or the votes of a study.
 *
 *   new ratchet.training.Material(changed)   {select, hint, policy, chosen, fill(offer, method)}
 */
(() => {
  "use strict";

  const { el } = window.ratchet;
  const { plural } = window.ratchet.training;
  const known = (list, name) => list.some((item) => item.name === name);

  class Material {
    constructor(chosen, changed) {
      this.chosen = chosen; // {dataset, study, votes}: shared with the form, which keeps it in the address
      this.changed = changed;
      this.select = el("select", { id: "train-material", onchange: () => this.choose() });
      this.hint = el("p", { class: "hint", id: "train-material-hint" });
      this.policy = window.ratchet.trainPolicy((votes) => { this.chosen.votes = votes; changed(); });
    }

    fill(offer, method) {
      const datasets = offer.datasets.filter((dataset) => method.rows.includes(dataset.kind));
      const studies = method.votes ? offer.studies : [];
      this.keep(datasets, studies, offer.study);
      const groups = [
        studies.length && el("optgroup", { label: "Votes of a study" }, studies.map((study) => el("option",
          { value: `study:${study.name}`, selected: study.name === this.chosen.study }, `${study.name} (${plural(study.votes, "vote")})`))),
        datasets.length && el("optgroup", { label: method.votes ? "Preference datasets" : "Datasets" }, datasets.map((dataset) => el("option",
          { value: `dataset:${dataset.name}`, selected: dataset.name === this.chosen.dataset }, `${dataset.name} (${plural(dataset.rows, "row")})`))),
      ];
      const empty = el("option", { value: "" }, method.votes ? "no votes and no preferences yet" : "no such data yet");
      this.select.replaceChildren(...groups.filter(Boolean), ...(studies.length || datasets.length ? [] : [empty]));
      this.policy.show(this.chosen.study, this.chosen.votes);
    }

    /** The material that was chosen if the method can learn from it, else the likeliest. */
    keep(datasets, studies, likeliest) {
      if (!known(datasets, this.chosen.dataset)) this.chosen.dataset = "";
      if (!known(studies, this.chosen.study)) this.chosen.study = "";
      if (this.chosen.dataset || this.chosen.study) return;
      const likely = likeliest || studies[0]?.name || "";
      if (known(studies, likely)) this.chosen.study = likely;
      else this.chosen.dataset = [...datasets].sort((a, b) => b.rows - a.rows)[0]?.name || "";
    }

    choose() {
      const [kind, ...name] = this.select.value.split(":");
      Object.assign(this.chosen, { dataset: "", study: "", votes: "" }, kind && { [kind]: name.join(":") });
      this.policy.show(this.chosen.study, this.chosen.votes);
      this.changed();
    }

    say(plan) {
      this.hint.textContent = plan.material ? `${plan.material[0].toUpperCase()}${plan.material.slice(1)}. ${plan.warning || ""}` : "";
    }
  }

  window.ratchet.training.Material = Material;
})();
