"""What acting at a threshold would do, on patients that the learning did not see."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radhabitat.evaluation.calibration import wilson
from radhabitat.evaluation.discrimination import roc_curve
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
        [youden(np.repeat(outcome, c), np.repeat(r, c))
         for r, c in zip(risks, copies, strict=True)]
    )  # fmt: skip
    chosen = [(YOUDEN, float(np.median(learned)), learned)]
    chosen += [(f"{t:g}", t, np.full(len(risks), t)) for t in settings.thresholds]
    return tuple(
        _decision(name, shown, _positive(risks, copies, limits), outcome, settings)
        for name, shown, limits in chosen
    )


def youden(outcome: NDArray[np.int8], risks: Floats) -> float:
    """Return the threshold with the largest sensitivity + specificity."""
    roc = roc_curve(outcome, risks)
    gain = np.round(roc.true_positive_rate - roc.false_positive_rate, 12)
    best = int(np.argmax(gain))
    return float(roc.thresholds[max(best, 1)])


def _positive(risks: Floats, copies: NDArray[np.int16], limits: Floats) -> Floats:
    """Return each patient's share of positive calls; NaN if never left out."""
    out = copies == 0
    called = (out & (risks >= limits[:, np.newaxis])).sum(axis=0)
    times = out.sum(axis=0)
    share: Floats = np.where(times > 0, called / np.maximum(times, 1), np.nan)
    return share


def _decision(
    name: str,
    threshold: float,
    positive: Floats,
    outcome: NDArray[np.int8],
    settings: EvaluationSettings,
) -> Decision:
    known = ~np.isnan(positive)
    event = outcome[known] == 1
    called = positive[known]
    hits, misses = float(called[event].sum()), float((1.0 - called[event]).sum())
    alarms = float(called[~event].sum())
    passed = float((1.0 - called[~event]).sum())

    def share(part: float, whole: float) -> Estimate:
        if whole <= 0.0:
            return Estimate(np.nan, np.nan, np.nan, "no such patient")
        low, high = wilson(
            np.array([part / whole]), np.array([whole]), settings.confidence
        )
        return Estimate(part / whole, float(low[0]), float(high[0]), "Wilson")

    return Decision(
        name=name,
        threshold=threshold,
        true_positives=hits,
        false_positives=alarms,
        true_negatives=passed,
        false_negatives=misses,
        sensitivity=share(hits, hits + misses),
        specificity=share(passed, passed + alarms),
        positive_predictive_value=share(hits, hits + alarms),
        negative_predictive_value=share(passed, passed + misses),
        accuracy=share(hits + passed, float(known.sum())),
        positive_share=positive,
    )
