/*
 * Unsaved changes on the server: kept a moment after the last letter, and at once when the tab is hidden or closed.
 *
 * `tab` is this window: saving here drops only what was written here, so that a second window keeps its own.
 */
(() => {
  "use strict";

  const { api } = window.ratchet;
  const QUIET = 700; // milliseconds after the last letter
  const LONGEST = 4000; // while somebody types on and on
  const FAREWELL = 60_000; // bytes: a browser sends no more than 64 KiB once the page is gone
  const parts = (window.ratchet.editorParts ||= {});
  const tab = crypto.getRandomValues(new Uint32Array(2)).join("-");

  /** desk.url("draft") is where it goes; `show(time, problem)` says how it stands. */
  parts.drafts = (desk, show) => {
    let timer = 0;
    let since = 0;
    let sent = ""; // what the server has, as text
    let busy = null;

    const body = () => ({ tab, revision: desk.row.revision, content: desk.draft.content, tags: desk.draft.tags });

    /** Something was changed: keep it soon. */
    function soon() {
      since ||= Date.now();
      clearTimeout(timer);
      timer = setTimeout(keep, Math.max(0, Math.min(QUIET, since + LONGEST - Date.now())));
    }

    async function keep() {
      clearTimeout(timer);
      since = 0;
      if (busy) await busy;
      if (!desk.row || !desk.changed()) return;
      const text = JSON.stringify(body());
      if (text === sent) return;
      const url = desk.url("draft");
      busy = api(url, { method: "PUT", body: JSON.parse(text) }).then(
        ({ saved_at: at }) => { if (desk.row && desk.url("draft") === url) { sent = text; show(at, ""); } },
        (error) => { if (desk.row && desk.url("draft") === url) { show(null, error.message); timer = setTimeout(keep, LONGEST); } });
      await busy;
      busy = null;
    }

    /** Nothing is unsaved any more; `all`: whatever window it came from. */
    async function drop(all = false) {
      clearTimeout(timer);
      since = 0;
      if (!sent && !all) return;
      sent = "";
      if (busy) await busy;
      await api(`${desk.url("draft")}${all ? "" : `?tab=${tab}`}`, { method: "DELETE" }).catch(() => {});
    }

    /** The tab goes: send what is left, without waiting for an answer. */
    function farewell() {
      if (!desk.row || !desk.changed()) return;
      const text = JSON.stringify(body());
      if (text === sent || text.length > FAREWELL) return;
      fetch(ratchet.at(desk.url("draft")), { method: "PUT", headers: { "Content-Type": "application/json" }, body: text, keepalive: true, credentials: "same-origin" }).catch(() => {});
      sent = text;
    }

    const safe = () => !desk.row || !desk.changed() || JSON.stringify(body()) === sent || JSON.stringify(body()).length < FAREWELL;
    const hidden = () => { if (document.hidden) farewell(); };
    const leaving = (event) => { farewell(); if (!safe()) event.preventDefault(); };
    document.addEventListener("visibilitychange", hidden);
    window.addEventListener("pagehide", farewell);
    window.addEventListener("beforeunload", leaving);

    return {
      soon, keep, drop,
      forget: () => { clearTimeout(timer); since = 0; sent = ""; },
      took: () => { sent = JSON.stringify(body()); },
      stop: () => {
        document.removeEventListener("visibilitychange", hidden);
        window.removeEventListener("pagehide", farewell);
        window.removeEventListener("beforeunload", leaving);
      },
    };
  };
})();
