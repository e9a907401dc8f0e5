"""Says as JSON what this machine computes on: `python -m trainers.device [HOME]`, asked by `ratchet doctor`.

The choice itself is the engine's (for answers) and `trainers.models.place` (for training); this only reports both
with their reasons, in a process of its own because it needs torch.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def describe(home: Path) -> dict[str, Any]:
    """Device, number format, threads and the reasons, for answering and for training."""
    import torch

    from storage.specs.run import RunSpec
    from trainers.engine.device import choose_device
    from trainers.models import place

    answering = choose_device(home / "engine-tuning.json")
    training = place(RunSpec(job="", method="sft", name="", base_path=""), None)
    return {
        "torch": torch.__version__,
        "device": str(answering.device),
        "dtype": answering.dtype_name,
        "threads": answering.threads,
        "reason": f"Answering on {answering.device}: {answering.reason}. {training.reason}",
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Print the description; without a home nothing that was measured is kept."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and Path(words[0]).is_dir():
        print(json.dumps(describe(Path(words[0]))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(describe(Path(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
