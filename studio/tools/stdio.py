"""The tools over standard input and output: one message a line, as assistants start a server on one's own machine.

Answers may come in another order than the requests: a tool that takes long holds nothing up.
"""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from typing import IO

from studio.tools.protocol import Tools, reply_to

_AT_ONCE = 4


def serve(tools: Tools, lines: IO[str], out: IO[str]) -> int:
    """Answer every line until there are no more; returns how many messages there were."""
    talking = threading.Lock()

    def answer(line: str) -> None:
        message = reply_to(line, tools).message
        if message is not None:
            with talking:
                out.write(json.dumps(message, ensure_ascii=True) + "\n")
                out.flush()

    count = 0
    # What is printed by mistake must not stand between two messages.
    with redirect_stdout(sys.stderr), ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="tool") as pool:
        for line in lines:
            if line.strip():
                count += 1
                pool.submit(answer, line)
    return count
