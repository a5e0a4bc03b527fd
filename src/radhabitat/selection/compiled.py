"""The loops of selection; importing this module imports numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Loop = TypeVar("Loop", bound=Callable[..., object])

_LEAST_VARIANCE = 1e-9
"""p (1 - p) of a patient whose risk is as good as 0 or 1."""

_LONGEST_STEP = 10.0
"""Newton's step in log-odds; a longer one is shortened to this."""


def compiled(loop: Loop) -> Loop:
    """Compile a loop at its first call and keep the machine code on disk if it can."""
    try:
        return cast(Loop, numba.njit(nogil=True, cache=True)(loop))
    except RuntimeError:  # numba found no folder that it could write to
        return cast(Loop, numba.njit(nogil=True)(loop))


@compiled
def keep_in_order(
    correlation: NDArray[np.float64], order: NDArray[np.intp], limit: float
) -> NDArray[np.bool_]:
    """Keep, in the given order, each column with |r| <= limit to all kept ones."""
    count = correlation.shape[0]
    kept = np.ones(count, dtype=np.bool_)
    for place in range(count):
        column = order[place]
        if not kept[column]:
            continue
        for later in range(place + 1, count):
            other = order[later]
            if kept[other] and abs(correlation[column, other]) > limit:
                kept[other] = False
    return kept


@compiled
def _solve_two(
    lower: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64]
) -> None:
    """Solve (lower lower^T) x = right for two right sides, in place."""
    size = lower.shape[0]
    for i in range(size):
        row = lower[i, :i]
        first[i] = (first[i] - np.dot(row, first[:i])) / lower[i, i]
        second[i] = (second[i] - np.dot(row, second[:i])) / lower[i, i]
    for i in range(size - 1, -1, -1):
        first[i] /= lower[i, i]
        second[i] /= lower[i, i]
        for j in range(i):
            first[j] -= lower[i, j] * first[i]
            second[j] -= lower[i, j] * second[i]


@compiled
def _dual_newton(
    kernel: NDArray[np.float64],
    outcome: NDArray[np.float64],
    weights: NDArray[np.float64],
    log_odds: NDArray[np.float64],
    penalty: float,
    tolerance: float,
) -> NDArray[np.float64]:
    """Move `log_odds` to the minimum; return the dual coefficients.

    Newton's step for weights w = X^T a and intercept b, with W = weights p (1 - p):
    (K + penalty W^-1) a = z - b, 1^T a = 0, z = log_odds + (y - p) / (p (1 - p)).
    """
    size = kernel.shape[0]
    dual = np.zeros(size)
    ones = np.empty(size)
    system = np.empty((size, size))
    for _ in range(100):
        system[:] = kernel
        for i in range(size):
            risk = 1.0 / (1.0 + np.exp(-log_odds[i]))
            variance = max(risk * (1.0 - risk), _LEAST_VARIANCE)
            system[i, i] += penalty / (weights[i] * variance)
            dual[i] = log_odds[i] + (outcome[i] - risk) / variance
            ones[i] = 1.0
        _solve_two(np.linalg.cholesky(system), dual, ones)
        intercept = dual.sum() / ones.sum()
        dual -= intercept * ones
        change = np.dot(kernel, dual) + intercept - log_odds
        largest = np.abs(change).max()
        if largest > _LONGEST_STEP:
            change *= _LONGEST_STEP / largest
        log_odds += change
        if largest < tolerance:
            break
    return dual


@compiled
def eliminate_columns(
    columns: NDArray[np.float64],
    outcome: NDArray[np.float64],
    weights: NDArray[np.float64],
    keep: int,
    penalty: float,
    tolerance: float,
) -> NDArray[np.intp]:
    """Drop the column of smallest |coefficient|, fit again, until `keep` are left.

    Args:
        columns: Standardized, shape (columns, patients), C order; used up.
        outcome: 0.0 or 1.0, shape (patients,).
        weights: Shape (patients,).
        keep: How many are left.
        penalty: Of half the squared coefficients.
        tolerance: Largest change of a log-odds in the last Newton step.
    """
    active = columns.shape[0]
    names = np.arange(active)
    kernel = np.dot(columns.T, columns)
    log_odds = np.zeros(columns.shape[1])
    while active > keep:
        dual = _dual_newton(kernel, outcome, weights, log_odds, penalty, tolerance)
        coefficients = np.dot(columns[:active], dual)
        weakest = np.argmin(np.abs(coefficients))
        gone = columns[weakest].copy()
        log_odds -= coefficients[weakest] * gone
        for i in range(gone.shape[0]):
            for j in range(gone.shape[0]):
                kernel[i, j] -= gone[i] * gone[j]
        active -= 1
        columns[weakest] = columns[active]
        names[weakest] = names[active]
    return np.sort(names[:active])


