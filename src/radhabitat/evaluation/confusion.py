"""Sensitivity, specificity and predictive values at one threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from radhabitat.types import Estimate

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Confusion:
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
    confidence: float = 0.95,
) -> Confusion:
    """Return the confusion matrix at a threshold, which was learned elsewhere.

    Args:
        outcome: 1 = event, shape (patients,).
        risks: Higher means more likely, shape (patients,).
        threshold: At and above it a patient is positive.
        confidence: Of the intervals; NaN where nobody counts.
    """
    event, positive = outcome == 1, risks >= threshold
    tp, fp = int((positive & event).sum()), int((positive & ~event).sum())
    fn, tn = int((~positive & event).sum()), int((~positive & ~event).sum())
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

    Args:
        outcome: 1 = event, shape (patients,); both classes must occur.
        risks: Higher means more likely, shape (patients,).

    Reference:
        Youden, Cancer 1950;3:32.
    """
    values, place = np.unique(risks, return_inverse=True)
    events = np.bincount(place, weights=outcome == 1, minlength=len(values))
    others = np.bincount(place, weights=outcome != 1, minlength=len(values))
    # in whole numbers, so that equals are equal
    missed, spared = np.cumsum(events), np.cumsum(others)
    gain = (spared * events.sum() - missed * others.sum())[:-1]
    if not len(gain) or gain.max() <= 0.0:
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
