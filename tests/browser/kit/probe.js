/* A widget that does each thing a widget can, for test_widget.py. */
window.ratchet.widgets.probe = (element, props, gradio) => {
  const { el } = window.ratchet;
  window.probeMounts = (window.probeMounts || 0) + 1;
  const out = el("p", { id: "probe-out" }, props.hello);
  const ask = async (call) => {
    try {
      out.textContent = `double ${await call()}`;
    } catch (error) {
      out.textContent = `refused: ${error.message} (${error.kind})`;
    }
  };
  element.append(out,
    el("button", { type: "button", id: "probe-event", onclick: () => gradio.trigger("voted", { choice: "a" }) }, "Event"),
    el("button", { type: "button", id: "probe-server", onclick: () => ask(() => gradio.server.double({ number: 21 })) }, "Server"),
    el("button", { type: "button", id: "probe-refused", onclick: () => ask(() => gradio.server.double({ number: -1 })) }, "Refused"),
    el("button", { type: "button", id: "probe-bug", onclick: () => ask(() => gradio.server.stumble()) }, "Bug"),
    el("input", { id: "probe-input", "aria-label": "Typed by hand" }));
  gradio.watch((value) => { out.textContent = `value ${JSON.stringify(value)}`; });
};
