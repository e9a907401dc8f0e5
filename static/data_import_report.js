/*
 * What came of an import: a bar of imported, known and rejected rows, the first errors, and what to do about them.
 *
 *   imports.progress(task, cancel)                a running task
 *   imports.report(report, {mend, undone, ask, close, several})   one file's outcome; mend(file, report): a mended file
 *     came back; ask(report): its columns must be explained; close: a button that stands beside its own
 */
(() => {
  "use strict";

  const imports = (window.ratchet.imports ||= {});
  const { el, api, toast, data } = window.ratchet;
  const TITLES = { "hub-fetch": "Fetching rows from the Hub", "hub-look": "Asking the Hub" };

  imports.progress = (task, cancel) => {
    const percent = Math.round(100 * task.progress);
    return el("div", { class: "stack-s", id: "import-progress" },
      el("div", { class: "row-between" }, el("h3", { tabindex: -1 }, TITLES[task.kind] || `Importing into ${task.dataset}`), el("button", { type: "button", class: "button button-ghost button-s", onclick: cancel }, "Cancel")),
      el("div", { class: `progress${percent ? "" : " progress-unknown"}`, role: "progressbar", "aria-label": TITLES[task.kind] || "Import", "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": percent || null, style: { "--value": `${percent}%` } }, el("span", {})),
      el("p", { class: "muted small num" }, task.message || "Reading the file …"));
  };

  imports.report = (report, { mend, undone, ask, close, several }) => {
    const chip = report.ok ? (report.rejected ? ["warning", "done, with rejected rows"] : ["good", "done"]) : ["bad", "nothing imported"];
    return el("article", { class: "report" },
      el("div", { class: "row-between" }, el("h3", { tabindex: -1 }, heading(report)), el("span", { class: `chip chip-${chip[0]}` }, chip[1])),
      several && el("p", { class: "muted small report-file", dir: "auto" }, report.file),
      report.read > 0 && bar(report),
      report.read > 0 && counts(report),
      !report.ok && report.sentence && el("p", { class: "muted" }, report.sentence),
      report.read > 0 && report.errors.length > 0 && errors(report),
      report.rejected_file && mending(report, mend),
      (report.imported > 0 || report.upload || close) && el("div", { class: "line" },
        report.imported > 0 && el("button", { type: "button", class: "button button-primary button-s", onclick: () => see(report) }, "Look at the rows"), report.batch && undo(report, undone),
        report.upload && el("button", { type: "button", class: "button button-primary button-s", onclick: () => ask(report) }, "Say what the columns hold"), close));
  };

  function heading(report) {
    if (!report.ok) return `${report.file} was not imported`;
    if (!report.imported) return `Nothing new: ${data.plural(report.duplicates, "row")} of ${report.file} are there already`;
    return `${data.plural(report.imported, "row")} imported into ${report.dataset}`;
  }

  /* ---- How many ---------------------------------------------------------------------------------------- */

  const parts = (report) => [["imported", report.imported], ["there already", report.duplicates], ["rejected", report.rejected]];

  function bar(report) {
    const said = parts(report).map(([label, count]) => `${count.toLocaleString("en")} ${label}`).join(", ");
    return el("div", { class: "import-bar", role: "img", "aria-label": `Of ${data.plural(report.read, "row")}: ${said}` },
      parts(report).map(([label, count]) => count > 0 && el("span", { class: `is-${label.replace(" ", "-")}`, style: { "flex-grow": String(count) } })));
  }

  function counts(report) {
    const sign = { Imported: "is-imported", "There already": "is-there-already", Rejected: "is-rejected" };
    const facts = [["Read", report.read], ["Imported", report.imported], ["There already", report.duplicates], ["Rejected", report.rejected]];
    if (report.made > report.imported) facts.push(["Rows made of them", report.made]);
    const form = [imports.formOf(report.format, report.encoding), report.says].filter(Boolean).join(" · ");
    return el("dl", { class: "facts" }, facts.map(([label, count]) => el("div", {}, el("dt", {}, sign[label] && el("i", { class: `swatch ${sign[label]}` }), label), el("dd", { class: "num" }, count.toLocaleString("en")))),
      el("div", { class: "fact-words" }, el("dt", {}, "Read as"), el("dd", {}, form)),
      report.seconds >= 1 && el("div", { class: "fact-words" }, el("dt", {}, "Took"), el("dd", { class: "num" }, `${report.seconds.toFixed(1)} s`)));
  }

  /* ---- What went wrong --------------------------------------------------------------------------------- */

  function errors(report) {
    const more = report.rejected - report.errors.length;
    const valued = report.errors.some((fault) => fault.value);
    const columns = ["Line", "Column", ...(valued ? ["Value"] : []), "What is wrong"];
    return el("details", { class: "import-errors", open: true }, el("summary", {}, `${data.plural(report.rejected, "row")} could not be imported`),
      el("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": "Rejected rows" }, el("table", { class: "table table-s" },
        el("thead", {}, el("tr", {}, columns.map((label) => el("th", { scope: "col" }, label)))),
        el("tbody", {}, report.errors.map((fault) => el("tr", {},
          el("td", { class: "num" }, fault.line ?? ""), el("td", {}, imports.place(fault) && el("code", {}, imports.place(fault))),
          valued && el("td", { class: "value", dir: "auto" }, fault.value || ""), el("td", {}, fault.message)))))),
      more > 0 && el("p", { class: "muted small" }, `and ${more.toLocaleString("en")} more in the file of rejected rows`));
  }

  function mending(report, mend) {
    const name = report.rejected_file.split(/[\\/]/).pop();
    const input = el("input", { type: "file", class: "visually-hidden", tabindex: -1, "aria-label": "The mended file", onchange: () => { if (input.files.length) mend(input.files[0], report); } });
    return el("div", { class: "import-mend" },
      el("p", { class: "small" }, "Download them, mend them in any text editor, and bring the file back: it goes into the same dataset the same way."),
      el("div", { class: "line" },
        el("a", { class: "button button-secondary button-s", href: `/api/data/rejected/${encodeURIComponent(name)}`, download: name }, `Download the ${data.plural(report.rejected, "bad row")}`),
        el("button", { type: "button", class: "button button-secondary button-s", onclick: () => input.click() }, "Bring the mended file back"), input));
  }

  /* ---- What next --------------------------------------------------------------------------------------- */

  async function see(report) {
    const filters = report.batch ? { source: report.batch } : {};
    await data.go({ dataset: report.dataset, page: 1, search: "", row: "", filters });
    data.toRows();
    const title = document.querySelector(".rows-card h2");
    title?.setAttribute("tabindex", "-1");
    title?.focus({ preventScroll: true });
  }

  function undo(report, undone) {
    const button = el("button", { type: "button", class: "button button-ghost button-s", onclick: run }, "Undo this import");
    return button;

    async function run() {
      button.disabled = true;
      try {
        await api(`/api/data/datasets/${encodeURIComponent(report.dataset)}/imports/${encodeURIComponent(report.batch)}/undo`, { method: "POST" });
        button.replaceWith(el("span", { class: "chip", role: "status" }, "undone: its rows are out again"));
        undone(report);
      } catch (error) {
        button.disabled = false;
        toast(error.message, "bad");
      }
    }
  }
})();
