/*
 * The disk that runs and models take, and a clean-up that leaves whatever is needed. It is asked for when it is opened:
 * counting files takes a moment.
 */
(() => {
  "use strict";

  const { el, api, confirm, toast } = window.ratchet;
  const { bytes } = window.ratchet.training;

  window.ratchet.widgets.disk = (element) => {
    const sum = el("span", { class: "muted" });
    const body = el("div", { class: "stack" });
    const details = el("details", { class: "more-options", id: "disk", ontoggle: () => look() }, el("summary", {}, "Disk ", sum), body);
    const card = el("section", { class: "card", "aria-label": "Disk" }, details);
    element.append(card);

    async function look() {
      if (!details.open) return;
      try {
        draw(await api("/api/jobs/disk"));
      } catch (error) {
        body.replaceChildren(el("p", { class: "notice notice-bad" }, error.message));
      }
    }

    function draw({ total, runs, models, freeable }) {
      sum.textContent = bytes(total);
      body.replaceChildren(
        el("div", { class: "row-between" }, el("p", {}, freeable ? `${bytes(freeable)} can go: checkpoints of finished runs and copies.` : "Nothing can go: all of it is needed."),
          el("button", { type: "button", class: "button", id: "disk-clean", disabled: !freeable, onclick: () => clean(freeable) }, freeable ? `Free ${bytes(freeable)}` : "Clean up")),
        table("Runs", runs, total, (run) => [run.number ? el("a", { class: "link", href: `?job=${run.job}` }, run.name) : run.name]),
        table("Models", models, total, (model) => [model.name]));
    }

    function table(title, rows, total, name) {
      return el("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": title }, el("table", { class: "table table-s" },
        el("thead", {}, el("tr", {}, el("th", {}, title), el("th", { class: "num" }, "Size"), el("th", {}, "Why it stays"))),
        el("tbody", {}, rows.map((row) => el("tr", {}, el("td", {}, name(row)), el("td", { class: "num" }, bytes(row.bytes)),
          el("td", { class: "small muted" }, [row.needed, row.freeable ? `${bytes(row.freeable)} can go.` : ""].filter(Boolean).join(" ")))))));
    }

    async function clean(freeable) {
      const yes = await confirm("Clean up the disk?", `Checkpoints of finished runs and copies of weights go, ${bytes(freeable)} in all. Models and what a run needs to go on stay. This cannot be undone.`, { yes: "Free it", danger: true });
      if (!yes) return;
      try {
        const { freed } = await api("/api/jobs/disk/clean", { body: {} });
        toast(`${bytes(freed)} are free again.`, "good");
      } catch (error) {
        toast(error.message, "bad");
      }
      await look();
    }

    window.addEventListener("ratchet:job-ended", look);
    return () => window.removeEventListener("ratchet:job-ended", look);
  };
})();
