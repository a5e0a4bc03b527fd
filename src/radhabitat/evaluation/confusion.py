"""Sensitivity, specificity and predictive values at one threshold.

Everywhere `outcome` is 1 = event and a higher risk means more likely, (patients,).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from radhabitat.types import Estimate

Floats = NDArray[np.float64]


class Confusion(NamedTuple):
    """What comes of calling patients positive at and above a threshold."""

    threshold: float
    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int
    sensitivity: Estimate
    specificity: Estimate
    ppv: Estimate
    npv: Estimate
    accuracy: Estimate


def confusion(
    outcome: NDArray[np.int8],
    risks: Floats,
    *,
    threshold: float,
    confidence: float,
) -> Confusion:
    """Return the confusion matrix at a threshold, which was learned elsewhere.

    Rates are NaN where nobody counts.
    """
    cells = np.bincount(2 * (outcome == 1) + (risks >= threshold), minlength=4)
    tn, fp, fn, tp = cells.tolist()
    hits = np.array([tp, tn, tp, tn, tp + tn], dtype=np.float64)
    counts = np.array([tp + fn, tn + fp, tp + fp, tn + fn, len(outcome)]) + 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = hits / counts
        low, high = wilson(shares, counts, confidence)
    rates = [
        Estimate(float(s), float(a), float(b), "proportion, Wilson interval")
        for s, a, b in zip(shares, low, high, strict=True)
    ]
    return Confusion(threshold, tp, fp, tn, fn, *rates)


def youden_threshold(outcome: NDArray[np.int8], risks: Floats) -> float:
    """Return the threshold with the largest sensitivity + specificity.

    Halfway between two risks; of equally good ones the lowest, which misses fewest.
    Apply it to other patients than these.

    Reference:
        Youden, Cancer 1950;3:32.
    """
    values, place = np.unique(risks, return_inverse=True)
    events = np.bincount(place, weights=outcome == 1, minlength=len(values))
    others = np.bincount(place, weights=outcome != 1, minlength=len(values))
    # in whole numbers, so that equals are equal
    missed, spared = np.cumsum(events), np.cumsum(others)
    gain = (spared * events.sum() - missed * others.sum())[:-1]
    if gain.max(initial=0.0) <= 0.0:
        return float(values[0])
    best = int(np.argmax(gain))
    return float(0.5 * (values[best] + values[best + 1]))


def wilson(share: Floats, sizes: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Return Wilson's interval of proportions (JASA 1927;22:209)."""
    z = float(norm.ppf(0.5 + confidence / 2.0))
    shrink = 1 + z**2 / sizes
    center = (share + z**2 / (2 * sizes)) / shrink
    spread = np.sqrt(share * (1 - share) / sizes + z**2 / (4 * sizes**2))
    half = z / shrink * spread
    return np.maximum(center - half, 0.0), np.minimum(center + half, 1.0)
