"""LASSO, elastic net: their penalty chosen by cross-validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from radhabitat.selection.sample import Sample

Loss = Literal["logistic", "squared"]
Rule = Literal["min", "1se"]

PENALTIES = 50
SMALLEST_PENALTY = 1e-3
TOLERANCE = 1e-9
TOLERANCE_IN_FOLDS = 1e-6
"""The last Newton step, squared; the error left is of the order of this number."""
_SURE = 1e-5
_NOTHING = 1e-9
"""Coefficient of a standardized column that is 0 but for rounding."""


@dataclass(frozen=True, eq=False)
class LassoPath:
    """Coefficients over the penalty, and how well each predicts left-out patients.

    Attributes:
        penalties: Falling, shape (penalties,).
        coefficients: On standardized columns, shape (penalties, columns).
        loss: Mean deviance (or squared error) of left-out patients, per penalty.
        error: Its standard error over the folds.
        best: Place of the smallest loss (lambda.min).
        sparse: Place of the largest penalty within one standard error of it
            (lambda.1se).
    """

    penalties: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    loss: NDArray[np.float64]
    error: NDArray[np.float64]
    best: int
    sparse: int

    def largest(self, rule: Rule, most: int | None) -> NDArray[np.intp]:
        """Return the columns of largest |coefficient| at the rule's penalty, rising."""
        chosen = self.coefficients[self.place(rule)]
        order = np.argsort(-np.abs(chosen), kind="stable")[:most]
        return np.sort(order[chosen[order] != 0.0])

    def place(self, rule: Rule) -> int:
        """Return the place of the penalty that a rule chooses."""
        return self.best if rule == "min" else self.sparse


def cross_validate_lasso(
    sample: Sample,
    folds: NDArray[np.intp],
    *,
    loss: Loss = "logistic",
    mix: float = 1.0,
) -> LassoPath:
    """Return the path of the LASSO and its cross-validation.

    Args:
        sample: Standardized columns, at least one.
        folds: Fold of each patient, shape (patients,).
        loss: What is minimized and scored; the logistic loss belongs to the models
            that are fitted afterwards.
        mix: Share of the L1 penalty; below 1 the elastic net (Zou and Hastie 2005, J
            R Stat Soc B 67:301, as glmnet's alpha).

    Reference:
        Friedman, Hastie, Tibshirani 2010, J Stat Softw 33(1), eq. 12 and section 2.5;
        standard error over folds weighted by their size, as in glmnet's cv.glmnet.
    """
    residual = sample.shares * (sample.outcome - sample.shares @ sample.outcome)
    largest = np.abs(residual @ sample.values).max() / mix
    penalties = float(largest) * np.geomspace(1, SMALLEST_PENALTY, PENALTIES)
    left_out, sizes = [], []
    for fold in np.unique(folds):
        out = folds == fold
        path = _trace(sample, ~out, penalties, loss, mix)
        predicted = path[:, :1] + path[:, 1:] @ sample.values[out].T
        weights = sample.weights[out]
        left_out.append(_score(predicted, sample.outcome[out], loss) @ weights)
        sizes.append(weights.sum())
    size = np.array(sizes)
    by_fold = np.array(left_out) / size[:, np.newaxis]
    mean = size @ by_fold / size.sum()
    spread = size @ (by_fold - mean) ** 2 / size.sum()
    error = np.sqrt(spread / max(len(size) - 1, 1))
    best = int(np.argmin(mean))
    sparse = int(np.flatnonzero(mean <= mean[best] + error[best])[0])
    path = _trace(sample, folds >= 0, penalties, loss, mix)[:, 1:]
    # at the largest penalty nothing is kept: rounding must not say otherwise
    path[np.abs(path) < _NOTHING] = 0.0
    return LassoPath(penalties, path, mean, error, best, sparse)


def draw_folds(
    outcome: NDArray[np.float64], count: int, *, seed: int
) -> NDArray[np.intp] | None:
    """Return a fold per patient: shuffled, events and non-events spread evenly.

    Args:
        outcome: One entry per distinct patient, so that copies share a fold.
        count: Number of folds; fewer when there are fewer patients.
        seed: Of the shuffle.

    Returns:
        Shape (patients,); None when a class has a single patient.
    """
    draw = np.random.default_rng(seed)
    events = draw.permutation(np.flatnonzero(outcome > 0.5))
    others = draw.permutation(np.flatnonzero(outcome <= 0.5))
    if min(len(events), len(others)) < 2:
        return None
    folds = np.empty(len(outcome), dtype=np.intp)
    folds[np.concatenate([events, others])] = np.arange(len(outcome)) % count
    return folds


def _trace(
    sample: Sample,
    rows: NDArray[np.bool_],
    penalties: NDArray[np.float64],
    loss: Loss,
    mix: float,
) -> NDArray[np.float64]:
    from radhabitat.selection.compiled import trace_logistic, trace_squared

    trace = trace_logistic if loss == "logistic" else trace_squared
    weights = sample.weights[rows]
    return trace(
        np.ascontiguousarray(sample.values[rows]),
        sample.outcome[rows],
        weights / weights.sum(),
        penalties,
        mix,
        TOLERANCE if rows.all() else TOLERANCE_IN_FOLDS,
    )


def _score(
    predicted: NDArray[np.float64], outcome: NDArray[np.float64], loss: Loss
) -> NDArray[np.float64]:
    if loss == "squared":
        return np.square(outcome - predicted)
    edge = np.log(_SURE / (1.0 - _SURE))
    bounded = np.clip(predicted, edge, -edge)
    signed = np.where(outcome > 0.5, -bounded, bounded)
    deviance: NDArray[np.float64] = 2.0 * np.logaddexp(0.0, signed)
    return deviance
