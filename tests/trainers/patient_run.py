"""A run that trains nothing: it waits, hears signals as every run does, and does what its name says. No torch.

    python -m tests.trainers.patient_run RUNFOLDER --resume --attempt A

Names: `patient` waits until the file `finish` is in its folder; `deaf` does not hear signals; `parent` starts a child
in a session of its own, as torchrun does, and writes its pid to the file `child`.
"""

import contextlib
import signal
import subprocess
import sys
import time

from trainers.run import Run, Stopped, perform


def train(run: Run) -> None:
    name = run.spec.name
    if name == "deaf":
        for number in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)
    if name == "parent":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        (run.folder / "child").write_text(str(child.pid))
    run.phase("training", 1, 10)
    run.event("metric", step=1, loss=1.0)
    with contextlib.suppress(FileNotFoundError), run.stoppable():
        while not (run.folder / "finish").exists():
            time.sleep(0.02)
            if run.stop_requested:
                (run.folder / "saved").touch()
                raise Stopped
    raise ValueError("The test asked for an end.")


if __name__ == "__main__":
    sys.exit(perform("sft", train))
