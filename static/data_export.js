/*
 * The export of a dataset, to a file or to the Hub: ratchet.data.askExport(shown).
 *
 * What would come out is counted anew with every choice, and the first record is shown. A large export is a task of
 * the studio: it goes on when the dialog is closed, and its file waits in the dialog for a day.
 */
(() => {
  "use strict";

  const { el, api, toast, dialog, poll, data } = window.ratchet;
  const WAIT = 150; // milliseconds after the last choice before it is counted
  const LOOK = 500; // milliseconds between two looks at a task
  const FILES = { jsonl: "JSON lines", json: "JSON list", parquet: "Parquet", csv: "CSV" };
  const STATUS = { "not-rejected": "Drafts and approved", approved: "Approved only", all: "All, the rejected too" };
  const SPLIT = { train: "For training", measure: "For measuring" };
  const HERE = "file";
  const HUB = "hub";

  /** Opens the dialog. `shown`: the last page of rows, as the table has it. */
  data.askExport = async (shown) => {
    if (!shown) return;
    try {
      const choices = await api(data.path("export-choices", shown.name));
      new Export(shown.name, choices).open();
    } catch (error) {
      toast(error.message, "bad");
    }
  };

  class Export {
    constructor(name, choices) {
      this.name = name;
      this.choices = choices;
      this.container = "";
      this.where = HERE;
      this.turn = 0;
    }

    /* ---- The form -------------------------------------------------------------------------------------- */

    open() {
      const { choices } = this;
      const change = () => this.changed();
      this.format = el("select", { id: "export-format", onchange: () => { this.container = ""; change(); } }, choices.formats.map((one) => el("option", { value: one.name }, one.name)));
      this.meaning = el("p", { class: "hint", id: "export-meaning" });
      this.format.setAttribute("aria-describedby", "export-meaning");
      this.files = el("div", { class: "segmented", role: "group", "aria-label": "Kind of file" });
      this.version = el("select", { id: "export-version", onchange: change }, el("option", { value: "" }, "As it stands now"),
        choices.versions.map((one) => el("option", { value: one.number }, `Version ${one.number}${one.name ? ` “${one.name}”` : ""}, ${data.plural(one.rows, "row")}`)));
      this.places = el("div", { class: "segmented", role: "group", "aria-label": "Where to" },
        [[HERE, "To a file"], [HUB, "To the Hub"]].map(([value, label]) => el("button", { type: "button", "aria-pressed": String(value === this.where), dataset: { value }, onclick: () => this.goTo(value) }, label)));
      this.hub = this.hubFields(change);
      this.counts = el("div", { class: "export-counts", id: "export-counts", role: "status" });
      this.record = el("pre", { class: "log export-record", tabindex: 0, "aria-label": "The first record" });
      this.command = el("div", {});
      this.wrong = el("p", { class: "field-error", role: "alert" });
      this.work = el("div", { class: "stack-s", "aria-live": "polite" });
      this.go = el("button", { class: "button button-primary", id: "export-go" }, "Download");
      this.form = el("form", { class: "stack export-form", onsubmit: (event) => { event.preventDefault(); this.begin(); } },
        el("div", { class: "fields" },
          el("div", { class: "field" }, el("label", { for: "export-format" }, "Format"), this.format, this.meaning),
          el("div", { class: "field" }, el("label", { for: "export-version" }, "Of which state"), this.version, this.files)),
        this.policies(change), this.places, this.hub, this.counts,
        el("details", { class: "more-options", open: true }, el("summary", {}, "First record"), this.record),
        this.command, this.wrong, this.work,
        el("div", { class: "dialog-buttons" }, el("button", { type: "button", class: "button", onclick: () => this.box.close() }, "Close"), this.go));
      this.box = dialog(`Export ${this.name}`, el("div", { class: "stack" }, this.form, this.earlier()), []);
      this.box.classList.add("dialog-wide");
      this.box.addEventListener("close", () => { clearTimeout(this.timer); this.closed = true; });
      this.changed(true);
      this.format.focus();
    }

    /** What goes in: one of a few for the status and the split, a tick for each of the others. */
    policies(change) {
      this.picked = [];
      const of = (subject) => this.choices.policies.filter((policy) => policy.of === subject);
      const select = (id, label, subject, names, none) => {
        const box = el("select", { id, onchange: change }, none && el("option", { value: "" }, none), of(subject).map((policy) => el("option", { value: policy.name === "not-rejected" ? "" : policy.name, title: sentence(policy.help) }, names[policy.name])));
        this.picked.push(() => box.value);
        return el("div", { class: "field" }, el("label", { for: id }, label), box);
      };
      const ticks = this.choices.policies.filter((policy) => !["status", "split"].includes(policy.of)).map((policy) => {
        const tick = el("input", { type: "checkbox", id: `export-${policy.name}`, onchange: change });
        this.picked.push(() => (tick.checked ? policy.name : ""));
        return el("label", { class: "check" }, tick, policy.help[0].toUpperCase() + policy.help.slice(1));
      });
      return el("div", { class: "stack-s" },
        el("div", { class: "fields" }, select("export-status", "What goes in", "status", STATUS), select("export-split", "Split", "split", SPLIT, "Both")), ticks);
    }

    hubFields(change) {
      const field = (id, label, input, hint) => el("div", { class: "field" }, el("label", { for: id }, label), input, hint && el("p", { class: "hint" }, hint));
      this.repository = el("input", { id: "export-repository", maxlength: 200, autocomplete: "off", spellcheck: "false", placeholder: "owner/name", oninput: change });
      this.licence = el("input", { id: "export-licence", maxlength: 60, autocomplete: "off", spellcheck: "false", placeholder: "cc-by-4.0", oninput: change });
      this.description = el("textarea", { id: "export-description", rows: 2, maxlength: 4000 });
      this.hidden = el("input", { type: "checkbox", id: "export-private", checked: true, onchange: change });
      this.card = el("pre", { class: "log export-record", tabindex: 0, hidden: true, "aria-label": "The data card" });
      return el("div", { class: "stack-s", hidden: true },
        el("div", { class: "fields" },
          field("export-repository", "Dataset on the Hub", this.repository, "The token is the one in HF_TOKEN or of hf auth login."),
          field("export-licence", "Licence", this.licence, "As the Hub names it; left empty, the card says that nobody has stated one.")),
        field("export-description", "What it is, in a sentence or two", this.description),
        el("div", { class: "row-between" }, el("label", { class: "check" }, this.hidden, "Private: only you see it"),
          el("button", { type: "button", class: "button button-s", onclick: () => this.showCard() }, "Show the data card")),
        this.card);
    }

    goTo(where) {
      this.where = where;
      for (const button of this.places.children) button.setAttribute("aria-pressed", String(button.dataset.value === where));
      this.hub.hidden = where !== HUB;
      if (where === HUB) this.repository.focus();
      this.changed();
    }

    /* ---- What would come out --------------------------------------------------------------------------- */

    wanted() {
      return {
        dataset: this.name, format: this.format.value, container: this.where === HERE ? this.container : "",
        version: this.version.value || null, policies: this.picked.map((read) => read()).filter(Boolean),
      };
    }

    changed(now = false) {
      const one = this.choices.formats.find((item) => item.name === this.format.value);
      this.meaning.textContent = sentence(one.help);
      if (!one.containers.includes(this.container)) this.container = one.containers[0];
      this.files.hidden = one.containers.length < 2 || this.where === HUB;
      const inside = this.files.contains(document.activeElement); // a redraw must not lose the focus
      this.files.replaceChildren(...one.containers.map((name) => el("button", { type: "button", "aria-pressed": String(name === this.container), onclick: () => { this.container = name; this.changed(); } }, FILES[name])));
      if (inside) this.files.querySelector("[aria-pressed=true]").focus();
      this.wrong.textContent = "";
      this.command.replaceChildren(data.command(this.line()));
      this.counts.setAttribute("aria-busy", "true"); // what stands there is of the choice before
      if (this.where === HUB && !this.repository.value.trim()) this.go.disabled = true;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.look(), now ? 0 : WAIT);
    }

    /** The same as a command. */
    line() {
      const { version, policies, format } = this.wanted();
      const extra = [version && `--version ${version}`, policies.length && `--policy ${policies.join(",")}`].filter(Boolean).map((part) => ` ${part}`).join("");
      const to = this.where === HERE ? `--out ${this.name}.${this.container}`
        : `--hub ${this.repository.value.trim() || "OWNER/NAME"}${this.licence.value.trim() ? ` --licence ${this.licence.value.trim()}` : ""}${this.hidden.checked ? "" : " --public"}`;
      return `ratchet export ${this.name} --format ${format} ${to}${extra}`;
    }

    async look() {
      const mine = ++this.turn;
      try {
        const found = await api("/api/data/exports/preview", { body: this.wanted() });
        if (mine === this.turn && !this.closed) this.draw(found);
      } catch (error) {
        if (mine === this.turn) this.refuse(error.message);
      }
    }

    draw(found) {
      this.counts.removeAttribute("aria-busy");
      const left = Object.entries(found.dropped).sort((one, other) => other[1] - one[1]);
      const among = found.exact ? "" : ` of the first ${found.total.toLocaleString("en")}`;
      this.counts.replaceChildren(...[
        el("p", { class: "export-total" }, el("b", { class: "num" }, found.rows.toLocaleString("en")), ` ${found.rows === 1 ? "record" : "records"} from ${data.plural(found.total, "row")}${among}`),
        left.length > 0 && el("ul", { class: "export-left" }, left.map(([reason, count]) => el("li", {}, el("b", { class: "num" }, count.toLocaleString("en")), ` left out: ${reason}`))),
        found.sentence && el("p", { class: "notice notice-warning" }, found.sentence),
      ].filter(Boolean));
      this.record.textContent = found.first || "Nothing.";
      const count = found.exact ? data.plural(found.rows, "record") : "the records";
      this.go.textContent = this.where === HUB ? `Send ${count}` : `Download ${count}`;
      this.go.disabled = !found.rows || (this.where === HUB && !this.repository.value.trim());
    }

    refuse(message) {
      this.counts.removeAttribute("aria-busy");
      this.wrong.textContent = message;
      this.go.disabled = true;
    }

    async showCard() {
      try {
        const { card } = await api("/api/data/exports/card", { body: { ...this.wanted(), licence: this.licence.value.trim(), description: this.description.value } });
        this.card.textContent = card;
        this.card.hidden = false;
      } catch (error) {
        this.wrong.textContent = error.message;
      }
    }

    /* ---- Doing it -------------------------------------------------------------------------------------- */

    async begin() {
      if (this.go.disabled) return;
      this.go.disabled = true;
      this.wrong.textContent = "";
      try {
        const answer = this.where === HUB
          ? await api("/api/data/exports/hub", { body: { ...this.wanted(), place: { repository: this.repository.value.trim(), private: this.hidden.checked, licence: this.licence.value.trim(), description: this.description.value } } })
          : await api("/api/data/exports", { body: this.wanted() });
        if (answer.task) this.watch(answer.task);
        else this.done(answer.report);
      } catch (error) {
        this.refuse(error.message);
        this.go.disabled = false;
      }
    }

    /** Follows a task, also when the dialog is closed: then a toast says how it ended. */
    watch(id) {
      const bar = el("span", {});
      const words = el("p", { class: "small muted" }, "Starting");
      const stop = el("button", { type: "button", class: "button button-s", onclick: () => api(`/api/data/tasks/${id}/cancel`, { body: {} }).catch((error) => toast(error.message, "bad")) }, "Stop");
      this.work.replaceChildren(el("div", { class: "progress", role: "progressbar", "aria-label": "Export" }, bar), el("div", { class: "row-between" }, words, stop));
      const watching = poll(async () => {
        const task = await api(`/api/data/tasks/${id}`);
        bar.style.setProperty("--value", `${100 * task.progress}%`);
        bar.parentElement.setAttribute("aria-valuenow", Math.round(100 * task.progress));
        words.textContent = task.message || "Starting";
        if (["queued", "running"].includes(task.status)) return;
        watching.stop();
        this.work.replaceChildren();
        this.go.disabled = false;
        if (task.status === "done") this.done(task.result);
        else this.failed(task.error?.sentence || "The export was stopped.");
      }, LOOK);
    }

    done(report) {
      this.go.disabled = false;
      if (!report.rows) return this.failed(report.sentence);
      const left = Object.entries(report.dropped).map(([reason, count]) => `${count.toLocaleString("en")} left out: ${reason}`).join("; ");
      const said = `${data.plural(report.rows, "row")} exported.${left ? ` ${left}.` : ""}`;
      if (report.url) {
        this.work.replaceChildren(el("p", { class: "notice notice-good" }, `${said} They are on the Hub: `, el("a", { class: "link", href: report.url, target: "_blank", rel: "noopener noreferrer" }, report.repository)));
        if (this.closed) toast(said, "good");
        return undefined;
      }
      fetchFile(report.path);
      toast(said, "good");
      if (!this.closed) this.box.close();
      return undefined;
    }

    failed(message) {
      if (this.closed) toast(message, "bad");
      else this.wrong.textContent = message;
    }

    /** Large exports of the last day: those that still run, and files that wait. */
    earlier() {
      const { recent } = this.choices;
      if (!recent.length) return null; // el leaves it out
      recent.filter((one) => one.running).slice(0, 1).forEach((one) => this.watch(one.task));
      const ready = recent.filter((one) => one.file);
      return ready.length > 0 && el("section", { class: "stack-s" }, el("h3", {}, "Ready for download"),
        el("ul", { class: "plain-list" }, ready.map((one) => el("li", {}, el("a", { class: "link", href: address(one.file) }, `${one.format}, ${data.plural(one.rows, "row")}`), el("span", { class: "muted small" }, ` ${data.when(one.at)}`)))));
    }
  }

  const sentence = (words) => words[0].toUpperCase() + words.slice(1) + (words.endsWith(")") ? "" : ".");
  const address = (path) => `/api/data/exports/files/${encodeURIComponent(path.split(/[\\/]/).pop())}`;

  /** Lets the browser save a file that lies ready. */
  function fetchFile(path) {
    el("a", { href: address(path), download: "" }).click();
  }
})();
