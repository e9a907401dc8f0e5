/*
 * The forms of /sign-in and /join: send name and password, then go where the person wanted to go. Only an address
 * of this studio is followed: `next` is whatever stands in a link that anybody may have made.
 */
(() => {
  "use strict";
  const { api } = window.ratchet;

  const form = document.querySelector("form.sign-in");
  const said = document.getElementById("said");
  const button = form.querySelector("button");

  function whereTo() {
    const next = new URLSearchParams(location.search).get("next") || "/";
    try {
      const address = new URL(next, location.origin);
      const own = next.startsWith("/") && address.origin === location.origin && !address.pathname.startsWith("/sign-in");
      return own ? address.pathname + address.search + address.hash : "/";
    } catch {
      return "/";
    }
  }

  async function send(event) {
    event.preventDefault();
    const body = { name: form.elements.name.value, password: form.elements.password.value };
    if (form.id === "join-form") body.token = decodeURIComponent(location.pathname.split("/").pop());
    said.textContent = "";
    button.disabled = true;
    try {
      await api(form.getAttribute("action"), { body });
      location.assign(ratchet.at(form.id === "join-form" ? "/" : whereTo()));
    } catch (error) {
      said.textContent = error.message;
      button.disabled = false;
      form.elements.password.focus();
      form.elements.password.select();
    }
  }

  form.addEventListener("submit", send);
})();
