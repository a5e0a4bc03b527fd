"""Does a second model move patients the right way? NRI and IDI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from radhabitat.types import Estimate

Floats = NDArray[np.float64]


class Reclassification(NamedTuple):
    """Net reclassification, or discrimination, gained by the second model.

    Attributes:
        gain: Of events and non-events together; above 0 the second is better.
        events: What events gained.
        nonevents: What non-events gained.
        standard_error: Of `gain`, as in its interval.
        z: Statistic of the test against 0 (for NRI with the error under no gain).
        p: Two-sided.
    """

    gain: Estimate
    events: Estimate
    nonevents: Estimate
    standard_error: float
    z: float
    p: float


def net_reclassification(
    outcome: NDArray[np.int8],
    first: Floats,
    second: Floats,
    *,
    thresholds: Sequence[float] | None = None,
    confidence: float = 0.95,
) -> Reclassification:
    """Return the net reclassification improvement of a second model.

    It can be positive by chance for a model that adds nothing; never alone.

    Args:
        outcome: 1 = event, shape (patients,).
        first: Risks by the first model, shape (patients,).
        second: Risks by the second model, same shape.
        thresholds: Between the categories of risk, rising; None: any move counts
            (continuous NRI).
        confidence: Of the intervals.

    Reference:
        Pencina et al., Stat Med 2008;27:157 (test); 2011;30:11 (continuous, errors).
    """
    if thresholds is None:
        move = np.sign(second - first)
    else:
        cuts = np.asarray(thresholds, dtype=np.float64)
        classes = (np.searchsorted(cuts, r, side="right") for r in (second, first))
        move = np.sign(np.subtract(*classes)).astype(np.float64)
    event = outcome == 1
    parts = move[event], -move[~event]
    still = sum(float((p != 0).mean()) / len(p) for p in parts)
    return _sum_up(parts, ddof=0, under_none=still, confidence=confidence, name="NRI")


def discrimination_improvement(
    outcome: NDArray[np.int8],
    first: Floats,
    second: Floats,
    *,
    confidence: float = 0.95,
) -> Reclassification:
    """Return the integrated discrimination improvement (IDI) of a second model.

    Args and reference as of `net_reclassification`.
    """
    change, event = second - first, outcome == 1
    parts = change[event], -change[~event]
    return _sum_up(parts, ddof=1, under_none=None, confidence=confidence, name="IDI")


def _sum_up(
    parts: tuple[Floats, Floats],
    *,
    ddof: int,
    under_none: float | None,
    confidence: float,
    name: str,
) -> Reclassification:
    gains = [float(part.mean()) for part in parts]
    variances = [float(part.var(ddof=ddof)) / len(part) for part in parts]
    gains, variances = [*gains, sum(gains)], [*variances, sum(variances)]
    z = float(norm.ppf(0.5 + confidence / 2.0))
    events, nonevents, gain = (
        Estimate(g, g - z * v**0.5, g + z * v**0.5, f"{name}, asymptotic error")
        for g, v in zip(gains, variances, strict=True)
    )
    tested = (variances[2] if under_none is None else under_none) ** 0.5
    statistic = gains[2] / tested if tested > 0.0 else 0.0
    p = float(2.0 * norm.sf(abs(statistic)))
    return Reclassification(gain, events, nonevents, variances[2] ** 0.5, statistic, p)
