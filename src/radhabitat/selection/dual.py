"""The loop of recursive elimination; importing this module imports numba.

Newton's systems (K + D) x = right differ little from one column to the next: the
inverse of an earlier one, kept up to date where K changes, makes conjugate gradients
exact in a few products.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radhabitat.selection.compiled import Floats, compiled

_LONGEST_STEP = 10.0
"""Newton's step in log-odds; a longer one is shortened to this."""
_EXACT = 1e-9
"""Largest residual of a solved system, relative to its right side."""
_ENOUGH = 0.01
"""Share of the first residual that a solution may leave: Newton comes again."""
_PATIENCE = 12
"""Products after which the inverse is too old."""


@compiled
def _solve(
    system: tuple[Floats, Floats], inverse: Floats, right: Floats, solution: Floats
) -> int:
    """Improve the solution by conjugate gradients; return the products it took.

    Reference:
        Saad 2003, Iterative Methods for Sparse Linear Systems, algorithm 9.1.
    """
    kernel, diagonal = system
    left = right - np.dot(kernel, solution) - diagonal * solution
    enough = max(_EXACT * np.abs(right).max(), _ENOUGH * np.abs(left).max())
    bent = np.dot(inverse, left)
    direction = bent.copy()
    size = np.dot(left, bent)
    for count in range(4 * _PATIENCE):
        if np.abs(left).max() <= enough:
            return count
        image = np.dot(kernel, direction) + diagonal * direction
        step = size / np.dot(direction, image)
        solution += step * direction
        left -= step * image
        bent = np.dot(inverse, left)
        grown = np.dot(left, bent)
        direction = bent + grown / size * direction
        size = grown
    return 4 * _PATIENCE


@compiled
def _newton(
    kernel: Floats,
    labels: tuple[Floats, Floats],
    log_odds: Floats,
    state: tuple[Floats, Floats, Floats],
    penalty: float,
    tolerance: float,
) -> Floats:
    """Move `log_odds` to the minimum; return the dual coefficients.

    Newton's step for weights w = X^T a and intercept b, with W = weights p (1 - p):
    (K + penalty W^-1) a = z - b, 1^T a = 0, z = log_odds + (y - p) / (p (1 - p)).
    `state` holds an inverse and the last solutions; all are brought up to date.
    """
    outcome, weights = labels
    inverse, solved, solved_ones = state
    dual, ones = np.zeros_like(log_odds), np.ones_like(log_odds)
    for _ in range(100):
        risk = 1.0 / (1.0 + np.exp(-log_odds))
        variance = np.maximum(risk * (1.0 - risk), 1e-9)
        target = log_odds + (outcome - risk) / variance
        diagonal = penalty / (weights * variance)
        system = (kernel, diagonal)
        products = _solve(system, inverse, ones, solved_ones)
        if products <= _PATIENCE:
            products = max(products, _solve(system, inverse, target, solved))
        if products > _PATIENCE:
            inverse[:] = np.linalg.inv(kernel + np.diag(diagonal))
            solved[:] = np.dot(inverse, target)
            solved_ones[:] = np.dot(inverse, ones)
        intercept = solved.sum() / solved_ones.sum()
        dual = solved - intercept * solved_ones
        change = np.dot(kernel, dual) + intercept - log_odds
        largest = np.abs(change).max()
        if largest > _LONGEST_STEP:
            change *= _LONGEST_STEP / largest
        log_odds += change
        if largest < tolerance:
            break
    return dual


@compiled
def _add_outer(matrix: Floats, vector: Floats, factor: float) -> None:
    for row in range(vector.shape[0]):
        matrix[row] += factor * vector[row] * vector


@compiled
def eliminate_columns(
    columns: Floats,
    labels: tuple[Floats, Floats],
    keep: int,
    penalty: float,
    tolerance: float,
) -> NDArray[np.intp]:
    """Drop the column of smallest |coefficient|, fit again, until `keep` are left.

    `columns` has the shape (columns, patients), in C order, and is used up; `labels`
    are outcomes and weights. Newton ends when no log-odds changes by `tolerance`. The
    rest as in `eliminate`.
    """
    active = columns.shape[0]
    names = np.arange(active)
    kernel = np.dot(columns.T, columns)
    log_odds = np.zeros(columns.shape[1])
    inverse = np.linalg.inv(kernel + np.diag(4.0 * penalty / labels[1]))
    state = (inverse, np.zeros_like(log_odds), np.zeros_like(log_odds))
    while active > keep:
        dual = _newton(kernel, labels, log_odds, state, penalty, tolerance)
        coefficients = np.dot(columns[:active], dual)
        weakest = np.argmin(np.abs(coefficients))
        gone = columns[weakest].copy()
        log_odds -= coefficients[weakest] * gone
        _add_outer(kernel, gone, -1.0)
        # Sherman and Morrison 1950: the inverse without this column
        bent = np.dot(inverse, gone)
        _add_outer(inverse, bent, 1.0 / max(1.0 - np.dot(gone, bent), 1e-6))
        active -= 1
        columns[weakest] = columns[active]
        names[weakest] = names[active]
    return np.sort(names[:active])
