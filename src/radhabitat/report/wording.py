"""Numbers and names as the report prints them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from radhabitat.types import Estimate

UNKNOWN = "not computable"
RESEARCH_ONLY = "Research use only. Not for clinical decisions."

MODEL_TITLES = {
    "clinical": "Clinical",
    "cr": "CR (clinical + radiomics)",
    "crh": "CRH (clinical + radiomics + habitats)",
}
SHORT_TITLES = {"clinical": "Clinical", "cr": "CR", "crh": "CRH"}


def model_title(name: str) -> str:
    """Return a model's name for tables and text."""
    return MODEL_TITLES.get(name, name)


def short_title(name: str) -> str:
    """Return a model's name for figures."""
    return SHORT_TITLES.get(name, name)


def number(value: float, *, digits: int = 3) -> str:
    """Return a number with fixed decimals, or "not computable".

    Example:
        >>> number(0.61234), number(float("nan"))
        ('0.612', 'not computable')
    """
    if not math.isfinite(value):
        return UNKNOWN
    return f"{value:,.{digits}f}".replace("-", "\N{MINUS SIGN}")


def compact(value: float) -> str:
    """Return a number of any size with three significant digits or whole thousands."""
    if not math.isfinite(value):
        return UNKNOWN
    if abs(value) >= 1000:
        return number(value, digits=0) if abs(value) < 1e9 else f"{value:.3g}"
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def percent(share: float) -> str:
    """Return a share of 1 as a whole percentage."""
    return f"{100 * share:.0f} %" if math.isfinite(share) else UNKNOWN


def p_value(p: float) -> str:
    """Return a p-value the way journals print it.

    Example:
        >>> p_value(0.0304), p_value(0.00002)
        ('0.030', '< 0.001')
    """
    return "< 0.001" if p < 0.001 else number(p)


def estimate(value: Estimate, *, digits: int = 3) -> str:
    """Return a value with its interval; never a value that looks bare by accident."""
    if not math.isfinite(value.value):
        return UNKNOWN
    middle, low, high = (
        number(v, digits=digits) for v in (value.value, value.low, value.high)
    )
    if UNKNOWN in (low, high):
        return f"{middle} (interval {UNKNOWN})"
    return f"{middle} ({low} to {high})"


def count(amount: int, noun: str) -> str:
    """Return an amount with its noun.

    Example:
        >>> count(1, "patient"), count(1568, "feature")
        ('1 patient', '1,568 features')
    """
    return f"{amount:,} {noun}" if amount == 1 else f"{amount:,} {noun}s"


def in_words(names: tuple[str, ...]) -> str:
    """Return names as an enumeration: "A, B and C"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def shortened(name: str, length: int) -> str:
    """Return a name of at most so many characters, cut in the middle."""
    if len(name) <= length:
        return name
    tail = (length - 1) * 2 // 3
    return f"{name[: length - 1 - tail]}\N{HORIZONTAL ELLIPSIS}{name[-tail:]}"


def slug(words: str) -> str:
    """Return words as a part of a file name or an anchor."""
    kept = "".join(c if c.isalnum() and c.isascii() else "-" for c in words.lower())
    return "-".join(part for part in kept.split("-") if part) or "unnamed"
