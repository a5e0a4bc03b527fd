"""A number with its uncertainty."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import NamedTuple


class Significance(NamedTuple):
    """A test: its statistic, degrees of freedom (0: none, as of a z), two-sided p."""

    statistic: float
    freedom: float
    p: float


@dataclass(frozen=True)
class Estimate:
    """A statistic, its interval, and how both were obtained.

    Attributes:
        value: The estimate; NaN when it cannot be computed.
        low: Lower end of the interval (95 % unless `method` says otherwise).
        high: Upper end of the interval.
        method: How value and interval were obtained, in words.

    Example:
        >>> print(Estimate(0.771, 0.682, 0.86, "DeLong"))
        0.771 (0.682-0.860)
    """

    value: float
    low: float
    high: float
    method: str

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}-{self.high:.3f})"

    def to_json(self) -> dict[str, float | str]:
        """Return a JSON object."""
        return asdict(self)
