"""Do predicted risks come true, and does acting on them help?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm

from radhabitat.evaluation.results import Calibration, DecisionCurve
from radhabitat.types import Estimate

Floats = NDArray[np.float64]
CLIP = 1e-12


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


def decide(
    outcome: NDArray[np.int8], risks: Floats, *, confidence: float
) -> DecisionCurve:
    """Return the net benefit of treating at and above each threshold.

    Args:
        outcome: 1 = event, shape (patients,).
        risks: Shape (resamples, patients), NaN where learned from.
        confidence: Of the pointwise limits, from the spread between patients.

    Reference:
        Vickers and Elkin, Med Decis Making 2006;26:565, eq. 1.
    """
    risk, weight, patients = _flatten(risks)
    weight /= weight.sum()
    event = outcome[patients] == 1
    thresholds = np.arange(1, 100) / 100.0
    odds = thresholds / (1.0 - thresholds)
    hits = _weight_above(risk[event], weight[event], thresholds)
    alarms = _weight_above(risk[~event], weight[~event], thresholds)
    prevalence = float(weight[event].sum())
    benefit = hits - alarms * odds
    count = np.count_nonzero(np.bincount(patients))
    # a patient adds share * 1 (event) or -share * odds: the spread of these
    square = np.zeros(len(thresholds))
    for patient in np.unique(patients):
        mine = np.sort(risk[patients == patient])
        above = 1.0 - np.searchsorted(mine, thresholds, side="left") / len(mine)
        gain = above if outcome[patient] == 1 else -above * odds
        square += (gain - benefit) ** 2
    half = float(norm.ppf(0.5 + confidence / 2.0)) * np.sqrt(square) / count
    return DecisionCurve(
        thresholds=thresholds,
        net_benefit=benefit,
        treat_all=prevalence - (1.0 - prevalence) * odds,
        low=benefit - half,
        high=benefit + half,
    )


def _flatten(risks: Floats) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Return each known risk, its weight and its patient; patients weigh alike."""
    rows, patients = np.nonzero(~np.isnan(risks))
    weight = 1.0 / np.bincount(patients, minlength=risks.shape[1])[patients]
    return risks[rows, patients], weight, patients


def _weight_above(risk: Floats, weight: Floats, thresholds: Floats) -> Floats:
    """Return the weight at and above each threshold, by searching sorted risks."""
    order = np.argsort(risk, kind="stable")
    total = np.append(np.cumsum(weight[order][::-1])[::-1], 0.0)
    above: Floats = total[np.searchsorted(risk[order], thresholds, side="left")]
    return above


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
