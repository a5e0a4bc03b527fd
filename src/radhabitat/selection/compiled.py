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
        lower = np.linalg.cholesky(system)
        _solve_two(lower, dual, ones)  # type: ignore[arg-type]
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
