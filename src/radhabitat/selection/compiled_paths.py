"""The loops of the LASSO; importing this module imports numba.

Friedman, Hastie, Tibshirani 2010, J Stat Softw 33(1), section 3: Newton's quadratic
approximation of the loss, solved by coordinate descent on its Gram matrix.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radhabitat.selection.compiled import compiled

_LEAST_VARIANCE = 1e-5
_MOST_STEPS = 50
_MOST_SWEEPS = 1000
_PERFECT = 0.01
"""Share of the null loss below which smaller penalties teach nothing."""


@compiled
def _descend(
    gram: NDArray[np.float64],
    slope: NDArray[np.float64],
    coefficients: NDArray[np.float64],
    penalty: float,
    tolerance: float,
) -> None:
    """Minimize b' gram b / 2 - slope' b + penalty |b|, coordinate by coordinate.

    `slope` holds the descent direction at `coefficients`; both are updated.
    """
    count = coefficients.shape[0]
    for _ in range(_MOST_SWEEPS):
        largest = 0.0
        for j in range(count):
            old = coefficients[j]
            free = slope[j] + gram[j, j] * old
            size = max(abs(free) - penalty, 0.0) / gram[j, j]
            new = size if free > 0.0 else -size
            if new != old:
                coefficients[j] = new
                slope -= gram[j] * (new - old)
                largest = max(largest, gram[j, j] * (new - old) ** 2)
        if largest < tolerance:
            break


@compiled
def _gram(
    centered: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    weighted = centered.copy()
    for i in range(weighted.shape[0]):
        weighted[i] *= weights[i]
    gram = np.dot(centered.T, weighted)
    for j in range(gram.shape[0]):
        gram[j, j] += 1e-12
    return gram


@compiled
def _newton_step(
    values: NDArray[np.float64],
    outcome: NDArray[np.float64],
    shares: NDArray[np.float64],
    state: tuple[NDArray[np.float64], NDArray[np.float64]],
    penalty: float,
    tolerance: float,
) -> float:
    """Improve state = (formula with intercept first, log-odds); return the change."""
    formula, log_odds = state
    risk = 1.0 / (1.0 + np.exp(-log_odds))
    curvature = shares * np.maximum(risk * (1.0 - risk), _LEAST_VARIANCE)
    residual = shares * (outcome - risk)
    total = curvature.sum()
    center = np.dot(curvature, values) / total
    centered = values - center
    gram = _gram(centered, curvature)
    coefficients = formula[1:].copy()
    _descend(gram, np.dot(residual, centered), coefficients, penalty, tolerance)
    change = coefficients - formula[1:]
    offset = residual.sum() / total
    step = offset - np.dot(center, change)
    formula[0] += step
    formula[1:] = coefficients
    log_odds += step + np.dot(values, change)
    largest = total * offset * offset
    for j in range(change.shape[0]):
        largest = max(largest, gram[j, j] * change[j] * change[j])
    return largest


@compiled
def _loss(
    outcome: NDArray[np.float64],
    shares: NDArray[np.float64],
    log_odds: NDArray[np.float64],
) -> float:
    sign = 1.0 - 2.0 * outcome
    return np.dot(shares, np.log1p(np.exp(sign * log_odds)))  # type: ignore[no-any-return]


@compiled
def trace_logistic(
    values: NDArray[np.float64],
    outcome: NDArray[np.float64],
    shares: NDArray[np.float64],
    penalties: NDArray[np.float64],
    tolerance: float,
) -> NDArray[np.float64]:
    """Minimize mean logistic loss + penalty |b| for falling penalties.

    Args:
        values: Shape (patients, columns), C order.
        outcome: 0.0 or 1.0; both occur.
        shares: Weights that sum to 1.
        penalties: Falling.
        tolerance: Largest curvature * squared change of a coefficient at the end.

    Returns:
        Shape (penalties, 1 + columns): intercept first. Once the fit is as good as
        perfect, smaller penalties repeat the last formula.
    """
    path = np.zeros((penalties.shape[0], values.shape[1] + 1))
    mean = np.dot(shares, outcome)
    formula = np.zeros(values.shape[1] + 1)
    formula[0] = np.log(mean / (1.0 - mean))
    log_odds = np.full(values.shape[0], formula[0])
    enough = _PERFECT * _loss(outcome, shares, log_odds)
    for place in range(penalties.shape[0]):
        state = (formula, log_odds)
        for _ in range(_MOST_STEPS):
            changed = _newton_step(
                values, outcome, shares, state, penalties[place], tolerance
            )
            if changed < tolerance:
                break
        path[place:] = formula
        if _loss(outcome, shares, log_odds) < enough:
            break
    return path


@compiled
def trace_squared(
    values: NDArray[np.float64],
    outcome: NDArray[np.float64],
    shares: NDArray[np.float64],
    penalties: NDArray[np.float64],
    tolerance: float,
) -> NDArray[np.float64]:
    """Minimize mean squared error / 2 + penalty |b|; as `trace_logistic`."""
    path = np.zeros((penalties.shape[0], values.shape[1] + 1))
    center = np.dot(shares, values)
    centered = values - center
    mean = np.dot(shares, outcome)
    gram = _gram(centered, shares)
    slope = np.dot(shares * (outcome - mean), centered)
    coefficients = np.zeros(values.shape[1])
    for place in range(penalties.shape[0]):
        _descend(gram, slope, coefficients, penalties[place], tolerance)
        path[place, 0] = mean - np.dot(center, coefficients)
        path[place, 1:] = coefficients
    return path
