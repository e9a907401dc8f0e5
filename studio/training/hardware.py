"""What this machine gives a run, found without loading anything heavy."""

from importlib.util import find_spec
from pathlib import Path

import psutil

from storage.specs.presets import Hardware


def hardware() -> Hardware:
    """Memory, accelerator and 4-bit loading of this machine; a driver's device file stands for an accelerator."""
    return Hardware(
        memory_gb=psutil.virtual_memory().total / 1024**3,
        accelerator=Path("/dev/nvidiactl").exists(),
        four_bit=find_spec("bitsandbytes") is not None,
    )


def accelerators() -> int:
    """How many accelerators there are, by their drivers' device files."""
    return len(list(Path("/dev").glob("nvidia[0-9]*")))
