/*
 * How votes become pairs: the policies of a study, each with what it would make, and what becomes of ties, rankings,
 * strengths and mended answers. Written as one text, "majority,ties=keep", as the command line takes it.
 *
 *   ratchet.trainPolicy(changed)   {box, show(study, votes)}
 */
(() => {
  "use strict";

  const { el, api } = window.ratchet;
  const USUAL = "majority";
  const POLICIES = [
    ["majority", "Majority: one pair where most agree"],
    ["each", "Each: every vote is a pair"],
    ["unanimous", "Unanimous: only where all agree"],
    ["weighted", "Weighted: by how far one answer leads"],
  ];
  const OPTIONS = [
    ["ties=keep", "Learn from ties that both answers are equal"],
    ["ranking=best", "Of a ranking take only the best against each other answer"],
    ["margin=none", "Leave out how much better an answer is"],
    ["edited=drop", "Leave out mended answers"],
  ];

  const counts = (found) => [`${found.rows} pair${found.rows === 1 ? "" : "s"}`,
    found.ties && `${found.ties} tie${found.ties === 1 ? "" : "s"}`, found.edited && `${found.edited} mended`].filter(Boolean).join(", ");

  window.ratchet.trainPolicy = (changed) => {
    let study = "";
    let asked = 0;
    const told = () => changed([select.value, ...ticks.filter(([, tick]) => tick.checked).map(([name]) => name)].join(","));
    const again = () => { count(); told(); };
    const select = el("select", { id: "train-policy", onchange: told, "aria-describedby": "train-policy-hint" },
      POLICIES.map(([name, text]) => el("option", { value: name }, text)));
    const ticks = OPTIONS.map(([name]) => [name, el("input", { type: "checkbox", id: `train-policy-${name.replace("=", "-")}`, onchange: again })]);
    const hint = el("p", { class: "hint", id: "train-policy-hint", "aria-live": "polite" });
    const box = el("div", { class: "field" }, el("label", { for: "train-policy" }, "How votes become pairs"), select, hint,
      ticks.map(([, tick], at) => el("label", { class: "check", for: tick.id }, tick, OPTIONS[at][1])));

    /** Says behind every policy what it would make of this study. */
    async function count() {
      const turn = (asked += 1);
      const options = new URLSearchParams(ticks.filter(([, tick]) => tick.checked).map(([name]) => name.split("=")));
      options.set("study", study);
      let found = [];
      try {
        found = (await api(`/api/results/policies?${options}`)).policies;
      } catch (error) {
        hint.textContent = error.message;
        return;
      }
      if (turn !== asked) return;
      for (const option of select.options) {
        const one = found.find((policy) => policy.policy === option.value);
        option.textContent = POLICIES.find(([name]) => name === option.value)[1] + (one ? ` (${counts(one)})` : "");
      }
      hint.textContent = found.some((one) => one.negatives || one.positives)
        ? "Ratings of single answers make no pairs; methods such as KTO learn from them." : "";
    }

    function show(name, votes) {
      const [policy, ...options] = (votes || USUAL).split(",");
      select.value = POLICIES.some(([known]) => known === policy) ? policy : USUAL;
      for (const [option, tick] of ticks) tick.checked = options.includes(option);
      box.hidden = !name;
      if (name && name !== study) {
        study = name;
        count();
      }
    }

    return { box, show };
  };
})();
