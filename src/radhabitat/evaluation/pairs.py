"""AUC of patients that the learning did not see: the leave-pair-out bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radhabitat.evaluation.resampling import Resamples


@dataclass(frozen=True, eq=False)
class PairedAuc:
    """Out-of-bag AUCs of models on the same resamples.

    Attributes:
        values: AUC, shape (models,).
        testing: Covariance from who was tested, shape (models, models).
        training: Covariance from who was learned from; may come out negative.
        drawing: Covariance from the finite number of resamples.
    """

    values: NDArray[np.float64]
    testing: NDArray[np.float64]
    training: NDArray[np.float64]
    drawing: NDArray[np.float64]

    def variance(self, contrast: NDArray[np.float64]) -> float:
        """Return the variance of a weighted sum of the AUCs."""
        testing, training, drawing = (
            float(contrast @ part @ contrast)
            for part in (self.testing, self.training, self.drawing)
        )
        return testing + max(training, 0.0) + drawing


def paired_auc(outcome: NDArray[np.int8], resamples: Resamples) -> PairedAuc:
    """Return the leave-pair-out bootstrap AUC of every model, with covariances.

    An event and a non-event are compared in each resample that contains neither; the
    AUC is the mean over pairs of the share of resamples that rank them rightly.
    Scores of different resamples are never compared with each other.

    Its variance has three parts: DeLong's formula on the averaged comparisons (other
    patients to test), the infinitesimal jackknife over the resamples (other patients
    to learn from), without bias from their finite number, and that finite number
    itself. DeLong's part alone takes the formulas for given and is too small.

    Args:
        outcome: 0 or 1, shape (patients,).
        resamples: Of the learning.

    Reference:
        Yousef, Wagner, Loew 2005, Pattern Recognit Lett 26:2600 (estimator); DeLong et
        al. 1988, Biometrics 44:837, eq. 6; Efron and Tibshirani 1997, J Am Stat Assoc
        92:548, section 5 (infinitesimal jackknife).
    """
    scores = np.stack(list(resamples.log_odds.values()))
    event = outcome == 1
    rights, counts = _count_pairs(scores, resamples.out_of_bag, event)
    known = counts > 0
    share = np.where(known, rights / np.maximum(counts, 1), 0.0)
    pairs = known.sum()
    testing = np.zeros((len(scores), len(scores)))
    for axis in (1, 2):
        tested = known.sum(axis=axis - 1)
        parts = share.sum(axis=axis)[:, tested > 0] / tested[tested > 0]
        testing += _covariance(parts)
    moves = _resample_moves(scores, resamples.out_of_bag, event, share, counts)
    excess = resamples.copies - 1.0
    learned = moves @ excess
    drawing = moves @ moves.T
    training = learned @ learned.T - (moves * (excess**2).sum(axis=1)) @ moves.T
    return PairedAuc(share.sum(axis=(1, 2)) / pairs, testing, training, drawing)


def _covariance(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    count = parts.shape[1]
    if count < 2:
        return np.zeros((len(parts), len(parts)))
    result: NDArray[np.float64] = np.atleast_2d(np.cov(parts)) / count
    return result


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
