/*
 * The page /people. Administrators: accounts (add, role, disable, new password) and invitations of any role.
 * Who runs studies: invitations for annotators. The link of an invitation is shown once; the studio keeps its hash.
 */
(() => {
  "use strict";
  const { el, api, toast, confirm, dialog } = window.ratchet;

  const ROLES = {
    annotator: "annotator: judges comparisons",
    curator: "curator: data and studies",
    trainer: "trainer: models and training",
    admin: "admin: everything",
  };
  const place = document.getElementById("people");
  const admin = place.dataset.admin === "true";
  const day = (seconds) => new Date(seconds * 1000).toLocaleDateString();

  let link = null; // the newest invitation's address, to be copied

  async function did(call, sentence) {
    try {
      const answer = await call();
      if (sentence) toast(sentence, "good");
      await draw();
      return answer;
    } catch (error) {
      toast(error.message, "bad");
      return null;
    }
  }

  const change = (name, body, sentence) =>
    did(() => api(`/api/people/${encodeURIComponent(name)}`, { method: "PATCH", body }), sentence);

  function roleSelect(id, chosen, onchange, label, only = Object.keys(ROLES)) {
    return el("select", { id, class: "input", "aria-label": label, onchange },
      only.map((role) => el("option", { value: role, ...(role === chosen ? { selected: true } : {}) }, ROLES[role])));
  }

  async function draw() {
    const told = await api("/api/people");
    place.replaceChildren(...[admin && list(told.people), admin && addForm(told.first), !told.first && invitations(told.invitations)].filter(Boolean));
  }

  function list(people) {
    if (!people.length) {
      return el("div", { class: "notice" },
        "Nobody has an account: whoever sits at this machine may do everything. The first account must be an administrator's; from then on everybody signs in.");
    }
    return el("section", { class: "card card-flush" },
      el("div", { class: "card-head" }, el("h2", {}, "Accounts")),
      el("div", { class: "table-wrap", tabindex: "0", role: "region", "aria-label": "Accounts" },
        el("table", { class: "table" },
          el("thead", {}, el("tr", {}, ["Name", "Role", "Since", "Actions"].map((head) => el("th", { scope: "col" }, head)))),
          el("tbody", {}, people.map(row)))));
  }

  function row(person) {
    const role = roleSelect(null, person.role, (event) => change(person.name, { role: event.target.value },
      `${person.name} is ${event.target.value} now and signs in again.`), `Role of ${person.name}`);
    return el("tr", {},
      el("td", {}, person.name, person.disabled && el("span", { class: "chip chip-warning" }, "disabled")),
      el("td", {}, role),
      el("td", { class: "num" }, day(person.created_at)),
      el("td", {}, el("div", { class: "line" },
        el("button", { type: "button", class: "button button-secondary button-s", "aria-label": `New password for ${person.name}`,
          onclick: () => newPassword(person.name) }, "New password"),
        el("button", { type: "button", class: "button button-secondary button-s",
          "aria-label": `${person.disabled ? "Enable" : "Disable"} ${person.name}`,
          onclick: () => toggle(person) }, person.disabled ? "Enable" : "Disable"))));
  }

  async function toggle(person) {
    if (!person.disabled && !(await confirm(`Disable ${person.name}?`, "The account can sign in no more; its votes and edits stay.", { yes: "Disable", danger: true }))) return;
    await change(person.name, { disabled: !person.disabled });
  }

  function newPassword(name) {
    const field = el("input", { id: "new-password", type: "password", autocomplete: "new-password", required: true });
    dialog(`New password for ${name}`, el("div", { class: "field" },
      el("label", { for: "new-password" }, "Password (at least 8 characters)"), field), [
      { label: "Cancel", run: () => {} },
      { label: "Set password", kind: "primary", run: () => { change(name, { password: field.value }, `${name} has a new password.`); } },
    ]);
  }

  function addForm(first) {
    const name = el("input", { id: "add-name", autocomplete: "off", maxlength: "40", required: true });
    const password = el("input", { id: "add-password", type: "password", autocomplete: "new-password", required: true });
    const role = roleSelect("add-role", first ? "admin" : "annotator", null, null, first ? ["admin"] : undefined);
    const send = async (event) => {
      event.preventDefault();
      const body = { name: name.value, password: password.value, role: role.value };
      if (!first) return did(() => api("/api/people", { body }), `${name.value} can sign in.`);
      try { // from here on everybody signs in, this browser too
        await api("/api/people", { body });
        return location.assign(ratchet.at("/sign-in?next=/people"));
      } catch (error) {
        return toast(error.message, "bad");
      }
    };
    return el("form", { class: "card stack", onsubmit: send },
      el("h2", {}, "Add somebody"),
      el("div", { class: "fields" },
        el("div", { class: "field" }, el("label", { for: "add-name" }, "Name"), name),
        el("div", { class: "field" }, el("label", { for: "add-password" }, "Password"), password),
        el("div", { class: "field" }, el("label", { for: "add-role" }, "Role"), role)),
      el("div", {}, el("button", { type: "submit", class: "button button-primary" }, "Add")));
  }

  function invitations(open) {
    const role = admin ? roleSelect("invite-role", "annotator", null, null) : null;
    const make = async () => {
      const made = await did(() => api("/api/people/invitations", { body: { role: role ? role.value : "annotator" } }));
      if (!made) return;
      link = location.origin + ratchet.at(made.path);
      await draw();
      document.getElementById("copy-link")?.focus();
    };
    return el("section", { class: "card stack" },
      el("h2", {}, "Invitations"),
      el("p", { class: "muted" }, "A link makes one account, within seven days."),
      el("div", { class: "line" },
        role && el("div", { class: "field" }, el("label", { for: "invite-role" }, "Role"), role),
        el("button", { type: "button", class: "button button-primary", onclick: make }, admin ? "Make a link" : "Invite an annotator")),
      link && el("div", { class: "command" }, el("code", { id: "invitation-link", tabindex: "0" }, link),
        el("button", { type: "button", id: "copy-link", class: "button button-secondary button-s", onclick: copy }, "Copy link")),
      open.length > 0 && el("ul", { class: "stack-s invitations" }, open.map((one) => el("li", { class: "row-between" },
        el("span", {}, `${one.role}, by ${one.created_by}, until ${day(one.expires_at)}`),
        el("button", { type: "button", class: "button button-secondary button-s",
          "aria-label": `Withdraw the invitation for ${one.role} until ${day(one.expires_at)}`,
          onclick: () => { link = null; did(() => api(`/api/people/invitations/${one.id}`, { method: "DELETE" }), "The link is worth nothing now."); } },
        "Withdraw")))));
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(link);
      toast("The link is copied; it is shown only now.", "good");
    } catch {
      getSelection().selectAllChildren(document.getElementById("invitation-link"));
      toast("Press Ctrl+C: the link is selected.", "info");
    }
  }

  draw().catch((error) => place.replaceChildren(el("p", { class: "notice notice-bad" }, error.message)));
})();
