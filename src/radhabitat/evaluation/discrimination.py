"""Telling patients apart: AUC, its variance, ROC curves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

from radhabitat.evaluation.results import Roc
from radhabitat.types import Estimate


def auc(outcome: NDArray[np.int8], score: NDArray[np.float64]) -> float:
    """Return the area under the ROC curve; ties count one half.

    Args:
        outcome: 0 or 1, shape (patients,).
        score: Higher means more likely to have the event, shape (patients,).

    Returns:
        NaN when one of the outcomes does not occur.

    Example:
        >>> auc(np.array([0, 0, 1, 1], dtype=np.int8), np.array([0.1, 0.4, 0.35, 0.8]))
        0.75
    """
    events = int(outcome.sum())
    others = len(outcome) - events
    if not events or not others:
        return float("nan")
    ranks = rankdata(score)[outcome == 1].sum()
    return float((ranks - events * (events + 1) / 2) / (events * others))


def components(
    outcome: NDArray[np.int8], score: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return DeLong's structural components, shape (patients,).

    Of an event: the share of non-events with a lower score; of a non-event: the share
    of events with a higher one. Ties count one half.

    Reference:
        DeLong et al. 1988, Biometrics 44:837, eq. 4 and 5; by midranks, Sun and Xu
        2014, IEEE Signal Process Lett 21:1389.
    """
    event = outcome == 1
    events, others = int(event.sum()), int((~event).sum())
    result = np.empty(len(outcome))
    all_ranks = rankdata(score)
    result[event] = (all_ranks[event] - rankdata(score[event])) / others
    result[~event] = 1.0 - (all_ranks[~event] - rankdata(score[~event])) / events
    return result


def delong(
    outcome: NDArray[np.int8], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the AUCs of models on the same patients, and their covariance.

    Args:
        outcome: 0 or 1, shape (patients,); at least two of each.
        scores: Shape (models, patients).

    Returns:
        AUCs, shape (models,); covariance, shape (models, models).

    Reference:
        DeLong et al. 1988, Biometrics 44:837, eq. 6 and 7.
    """
    parts = np.stack([components(outcome, score) for score in scores])
    event = outcome == 1
    covariance = _covariance(parts[:, event]) + _covariance(parts[:, ~event])
    return parts[:, event].mean(axis=1), covariance


def _covariance(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the covariance of the means of `parts`, shape (models, patients)."""
    count = parts.shape[1]
    result: NDArray[np.float64] = np.atleast_2d(np.cov(parts)) / count
    return result


def auc_estimate(
    value: float, variance: float, *, fewest: int, confidence: float, method: str
) -> Estimate:
    """Return an AUC with an interval that stays inside [0, 1].

    Args:
        value: The AUC.
        variance: Of the AUC.
        fewest: Patients of the rarer outcome: when the variance is 0 because every
            pair is ranked right (or wrong), the limit is the exact binomial one for
            that many independent pairs.
        confidence: Of the interval.
        method: How the variance was obtained.

    Reference:
        Pepe 2003, The Statistical Evaluation of Medical Tests, section 5.2.4 (logit
        scale); Clopper and Pearson 1934 (limits at 0 and 1).
    """
    tail = (1.0 - confidence) / 2.0
    if not 0.0 < value < 1.0:
        edge = tail ** (1.0 / max(fewest, 1))
        low, high = (edge, 1.0) if value == 1.0 else (0.0, 1.0 - edge)
        return Estimate(value, low, high, f"{method}; exact binomial limit")
    half = norm.isf(tail) * np.sqrt(variance) / (value * (1.0 - value))
    low, high = expit(logit(value) + np.array([-half, half]))
    return Estimate(value, float(low), float(high), f"{method}, on the logit scale")


def difference_test(difference: float, variance: float) -> tuple[float, float]:
    """Return z and the two-sided p of a difference; 0 and 1 when nothing differs."""
    if variance <= 0.0:
        return 0.0, 1.0
    z = difference / float(np.sqrt(variance))
    return z, float(2.0 * norm.sf(abs(z)))


def roc(outcome: NDArray[np.int8], score: NDArray[np.float64]) -> Roc:
    """Return the ROC curve, one point per distinct score.

    Args:
        outcome: 0 or 1, shape (patients,); both occur.
        score: Higher means more likely to have the event.
    """
    order = np.argsort(-score, kind="stable")
    ranked, hit = score[order], outcome[order] == 1
    last = np.flatnonzero(np.r_[np.diff(ranked) != 0.0, True])
    true, false = np.cumsum(hit)[last], np.cumsum(~hit)[last]
    return Roc(
        false_positive_rate=np.r_[0.0, false / false[-1]],
        true_positive_rate=np.r_[0.0, true / true[-1]],
        thresholds=np.r_[np.inf, ranked[last]],
    )
