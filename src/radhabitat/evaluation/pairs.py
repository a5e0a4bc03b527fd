"""AUC of patients that the learning did not see: the leave-pair-out bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radhabitat.evaluation.discrimination import delong
from radhabitat.evaluation.resampling import Resamples, mean_risk


@dataclass(frozen=True, eq=False)
class PairedAuc:
    """Out-of-bag AUCs of models on the same resamples, shape (models,).

    The other attributes are covariances, shape (models, models).

    Attributes:
        values: AUC of each model.
        testing: From who is tested (DeLong on the averaged comparisons).
        learning: What the infinitesimal jackknife adds for who is learned from.
        drawing: From the finite number of resamples.
        fixed: DeLong on each patient's mean risk, as if it came from one fixed formula.
    """

    values: NDArray[np.float64]
    testing: NDArray[np.float64]
    learning: NDArray[np.float64]
    drawing: NDArray[np.float64]
    fixed: NDArray[np.float64]

    def variance(self, contrast: NDArray[np.float64]) -> float:
        """Return the variance of a weighted sum of the AUCs."""
        testing, learning, drawing, fixed = (
            float(contrast @ part @ contrast)
            for part in (self.testing, self.learning, self.drawing, self.fixed)
        )
        return max(testing + max(learning, 0.0) + drawing, fixed)


def paired_auc(outcome: NDArray[np.int8], resamples: Resamples) -> PairedAuc:
    """Return the leave-pair-out bootstrap AUC of every model, with covariances.

    An event and a non-event are compared in each resample that contains neither; the
    AUC is the mean over pairs of the share of resamples that rank them rightly.
    Scores of different resamples are never compared with each other.

    The variance is the infinitesimal jackknife's: how the AUC would move if a patient
    counted a little more among those tested (DeLong's components of the averaged
    comparisons) and among those learned from (the covariance of his number of copies
    with what the resamples moved), freed of the bias that a finite number of resamples
    gives to the second part. It is never smaller than DeLong's on the mean risks.
    docs/decisions/0005 has the coverage of these intervals.

    Args:
        outcome: 0 or 1, shape (patients,).
        resamples: Of the learning.

    Reference:
        Yousef, Wagner, Loew 2005, Pattern Recognit Lett 26:2600 (estimator and
        influence function); Efron and Tibshirani 1997, J Am Stat Assoc 92:548, section
        5 (infinitesimal jackknife); DeLong et al. 1988, Biometrics 44:837, eq. 6.
    """
    scores = np.stack(list(resamples.log_odds.values()))
    event = outcome == 1
    rights, counts = _count_pairs(scores, resamples.out_of_bag, event)
    known = counts > 0
    share = np.where(known, rights / np.maximum(counts, 1), 0.0)
    values = share.sum(axis=(1, 2)) / known.sum()
    tested, testing = _testing(share, known, event, values)
    moves = _resample_moves(scores, resamples.out_of_bag, event, share, counts)
    excess = resamples.copies - 1.0
    learned = moves @ excess
    by_chance = (moves * (excess**2).sum(axis=1)) @ moves.T
    both = tested @ learned.T
    return PairedAuc(
        values=values,
        testing=testing,
        learning=learned @ learned.T - by_chance + both + both.T,
        drawing=moves @ moves.T,
        fixed=_fixed(outcome, resamples),
    )


def _testing(
    share: NDArray[np.float64],
    known: NDArray[np.bool_],
    event: NDArray[np.bool_],
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the influence of each tested patient, and the covariance of its sum."""
    influence = np.zeros((len(share), len(event)))
    covariance = np.zeros((len(share), len(share)))
    for axis, patients in ((2, event), (1, ~event)):
        compared = known.sum(axis=axis - 1)
        parts = share.sum(axis=axis) / np.maximum(compared, 1) - values[:, np.newaxis]
        parts[:, compared == 0] = 0.0
        count = max(int((compared > 0).sum()), 2)
        influence[:, patients] = parts / count
        covariance += parts @ parts.T / (count * (count - 1))
    return influence, covariance


def _fixed(outcome: NDArray[np.int8], resamples: Resamples) -> NDArray[np.float64]:
    risks = np.stack([mean_risk(scores) for scores in resamples.log_odds.values()])
    scored = ~np.isnan(risks[0])
    tested = outcome[scored]
    if min(tested.sum(), (1 - tested).sum()) < 2:
        return np.zeros((len(risks), len(risks)))
    return delong(tested, risks[:, scored])[1]


def _compare(
    event_scores: NDArray[np.float64], other_scores: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return 1 where the event has the higher score, 1/2 for ties, 0 else."""
    first = event_scores[:, :, np.newaxis]
    second = other_scores[:, np.newaxis, :]
    result: NDArray[np.float64] = (first > second) + 0.5 * (first == second)
    return result


def _count_pairs(
    scores: NDArray[np.float64],
    out_of_bag: NDArray[np.bool_],
    event: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return right comparisons (models, events, others), and comparisons made."""
    shape = (int(event.sum()), int((~event).sum()))
    rights = np.zeros((len(scores), *shape))
    counts = np.zeros(shape)
    for b, left_out in enumerate(out_of_bag):
        first, second = left_out[event], left_out[~event]
        where = np.ix_(first, second)
        right = _compare(scores[:, b, event][:, first], scores[:, b, ~event][:, second])
        rights[:, where[0], where[1]] += right
        counts[where] += 1
    return rights, counts


def _resample_moves(
    scores: NDArray[np.float64],
    out_of_bag: NDArray[np.bool_],
    event: NDArray[np.bool_],
    share: NDArray[np.float64],
    counts: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return how far each resample moved each AUC, shape (models, resamples).

    They sum to zero over the resamples.
    """
    pairs = (counts > 0).sum()
    moves = np.zeros(scores.shape[:2])
    for b, left_out in enumerate(out_of_bag):
        first, second = left_out[event], left_out[~event]
        where = np.ix_(first, second)
        right = _compare(scores[:, b, event][:, first], scores[:, b, ~event][:, second])
        surprise = (right - share[:, where[0], where[1]]) / counts[where]
        moves[:, b] = surprise.sum(axis=(1, 2)) / pairs
    return moves
