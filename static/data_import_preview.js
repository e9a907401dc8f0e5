/*
 * The first rows of a file, as they stand there and as they will be stored, and the words for what a file is.
 *
 *   imports.preview(look)      the rows side by side, those that cannot be imported marked with the reason
 *   imports.saysOf(look)       one sentence: format, encoding, shape, how many rows
 *   imports.encodings(look)    the choices of an encoding, the one in use among them
 */
(() => {
  "use strict";

  const imports = (window.ratchet.imports ||= {});
  const { el } = window.ratchet;
  const FORMATS = { jsonl: "JSONL", json: "JSON", csv: "CSV", tsv: "TSV", psv: "table with |", ssv: "table with ;", parquet: "Parquet", arrow: "Arrow", xlsx: "Excel sheet", text: "Plain text" };

  const pieces = (list) => el("dl", { class: "pieces" }, list.map(({ name, text }) => el("div", {}, name && el("dt", {}, name), el("dd", { dir: "auto" }, text || "–"))));

  imports.place = ({ column }) => (column === null || column === undefined || column === "" ? "" : Number.isInteger(column) ? `character ${column}` : column);

  imports.preview = (look) => {
    if (!look.samples.length) return null;
    return el("div", { class: "table-wrap preview", tabindex: 0, role: "region", "aria-label": `First rows of ${look.name}` },
      el("table", { class: "table table-s" },
        el("thead", {}, el("tr", {}, ["Line", "In the file", "Becomes"].map((label) => el("th", { scope: "col" }, label)))),
        el("tbody", {}, look.samples.map((row) => el("tr", { class: row.error ? "is-problem" : null },
          el("td", { class: "num" }, row.line),
          el("td", {}, pieces(row.before)),
          el("td", {}, outcome(row)))))));
  };

  function outcome(row) {
    if (row.error) {
      const where = imports.place(row.error);
      return el("p", { class: "field-error" }, el("strong", {}, "Cannot be imported. "), where && el("code", {}, where), where && " ", row.error.message);
    }
    if (!row.after.length) return el("span", { class: "muted" }, "not known yet");
    return row.after.map((made) => pieces(made));
  }

  /** Format and encoding in words. */
  imports.formOf = (format, encoding) => {
    const text = encoding && encoding !== "binary" ? ` in ${/^(utf|cp|gb|iso|koi|euc|big)/i.test(encoding) ? encoding.toUpperCase() : encoding}` : "";
    return format ? `${FORMATS[format] || format.toUpperCase()}${text}` : "";
  };

  imports.saysOf = (look) => {
    const count = look.rows === null ? "" : `${look.exact ? "" : "about "}${look.rows.toLocaleString("en")} row${look.rows === 1 ? "" : "s"}`;
    const packed = look.files?.length ? `archive of ${look.files.length} file${look.files.length === 1 ? "" : "s"}, the first one, ${look.files[0]}, shown here` : "";
    return [packed, imports.formOf(look.format, look.encoding), look.says, count].filter(Boolean).join(" · ");
  };

  imports.encodings = (look) => {
    const known = Object.entries(look.encodings);
    const here = look.encoding && !(look.encoding in look.encodings) ? [[look.encoding, look.encoding]] : [];
    return [...here, ...known];
  };
})();
