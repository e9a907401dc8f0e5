/*
 * The filters of the table: a panel to set them, a chip for each that is set, and the order of the rows.
 *
 * The address holds the state (data.js); here it is only drawn. `ratchet.data.filterBar()` gives
 * {button, panel, chips, sort, offer(facets)}; the table places them. Facets are what the dataset has to offer:
 * tags, imports, annotators, findings, tokenizers.
 */
(() => {
  "use strict";

  const { el, data } = window.ratchet;
  const WAIT = 350; // milliseconds after the last digit before a range counts
  const STATUSES = { draft: "Draft", approved: "Approved", rejected: "Rejected", "draft,approved": "Draft or approved", deleted: "In the trash" };
  const ROLES = { system: "System prompt", user: "User", assistant: "Assistant", tool: "Tool answer", "tool calls": "Tool calls" };
  const SPLITS = { train: "Train", measure: "Measure" };
  const SORTS = {
    "": "In their order", "-changed": "Changed last", changed: "Changed first", "-chars": "Longest", chars: "Shortest",
    "-turns": "Most turns", turns: "Fewest turns", "-number": "Newest number",
  };

  const rangeText = (value, noun) => {
    const [low, high] = value.split("-");
    const said = (number) => Number(number).toLocaleString("en");
    if (low && high) return low === high ? `${said(low)} ${noun}` : `${said(low)} to ${said(high)} ${noun}`;
    return low ? `${said(low)} ${noun} or more` : `at most ${said(high)} ${noun}`;
  };

  /** What a filter says, for its chip. */
  function words(name, value, facets) {
    const label = (list) => facets[list]?.find((item) => item.id === value)?.label || value;
    return {
      status: () => `Status: ${(STATUSES[value] || value).toLowerCase()}`,
      tag: () => `Tag: ${value}`,
      split: () => `Split: ${(SPLITS[value] || value).toLowerCase()}`,
      role: () => `Has: ${(ROLES[value] || value).toLowerCase()}`,
      chars: () => rangeText(value, "characters"),
      turns: () => rangeText(value, "turns"),
      tokens: () => rangeText(value, "tokens"),
      tokenizer: () => `Counted by: ${label("tokenizers")}`,
      source: () => `From: ${label("sources")}`,
      finding: () => `Finding: ${label("findings")}`,
      author: () => `By: ${value}`,
      since: () => `Since ${value}`,
      until: () => `Until ${value}`,
    }[name]();
  }

  data.filterBar = () => {
    let facets = {};
    const chips = el("div", { class: "filter-chips", role: "group", "aria-label": "Filters that are set" });
    const panel = el("form", { class: "filter-panel", id: "filter-panel", hidden: true, "aria-label": "Filters", onsubmit: (event) => event.preventDefault(),
      onkeydown: (event) => { if (event.key === "Escape") { event.stopPropagation(); toggle(); button.focus(); } } });
    const count = el("span", { class: "chip chip-accent num", hidden: true });
    const button = el("button", { type: "button", class: "button button-secondary", "aria-expanded": "false", "aria-controls": "filter-panel", onclick: toggle }, "Filter", count, el("kbd", {}, "F"));
    const sort = el("select", { class: "input sort", "aria-label": "Order of the rows", onchange: () => data.go({ sort: sort.value, page: 1 }) },
      Object.entries(SORTS).map(([value, label]) => el("option", { value }, label)));
    const fields = build();

    function toggle() {
      panel.hidden = !panel.hidden;
      button.setAttribute("aria-expanded", String(!panel.hidden));
      if (!panel.hidden) panel.querySelector("select, input")?.focus();
    }

    /* ---- The panel --------------------------------------------------------------------------------------- */

    function build() {
      const made = {
        status: choice("status", "Status", STATUSES),
        split: choice("split", "Split", SPLITS),
        tag: tagField(),
        role: choice("role", "Has a turn of", ROLES),
        chars: range("chars", "Characters"),
        turns: range("turns", "Turns"),
        tokens: range("tokens", "Tokens"),
        source: choice("source", "From the file", {}),
        finding: choice("finding", "Finding", {}),
        author: choice("author", "Changed by", {}),
        since: day("since", "Changed since"),
        until: day("until", "Changed until"),
      };
      panel.replaceChildren(...Object.values(made).map((item) => item.box),
        el("div", { class: "filter-close" }, el("button", { type: "button", class: "button button-ghost button-s", onclick: () => { toggle(); button.focus(); } }, "Close")));
      return made;
    }

    function boxed(name, label, ...inner) {
      return el("div", { class: "field" }, el("label", { for: `filter-${name}` }, label), inner);
    }

    function choice(name, label, given) {
      const select = el("select", { id: `filter-${name}`, onchange: () => data.filter({ [name]: select.value }) });
      const offer = (options) => select.replaceChildren(el("option", { value: "" }, "Any"), ...options.map(([value, text]) => el("option", { value }, text)));
      offer(Object.entries(given));
      return {
        box: boxed(name, label, select), offer,
        show(value) {
          if (value && ![...select.options].some((option) => option.value === value)) select.append(el("option", { value }, value));
          select.value = value || "";
        },
      };
    }

    function tagField() {
      const input = el("input", { id: "filter-tag", list: "known-tags", autocomplete: "off", placeholder: "Tag, then Enter",
        onkeydown: (event) => { if (event.key === "Enter") { event.preventDefault(); take(); } }, onchange: take });
      const known = el("datalist", { id: "known-tags" });
      function take() {
        const tag = input.value.trim();
        input.value = "";
        if (tag) data.filter({ tag: [...(data.place().filters.tag || []), tag] });
      }
      return { box: boxed("tag", "Tag", input, known), show: () => {}, offer: (tags) => known.replaceChildren(...tags.map(([value, label]) => el("option", { value, label }))) };
    }

    function range(name, label) {
      let waiting = 0;
      const end = (id, said, hint) => el("input", { id, type: "number", min: 0, inputmode: "numeric", "aria-label": said, placeholder: hint,
        oninput: () => { clearTimeout(waiting); waiting = setTimeout(take, WAIT); }, onchange: take });
      const low = end(`filter-${name}`, `${label}, at least`, "from");
      const high = end(`filter-${name}-to`, `${label}, at most`, "to");
      function take() {
        clearTimeout(waiting);
        const said = low.value || high.value ? `${low.value}-${high.value}` : "";
        if (said !== (data.place().filters[name] || "")) data.filter({ [name]: said }, { replace: true });
      }
      return {
        box: boxed(name, label, el("span", { class: "range" }, low, high)), offer: () => {},
        show(value) {
          if (panel.contains(document.activeElement) && [low, high].includes(document.activeElement)) return;
          [low.value, high.value] = (value || "-").split("-");
        },
      };
    }

    function day(name, label) {
      const input = el("input", { id: `filter-${name}`, type: "date", onchange: () => data.filter({ [name]: input.value }) });
      return { box: boxed(name, label, input), offer: () => {}, show: (value) => { input.value = value || ""; } };
    }

    /* ---- What is set ------------------------------------------------------------------------------------- */

    function draw() {
      const { filters, search, sort: order } = data.place();
      const set = Object.entries(filters).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
      for (const [name, field] of Object.entries(fields)) field.show(filters[name]);
      if (order && !(order in SORTS)) sort.append(el("option", { value: order }, order));
      sort.value = order;
      count.hidden = !set.length;
      count.textContent = set.length;
      chips.hidden = !set.length;
      const clear = el("button", { type: "button", class: "button-text small", hidden: set.length + (search ? 1 : 0) < 2, onclick: () => data.filter({}, { only: true }) }, "Clear all");
      chips.replaceChildren(...set.map(([name, value]) => {
        const said = words(name, value, facets);
        return el("span", { class: "chip chip-accent filter-chip" }, el("span", { class: "truncate" }, said),
          el("button", { type: "button", class: "chip-close", "aria-label": `Remove the filter ${said}`, onclick: () => without(name, value) }, "×"));
      }), clear);
    }

    function without(name, value) {
      const left = name === "tag" ? data.place().filters.tag.filter((tag) => tag !== value) : null;
      data.filter({ [name]: left });
      button.focus();
    }

    function offer(given) {
      facets = given;
      const pairs = (list) => (given[list] || []).map((item) => [item.id, item.count == null ? item.label : `${item.label} (${item.count.toLocaleString("en")})`]);
      fields.tag.offer(pairs("tags"));
      for (const [name, list] of [["source", "sources"], ["finding", "findings"], ["author", "authors"]]) {
        fields[name].offer(pairs(list));
        fields[name].box.hidden = !pairs(list).length;
      }
      fields.tokens.box.hidden = !(given.tokenizers || []).length && !data.place().filters.tokens;
      draw();
    }

    data.on("place", draw);
    draw();
    return { button, panel, chips, sort, offer, toggle, said: () => Object.keys(data.place().filters).length > 0 };
  };
})();