@compiled
def _weighted_gram(
    values: NDArray[np.float64], curvature: NDArray[np.float64]
) -> NDArray[np.float64]:
    weighted = values.copy()
    for i in range(values.shape[0]):
        weighted[i] *= curvature[i]
    return np.dot(values.T, weighted)


@compiled
def _descend(
    gram: NDArray[np.float64],
    slope: NDArray[np.float64],
    coefficients: NDArray[np.float64],
    penalty: float,
    tolerance: float,
) -> None:
    """Minimize b' gram b / 2 - slope' b + penalty |b|, coordinate by coordinate.

    `slope` holds the gradient at the given coefficients and is kept up to date.
    """
    count = coefficients.shape[0]
    for _ in range(1000):
        largest = 0.0
        for j in range(count):
            old = coefficients[j]
            free = slope[j] + gram[j, j] * old
            new = 0.0
            if free > penalty:
                new = (free - penalty) / gram[j, j]
            elif free < -penalty:
                new = (free + penalty) / gram[j, j]
            if new != old:
                coefficients[j] = new
                change = new - old
                for k in range(count):
                    slope[k] -= gram[k, j] * change
                largest = max(largest, gram[j, j] * change * change)
        if largest < tolerance:
            break


@compiled
def trace_logistic(
    values: NDArray[np.float64],
    outcome: NDArray[np.float64],
    shares: NDArray[np.float64],
    penalties: NDArray[np.float64],
    tolerance: float,
) -> NDArray[np.float64]:
    """Minimize mean logistic loss + penalty |b| for falling penalties.

    Friedman, Hastie, Tibshirani 2010, section 3: Newton's quadratic approximation,
    solved by coordinate descent on its Gram matrix.

    Args:
        values: Shape (patients, columns).
        outcome: 0.0 or 1.0.
        shares: Weights that sum to 1.
        penalties: Falling.
        tolerance: Largest curvature * squared change of a coefficient at the end.

    Returns:
        Shape (penalties, 1 + columns): intercept first. Once the fit is as good as
        perfect, smaller penalties repeat the last formula.
    """
    patients, count = values.shape
    path = np.zeros((penalties.shape[0], count + 1))
    mean = np.dot(shares, outcome)
    intercept = np.log(mean / (1.0 - mean))
    null_loss = -(mean * np.log(mean) + (1.0 - mean) * np.log(1.0 - mean))
    coefficients = np.zeros(count)
    log_odds = np.full(patients, intercept)
    curvature = np.empty(patients)
    for place in range(penalties.shape[0]):
        for _ in range(50):
            residual = np.empty(patients)
            for i in range(patients):
                risk = 1.0 / (1.0 + np.exp(-log_odds[i]))
                curvature[i] = shares[i] * max(risk * (1.0 - risk), 1e-5)
                residual[i] = shares[i] * (outcome[i] - risk)
            total = curvature.sum()
            center = np.dot(curvature, values) / total
            offset = residual.sum() / total
            centered = values - center
            gram = _weighted_gram(centered, curvature) + 1e-12 * np.eye(count)
            slope = np.dot(residual, centered)
            before = coefficients.copy()
            _descend(gram, slope, coefficients, penalties[place], tolerance)
            change = coefficients - before
            step = offset - np.dot(center, change)
            intercept += step
            log_odds += step + np.dot(values, change)
            moved = total * offset * offset
            for j in range(count):
                moved = max(moved, gram[j, j] * change[j] * change[j])
            if moved < tolerance:
                break
        path[place, 0] = intercept
        path[place, 1:] = coefficients
        loss = 0.0
        for i in range(patients):
            sign = 1.0 if outcome[i] > 0.5 else -1.0
            loss += shares[i] * np.log1p(np.exp(-sign * log_odds[i]))
        if loss < 0.01 * null_loss:
            for later in range(place + 1, penalties.shape[0]):
                path[later] = path[place]
            break
    return path
