"""Does a second model move patients the right way? NRI and IDI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from radhabitat.types import Estimate, Significance

Floats = NDArray[np.float64]


class Reclassification(NamedTuple):
    """What a second model gained in all, for events and for non-events; z and p.

    Above 0 the second is better. The test of a NRI takes its error under no gain.
    """

    gain: Estimate
    events: Estimate
    nonevents: Estimate
    test: Significance


def net_reclassification(
    outcome: NDArray[np.int8],
    first: Floats,
    second: Floats,
    *,
    thresholds: Sequence[float] | None,
    confidence: float,
) -> Reclassification:
    """Return the net reclassification improvement of a second model.

    It can be positive by chance for a model that adds nothing; never alone.

    Args:
        outcome: 1 = event, shape (patients,).
        first: Risks by the first model, same shape.
        second: Risks by the second model.
        thresholds: Between categories of risk, rising; None: any move counts.
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
    still = sum(float((part != 0).mean()) / len(part) for part in parts)
    return _sum_up(parts, ("NRI", 0, still), confidence)


def discrimination_improvement(
    outcome: NDArray[np.int8], first: Floats, second: Floats, *, confidence: float
) -> Reclassification:
    """Return the integrated discrimination improvement (IDI) of a second model.

    Arguments and reference as of `net_reclassification`.
    """
    change, event = second - first, outcome == 1
    return _sum_up((change[event], -change[~event]), ("IDI", 1, None), confidence)


def _sum_up(
    parts: tuple[Floats, Floats], kind: tuple[str, int, float | None], confidence: float
) -> Reclassification:
    name, ddof, under_none = kind
    gains = [float(part.mean()) for part in parts]
    variances = [float(part.var(ddof=ddof)) / len(part) for part in parts]
    gains, variances = [sum(gains), *gains], [sum(variances), *variances]
    half = [float(norm.ppf(0.5 + confidence / 2.0)) * v**0.5 for v in variances]
    tested = (variances[0] if under_none is None else under_none) ** 0.5
    z = gains[0] / tested if tested > 0.0 else 0.0
    gain, events, nonevents = (
        Estimate(value, value - h, value + h, f"{name}, asymptotic error")
        for value, h in zip(gains, half, strict=True)
    )
    p = float(2.0 * norm.sf(abs(z)))
    return Reclassification(gain, events, nonevents, Significance(z, 0, p))
