"""The number of a row within its run, by which something can be remembered of it whatever batch it comes in."""

from typing import Any

NUMBER = "row_number"


def numbered(dataset: Any, first: int = 0) -> Any:
    """The dataset with a column of numbers from `first` on; None stays None."""
    return dataset if dataset is None else dataset.add_column(NUMBER, list(range(first, first + len(dataset))))
