"""Do the risks mean what they say?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm

from radhabitat.evaluation.results import Calibration
from radhabitat.types import Estimate

PATIENTS_PER_GROUP = 20
MOST_GROUPS = 10
_SURE = 1e-9
_CONSTANT = "not computable: everybody has the same risk"


def calibration(
    outcome: NDArray[np.int8], risk: NDArray[np.float64], *, confidence: float = 0.95
) -> Calibration:
    """Return logistic recalibration, the Brier score, and groups of rising risk.

    Args:
        outcome: 0 or 1, shape (patients,); both occur.
        risk: Predicted probability, shape (patients,).
        confidence: Of the intervals of intercept and slope.

    Reference:
        Cox 1958, Biometrika 45:562 (slope); Steyerberg 2019, Clinical Prediction
        Models, section 15.3 (calibration-in-the-large with the slope at 1).
    """
    log_odds = logit(np.clip(risk, _SURE, 1.0 - _SURE))
    nothing = np.zeros((len(outcome), 0))
    intercept = _recalibrate(outcome, nothing, log_odds)
    wald = f"{confidence:.0%} Wald"
    z = float(norm.isf((1.0 - confidence) / 2.0))
    slope = Estimate(np.nan, np.nan, np.nan, _CONSTANT)
    if np.ptp(log_odds) > 1e-9:
        column = log_odds[:, np.newaxis]
        slope = _interval(*_recalibrate(outcome, column, 0.0 * log_odds), z, wald)
    predicted, observed, low, high, sizes = _groups(outcome, risk)
    return Calibration(
        intercept=_interval(*intercept, z, wald),
        slope=slope,
        brier=float(np.mean((risk - outcome) ** 2)),
        predicted=predicted,
        observed=observed,
        low=low,
        high=high,
        sizes=sizes,
    )


def _interval(value: float, error: float, z: float, method: str) -> Estimate:
    return Estimate(value, value - z * error, value + z * error, method)


def _recalibrate(
    outcome: NDArray[np.int8],
    columns: NDArray[np.float64],
    offset: NDArray[np.float64],
) -> tuple[float, float]:
    """Return the last coefficient of a logistic model and its standard error.

    Newton with steps of at most 2; a slope that grows without end (the risks separate
    the outcomes) gives NaN.
    """
    design = np.column_stack([np.ones(len(outcome)), columns])
    formula = np.zeros(design.shape[1])
    information = np.eye(design.shape[1])
    for _ in range(100):
        risk = expit(offset + design @ formula)
        variance = np.maximum(risk * (1.0 - risk), 1e-12)
        information = (design * variance[:, np.newaxis]).T @ design
        step = np.linalg.lstsq(information, design.T @ (outcome - risk), rcond=None)[0]
        size = float(np.abs(step).max())
        formula += step * min(1.0, 2.0 / max(size, 1e-300))
        if size < 1e-10:
            error = np.sqrt(np.linalg.pinv(information, hermitian=True)[-1, -1])
            return float(formula[-1]), float(error)
    return float("nan"), float("nan")


def wilson(
    events: NDArray[np.int64], sizes: NDArray[np.int64], *, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the limits of shares.

    Reference:
        Wilson 1927, J Am Stat Assoc 22:209; Newcombe 1998, Stat Med 17:857, method 3.
    """
    z = float(norm.isf((1.0 - confidence) / 2.0))
    share = events / sizes
    middle = share + z**2 / (2 * sizes)
    half = z * np.sqrt(share * (1 - share) / sizes + z**2 / (4 * sizes**2))
    whole = 1 + z**2 / sizes
    return np.clip((middle - half) / whole, 0, 1), np.clip(
        (middle + half) / whole, 0, 1
    )


def _groups(
    outcome: NDArray[np.int8], risk: NDArray[np.float64]
) -> tuple[
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int64],
]:
    """Return mean risk, share of events, its limits, and size of groups of patients.

    Groups of rising risk and about equal size; patients of the same risk stay
    together.
    """
    count = int(np.clip(len(risk) // PATIENTS_PER_GROUP, 2, MOST_GROUPS))
    edges = np.quantile(risk, np.linspace(0, 1, count + 1)[1:-1], method="higher")
    group = np.searchsorted(np.unique(edges), risk, side="right")
    present, place = np.unique(group, return_inverse=True)
    sizes = np.bincount(place, minlength=len(present)).astype(np.int64)
    events = np.bincount(place, weights=outcome, minlength=len(present))
    predicted = np.bincount(place, weights=risk, minlength=len(present)) / sizes
    low, high = wilson(events.astype(np.int64), sizes)
    return predicted, events / sizes, low, high, sizes
