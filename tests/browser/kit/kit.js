/* Shows every class of the kit once, for the tests of contrast and for the eye. */
window.ratchet.widgets.kit = (element) => {
  const { el, markdown, toast } = window.ratchet;
  const prose = (text) => el("div", { class: "prose" }, markdown(text));
  const card = (title, ...content) => el("section", { class: "card" }, el("div", { class: "card-head" }, el("h2", {}, title)), content);
  const button = (kind, text, key) => el("button", { type: "button", class: `button button-${kind}` }, text, key && el("kbd", {}, key));
  element.append(el("div", { class: "stack-l" },
    el("div", { class: "grid-2" },
      card("Buttons", el("div", { class: "stack" },
        el("div", { class: "line" }, button("primary", "A is better", "1"), button("secondary", "Tie", "3"), button("danger", "Stop the run"), button("ghost", "Skip")),
        el("div", { class: "line" }, el("button", { class: "button button-s" }, "Small"), el("button", { class: "button button-l button-primary" }, "Start a round"), el("button", { class: "button", disabled: true }, "Disabled"), el("button", { class: "button-text" }, "Undo")),
        el("div", { class: "segmented", role: "group", "aria-label": "Shown" }, el("button", { "aria-pressed": "true" }, "All"), el("button", { "aria-pressed": "false" }, "Mended"), el("button", { "aria-pressed": "false" }, "Rejected")))),
      card("Chips and states", el("div", { class: "stack" },
        el("div", { class: "line" }, ["queued", "running", "done", "failed", "stopped"].map((s) => el("span", { class: `status status-${s}` }, s))),
        el("div", { class: "line" }, ["good", "bad", "warning", "info", "accent", "a", "b", "c"].map((s) => el("span", { class: `chip chip-${s}` }, s))),
        el("div", { class: "progress", role: "progressbar", "aria-label": "Steps", "aria-valuenow": "42" }, el("span", { style: { "--value": "42%" } })),
        el("div", { class: "progress progress-unknown", role: "progressbar", "aria-label": "Loading" }, el("span", {})),
        el("span", { class: "interval", style: { "--low": "44%", "--high": "71%", "--at": "58%" } }, el("i", {}))))),
    card("Fields", el("div", { class: "fields" },
      el("div", { class: "field" }, el("label", { for: "f1" }, "Name"), el("input", { id: "f1", value: "terse-1" }), el("span", { class: "hint" }, "Letters, digits and dashes.")),
      el("div", { class: "field" }, el("label", { for: "f2" }, "Base"), el("select", { id: "f2" }, el("option", {}, "starter"), el("option", {}, "terse-1"))),
      el("div", { class: "field" }, el("label", { for: "f3" }, "Learning rate"), el("input", { id: "f3", "aria-invalid": "true", value: "fast" }), el("span", { class: "field-error" }, "“fast” is not a number: try 1e-4.")),
      el("div", { class: "field" }, el("label", { for: "f4" }, "Comment"), el("textarea", { id: "f4", placeholder: "Why this one?" })),
      el("label", { class: "check" }, el("input", { type: "checkbox", checked: true }), "Keep the sides shuffled"))),
    el("div", { class: "panes" },
      el("article", { class: "pane pane-a is-chosen" }, el("div", { class: "pane-head" }, el("span", { class: "chip chip-a" }, "A"), el("span", { class: "muted small" }, "chosen")),
        el("div", { class: "pane-body prose" }, markdown("The capital of France is **Paris**.\n\n- It lies on the Seine.\n- `2.1` million people live there.\n\n```\nprint('Paris')\n```"))),
      el("article", { class: "pane pane-b is-streaming" }, el("div", { class: "pane-head" }, el("span", { class: "chip chip-b" }, "B")),
        el("div", { class: "pane-body prose" }, markdown("Paris, of course! See [the map](https://example.org/map)")))),
    el("div", { class: "key-hints" }, [["1", "A"], ["2", "B"], ["3", "tie"], ["0", "both bad"], ["u", "undo"]].map(([k, t]) => el("span", {}, el("kbd", {}, k), t))),
    el("section", { class: "card card-flush" }, el("div", { class: "card-head" }, el("h2", {}, "Examples"), el("span", { class: "muted small num" }, "1 to 3 of 340")),
      el("div", { class: "table-wrap" }, el("table", { class: "table" },
        el("thead", {}, el("tr", {}, ["Prompt", "Answer", "State"].map((t) => el("th", {}, t)), el("th", { class: "num" }, "Tokens"))),
        el("tbody", {}, [["What is the capital of France?", "Paris.", "kept", 12], ["What is 4 plus 5?", "It makes 9.", "kept", 9], ["<b>Is this bold?</b>", "No.", "mended", 6]].map(([p, a, s, n], i) =>
          el("tr", i === 1 ? { "aria-selected": "true" } : {}, el("td", {}, p), el("td", {}, a), el("td", {}, el("span", { class: "chip" }, s)), el("td", { class: "num" }, n))))))),
    el("div", { class: "grid-2" },
      card("Rounds", el("ol", { class: "timeline" }, [["is-kept", "Round 1", "kept", "good"], ["is-rejected", "Round 2", "not kept", "bad"], ["is-open", "Round 3", "open", "warning"]].map(([c, n, s, k]) =>
        el("li", { class: `timeline-item ${c}` }, el("div", { class: "timeline-head" }, el("h3", {}, n), el("span", { class: `chip chip-${k}` }, s)),
          el("dl", { class: "facts" }, [["Votes", "40"], ["Win rate", "58 %"], ["Model", "terse-1"]].map(([d, v]) => el("div", {}, el("dt", {}, d), el("dd", {}, v)))))))),
      el("div", { class: "stack" },
        el("div", { class: "notice notice-info" }, "The engine is loading the starter model: about ten seconds."),
        el("div", { class: "notice notice-warning" }, "Three answers were cut at 256 tokens."),
        el("div", { class: "notice notice-bad" }, "The run failed: the machine ran out of memory. Try a batch of 2."),
        el("div", { class: "notice notice-good" }, "Round 1 is kept."),
        el("p", {}, "Was ", el("del", { class: "diff-removed" }, "colour"), " ", el("ins", { class: "diff-added" }, "shade"), " and stays so."),
        el("div", { class: "command" }, el("code", {}, "ratchet train dpo --base starter --study first --votes clear"), el("button", { class: "button button-s" }, "Copy")),
        el("pre", { class: "log" }, "step 12 of 60 loss 0.6431\nstep 13 of 60 loss 0.6312"),
        el("div", { class: "skeleton", style: { width: "70%" } }))),
    el("div", { class: "empty" }, el("h2", {}, "No votes yet"), el("p", {}, "Compare two models on a few prompts; each vote takes a second."), el("a", { class: "button button-primary", href: "/compare" }, "Compare now")),
    prose("# A heading\n\n> A quote with *weight*.\n\n| model | rate |\n|---|---|\n| starter | 50 % |")));
  toast("Vote kept.", "info", () => {});
};
