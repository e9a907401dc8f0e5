/*
 * Where the files go: a dataset for each kind of rows, and the button that begins the import.
 *
 *   imports.form({begin, leave})   {element, show(items), focus()}; begin(files) gets [{upload, dataset, …settings}]
 */
(() => {
  "use strict";

  const imports = (window.ratchet.imports ||= {});
  const { el, data } = window.ratchet;
  const REJECTED = /^rejected-(.+)-[0-9a-z]{26}/; // a file of rejected rows belongs where the good ones went
  const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

  /** A file's name as a dataset's name may be. */
  imports.nameFor = (file) => {
    const [, mended] = file.match(REJECTED) || [];
    const stem = mended || file.replace(/(\.(gz|zip|jsonl?|ndjson|csv|tsv|psv|txt|md|parquet|arrow|feather|xlsx))+$/gi, "");
    return stem.normalize("NFKD").replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+|-+$/g, "").slice(0, 64) || "examples";
  };

  imports.form = ({ begin, leave }) => {
    const places = new Map(); // kind → {input, hint, row}: they stay while files come and go, so that what was typed stays
    const fields = el("div", { class: "import-places" });
    const go = el("button", { class: "button button-primary", disabled: true }, "Import");
    const command = el("div", { class: "stack-s" });
    const element = el("form", { class: "stack", hidden: true, onsubmit: (event) => { event.preventDefault(); send(); } },
      fields, el("div", { class: "line" }, go, el("button", { type: "button", class: "button button-ghost", onclick: leave }, "Cancel")), command);
    let items = [];

    function show(now) {
      items = now;
      element.hidden = !items.length;
      const kinds = [...new Set(items.filter(imports.ready).map((item) => item.look.kind))];
      for (const kind of places.keys()) if (!kinds.includes(kind)) places.delete(kind);
      kinds.forEach((kind, at) => {
        if (!places.has(kind)) places.set(kind, placeFor(kind, at));
        const { input, typed } = places.get(kind);
        const wanted = suggested(kind); // the first file names the dataset, though another may have been looked at first
        if (!typed() && input.value !== wanted) input.value = wanted;
      });
      const rows = kinds.map((kind) => places.get(kind).row);
      if (rows.length !== fields.children.length || rows.some((row, at) => fields.children[at] !== row)) fields.replaceChildren(...rows);
      say();
    }

    function placeFor(kind, at) {
      const id = at || document.getElementById("import-dataset") ? `import-dataset-${kind}` : "import-dataset";
      let touched = false;
      const fitting = data.datasets().filter((item) => item.kind === kind);
      const input = el("input", { id, list: `${id}-names`, maxlength: 64, autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-hint`, value: suggested(kind), oninput: () => { touched = true; say(); } });
      const hint = el("p", { class: "hint", id: `${id}-hint` });
      const label = el("label", { for: id });
      return { input, hint, label, typed: () => touched, row: el("div", { class: "field" }, label, input, el("datalist", { id: `${id}-names` }, fitting.map((item) => el("option", { value: item.name }))), hint) };
    }

    /** The name of the first file with rows of this kind, unless a dataset of another kind has it. */
    function suggested(kind) {
      const name = imports.nameFor(items.find((item) => imports.ready(item) && item.look.kind === kind).name);
      const taken = data.datasets().some((item) => item.name === name && item.kind !== kind);
      return taken ? `${name.slice(0, 50)}-${kind}` : name;
    }

    function wrongWith(name, kind) {
      const target = data.datasets().find((item) => item.name === name);
      if (!name) return "Say into which dataset the rows go.";
      if (!NAME.test(name)) return "A name has letters, digits, dots, dashes and underscores, and begins with a letter or digit.";
      if (target && target.kind !== kind) return `${name} holds ${words(target.kind)}; choose another name.`;
      if ([...places].some(([other, place]) => other !== kind && place.input.value.trim() === name)) return "Rows of another kind go there; choose another name.";
      return "";
    }

    const words = (kind) => (data.kinds[kind]?.[0] || kind).toLowerCase();

    function say() {
      const good = items.filter(imports.ready);
      let wrong = false;
      for (const [kind, { input, hint, label }] of places) {
        const count = good.filter((item) => item.look.kind === kind).length;
        const name = input.value.trim();
        const problem = wrongWith(name, kind);
        const target = data.datasets().find((item) => item.name === name);
        label.textContent = places.size > 1 || items.length > 1 ? `Into the dataset (${data.plural(count, "file")} with ${words(kind)})` : "Into the dataset";
        hint.textContent = problem || (target ? `Adds to its ${data.plural(target.rows, "row")}.` : `A new dataset of ${words(kind)}.`);
        hint.className = problem ? "field-error" : "hint";
        input.setAttribute("aria-invalid", problem ? "true" : "false");
        wrong ||= Boolean(problem);
      }
      const waits = items.some(imports.busy);
      go.disabled = wrong || waits || !good.length;
      const [only] = [...places.values()];
      const target = places.size === 1 && data.datasets().find((item) => item.name === only.input.value.trim());
      go.textContent = good.length && good.length < items.length && !waits ? `Import ${good.length} of ${items.length} files` : target ? `Add to ${target.name}` : "Import";
      command.replaceChildren(...commands(good).map((text) => data.command(text)));
    }

    const wanted = (item) => ({ upload: item.id, dataset: places.get(item.look.kind).input.value.trim(), ...item.settings });

    /** The same as commands: files with the same settings in one. */
    function commands(good) {
      const quote = (text) => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
      const lines = new Map();
      for (const item of good) {
        const { dataset, kind, encoding, mapping } = wanted(item);
        const map = Object.entries(mapping || {}).map(([column, role]) => ` --map ${quote(`${column}=${role}`)}`).join("");
        const flags = ` --dataset ${dataset || "NAME"}${kind ? ` --kind ${kind}` : ""}${encoding ? ` --encoding ${encoding}` : ""}${map}`;
        lines.set(flags, [...(lines.get(flags) || []), quote(item.name)]);
      }
      return [...lines].slice(0, 3).map(([flags, names]) => `ratchet import ${names.join(" ")}${flags}`);
    }

    function send() {
      if (go.disabled) return;
      begin(items.filter(imports.ready).map(wanted));
    }

    function focus() {
      const [first] = [...places.values()];
      first?.input.focus();
      first?.input.select();
    }

    return { element, show, focus };
  };
})();
