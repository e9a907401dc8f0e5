/* The status of a row: draft, approved, or rejected with a reason. Each change can be undone by itself. */
(() => {
  "use strict";

  const { el, api, toast, dialog, data } = window.ratchet;
  const parts = (window.ratchet.editorParts ||= {});
  const CHIPS = { draft: "", approved: "chip-good", rejected: "chip-bad" };
  const SAID = { draft: "is a draft again", approved: "is approved", rejected: "is rejected" };

  parts.status = (desk) => {
    const box = el("div", { class: "line status-bar" });

    function draw() {
      const { status, reason } = desk.row;
      const button = (label, key, wanted, run) => status !== wanted && el("button", { type: "button", class: "button button-secondary button-s", dataset: { status: wanted }, onclick: run }, label, el("kbd", {}, key));
      box.replaceChildren(...[
        el("span", { class: `chip status-chip ${CHIPS[status] || ""}` }, status === "active" ? "draft" : status),
        reason && el("span", { class: "small muted reason" }, reason),
        button("Approve", "A", "approved", () => set("approved")),
        button("Reject", "R", "rejected", askReason),
        status !== "draft" && status !== "active" && button("Back to draft", "B", "draft", () => set("draft")),
      ].filter(Boolean));
    }

    /** What is unsaved is saved first: a status is said of the text that one sees. */
    async function set(status, reason = null) {
      if (!desk.row || desk.row.id === "new" || desk.row.status === status) return;
      if (desk.changed() && !(await desk.save())) return;
      const { id, number, status: before, reason: because } = desk.row;
      const url = desk.url("status");
      try {
        desk.took(await api(url, { body: { status, reason } }));
        toast(`Example ${number} ${SAID[status]}.`, "good", async () => {
          const back = await api(url, { body: { status: before, reason: because } });
          if (desk.row?.id === id) desk.took(back);
          data.say("changed", { by: "save" });
        });
        data.say("changed", { by: "save" });
      } catch (error) {
        toast(error.message, "bad");
      }
    }

    function askReason() {
      if (!desk.row || desk.row.id === "new" || desk.row.status === "rejected") return;
      const input = el("input", { id: "reject-reason", autocomplete: "off", required: true, maxlength: 500, placeholder: "Wrong, off topic, unsafe …" });
      const form = el("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); box_.close(); set("rejected", input.value.trim()); } },
        el("div", { class: "field" }, el("label", { for: "reject-reason" }, "Why is it rejected?"), input),
        el("div", { class: "dialog-buttons" }, el("button", { type: "button", class: "button button-secondary", onclick: () => box_.close() }, "Cancel"), el("button", { class: "button button-primary" }, "Reject")));
      const box_ = dialog(`Reject example ${desk.row.number}`, form, []);
      input.focus();
    }

    if (desk.row.id !== "new") draw();
    return { node: box, draw, set, askReason };
  };
})();
