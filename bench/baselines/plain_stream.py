"""A plain page that asks an engine and paints its stream as it comes, two answers side by side. No project code.

    python plain_stream.py PORT ENGINE_URL TOKEN MODEL

Python's own HTTP server passes the question on to the engine's OpenAI route, once for each side, and the engine's
events back as they come; the page appends their texts. Nothing is stored, nobody is asked who they are, and neither
side waits for the other.
"""

import http.client
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PAGE = """<!doctype html><meta charset="utf-8"><title>Ask</title>
<textarea id="ask-text"></textarea><div class="pane-a"></div><div class="pane-b"></div>
<script>
const panes = [document.querySelector(".pane-a"), document.querySelector(".pane-b")];
async function answer(pane, prompt, temperature) {
  const response = await fetch("/ask", { method: "POST", body: JSON.stringify({ prompt, temperature }) });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\\n");
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data: {")) continue;
      const choice = JSON.parse(line.slice(6)).choices[0];
      if (choice?.delta?.content) pane.textContent += choice.delta.content;
    }
  }
}
document.getElementById("ask-text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  const prompt = event.target.value;
  event.target.value = "";
  document.body.dataset.state = "answering";
  panes.forEach((pane) => { pane.textContent = ""; });
  Promise.all(panes.map((pane, index) => answer(pane, prompt, [0.3, 1][index])))
    .then(() => { document.body.dataset.state = "ready"; });
});
</script>"""


class Page(BaseHTTPRequestHandler):
    """The page, and the way to the engine."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """The page."""
        body = PAGE.encode()
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Ask the engine and pass on what it says."""
        engine, token, model = sys.argv[2:5]
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        body = {
            "model": model, "messages": [{"role": "user", "content": asked["prompt"]}], "stream": True,
            "max_tokens": 48, "temperature": asked["temperature"],
        }  # fmt: skip
        way = http.client.HTTPConnection(urlsplit(engine).netloc)
        way.request("POST", "/v1/chat/completions", json.dumps(body), {"authorization": f"Bearer {token}",
                                                                      "content-type": "application/json"})  # fmt: skip
        response = way.getresponse()
        self.send_response(response.status)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        while piece := response.read1(65536):
            self.wfile.write(piece)
            self.wfile.flush()
        way.close()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until told to end."""
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()


if __name__ == "__main__":
    main()
