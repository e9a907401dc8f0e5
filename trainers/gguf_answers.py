"""llama.cpp asked from a process of its own: what it answers from a GGUF file, greedily.

    echo '{"path": …, "prompts": […], "most_tokens": 32}' | python -m trainers.gguf_answers

The answers are a JSON list on the last line of stdout. Its server comes in the package `xllamacpp`, which is optional.
"""

import json
import socket
import sys
import time
import urllib.request
from typing import Any

_SECONDS = 300


def main() -> int:
    """Answer what standard input asks."""
    wish = json.loads(sys.stdin.read())
    server, address = _serve(wish["path"])
    _wait(address)
    said = [_ask(address, prompt, int(wish["most_tokens"])) for prompt in wish["prompts"]]
    del server  # it may have a last word
    print()
    print(json.dumps(said), flush=True)
    return 0


def _serve(path: str) -> tuple[Any, str]:
    """llama.cpp's server on loopback, computing in full precision."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = path
    params.port = _free_port()
    params.n_parallel = 1
    params.n_ctx = 1024
    params.n_gpu_layers = 0
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    return xllamacpp.Server(params), f"http://127.0.0.1:{params.port}"


def _wait(address: str) -> None:
    """Until the model is loaded; raises TimeoutError."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return
        except OSError:  # not there yet, or still loading
            time.sleep(0.05)
    raise TimeoutError("llama.cpp did not load the file in time")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _ask(address: str, prompt: str, most_tokens: int) -> str:
    """The answer to one prompt by the chat template of the file."""
    body = {"messages": [{"role": "user", "content": prompt}], "temperature": 0, "top_k": 1,
            "max_tokens": most_tokens, "cache_prompt": False}  # fmt: skip
    request = urllib.request.Request(
        f"{address}/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
        said = json.loads(answer.read())
    return str(said["choices"][0]["message"]["content"] or "")


if __name__ == "__main__":
    sys.exit(main())
