"""Where a run also reports its metrics, beside its own events: trackers that people have already, each an extra.

Ratchet's page needs none of them. They read their own settings (keys, projects) from the environment in which the
studio was started; nothing is sent anywhere unless a run asks for it.
"""

from importlib.util import find_spec

from storage.errors import BadInput

TRACKERS = ("none", "tensorboard", "trackio", "wandb")
"""What `report_to` can be; all but "none" are names of packages and of extras."""


def refuse_absent(tracker: str) -> None:
    """Raise BadInput with the line to type where the tracker's package is not installed."""
    if tracker != "none" and find_spec(tracker) is None:
        raise BadInput(
            f"Reporting to {tracker} needs a package that is not installed here: "
            f"pip install 'ratchet-studio[{tracker}]'. "
            "Or set report_to=none; the page shows the curves in any case."
        )
