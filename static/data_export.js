/*
 * The export of a dataset to a file: ratchet.data.askExport(shown).
 */
(() => {
  "use strict";

  const { el, toast, dialog, data } = window.ratchet;

  const FORMATS = {
    messages: "messages: one conversation a line, as OpenAI and TRL read it",
    sharegpt: "sharegpt: conversations with from and value",
    alpaca: "alpaca: instruction, input, output",
    "prompt-completion": "prompt-completion: one question and one answer a line",
    csv: "csv: a table for spreadsheets",
    preference: "preference: prompt, chosen and rejected, as TRL's DPO reads it",
    prompts: "prompts: one prompt a line",
    text: "text: one text a line",
  };

  /** Asks for a format and downloads the file. `shown`: the last page of rows, as the table has it. */
  data.askExport = (shown) => {
    if (!shown) return;
    const select = el("select", { id: "export-format", onchange: draw },
      (data.formats()[shown.kind] || []).map((name) => el("option", { value: name }, FORMATS[name] || name)));
    const command = el("div", {});
    const fetchFile = () => download(shown.name, select.value);
    dialog(`Export ${shown.name}`, el("div", { class: "stack" },
      el("div", { class: "field" }, el("label", { for: "export-format" }, "Format"), select), command), [
      { label: "Cancel", kind: "secondary", run: () => {} },
      { label: `Download ${data.plural(shown.all, "row")}`, kind: "primary", run: fetchFile }]);
    draw();
    select.focus();

    function draw() {
      const ending = select.value === "csv" ? "csv" : "jsonl";
      command.replaceChildren(data.command(`ratchet export ${shown.name} --format ${select.value} --out ${shown.name}.${ending}`));
    }
  };

  /** Fetches the file and says what the format could not hold. */
  async function download(name, format) {
    try {
      const response = await fetch(`/api/data/datasets/${encodeURIComponent(name)}/export?format=${encodeURIComponent(format)}`);
      if (!response.ok) throw new Error((await response.json()).error.sentence);
      const url = URL.createObjectURL(await response.blob());
      const ending = format === "csv" ? "csv" : "jsonl";
      el("a", { href: url, download: `${name}.${ending}` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
      const rows = Number(response.headers.get("x-rows"));
      const dropped = Object.entries(JSON.parse(response.headers.get("x-dropped") || "{}"));
      const left = dropped.map(([reason, count]) => `${count} left out: ${reason}`).join("; ");
      toast(`${data.plural(rows, "row")} exported.${left ? ` ${left}.` : ""}`, rows ? "good" : "bad");
    } catch (error) {
      toast(error.message, "bad");
    }
  }
})();
