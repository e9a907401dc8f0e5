/*
 * Files in: drop them anywhere on the page or choose them, look at the name of the dataset, import.
 *
 * Each file is sent at once while the person still reads; the import itself is a task of the studio, which goes on
 * when the tab is closed. Its id stands in the address, so that a refresh shows it again.
 */
(() => {
  "use strict";

  const { el, api, toast, poll, data } = window.ratchet;
  const KINDS = "JSONL, JSON, CSV, TSV, Parquet or text, also .gz";
  const size = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

  window.ratchet.widgets.data_import = (element, props) => {
    const most = props.max_upload_mb * 1e6;
    let files = []; // {file, name, size, id, sent, error, request}
    let watching = null;

    const input = el("input", { type: "file", multiple: true, id: "import-files", class: "visually-hidden", tabindex: -1, "aria-label": "Files to import", onchange: () => { take(input.files); input.value = ""; } });
    const choose = el("button", { type: "button", class: "button button-secondary", onclick: () => input.click() }, "Choose files");
    const drop = el("div", { class: "drop" },
      el("div", { class: "drop-say" }, el("p", { class: "drop-title" }, "Drop files here to import them"), el("p", { class: "muted small" }, `${KINDS}, up to ${props.max_upload_mb} MB each.`)),
      choose, input);
    const body = el("div", { class: "stack", "aria-live": "polite" });
    const card = el("section", { class: "card import-card", "aria-label": "Import" }, drop, body);
    element.append(card);
    const busy = new MutationObserver(() => card.classList.toggle("is-busy", body.childElementCount > 0));
    busy.observe(body, { childList: true });

    /* ---- Dropping ---------------------------------------------------------------------------------------- */

    let depth = 0;
    const carries = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
    const over = (on) => document.body.classList.toggle("is-dropping", on);
    const listen = {
      dragenter: (event) => { if (carries(event)) { event.preventDefault(); depth += 1; over(true); } },
      dragover: (event) => { if (carries(event)) event.preventDefault(); },
      dragleave: (event) => { if (carries(event) && --depth <= 0) { depth = 0; over(false); } },
      drop: (event) => {
        if (!carries(event)) return;
        event.preventDefault();
        depth = 0;
        over(false);
        take(event.dataTransfer.files);
      },
    };
    for (const [name, run] of Object.entries(listen)) document.addEventListener(name, run);

    /* ---- Sending ----------------------------------------------------------------------------------------- */

    function take(chosen) {
      const fresh = [...chosen].map((file) => ({ file, name: file.name, size: file.size, sent: 0 }));
      if (!fresh.length) return;
      files = data.place().task ? fresh : [...files, ...fresh];
      stopWatching();
      data.go({ task: "" }, true);
      fresh.forEach(send);
      drawForm();
      card.scrollIntoView({ block: "nearest" });
    }

    function send(item) {
      if (item.size > most) {
        item.error = `The file has ${size(item.size)}, and ${props.max_upload_mb} MB is the most that the page takes; use ratchet import on the command line.`;
        return;
      }
      if (!item.size) {
        item.error = "The file is empty.";
        return;
      }
      const request = new XMLHttpRequest(); // fetch does not say how much it has sent
      item.request = request;
      request.open("PUT", `/api/data/upload?name=${encodeURIComponent(item.name)}`);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.onprogress = (event) => { item.sent = event.loaded / event.total; drawFiles(); };
      request.onload = () => {
        let answer = null;
        try {
          answer = JSON.parse(request.responseText);
        } catch {
          answer = null;
        }
        if (request.status === 200 && answer) item.id = answer.id;
        else item.error = answer?.error?.sentence || `The studio answered with status ${request.status}.`;
        item.sent = 1;
        drawFiles();
      };
      request.onerror = () => { item.error = "The file could not be sent: does the studio still run?"; drawFiles(); };
      request.send(item.file);
    }

    function forget(item) {
      item.request?.abort();
      if (item.id) api(`/api/data/uploads/${item.id}`, { method: "DELETE" }).catch((error) => console.warn(error.message));
      files = files.filter((other) => other !== item);
      if (files.length) drawForm();
      else clear();
    }

    /* ---- The form ---------------------------------------------------------------------------------------- */

    let list;
    let go;
    let command;
    let name;
    let kind;

    function drawForm() {
      const kept = name?.value;
      list = el("ul", { class: "import-files" });
      name = el("input", { id: "import-dataset", list: "import-datasets", maxlength: 64, autocomplete: "off", spellcheck: "false", value: kept || suggested(), oninput: say });
      kind = el("select", { id: "import-kind", onchange: say }, el("option", { value: "" }, "Recognise by itself"),
        Object.entries(data.kinds).map(([value, [label]]) => el("option", { value }, label)));
      go = el("button", { class: "button button-primary" }, "Import");
      command = el("div", {});
      body.replaceChildren(el("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); begin(); } },
        list,
        el("div", { class: "import-fields" },
          el("div", { class: "field" }, el("label", { for: "import-dataset" }, "Into the dataset"), name,
            el("datalist", { id: "import-datasets" }, data.datasets().map((item) => el("option", { value: item.name })))),
          el("div", { class: "field" }, el("label", { for: "import-kind" }, "What the rows are"), kind),
          el("div", { class: "line" }, go, el("button", { type: "button", class: "button button-ghost", onclick: () => { [...files].forEach(forget); clear(); } }, "Cancel"))),
        command));
      drawFiles();
      say();
      name.focus();
      name.select();
    }

    /** The file's name as a dataset's name may be. */
    function suggested() {
      const stem = files[0].name.replace(/\.(gz|jsonl?|ndjson|csv|tsv|txt|parquet)$/gi, "").replace(/\.(jsonl?|ndjson|csv|tsv|txt)$/i, "");
      return stem.normalize("NFKD").replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+|-+$/g, "").slice(0, 64) || "examples";
    }

    function drawFiles() {
      if (!list) return;
      list.replaceChildren(...files.map((item) => el("li", {},
        el("span", { class: "truncate" }, item.name), el("span", { class: "muted small num" }, size(item.size)),
        item.error ? el("span", { class: "field-error" }, item.error)
          : item.sent < 1 || !item.id ? el("span", { class: "progress", role: "progressbar", "aria-label": `Sending ${item.name}`, "aria-valuenow": Math.round(100 * item.sent), style: { "--value": `${100 * item.sent}%` } }, el("span", {}))
            : el("span", { class: "chip chip-good chip-dot" }, "received"),
        el("button", { type: "button", class: "turn-tool", "aria-label": `Leave out ${item.name}`, onclick: () => forget(item) }, "×"))));
      go.disabled = !files.some((item) => item.id) || files.some((item) => !item.id && !item.error);
    }

    function say() {
      const quote = (text) => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
      const chosen = kind.value ? ` --kind ${kind.value}` : "";
      command.replaceChildren(data.command(`ratchet import ${files.map((item) => quote(item.name)).join(" ")} --dataset ${name.value || "NAME"}${chosen}`));
      const target = data.datasets().find((item) => item.name === name.value);
      go.textContent = target ? `Add to ${target.name}` : "Import";
    }

    async function begin(mapping = null, uploads = null) {
      try {
        const wanted = { uploads: uploads || files.filter((item) => item.id).map((item) => item.id), dataset: name?.value || data.place().dataset, kind: kind?.value || null, mapping };
        const { task } = await api("/api/data/import", { body: wanted });
        files = [];
        await data.go({ task }, true);
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    /* ---- Watching ---------------------------------------------------------------------------------------- */

    let seen = "";
    function follow() {
      const { task } = data.place();
      if (task === seen) return;
      seen = task;
      stopWatching();
      if (!task) return files.length ? undefined : body.replaceChildren();
      watching = poll(() => look(task), 400);
    }

    function stopWatching() {
      watching?.stop();
      watching = null;
    }

    async function look(id) {
      let task;
      try {
        task = await api(`/api/data/tasks/${encodeURIComponent(id)}`);
      } catch (error) {
        if (error.status === 404) clear();
        throw error;
      }
      if (id !== data.place().task) return;
      if (task.status === "queued" || task.status === "running") return drawProgress(task);
      stopWatching();
      if (task.status === "done") drawResult(task);
      else drawFailure(task);
    }

    function drawProgress(task) {
      const percent = Math.round(100 * task.progress);
      body.replaceChildren(el("div", { class: "stack-s", id: "import-progress" },
        el("div", { class: "row-between" }, el("h3", {}, `Importing into ${task.dataset}`), el("button", { type: "button", class: "button button-ghost button-s", onclick: () => api(`/api/data/tasks/${task.id}/cancel`, { method: "POST" }) }, "Cancel")),
        el("div", { class: `progress${percent ? "" : " progress-unknown"}`, role: "progressbar", "aria-label": "Import", "aria-valuenow": percent, style: { "--value": `${percent}%` } }, el("span", {})),
        el("p", { class: "muted small num" }, task.message || "Reading the file …")));
    }

    function drawFailure(task) {
      const stopped = task.status === "stopped";
      body.replaceChildren(el("div", { class: `notice notice-${stopped ? "info" : "bad"}`, role: "alert" }, task.error?.sentence || (stopped ? "The import was stopped; nothing was imported." : "The import failed.")),
        el("div", {}, closeButton()));
    }

    let told = "";
    function drawResult(task) {
      const { files: reports, uploads } = task.result;
      body.replaceChildren(el("div", { class: "stack", id: "import-result" }, reports.map((report, at) => drawReport(report, uploads[at], task)), el("div", { class: "line" }, closeButton())));
      if (told === task.id) return;
      told = task.id;
      const good = reports.find((report) => report.imported);
      if (!good) return;
      const fresh = data.place().dataset !== good.dataset;
      if (fresh) data.go({ dataset: good.dataset, page: 1, search: "", row: "" }, true);
      data.say("changed", { by: "import" });
    }

    const closeButton = () => el("button", { type: "button", class: "button button-secondary button-s", onclick: clear }, "Close");

    function clear() {
      files = [];
      stopWatching();
      body.replaceChildren();
      data.go({ task: "" }, true);
      seen = "";
    }

    /* ---- What came of it --------------------------------------------------------------------------------- */

    function drawReport(report, upload, task) {
      const clean = report.ok && !report.rejected;
      const heading = report.ok
        ? report.imported ? `${data.plural(report.imported, "row")} imported into ${report.dataset}` : `Nothing new: ${data.plural(report.duplicates, "row")} of ${report.file} are there already`
        : report.columns?.length ? `${report.file}: what do its columns mean?` : `${report.file} was not imported`;
      return el("article", { class: "report" },
        el("div", { class: "row-between" }, el("h3", {}, heading), el("span", { class: `chip ${clean ? "chip-good" : report.ok ? "chip-warning" : "chip-bad"}` }, clean ? "done" : report.ok ? "done, with rejected rows" : "nothing imported")),
        report.read > 0 && counts(report),
        !report.ok && report.sentence && el("p", { class: "muted" }, report.sentence),
        report.read > 0 && report.errors.length > 0 && errors(report),
        report.rejected_file && el("div", { class: "line" }, el("a", { class: "button button-secondary button-s", href: `/api/data/rejected/${encodeURIComponent(report.rejected_file.split(/[\\/]/).pop())}` }, "Download the rejected rows"),
          el("span", { class: "muted small" }, "Mend them in the file and drop it here again.")),
        report.columns?.length > 0 && mapping(report, upload, task));
    }

    function counts(report) {
      const facts = [["Read", report.read], ["Imported", report.imported], ["There already", report.duplicates], ["Rejected", report.rejected]];
      const form = [report.shape && report.shape !== report.format ? `${report.format}, ${report.shape}` : report.format, report.encoding].filter(Boolean).join(", ");
      return el("dl", { class: "facts" }, facts.map(([label, count]) => el("div", {}, el("dt", {}, label), el("dd", { class: "num" }, count.toLocaleString("en")))),
        el("div", {}, el("dt", {}, "Read as"), el("dd", {}, form)));
    }

    function errors(report) {
      const more = report.rejected - report.errors.length;
      return el("details", { class: "import-errors", open: true }, el("summary", {}, `${data.plural(report.rejected, "row")} could not be imported`),
        el("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": "Rejected rows" }, el("table", { class: "table table-s" },
          el("thead", {}, el("tr", {}, ["Line", "Column", "What is wrong"].map((label) => el("th", { scope: "col" }, label)))),
          el("tbody", {}, report.errors.map((fault) => el("tr", {},
            el("td", { class: "num" }, fault.line ?? ""), el("td", {}, fault.column === null ? "" : el("code", {}, Number.isInteger(fault.column) ? `character ${fault.column}` : fault.column)), el("td", {}, fault.message)))))),
        more > 0 && el("p", { class: "muted small" }, `and ${more.toLocaleString("en")} more in the file of rejected rows`));
    }

    /** The columns of a file without a known shape, with samples, and a role to choose for each. */
    function mapping(report, upload, task) {
      const box = el("div", { class: "stack-s mapping" }, el("p", { class: "muted" }, "Looking at the file …"));
      api(`/api/data/uploads/${upload}/sample`).then(draw, (error) => box.replaceChildren(el("p", { class: "field-error" }, error.message)));
      return box;

      function draw(sample) {
        const selects = sample.columns.slice(0, 40).map((column) => el("select", { "aria-label": `What ${column} holds`, dataset: { column } },
          el("option", { value: "" }, "not used"), sample.roles.map((role) => el("option", { value: role }, role))));
        const wrong = el("p", { class: "field-error", role: "alert" });
        box.replaceChildren(
          el("div", { class: "table-wrap" }, el("table", { class: "table table-s" },
            el("thead", {}, el("tr", {}, ["Column", "Holds", "For example"].map((label) => el("th", { scope: "col" }, label)))),
            el("tbody", {}, selects.map((select) => el("tr", {}, el("td", {}, el("code", {}, select.dataset.column)), el("td", { class: "field" }, select),
              el("td", { class: "sample" }, sample.rows.map((row) => row[select.dataset.column]).find(Boolean) || "")))))),
          wrong, el("div", {}, el("button", { type: "button", class: "button button-primary", onclick: run }, "Import with these columns")));

        function run() {
          const chosen = Object.fromEntries(selects.filter((select) => select.value).map((select) => [select.dataset.column, select.value]));
          if (!Object.keys(chosen).length) {
            wrong.textContent = "Say of at least one column what it holds.";
            return;
          }
          name = { value: task.dataset };
          begin(chosen, [upload]);
        }
      }
    }

    data.on("place", follow);
    follow();
    return () => {
      busy.disconnect();
      Object.entries(listen).forEach(([event, run]) => document.removeEventListener(event, run));
    };
  };
})();
