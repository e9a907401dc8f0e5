/*
 * A conversation with one model, as it is written. It lasts as long as the page; nothing of it is stored.
 *
 *   ratchet.models.chat(one)   → {element, focus(), stop()}
 */
(() => {
  "use strict";

  const { el, markdown } = window.ratchet;
  const models = window.ratchet.models;

  /** The events of a stream as they come. */
  async function* events(response) {
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const parts = rest.split("\n\n");
      rest = parts.pop();
      for (const part of parts) if (part.startsWith("data: ")) yield JSON.parse(part.slice(6));
    }
  }

  /** Asks; throws an Error with the sentence where nothing can be said. */
  async function ask(model, body, signal) {
    const person = document.body.dataset.person;
    let response;
    try {
      response = await fetch(ratchet.at(`/api/models/${encodeURIComponent(model)}/chat`), { method: "POST", body: JSON.stringify(body), signal, cache: "no-store", credentials: "same-origin",
        headers: { "Content-Type": "application/json", ...(person && { "X-Ratchet-Person": encodeURIComponent(person) }) } });
    } catch (error) {
      if (signal.aborted) throw error;
      throw new Error("The studio does not answer: is `ratchet serve` still running?");
    }
    if (response.ok) return events(response);
    const said = await response.json().catch(() => null);
    throw new Error(said?.error?.sentence || `The studio answered with status ${response.status}.`);
  }

  models.chat = (one) => {
    let turns = [];
    let running = null;
    const said = el("div", { class: "models-talk", role: "log", "aria-label": `Conversation with ${one.name}`, tabindex: 0, hidden: true });
    const text = el("textarea", { id: "chat-text", rows: 2, maxlength: 50000, placeholder: "Ask it something", "aria-describedby": "chat-hint", onkeydown: typed });
    const send = el("button", { type: "submit", class: "button button-primary", id: "chat-send" }, "Send");
    const stop = el("button", { type: "button", class: "button", id: "chat-stop", hidden: true, onclick: () => running?.abort() }, "Stop");
    const again = el("button", { type: "button", class: "button button-ghost button-s", id: "chat-again", hidden: true, onclick: retry }, "Answer again");
    const fresh = el("button", { type: "button", class: "button button-ghost button-s", id: "chat-new", hidden: true, onclick: anew }, "New conversation");
    const error = el("p", { class: "notice notice-bad", role: "alert", hidden: true });
    const field = (id, name, control) => el("div", { class: "field" }, el("label", { for: id }, name), control);
    const system = el("textarea", { id: "chat-system", rows: 2, maxlength: 20000, placeholder: "None" });
    const number = (id, value, more) => el("input", { id, type: "number", value, ...more });
    const temperature = number("chat-temperature", "1", { min: 0, max: 5, step: "any" });
    const longest = number("chat-tokens", "256", { min: 1, max: 8192 });
    const element = el("section", { class: "stack-s models-part models-chat", "aria-labelledby": "models-chat" }, el("h3", { id: "models-chat" }, "Chat"),
      said, error,
      el("form", { class: "stack-s", onsubmit: (event) => { event.preventDefault(); begin(); } },
        el("div", { class: "field" }, el("label", { class: "visually-hidden", for: "chat-text" }, `Message to ${one.name}`), text),
        el("div", { class: "line" }, send, stop, again, fresh, el("span", { class: "muted small", id: "chat-hint" }, "Enter sends; Shift and Enter begin a new line."))),
      el("details", { class: "models-more", id: "chat-settings" }, el("summary", {}, "How it answers"), el("div", { class: "stack-s" },
        field("chat-system", "System prompt", system), el("div", { class: "fields" }, field("chat-temperature", "Temperature", temperature), field("chat-tokens", "Longest answer, in tokens", longest)))));

    function typed(event) {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      begin();
    }

    function begin() {
      const words = text.value.trim();
      if (running || !words) return;
      turns.push({ role: "user", content: words });
      text.value = "";
      answer(words);
    }

    function retry() {
      if (running || !turns.length) return;
      if (turns.at(-1).role === "assistant") turns.pop();
      answer(null);
    }

    function anew() {
      running?.abort();
      turns = [];
      error.hidden = true;
      draw();
      text.focus();
    }

    /** Has the model answer what was said; `typedWords` go back into the field where it cannot. */
    async function answer(typedWords) {
      const mine = new AbortController();
      const wholly = turns; // a new conversation is another list
      const turn = { role: "assistant", content: "" };
      running = mine;
      error.hidden = true;
      draw(turn);
      try {
        const body = { messages: wholly.map(({ role, content }) => ({ role, content })), system: system.value, ...settings() };
        for await (const event of await ask(one.id, body, mine.signal)) take(event, turn);
      } catch (problem) {
        turn.note = mine.signal.aborted ? "stopped" : "broken off";
        if (!mine.signal.aborted) tell(problem);
      } finally {
        if (running === mine) running = null;
      }
      if (wholly !== turns) return;
      if (turn.content || turn.whole) turns.push(turn);
      else if (typedWords !== null) {
        turns.pop();
        text.value ||= typedWords;
      }
      draw();
    }

    function take(event, turn) {
      if (event.kind === "error") throw new Error(event.error.sentence);
      if (event.kind === "text") {
        turn.content += event.add;
        paint(turn);
      } else {
        turn.whole = true;
        turn.note = `${event.tokens} tokens in ${event.seconds.toFixed(1)} s${event.reason === "length" ? ", cut at the longest answer" : ""}${event.stamp.seed === undefined || event.stamp.seed === null ? "" : `, seed ${event.stamp.seed}`}`;
      }
    }

    function settings() {
      const kept = {};
      if (temperature.value !== "") kept.temperature = Number(temperature.value);
      if (longest.value !== "") kept.max_tokens = Number(longest.value);
      return kept;
    }

    function tell(problem) {
      error.textContent = problem.message;
      error.hidden = false;
    }

    const bubble = (turn, live) => el("div", { class: `models-turn is-${turn.role}${live ? " is-live" : ""}` },
      el("span", { class: "muted small" }, turn.role === "user" ? "You" : one.name),
      turn.role === "user" || live ? el("p", { class: "models-plain", dir: "auto" }, turn.content || (live ? "…" : "")) : el("div", { class: "prose", dir: "auto" }, turn.content ? markdown(turn.content) : el("p", { class: "muted" }, "(nothing)")),
      turn.note && el("span", { class: "muted small num" }, turn.note));

    function draw(live = null) {
      const near = said.scrollHeight - said.scrollTop - said.clientHeight < 60;
      const leaves = [send, stop, again, fresh].includes(document.activeElement); // a button that goes takes the focus along
      said.replaceChildren(...turns.map((turn) => bubble(turn, false)), ...(live ? [bubble(live, true)] : []));
      said.hidden = !said.childElementCount;
      said.setAttribute("aria-busy", String(live !== null));
      stop.hidden = live === null;
      send.hidden = live !== null;
      again.hidden = live !== null || !turns.length;
      fresh.hidden = !turns.length;
      if (leaves) (live ? stop : text).focus();
      if (near || live) said.scrollTop = said.scrollHeight;
    }

    function paint(turn) {
      const place = said.lastElementChild?.querySelector(".models-plain");
      if (!place || !said.lastElementChild.classList.contains("is-live")) return; // a new conversation was begun
      const near = said.scrollHeight - said.scrollTop - said.clientHeight < 60;
      place.textContent = turn.content;
      if (near) said.scrollTop = said.scrollHeight;
    }

    return { element, focus: () => text.focus(), stop: () => running?.abort() };
  };
})();
