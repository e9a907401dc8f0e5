/*
 * Words and small fields of the training page, on `ratchet.training`: how options, numbers and times are written.
 */
(() => {
  "use strict";

  const { el } = window.ratchet;
  const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

  /** An id as the studio makes them: 48 bits of milliseconds, then 80 random bits; it makes a start repeatable. */
  function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const random = [...bytes].map((byte) => ALPHABET[byte & 31]).join("");
    let time = BigInt(Date.now());
    let head = "";
    for (let sign = 0; sign < 10; sign += 1) {
      head = ALPHABET[Number(time & 31n)] + head;
      time >>= 5n;
    }
    return head + random;
  }

  const label = (name) => {
    const words = name.replaceAll("_", " ").replace(/^lora r$/, "LoRA rank").replace(/^lora /, "LoRA ");
    return words[0].toUpperCase() + words.slice(1);
  };

  const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

  /** A number as people write it: 0.003, 2e-5. */
  const number = (value) => {
    if (typeof value !== "number") return String(value);
    value = Number(value.toPrecision(8)); // 6e-4, not 6.000000000000001e-4
    return value !== 0 && Math.abs(value) < 0.001 ? value.toExponential().replace("e-0", "e-") : String(value);
  };

  /** A large count with thin gaps: 12 400. */
  const count = (value) => Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, "\u2009");

  const percent = (share) => `${share > 0 && share < 0.01 ? "under 1" : Math.round(100 * share)} %`;

  function minutes(seconds) {
    if (seconds < 90) return `about ${Math.max(1, Math.round(seconds))} s`;
    return seconds < 5400 ? `about ${Math.round(seconds / 60)} min` : `about ${(seconds / 3600).toFixed(1)} h`;
  }

  function spell(seconds) {
    if (seconds === null || seconds === undefined) return "";
    if (seconds < 90) return `${Math.round(seconds)} s`;
    return seconds < 5400 ? `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s` : `${(seconds / 3600).toFixed(1)} h`;
  }

  function bytes(size) {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let at = 0;
    for (; size >= 1000 && at < units.length - 1; at += 1) size /= 1000;
    return `${at && size < 10 ? size.toFixed(1) : Math.round(size)} ${units[at]}`;
  }

  function field(id, text, control, hint) {
    if (hint) control.setAttribute("aria-describedby", hint.id);
    return el("div", { class: "field" }, el("label", { for: id }, text), control, hint);
  }

  function copyButton(text) {
    const button = el("button", { type: "button", class: "button button-s button-ghost", onclick: async () => {
      await navigator.clipboard?.writeText(text());
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    } }, "Copy");
    return button;
  }

  /** Puts options into a list unless they stand there already: a redraw would take the focus. */
  function fillSelect(select, children, value) {
    const fresh = el("select", {}, children);
    if (fresh.innerHTML !== select.innerHTML) select.replaceChildren(...fresh.childNodes);
    if (value !== undefined) select.value = value;
  }

  const status = (job) => el("span", { class: `status status-${job.status}` }, job.status);

  window.ratchet.training = { newId, label, plural, number, count, percent, minutes, spell, bytes, field, copyButton, fillSelect, status };
})();
