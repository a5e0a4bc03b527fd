"""How well a score tells events from non-events: AUC, DeLong, ROC."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import chi2, norm, rankdata
from scipy.stats import t as student

from radhabitat.evaluation.results import Roc
from radhabitat.types import Estimate, Significance

Outcome = NDArray[np.int8]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Areas:
    """The AUCs of several scores of the same patients.

    Attributes:
        auc: AUC of each score, shape (scores,).
        covariance: Of the AUCs, shape (scores, scores).
        smaller_class: Patients in the smaller class.
        floors: Other covariances; no variance is smaller than by one of these.
        method: How the variance was obtained, in words.
    """

    auc: Floats
    covariance: Floats
    smaller_class: int
    floors: tuple[Floats, ...] = ()
    method: str = "DeLong variance"

    def variance(self, contrast: Floats) -> float:
        """Return the variance of a weighted sum of the AUCs."""
        matrices = (self.covariance, *self.floors)
        return max(0.0, *(float(contrast @ matrix @ contrast) for matrix in matrices))


def auc(outcome: Outcome, scores: Floats) -> float:
    """Return the area under the ROC curve; ties count one half.

    Args:
        outcome: 1 = event, shape (patients,); both classes must occur.
        scores: Higher means more likely, shape (patients,).
    """
    events = int(outcome.sum())
    nonevents = len(outcome) - events
    ranks = rankdata(scores)[outcome == 1].sum()
    return float((ranks - events * (events + 1) / 2) / (events * nonevents))


def delong(outcome: Outcome, scores: Floats) -> Areas:
    """Return the AUCs of several scores and their covariance.

    Args:
        outcome: 1 = event, shape (patients,); both classes must occur.
        scores: Higher means more likely, shape (scores, patients).

    Reference:
        DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837, eq. 4-6; by
        mid-ranks: Sun and Xu, IEEE Signal Process Lett 2014;21:1389.
    """
    event = outcome == 1
    together = rankdata(scores, axis=1)
    above = together[:, event] - rankdata(scores[:, event], axis=1)
    below = together[:, ~event] - rankdata(scores[:, ~event], axis=1)
    events, nonevents = above.shape[1], below.shape[1]
    outranked, outranking = above / nonevents, 1.0 - below / events
    return Areas(
        outranked.mean(axis=1),
        _spread_of(outranked) / events + _spread_of(outranking) / nonevents,
        min(events, nonevents),
    )


def _spread_of(parts: Floats) -> Floats:
    """Return the covariance of components between scores, shape (scores, scores)."""
    if parts.shape[1] < 2:
        return np.full((len(parts), len(parts)), np.nan)
    spread: Floats = np.atleast_2d(np.cov(parts))
    return spread


def auc_estimate(areas: Areas, index: int, *, confidence: float) -> Estimate:
    """Return one AUC with its interval on the logit scale, inside [0, 1].

    In perfect order the variance is 0; the interval then ends at the AUC below which
    perfect order would be too rare a chance.

    Reference:
        Pepe 2003, The Statistical Evaluation of Medical Tests, section 5.2.4.
    """
    value = float(areas.auc[index])
    tail = (1.0 - confidence) / 2.0
    if 0.0 < value < 1.0:
        only = np.eye(len(areas.auc))[index]
        spread = areas.variance(only) ** 0.5
        width = float(norm.isf(tail)) * spread / (value * (1.0 - value))
        center = float(logit(value))
        low, high = float(expit(center - width)), float(expit(center + width))
        return Estimate(value, low, high, f"{areas.method}, logit interval")
    bound = float(np.float64(tail) ** (1.0 / areas.smaller_class))
    low, high = (bound, 1.0) if value == 1.0 else (0.0, 1.0 - bound)
    method = f"{areas.method} is 0; bound from the smaller class"
    return Estimate(value, low, high, method)


def compare_aucs(
    areas: Areas, first: int, second: int, *, confidence: float
) -> tuple[Estimate, float, float]:
    """Return AUC of second minus first, its z, and the two-sided p.

    Scores that order the patients alike have z = 0 and p = 1.

    Reference:
        DeLong et al. 1988, eq. 8.
    """
    contrast = np.zeros(len(areas.auc))
    contrast[first], contrast[second] = -1.0, 1.0
    difference = float(contrast @ areas.auc)
    spread = areas.variance(contrast) ** 0.5
    half = float(norm.isf((1.0 - confidence) / 2.0)) * spread
    low, high = max(difference - half, -1.0), min(difference + half, 1.0)
    estimate = Estimate(difference, low, high, areas.method)
    if spread < 1e-12:
        return estimate, 0.0, 1.0
    z = difference / spread
    return estimate, z, float(2.0 * norm.sf(abs(z)))


def compare_unpaired(
    first: tuple[Outcome, Floats],
    second: tuple[Outcome, Floats],
    *,
    confidence: float,
) -> tuple[Estimate, Significance]:
    """Return AUC of second minus first, of different patients, and DeLong's D.

    Args:
        first: Outcome and scores, each of shape (patients,).
        second: The same of other patients.
        confidence: Of the interval of the difference.

    Reference:
        DeLong et al. 1988 without covariance, Welch's degrees of freedom: Robin et
        al., BMC Bioinformatics 2011;12:77 (pROC).
    """
    areas = [delong(outcome, scores[np.newaxis]) for outcome, scores in (first, second)]
    difference = float(areas[1].auc[0] - areas[0].auc[0])
    parts = np.array([area.covariance[0, 0] for area in areas])
    counts = np.array([len(first[0]), len(second[0])])
    spread = max(float(np.sqrt(parts.sum())), 1e-12)
    freedom = spread**4 / max(float((parts**2 / (counts - 1)).sum()), 1e-60)
    half = float(student.isf((1.0 - confidence) / 2.0, freedom)) * spread
    low, high = max(difference - half, -1.0), min(difference + half, 1.0)
    d = difference / spread
    return (
        Estimate(difference, low, high, "DeLong variance, unpaired"),
        Significance(d, freedom, float(2.0 * student.sf(abs(d), freedom))),
    )


def compare_all(areas: Areas) -> Significance:
    """Test at once whether all AUCs of the same patients are equal (chi-square).

    Reference:
        DeLong et al. 1988, eq. 5 with the contrasts of each score to the first.
    """
    contrasts = np.eye(len(areas.auc))[1:] - np.eye(len(areas.auc))[0]
    differences = contrasts @ areas.auc
    spread = contrasts @ areas.covariance @ contrasts.T
    freedom = int(np.linalg.matrix_rank(spread, tol=1e-12, hermitian=True))
    inverse = np.linalg.pinv(spread, rcond=1e-10, hermitian=True)
    statistic = float(differences @ inverse @ differences)
    return Significance(
        statistic, freedom, float(chi2.sf(statistic, freedom)) if freedom else 1.0
    )


def roc_curve(outcome: Outcome, scores: Floats) -> Roc:
    """Return the ROC curve, one point per distinct score.

    Args:
        outcome: 1 = event, shape (patients,).
        scores: Higher means more likely, shape (patients,).
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.cumsum(outcome[order], dtype=np.int64)[ends]
    alarms = ends + 1 - hits
    return Roc(
        false_positive_rate=np.append(0.0, alarms / max(1, alarms[-1])),
        true_positive_rate=np.append(0.0, hits / max(1, hits[-1])),
        thresholds=np.append(np.inf, scores[order][ends]),
    )
