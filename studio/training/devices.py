"""How many accelerators a training may want."""

from storage.errors import BadInput
from studio.training.request import Request

SEVERAL = ("sft", "pretrain", "dpo", "kto", "orpo", "cpo", "reward")
"""Methods whose batch can be shared out; the others answer or measure within a run, which one process does."""


def refuse_devices(request: Request) -> None:
    """Raise BadInput for a number of devices that the method cannot use."""
    if request.devices < 1:
        raise BadInput(f"A training needs at least one device, not {request.devices}.")
    if request.devices > 1 and request.method and request.method not in SEVERAL:
        raise BadInput(
            f'"{request.method}" trains on one device, not on {request.devices}; on several can {", ".join(SEVERAL)}.'
        )
