"""What acting at a threshold would do, on patients that the learning did not see."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radhabitat.evaluation.calibration import wilson
from radhabitat.evaluation.results import Decision
from radhabitat.settings import EvaluationSettings
from radhabitat.types import Estimate

Floats = NDArray[np.float64]
YOUDEN = "Youden"


def classify(
    outcome: NDArray[np.int8],
    risks: Floats,
    copies: NDArray[np.int16],
    settings: EvaluationSettings,
) -> tuple[Decision, ...]:
    """Return the confusion of unseen patients at Youden's and the given thresholds.

    Youden's threshold is learned in each resample from its own patients and applied
    to those it left out. Each patient counts once: as the share of the resamples
    without the patient that call the patient positive.

    Args:
        outcome: 1 = event, shape (patients,).
        risks: Of all patients, shape (resamples, patients).
        copies: How often each patient was drawn, same shape.
        settings: `thresholds` and confidence.

    Reference:
        Youden, Cancer 1950;3:32. Intervals: Wilson, JASA 1927;22:209.
    """
    learned = np.array(
        [youden_threshold(np.repeat(outcome, c), np.repeat(r, c))
         for r, c in zip(risks, copies, strict=True)]
    )  # fmt: skip
    chosen = [(YOUDEN, float(np.median(learned)), learned)]
    chosen += [(f"{t:g}", t, np.full(len(risks), t)) for t in settings.thresholds]
    return tuple(
        confusion(
            outcome,
            _positive(risks, copies, limits),
            name=name,
            threshold=shown,
            confidence=settings.confidence,
        )
        for name, shown, limits in chosen
    )


def youden_threshold(outcome: NDArray[np.int8], risks: Floats) -> float:
    """Return the threshold with the largest sensitivity + specificity.

    Halfway between two risks; of equally good ones the lowest, which misses fewest.
    Apply it to other patients than these.

    Args:
        outcome: 1 = event, shape (patients,).
        risks: Higher means more likely, shape (patients,).
    """
    values, place = np.unique(risks, return_inverse=True)
    events = np.bincount(place, weights=outcome == 1)
    others = np.bincount(place, weights=outcome != 1)
    # in whole numbers, so that equals are equal
    missed, spared = np.cumsum(events), np.cumsum(others)
    gain = (spared * events.sum() - missed * others.sum())[:-1]
    if gain.max(initial=0.0) <= 0.0:
        return float(values[0])
    best = int(np.argmax(gain))
    return float(0.5 * (values[best] + values[best + 1]))


def _positive(risks: Floats, copies: NDArray[np.int16], limits: Floats) -> Floats:
    """Return each patient's share of positive calls; NaN if never left out."""
    out = copies == 0
    called = (out & (risks >= limits[:, np.newaxis])).sum(axis=0)
    times = out.sum(axis=0)
    share: Floats = np.where(times > 0, called / np.maximum(times, 1), np.nan)
    return share


def confusion(
    outcome: NDArray[np.int8],
    positive: Floats,
    *,
    name: str,
    threshold: float,
    confidence: float,
) -> Decision:
    """Return the confusion of patients called positive at a threshold.

    Args:
        outcome: 1 = event, shape (patients,).
        positive: Share of the calls that were positive (one call: 0 or 1), same
            shape; NaN if there was none.
        name: Of the threshold.
        threshold: Learned elsewhere.
        confidence: Of Wilson's intervals; NaN where nobody counts.
    """
    known = ~np.isnan(positive)
    event = (outcome[known] == 1).astype(np.float64)
    called = positive[known]
    hits, misses = float(event @ called), float(event @ (1.0 - called))
    alarms = float((1.0 - event) @ called)
    passed = float((1.0 - event) @ (1.0 - called))
    right = np.array([hits, passed, hits, passed, hits + passed])
    asked = np.array(
        [hits + misses, passed + alarms, hits + alarms, passed + misses, known.sum()]
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = right / asked
        low, high = wilson(shares, asked, confidence)
    rates = [
        Estimate(float(share), float(bottom), float(top), "Wilson")
        for share, bottom, top in zip(shares, low, high, strict=True)
    ]
    return Decision(
        name=name,
        threshold=threshold,
        true_positives=hits,
        false_positives=alarms,
        true_negatives=passed,
        false_negatives=misses,
        sensitivity=rates[0],
        specificity=rates[1],
        positive_predictive_value=rates[2],
        negative_predictive_value=rates[3],
        accuracy=rates[4],
        positive_share=positive,
    )
