/*
 * Rows in: drop files anywhere on the page, choose them, paste, take them from an allowed folder or from the Hub; see
 * what each is and what it becomes; import.
 *
 * Each file is sent at once while the person still reads; the import itself is a task of the studio, which goes on
 * when the tab is closed. Its id stands in the address, so that a refresh shows it again; files that wait for a
 * decision are remembered by the tab. The parts: data_import_sending, _preview, _mapping, _paste, _folders, _hub,
 * _files (the list), _form (where they go), _report (what came of it).
 */
(() => {
  "use strict";

  const { el, api, toast, poll, data, imports } = window.ratchet;
  const READS = "JSONL, JSON, CSV, TSV, Parquet, Arrow, Excel or text, also .gz and .zip";
  const KEPT = "ratchet.import.files";

  window.ratchet.widgets.data_import = (element, props) => {
    const most = props.max_upload_mb * 1e6;
    let items = [];
    let watching = null;
    let fresh = false; // files were just chosen: the form takes the focus once, when they have been looked at

    const input = el("input", { type: "file", multiple: true, id: "import-files", class: "visually-hidden", tabindex: -1, "aria-label": "Files to import", onchange: () => { take([...input.files]); input.value = ""; } });
    const source = (label, run) => el("button", { type: "button", class: "button button-secondary", onclick: run }, label);
    const choose = source("Choose files", () => input.click());
    const buttons = el("div", { class: "line" }, choose, source("Paste", () => imports.askText((file) => take([file]))), source("From the Hub", () => imports.askHub(fetching)), input);
    const drop = el("div", { class: "drop" },
      el("div", { class: "drop-say" }, el("p", { class: "drop-title" }, "Drop files here to import them"), el("p", { class: "muted small" }, `${READS}, up to ${imports.size(most)} each.`)),
      buttons);
    const form = imports.form({ begin, leave });
    const list = imports.fileList({ forget, changed });
    const outcome = el("div", { class: "stack" });
    const voice = el("p", { class: "visually-hidden", role: "status", "aria-live": "polite" });
    const body = el("div", { class: "stack import-body", hidden: true }, list.element, form.element, outcome);
    const card = el("section", { class: "card import-card", "aria-label": "Import" }, drop, body, voice);
    element.append(card);

    imports.folders().then((names) => {
      if (names.length) buttons.insertBefore(source("From a folder", () => imports.askFolder(names, (found) => add(found.map((one) => imports.received(one))))), buttons.children[2]);
    }, (error) => toast(error.message, "bad"));

    const sending = imports.sending(most, (item) => {
      list.draw(item);
      if (item.id || item.error) changed();
    });

    function tell(sentence) {
      if (voice.textContent !== sentence) voice.textContent = sentence;
    }

    function fit() {
      body.hidden = !items.length && !outcome.childElementCount;
      card.classList.toggle("is-busy", !body.hidden);
    }

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
        const folders = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry?.isDirectory);
        folders.forEach((entry) => toast(`${entry.name} is a folder; drop the files that are in it.`, "bad"));
        take([...event.dataTransfer.files].filter((file) => !folders.some((entry) => entry.name === file.name)));
      },
    };
    for (const [name, run] of Object.entries(listen)) document.addEventListener(name, run);

    /* ---- Files ------------------------------------------------------------------------------------------- */

    function take(files) {
      // Browsers number what is downloaded twice: "rejected-x (1).jsonl" is still the file of that report.
      const mended = files.length === 1 && reported.find((report) => report.rejected_file && files[0].name.startsWith(report.rejected_file.split(/[\\/]/).pop().replace(/\.jsonl$/, "")));
      if (mended) return mend(files[0], mended);
      return add(files.map(sending.add));
    }

    function add(found) {
      if (!found.length) return;
      stopWatching();
      seen = "";
      outcome.replaceChildren();
      reported = [];
      data.go({ task: "" }, true);
      fresh = true;
      items = [...items, ...found];
      show();
      card.scrollIntoView({ block: "nearest" });
    }

    function show() {
      list.show(items);
      form.show(items);
      fit();
    }

    /** What is known of a file, or wanted of it, is another now. */
    function changed() {
      form.show(items);
      keep();
      if (items.some(imports.busy)) return;
      const good = items.filter(imports.ready).length;
      tell(`${data.plural(good, "file")} of ${items.length} can be imported.`);
      const away = document.activeElement !== document.body && !card.contains(document.activeElement);
      if (!fresh || away || document.querySelector("dialog[open]")) return;
      fresh = false;
      if (good) form.focus();
      else card.querySelector(".import-look .button-primary")?.focus();
    }

    function forget(item) {
      const at = items.indexOf(item);
      sending.drop(item);
      items = items.filter((other) => other !== item);
      show();
      changed();
      const left = list.element.querySelectorAll(".import-file-head .turn-tool");
      (left[Math.min(at, left.length - 1)] || choose).focus();
    }

    function leave() {
      items.forEach(sending.drop);
      items = [];
      show();
      keep();
      choose.focus();
    }

    /** What is here and waits is known after a refresh of this tab, too. */
    function keep() {
      const kept = items.filter((item) => item.id && !item.error).map(({ id, name, size, settings }) => ({ id, name, size, settings }));
      try {
        sessionStorage.setItem(KEPT, JSON.stringify(kept));
      } catch {
        /* storage is switched off: a refresh forgets the files */
      }
    }

    function recall() {
      try {
        items = JSON.parse(sessionStorage.getItem(KEPT) || "[]").map((one) => imports.received(one, one.settings));
      } catch {
        items = [];
      }
      if (items.length) show();
    }

    async function begin(files) {
      try {
        const { task } = await api("/api/data/import", { body: { files } });
        items = [];
        list.show(items);
        form.show(items);
        keep();
        await data.go({ task }, true);
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    /** A file of rejected rows came back mended: it goes the same way, in the encoding that it was written in. */
    function mend(file, report) {
      const { kind } = report; // as it was: the bad rows alone might be taken for something else
      const { mapping } = report.settings;
      outcome.replaceChildren(el("p", { class: "muted", role: "status" }, `Sending ${file.name} …`));
      reported = [];
      const back = imports.sending(most, async (item) => {
        if (item.error) {
          toast(item.error, "bad");
          seen = "";
          return follow();
        }
        return item.id && begin([{ upload: item.id, dataset: report.dataset, kind, mapping }]);
      });
      const item = back.add(file);
      if (item.error) {
        toast(item.error, "bad");
        seen = "";
        follow();
      }
    }

    const fetching = (task) => data.go({ task }, true);

    /* ---- Watching ---------------------------------------------------------------------------------------- */

    let seen = "";
    let told = "";
    let reported = [];

    function follow() {
      const { task } = data.place();
      if (task === seen) return;
      seen = task;
      stopWatching();
      if (task) {
        watching = poll(() => look(task), 400);
        return;
      }
      outcome.replaceChildren();
      reported = [];
      fit();
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
      const had = outcome.contains(document.activeElement) || document.activeElement === document.body;
      const running = task.status === "queued" || task.status === "running";
      if (running) drawProgress(task);
      else {
        stopWatching();
        if (task.status !== "done") drawFailure(task);
        else if (task.result.upload) arrived(task.result.upload);
        else drawResult(task);
      }
      fit();
      // The form with its files was taller than what came of it, and the page stays where the button was.
      if (!running && outcome.getBoundingClientRect().top < 60) card.scrollIntoView({ block: "start" });
      if (!running && had) outcome.querySelector("h3, .button")?.focus({ preventScroll: true });
    }

    function drawProgress(task) {
      const held = outcome.querySelector("button") === document.activeElement;
      const begun = !outcome.querySelector("#import-progress");
      outcome.replaceChildren(imports.progress(task, () => api(`/api/data/tasks/${task.id}/cancel`, { method: "POST" }).catch((error) => toast(error.message, "bad"))));
      if (held) outcome.querySelector("button").focus();
      else if (begun && document.activeElement === document.body) outcome.querySelector("h3").focus({ preventScroll: true });
      const tens = 10 * Math.floor(10 * task.progress);
      tell(tens ? `${tens} percent` : "The import has begun.");
    }

    function drawFailure(task) {
      const stopped = task.status === "stopped";
      const sentence = task.error?.sentence || (!stopped ? "The import failed." : task.kind === "import" ? "The import was stopped; nothing was imported." : "The download was stopped.");
      outcome.replaceChildren(el("div", { class: `notice notice-${stopped ? "info" : "bad"}`, role: "alert" }, sentence), el("div", {}, closeButton()));
    }

    /** Rows from the Hub are here: a file like any other. */
    function arrived(upload) {
      add([imports.received(upload)]);
    }

    function drawResult(task) {
      reported = task.result.files;
      const last = reported.length - 1;
      const undone = () => data.say("changed", { by: "import" });
      const ask = (report) => add([imports.received({ id: report.upload, name: report.file, size: report.size })]);
      outcome.replaceChildren(el("div", { class: "stack", id: "import-result" }, reported.map((report, at) => imports.report(report, { mend, undone, ask, close: at === last && closeButton(), several: last > 0 }))));
      if (told === task.id) return;
      told = task.id;
      tell(reported.map((report) => `${report.file}: ${report.imported} of ${report.read} rows imported.`).join(" "));
      const good = reported.find((report) => report.imported);
      if (!good) return;
      if (data.place().dataset !== good.dataset) data.go({ dataset: good.dataset, page: 1, search: "", row: "" }, true);
      data.say("changed", { by: "import" });
    }

    const closeButton = () => el("button", { type: "button", class: "button button-secondary button-s", onclick: () => { clear(); choose.focus(); } }, "Close");

    function clear() {
      stopWatching();
      outcome.replaceChildren();
      reported = [];
      data.go({ task: "" }, true);
      seen = "";
      fit();
    }

    data.on("place", follow);
    data.on("datasets", () => form.show(items));
    recall();
    follow();
    return () => Object.entries(listen).forEach(([event, run]) => document.removeEventListener(event, run));
  };
})();
