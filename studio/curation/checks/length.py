"""Too long for a chosen model: by its own tokenizer and chat template, counted by the engine (`tokens.py`)."""

from studio.curation.checks.check import Check

CHECKS = (
    Check(
        "too-long", "warning", "Too long for the model",
        "The row has more tokens than the chosen model can read, or than you want to train on; "
        "training cuts its end off.",
        "Split it into several rows, shorten it, or train with a larger max_length.",
    ),
    Check(
        "refused-by-template", "error", "The chat template refuses it",
        "The chosen model's chat template cannot render the row, so it cannot be trained on with that model.",
        "Mend the order of its turns, or take its tool calls or system message out.",
    ),
)  # fmt: skip
