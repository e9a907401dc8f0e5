"""Asking the home's zygote for a process that has the training libraries imported, instead of starting one afresh."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from storage.birth import LONGEST, Birth, knock
from storage.home import Home, read_json
from storage.processes import alive

_PATIENCE = 2.0  # a fork takes hundredths; whoever has to wait longer starts a process afresh


def fork(home: Home, words: Sequence[str], log: Path, threads: int, nice: int) -> bool:
    """Have `python -m WORDS` begin in a session of its own; False where no zygote does it.

    One that answers too late may begin it all the same: what is started must bear to be started twice.
    """
    said = read_json(home.zygote_file) or {}
    if not said.get("ready") or not alive(said.get("pid"), said.get("started")):
        return False
    order = Birth(list(words), str(log), dict(os.environ), threads, nice)
    try:
        with knock(home.zygote_door, _PATIENCE) as line:
            line.send(json.dumps(list(order)).encode())
            return "pid" in json.loads(line.recv(LONGEST) or b"{}")
    except OSError:
        return False
