"""What a training costs in words: "about 4 min, 3 to 4 GB", as the button says it."""

from collections.abc import Mapping


def price(seconds: Mapping[str, float] | None, memory_gb: Mapping[str, float] | None) -> str:
    """Time and memory in a few words; nothing where neither is known."""
    parts = []
    if seconds:
        parts.append(f"about {lasting(seconds['low'], seconds['high'])}")
    if memory_gb:
        parts.append(amount(memory_gb["low"], memory_gb["high"]))
    return ", ".join(parts)


def lasting(low: float, high: float) -> str:
    """A range of seconds as people say it, in the unit of its upper end."""
    size, unit = next((size, unit) for size, unit in ((3600, "h"), (60, "min"), (1, "s")) if high >= size or size == 1)
    return _between(low / size, high / size, unit, fine=unit == "h")


def amount(low: float, high: float) -> str:
    """A range of memory in GB, of MB below one."""
    if high < 1:
        return _between(round(low * 1024, -2), round(high * 1024, -2), "MB", fine=False)
    return _between(low, high, "GB", fine=high < 3)


def _between(low: float, high: float, unit: str, fine: bool) -> str:
    first, last = (f"{number:.1f}".removesuffix(".0") if fine else f"{max(1, round(number))}" for number in (low, high))
    return f"{last} {unit}" if first == last or float(first) == 0 else f"{first} to {last} {unit}"
