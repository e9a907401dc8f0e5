/*
 * The page /account: a new password against the old one. Typed twice, because nobody sees what was typed.
 */
(() => {
  "use strict";
  const { api, toast } = window.ratchet;

  const form = document.getElementById("password-form");
  if (!form) return; // nobody has an account here
  const said = document.getElementById("said");
  const button = form.querySelector("button");
  form.elements.old.focus(); // the attribute is passed over where the page before had the focus elsewhere

  function fail(sentence, field) {
    said.textContent = sentence;
    field.focus();
    field.select();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { old, new: fresh, again } = form.elements;
    said.textContent = "";
    if (fresh.value !== again.value) return fail("The new password was typed in two ways; type it again.", again);
    button.disabled = true;
    try {
      const { ended } = await api(form.getAttribute("action"), { body: { old: old.value, new: fresh.value } });
      form.reset();
      const elsewhere = ended ? ` You were signed in ${ended === 1 ? "once" : `${ended} times`} elsewhere; that has ended.` : "";
      toast(`You have a new password.${elsewhere}`, "good");
    } catch (error) {
      fail(error.message, old);
    } finally {
      button.disabled = false;
    }
    return undefined;
  });
})();
