/*
 * Files on their way to the studio: each is sent at once, three at a time, with its own progress, and can be called off.
 *
 *   imports.sending(most, changed)   {add(file) → item, drop(item)}; changed(item) runs when an item has news
 *
 * An item: {name, size, sent: 0…1, id (once it is here), error (a sentence), settings: {encoding, kind, mapping}}.
 */
(() => {
  "use strict";

  const imports = (window.ratchet.imports ||= {});
  const { api } = window.ratchet;
  const AT_ONCE = 3;

  const round = (count) => count.toLocaleString("en", { maximumFractionDigits: count < 10 ? 1 : 0 });
  imports.size = (bytes) => (bytes < 1e3 ? `${bytes} bytes` : bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : bytes < 1e9 ? `${round(bytes / 1e6)} MB` : `${round(bytes / 1e9)} GB`);

  /** An item for something that is at the studio already. */
  imports.received = ({ id, name, size }, settings = {}) => ({ id, name, size, sent: 1, settings: { ...settings } });

  imports.sending = (most, changed) => {
    const waiting = [];
    let running = 0;

    function add(file) {
      const item = { file, name: file.name, size: file.size, sent: 0, settings: {} };
      if (item.size > most) item.error = `The file has ${imports.size(item.size)}, and ${imports.size(most)} is the most that the page takes; use ratchet import on the command line, or a folder that the administrator allowed.`;
      else if (!item.size) item.error = "The file is empty.";
      else waiting.push(item);
      next();
      return item;
    }

    function next() {
      while (running < AT_ONCE && waiting.length) send(waiting.shift());
    }

    function send(item) {
      const request = new XMLHttpRequest(); // fetch does not say how much it has sent
      running += 1;
      item.request = request;
      request.open("PUT", ratchet.at(`/api/data/upload?name=${encodeURIComponent(item.name.toWellFormed?.() ?? item.name)}`));
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.onprogress = (event) => { item.sent = event.loaded / event.total; changed(item); };
      request.onload = () => { take(item, request); changed(item); };
      request.onerror = () => { item.error = "The file could not be sent: does the studio still run?"; changed(item); };
      request.onloadend = () => { running -= 1; item.request = item.file = null; next(); };
      request.send(item.file);
    }

    function take(item, request) {
      let answer = null;
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        answer = null;
      }
      item.sent = 1;
      if (request.status === 200 && answer?.id) Object.assign(item, { id: answer.id, name: answer.name, size: answer.size });
      else item.error = answer?.error?.sentence || `The studio answered with status ${request.status}.`;
    }

    /** Calls a file off, or has the studio forget it. */
    function drop(item) {
      const place = waiting.indexOf(item);
      if (place >= 0) waiting.splice(place, 1);
      item.request?.abort();
      if (item.id) api(`/api/data/uploads/${item.id}`, { method: "DELETE" }).catch((error) => console.warn(error.message));
    }

    return { add, drop };
  };
})();
