/*
 * The versions of a dataset: freeze, name, compare two, restore, fork, and which jobs trained on which.
 *
 *   ratchet.data.showVersions(shown)   opens the dialog; `shown`: the last page of rows
 */
(() => {
  "use strict";

  const { el, api, toast, dialog, confirm, data, undoLearning } = window.ratchet;
  const KINDS = { added: ["Added", "chip-good"], removed: ["Removed", "chip-bad"], changed: ["Changed", "chip-warning"], relabelled: ["Relabelled", "chip-info"] };
  const called = (item) => (item.name ? `${item.number} “${item.name}”` : `${item.number}`);

  // What a large one says at its end, once the page has watched its task.
  data.on("frozen", (made) => toast(`Version ${made.version} holds ${data.plural(made.rows, "row")}.`, "good"));
  data.on("restored", (said) => toast(`Version ${said.version} is restored: ${data.plural(said.changed, "row")} changed.`, "good"));
  data.on("forked", (made) => toast(`${made.dataset} holds ${data.plural(made.rows, "row")} of version ${made.version}.`, "good"));

  data.showVersions = async (shown) => {
    const body = el("div", { class: "stack" });
    const box = dialog(`Versions of ${shown.name}`, body);
    box.classList.add("dialog-wide");

    async function list() {
      try {
        const { versions } = await api(data.path("versions", shown.name));
        body.replaceChildren(freezeForm(), versions.length ? drawList(versions) : el("p", { class: "muted" }, "No version yet. A training freezes one by itself; freeze one by hand to keep a state by its name."));
      } catch (error) {
        fail(error);
      }
    }

    const fail = (error) => toast(error.message, "bad");
    const small = (label, run, kind = "secondary") => el("button", { type: "button", class: `button button-${kind} button-s`, onclick: run }, label);

    /* ---- Freezing ---------------------------------------------------------------------------------------- */

    function freezeForm() {
      const name = el("input", { id: "version-name", class: "input", maxlength: 60, autocomplete: "off", placeholder: "Name, if you like" });
      return el("form", { class: "stack-s", onsubmit: freeze },
        el("div", { class: "version-form" }, el("label", { for: "version-name", class: "visually-hidden" }, "Name of the version"), name, el("button", { class: "button button-primary" }, "Freeze as it stands")),
        el("p", { class: "muted small" }, "A version never changes. It holds the drafts and the approved rows; rejected rows and the trash stay out."),
        data.command(`ratchet freeze ${shown.name}`));

      async function freeze(event) {
        event.preventDefault();
        try {
          const made = await api(data.path("versions", shown.name), { body: { name: name.value.trim() || null } });
          if (made.task) return later(made.task);
          toast(made.known ? `Nothing has changed since version ${made.version}.` : `Version ${made.version} holds ${data.plural(made.rows, "row")}.`, "good");
          await list();
        } catch (error) {
          fail(error);
        }
      }
    }

    /** A large one runs as a task, whose progress stands above the rows. */
    function later(task) {
      box.close();
      data.say("task", { task });
    }

    /* ---- The list ---------------------------------------------------------------------------------------- */

    function drawList(versions) {
      return el("ol", { class: "plain-list versions" }, [...versions].reverse().map((item) => el("li", {},
        el("div", { class: "row-between" },
          el("div", { class: "grow" }, el("h3", {}, `Version ${item.number}`, item.name && el("span", { class: "version-name" }, item.name)),
            el("p", { class: "muted small num" }, `${data.plural(item.rows, "row")}, ${data.when(item.created_at)}, ${item.sha256.slice(0, 12)}`),
            item.note && el("p", { class: "small" }, item.note),
            el("p", { class: "small" }, item.jobs.length ? ["Trained on it: ", item.jobs.map((job, at) => [at ? ", " : "", el("a", { class: "link", href: `/train?job=${encodeURIComponent(job.id)}` }, job.name || `job ${job.number}`)])] : el("span", { class: "muted" }, "No job has used it."))),
          el("div", { class: "line version-tools" },
            small("Rename", () => rename(item), "ghost"),
            versions.length > 1 && small("Compare", () => compare(versions, item, versions.filter((other) => other !== item).at(-1))),
            item.jobs.length > 0 && small("Models…", () => undoLearning({ kind: "version", dataset: shown.name, number: item.number }, `version ${called(item)}`, "", list), "ghost"),
            small("Restore", () => restore(item)),
            small("Fork", () => fork(item)))))));
    }

    function rename(item) {
      one("Name of the version", `Name version ${item.number}`, item.name || "", async (name) => {
        await api(data.path(`versions/${item.number}`, shown.name), { method: "PATCH", body: { name: name || null } });
        await list();
      });
    }

    function fork(item) {
      one("Name of the new dataset", `A new dataset from version ${called(item)}`, `${shown.name}-v${item.number}`, async (name) => {
        const made = await api(data.path(`versions/${item.number}/fork`, shown.name), { body: { name } });
        if (made.task) return later(made.task);
        box.close();
        await data.refresh();
        await data.go({ dataset: made.dataset, row: "" });
        toast(`${made.dataset} holds ${data.plural(made.rows, "row")} of version ${item.number}.`, "good");
        return undefined;
      });
    }

    async function restore(item) {
      const sentence = `The rows of ${shown.name} become those of version ${called(item)}: rows added since go to the trash, changed rows get their old text. You can take this back afterwards.`;
      if (!(await confirm("Restore this version?", sentence, { yes: "Restore" }))) return;
      try {
        const said = await api(data.path(`versions/${item.number}/restore`, shown.name), { method: "POST" });
        box.close();
        if (said.task) return later(said.task);
        data.say("changed", { by: "restore" });
        toast(said.changed ? `Version ${item.number} is restored: ${data.plural(said.changed, "row")} changed.` : "The rows are as in that version already.", said.changed ? "good" : "info", said.changed && said.batch ? () => takeBack(said.batch) : null);
      } catch (error) {
        fail(error);
      }
      return undefined;
    }

    async function takeBack(batch) {
      try {
        await api(data.path("undo", shown.name), { body: { batch } });
        data.say("changed", { by: "undo" });
      } catch (error) {
        fail(error);
      }
    }

    /** Asks for one text in a dialog on top. */
    function one(label, heading, value, run) {
      const input = el("input", { id: "one-text", value, maxlength: 64, autocomplete: "off" });
      const wrong = el("p", { class: "field-error", role: "alert" });
      const top = dialog(heading, el("form", { class: "stack", onsubmit: submit }, el("div", { class: "field" }, el("label", { for: "one-text" }, label), input), wrong,
        el("div", { class: "dialog-buttons" }, el("button", { type: "button", class: "button button-secondary", onclick: () => top.close() }, "Cancel"), el("button", { class: "button button-primary" }, "Save"))), []);
      input.focus();
      input.select();
      async function submit(event) {
        event.preventDefault();
        try {
          await run(input.value.trim());
          top.close();
        } catch (error) {
          wrong.textContent = error.message;
        }
      }
    }

    /* ---- Comparing --------------------------------------------------------------------------------------- */

    async function compare(versions, item, against) {
      const [before, after] = [item, against].sort((a, b) => a.number - b.number);
      const pick = (label, chosen, run) => {
        const select = el("select", { class: "input", "aria-label": label, onchange: () => run(versions.find((other) => String(other.number) === select.value)) },
          versions.map((other) => el("option", { value: other.number, selected: other === chosen }, `Version ${called(other)}`)));
        return select;
      };
      const result = el("div", { class: "stack" }, el("p", { class: "muted" }, "Comparing …"));
      body.replaceChildren(
        el("div", {}, small("All versions", list, "ghost")),
        el("div", { class: "compare-line" }, pick("The earlier version", before, (other) => compare(versions, other, after)), el("span", {}, "to"), pick("The later version", after, (other) => compare(versions, before, other))),
        result);
      try {
        drawDifference(result, before, after, await differences(before, after, "", 0));
      } catch (error) {
        result.replaceChildren(el("p", { class: "field-error", role: "alert" }, error.message));
      }
    }

    const differences = (before, after, kind, offset) =>
      api(`${data.path(`versions/${before.number}/compare`, shown.name)}?${new URLSearchParams({ with: after.number, kind, offset })}`);

    function drawDifference(result, before, after, answer) {
      const rows = el("ol", { class: "plain-list differences" });
      const more = small("Show more", () => show(kind, rows.childElementCount));
      let kind = "";
      const tabs = el("div", { class: "segmented", role: "group", "aria-label": "Which differences" }, [["", "All"], ...Object.entries(KINDS).map(([name, [label]]) => [name, label])].map(([name, label]) =>
        el("button", { type: "button", "aria-pressed": String(name === ""), onclick: (event) => {
          [...tabs.children].forEach((other) => other.setAttribute("aria-pressed", String(other === event.currentTarget)));
          rows.replaceChildren();
          show(name, 0);
        } }, name ? `${label} ${answer[name].toLocaleString("en")}` : label)));
      const total = (name) => (name ? answer[name] : Object.keys(KINDS).reduce((sum, one) => sum + answer[one], 0));
      result.replaceChildren(tabs, el("p", { class: "muted small", role: "status" }, `${answer.added.toLocaleString("en")} added, ${answer.removed.toLocaleString("en")} removed, ${answer.changed.toLocaleString("en")} changed, ${answer.relabelled.toLocaleString("en")} with another status or other tags, ${answer.unchanged.toLocaleString("en")} the same.`), rows, more);
      put(answer.rows);

      function put(found) {
        rows.append(...found.map((row) => el("li", {},
          el("div", { class: "line" }, el("span", { class: `chip ${KINDS[row.kind][1]}` }, KINDS[row.kind][0].toLowerCase()), el("span", { class: "muted small num" }, `Row ${row.number.toLocaleString("en")}`)),
          el("div", { class: "revision" }, wordsOf(row)))));
        more.hidden = rows.childElementCount >= total(kind);
        if (!total(kind)) rows.replaceChildren(el("li", { class: "muted" }, "No difference."));
      }

      function wordsOf(row) {
        if (row.kind === "changed") return window.ratchet.diff.inline(row.before, row.after);
        const gone = row.before !== null && el("del", { class: "diff-removed" }, row.before);
        const come = row.after !== null && el("ins", { class: "diff-added" }, row.after);
        return [gone, gone && come && " → ", come].filter(Boolean);
      }

      async function show(wanted, offset) {
        kind = wanted;
        try {
          put((await differences(before, after, kind, offset)).rows);
        } catch (error) {
          fail(error);
        }
      }
    }

    await list();
  };
})();
