"""AUC of patients that the learning did not see: the leave-pair-out bootstrap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radhabitat.evaluation.discrimination import Areas, delong

Floats = NDArray[np.float64]

METHOD = (
    "leave-pair-out bootstrap of the whole learning; infinitesimal jackknife, "
    "at least DeLong variance"
)


def unseen_areas(
    outcome: NDArray[np.int8],
    risks: Sequence[Floats],
    copies: NDArray[np.int16] | None = None,
) -> Areas:
    """Return the AUCs of models on the patients that they were learned without.

    Over all pairs of an event and a non-event, the share of the resamples that left
    out both in which the event got the higher risk; one half for a pair never left
    out. Risks of different resamples are never compared with each other.

    The covariance is the infinitesimal jackknife's: how the AUC would move if a
    patient counted a little more among those tested and among those learned from.
    The bias of a finite number of resamples is taken off the second part, their noise
    added. No variance is smaller than without the second part, nor than DeLong's on
    mean risks. Coverage: docs/decisions/0005-the-headline.md.

    Args:
        outcome: 1 = event, shape (patients,).
        risks: Per model, shape (resamples, patients), NaN where learned from.
        copies: How often each patient was drawn, same shape; None: 0 or 1.

    Reference:
        Yousef, Wagner and Loew, Pattern Recognit Lett 2005;26:2600 (AUC, influence);
        Efron and Tibshirani, JASA 1997;92:548, section 5 (jackknife); Wager, Hastie
        and Efron, JMLR 2014;15:1625, section 4 (bias).
    """
    scores = np.array(risks)
    left_out = ~np.isnan(scores[0])
    drawn = (~left_out).astype(np.float64) if copies is None else copies - 0.0
    event = outcome == 1
    shares, counts = _pair_shares(scores, left_out, event)
    values = shares.mean(axis=(1, 2))
    tested, testing = _tested(shares, event, values)
    moves = _moves(scores, left_out, event, shares, counts)
    excess = drawn - drawn.mean()
    learned = moves @ excess
    chance = (moves * (excess**2).sum(axis=1)) @ moves.T
    both = tested @ learned.T
    without = testing + moves @ moves.T
    return Areas(
        values,
        without + learned @ learned.T - chance + both + both.T,
        int(min(event.sum(), (~event).sum())),
        floors=(without, _of_mean_risks(outcome, scores)),
        method=METHOD,
    )


def tested_areas(outcome: NDArray[np.int8], risks: Sequence[Floats]) -> Areas:
    """Return the AUCs of cross-validated models, pairs compared within a fold.

    The covariance is that of the patients tested; the variance of learning is not in
    it.

    Args:
        outcome: 1 = event, shape (patients,).
        risks: Per model, shape (folds, patients), NaN where learned from.
    """
    scores = np.array(risks)
    left_out = ~np.isnan(scores[0])
    event = outcome == 1
    right = np.zeros((len(scores), len(outcome)))
    pairs = np.zeros(len(outcome))
    for number, out in enumerate(left_out):
        order = _order(scores[:, number], out, event)
        right[:, out & event] += order.sum(axis=2)
        right[:, out & ~event] += order.sum(axis=1)
        pairs[out & event] += np.count_nonzero(out & ~event)
        pairs[out & ~event] += np.count_nonzero(out & event)
    share = right / np.maximum(pairs, 1.0)
    values = right[:, event].sum(axis=1) / pairs[event].sum()
    covariance = np.zeros((len(scores), len(scores)))
    for group in (event, ~event):
        parts = share[:, group] - share[:, group].mean(axis=1, keepdims=True)
        count = parts.shape[1]
        covariance += parts @ parts.T / (count * max(count - 1, 1))
    smaller = int(min(event.sum(), (~event).sum()))
    method = "nested cross-validation, at least DeLong variance of mean risks"
    floors = (_of_mean_risks(outcome, scores),)
    return Areas(values, covariance, smaller, floors, method)


def mean_risks(risks: Floats) -> Floats:
    """Return each patient's mean risk, shape (patients,); NaN if never left out.

    Args:
        risks: Shape (resamples, patients), NaN where learned from.
    """
    known = ~np.isnan(risks)
    count = known.sum(axis=0)
    total = np.where(known, risks, 0.0).sum(axis=0)
    mean = np.round(total / np.maximum(count, 1), 12)
    return np.where(count > 0, mean, np.nan)


def _of_mean_risks(outcome: NDArray[np.int8], scores: Floats) -> Floats:
    means = np.array([mean_risks(risks) for risks in scores])
    known = ~np.isnan(means[0])
    if min(np.bincount(outcome[known], minlength=2)) < 2:
        return np.zeros((len(scores), len(scores)))
    return delong(outcome[known], means[:, known]).covariance


def _pair_shares(
    scores: Floats, left_out: NDArray[np.bool_], event: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Return shares of right order, shape (models, events, others), and counts."""
    right = np.zeros((len(scores), int(event.sum()), int((~event).sum())))
    counts = np.zeros(right.shape[1:])
    for number, out in enumerate(left_out):
        rows, columns = np.ix_(out[event], out[~event])
        right[:, rows, columns] += _order(scores[:, number], out, event)
        counts[rows, columns] += 1.0
    return np.where(counts > 0, right / np.maximum(counts, 1.0), 0.5), counts


def _order(scores: Floats, out: NDArray[np.bool_], event: NDArray[np.bool_]) -> Floats:
    """Return 1 for pairs in right order, 1/2 for ties, 0 else."""
    difference = scores[:, out & event, None] - scores[:, None, out & ~event]
    order: Floats = 0.5 * (np.sign(difference) + 1.0)
    return order


def _tested(
    shares: Floats, event: NDArray[np.bool_], values: Floats
) -> tuple[Floats, Floats]:
    """Return the influence of each patient as one tested, and its covariance."""
    influence = np.zeros((len(shares), len(event)))
    covariance = np.zeros((len(shares), len(shares)))
    for axis, patients in ((2, event), (1, ~event)):
        parts = shares.mean(axis=axis) - values[:, None]
        count = parts.shape[1]
        influence[:, patients] = parts / count
        covariance += parts @ parts.T / (count * max(count - 1, 1))
    return influence, covariance


def _moves(
    scores: Floats,
    left_out: NDArray[np.bool_],
    event: NDArray[np.bool_],
    shares: Floats,
    counts: Floats,
) -> Floats:
    """Return how far each resample moved each AUC, shape (models, resamples)."""
    moves = np.zeros(scores.shape[:2])
    for number, out in enumerate(left_out):
        rows, columns = np.ix_(out[event], out[~event])
        order = _order(scores[:, number], out, event)
        surprise = (order - shares[:, rows, columns]) / counts[rows, columns]
        moves[:, number] = surprise.sum(axis=(1, 2)) / counts.size
    return moves
