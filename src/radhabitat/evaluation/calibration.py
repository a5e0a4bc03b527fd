"""Do predicted risks come true?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import chi2, norm

from radhabitat.evaluation.results import Calibration
from radhabitat.evaluation.smoothing import loess
from radhabitat.types import Estimate, Significance

Floats = NDArray[np.float64]
CLIP = 1e-12


class CalibrationError(NamedTuple):
    """Distances of predicted from smoothed observed risks; 0 is ideal.

    ICI (mean), E50 (median), E90, Emax; and the smoothed risks, shape (patients,).
    """

    mean: float
    median: float
    ninetieth: float
    largest: float
    observed: Floats


def calibrate(
    outcome: NDArray[np.int8], risks: Floats, *, confidence: float, groups: int = 5
) -> Calibration:
    """Return the calibration of risks of unseen patients.

    Every risk of every resample counts, weighted so that each patient counts once:
    that of the models as learned, not of their average, which would look calmer.

    Args:
        outcome: 1 = event, shape (patients,).
        risks: Shape (resamples, patients); NaN where learned from. One row without
            NaN gives the ordinary calibration.
        confidence: Of the intervals, with a patient's risks as one cluster.
        groups: Equally large groups of the curve.

    Reference:
        Cox, Biometrika 1958;45:562; Van Calster et al., BMC Med 2019;17:230.
    """
    risk, weight, patients = _flatten(risks)
    event = outcome[patients].astype(np.float64)
    score = logit(np.clip(risk, CLIP, 1.0 - CLIP))
    slope = _recalibrate(score, event, weight, patients, confidence)[1]
    offset = _recalibrate(score, event, weight, patients, confidence, slope=False)[0]
    predicted, observed, sizes = _group(risk, event, weight, groups)
    low, high = wilson(observed, sizes, confidence)
    return Calibration(
        intercept=offset,
        slope=slope,
        brier=float(np.average((risk - event) ** 2, weights=weight)),
        predicted=predicted,
        observed=observed,
        low=low,
        high=high,
        sizes=np.rint(sizes).astype(np.int64),
    )


def scaled_brier(outcome: NDArray[np.int8], risks: Floats) -> float:
    """Return 1 - Brier score / that of the prevalence: 1 is ideal, 0 is no use.

    Reference:
        Steyerberg et al., Epidemiology 2010;21:128.
    """
    prevalence = float(outcome.mean())
    brier = float(((risks - outcome) ** 2).mean())
    worst = prevalence * (1.0 - prevalence)
    return 1.0 - brier / worst if worst > 0.0 else np.nan


def calibration_error(outcome: NDArray[np.int8], risks: Floats) -> CalibrationError:
    """Return how far risks are from observed ones smoothed by local regression.

    Args:
        outcome: 1 = event, shape (patients,).
        risks: Of patients that the model has not seen, shape (patients,).

    Reference:
        Austin and Steyerberg, Stat Med 2019;38:4051 (loess with R's defaults).
    """
    observed = np.clip(loess(risks, outcome.astype(np.float64)), 0.0, 1.0)
    error = np.abs(risks - observed)
    median, ninetieth = np.quantile(error, (0.5, 0.9))
    return CalibrationError(
        float(error.mean()),
        float(median),
        float(ninetieth),
        float(error.max()),
        observed,
    )


def hosmer_lemeshow(
    outcome: NDArray[np.int8], risks: Floats, *, groups: int = 10, learned: bool = True
) -> Significance:
    """Compare events with their expected number in groups of similar risk.

    Equal risks are never parted, so that there may be fewer groups; with fewer than
    three there is no test (NaN).

    Args:
        outcome: 1 = event, shape (patients,).
        risks: Shape (patients,).
        groups: Equally large ones wanted.
        learned: Whether the risks were learned from these patients (2 degrees less).

    Reference:
        Hosmer and Lemeshow 2013, Applied Logistic Regression, 3rd ed., section 5.2.2.
    """
    cuts = np.unique(np.quantile(risks, np.arange(1, groups + 1) / groups))
    group = np.searchsorted(cuts[:-1], risks, side="left")
    size, events, expected = (
        np.bincount(group, weights=w) for w in (np.ones(len(risks)), outcome, risks)
    )
    size, events, expected = (part[size > 0] for part in (size, events, expected))
    freedom = len(size) - 2 * learned
    if len(size) < 3:
        return Significance(np.nan, freedom, np.nan)
    spread = np.maximum(expected * (1.0 - expected / size), CLIP)
    statistic = float(((events - expected) ** 2 / spread).sum())
    return Significance(statistic, freedom, float(chi2.sf(statistic, freedom)))


def spiegelhalter(outcome: NDArray[np.int8], risks: Floats) -> Significance:
    """Test whether the Brier score is that of calibrated risks.

    Reference:
        Spiegelhalter, Stat Med 1986;5:421.
    """
    tilt = 1.0 - 2.0 * risks
    spread = float(np.sqrt((tilt**2 * risks * (1.0 - risks)).sum()))
    if spread < CLIP:
        return Significance(np.nan, 0, np.nan)
    z = float(((outcome - risks) * tilt).sum()) / spread
    return Significance(z, 0, float(2.0 * norm.sf(abs(z))))


def _flatten(risks: Floats) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Return each known risk, its weight and its patient; patients weigh alike."""
    rows, patients = np.nonzero(~np.isnan(risks))
    weight = 1.0 / np.bincount(patients, minlength=risks.shape[1])[patients]
    return risks[rows, patients], weight, patients


def _recalibrate(
    score: Floats,
    event: Floats,
    weight: Floats,
    patients: NDArray[np.intp],
    confidence: float,
    *,
    slope: bool = True,
) -> list[Estimate]:
    """Return intercept (and slope) of a logistic regression of event on score."""
    ones = np.ones_like(score)
    design = np.stack([ones, score] if slope else [ones], axis=1)
    offset = np.zeros_like(score) if slope else score
    beta = np.zeros(design.shape[1])
    if slope and np.ptp(score) < 1e-9:
        nothing = Estimate(np.nan, np.nan, np.nan, "all risks are equal")
        return [nothing, nothing]
    for _ in range(50):
        mean = expit(design @ beta + offset)
        gradient = design.T @ (weight * (event - mean))
        hessian = (design * (weight * mean * (1.0 - mean))[:, None]).T @ design
        step = np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        beta = beta + step * min(1.0, 5.0 / max(1e-12, float(np.abs(step).max())))
        if np.abs(step).max() < 1e-10:
            break
    bread = np.linalg.pinv(hessian)
    per_row = design * (weight * (event - mean))[:, None]
    per_patient = np.zeros((int(patients.max()) + 1, design.shape[1]))
    np.add.at(per_patient, patients, per_row)
    spread = np.sqrt(np.diag(bread @ (per_patient.T @ per_patient) @ bread))
    half = float(norm.ppf(0.5 + confidence / 2.0)) * spread
    method = "logistic recalibration, one cluster per patient"
    return [
        Estimate(float(b), float(b - h), float(b + h), method)
        for b, h in zip(beta, half, strict=True)
    ]


def _group(
    risk: Floats, event: Floats, weight: Floats, groups: int
) -> tuple[Floats, Floats, Floats]:
    order = np.argsort(risk, kind="stable")
    share = np.cumsum(weight[order]) / weight.sum()
    group = np.empty(len(risk), dtype=np.intp)
    group[order] = np.minimum((share * groups - 1e-9).astype(np.intp), groups - 1)
    sizes, predicted, observed = (
        np.bincount(group, weights=values, minlength=groups).astype(np.float64)
        for values in (weight, weight * risk, weight * event)
    )
    filled = sizes > 0
    sizes = sizes[filled]
    return predicted[filled] / sizes, observed[filled] / sizes, sizes


def wilson(share: Floats, sizes: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Return Wilson's interval of proportions (JASA 1927;22:209)."""
    z = float(norm.ppf(0.5 + confidence / 2.0))
    shrink = 1 + z**2 / sizes
    center = (share + z**2 / (2 * sizes)) / shrink
    spread = np.sqrt(share * (1 - share) / sizes + z**2 / (4 * sizes**2))
    half = z / shrink * spread
    return np.maximum(center - half, 0.0), np.minimum(center + half, 1.0)
