"""`python -m trainers.engine --home H`: answer prompts for the models of a home until nobody asks any more.

Whoever starts the engine need not know its options: RATCHET_ENGINE holds further ones, and those given win.
"""

import argparse
import logging
import os
import shlex
import sys
from pathlib import Path

from storage.errors import RatchetError
from storage.home import Home
from trainers.engine.process import EngineOptions, run_engine


def main() -> int:
    """Parse the arguments and run; 1 with a sentence on stderr when it cannot."""
    further = shlex.split(dict(os.environ).get("RATCHET_ENGINE", ""))
    defaults = EngineOptions()
    parser = argparse.ArgumentParser(prog="trainers.engine", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the project's folder")
    parser.add_argument("--port", type=int, default=defaults.port, help="port on loopback (0 = a free one)")
    parser.add_argument(
        "--idle", type=float, default=defaults.idle, help="end after this many seconds without a request or studio"
    )
    parser.add_argument("--dtype", default=defaults.dtype, help="auto, bfloat16, float16 or float32")
    parser.add_argument("--threads", type=int, default=None, help="threads of torch (default: by the machine)")
    parser.add_argument("--memory", type=float, default=None, help="gigabytes for bases (default: what is free)")
    parser.add_argument("--quantise", choices=("4bit", "8bit"), default=None, help="weights in fewer bits (CUDA)")
    parser.add_argument("--lock-fd", type=int, default=None, help="descriptor of the lock that the starter took")
    given = parser.parse_args([*further, *sys.argv[1:]])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # torch's threads wait asleep. Spinning, its default, made a step 10 to 20 times slower on two cores beside a
    # training run (900 ms against 60 ms for 90M weights), because a thread spins for one that is not running.
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    # Everything is read from local folders; nothing is fetched and nothing is reported.
    os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", TOKENIZERS_PARALLELISM="false")
    options = EngineOptions(
        given.port, given.idle, given.dtype, given.threads, given.memory, given.quantise, given.lock_fd
    )
    try:
        run_engine(Home(given.home.resolve()), options)
    except RatchetError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
