"""The loops of the LASSO; importing this module imports numba.

Friedman, Hastie, Tibshirani 2010, J Stat Softw 33(1), section 3: Newton's quadratic
approximation of the loss, solved by coordinate descent on its Gram matrix; once the
signs stand, by one linear system.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radhabitat.selection.compiled import compiled

_LEAST_VARIANCE = 1e-5
_MOST_STEPS = 50
_MOST_SWEEPS = 1000
_LEAST_PIVOT = 1e-10
_PERFECT = 0.01
"""Share of the null loss below which smaller penalties teach nothing."""


@compiled
def _sweep(
    gram: NDArray[np.float64],
    slope: NDArray[np.float64],
    coefficients: NDArray[np.float64],
    penalty: float,
) -> tuple[float, bool]:
    """Move every coordinate to its minimum; return largest move, and new signs."""
    largest = 0.0
    turned = False
    for j in range(coefficients.shape[0]):
        old = coefficients[j]
        free = slope[j] + gram[j, j] * old
        size = max(abs(free) - penalty, 0.0) / gram[j, j]
        new = size if free > 0.0 else -size
        if new != old:
            coefficients[j] = new
            slope -= gram[j] * (new - old)
            largest = max(largest, gram[j, j] * (new - old) ** 2)
            turned = turned or np.sign(new) != np.sign(old)
    return largest, turned


@compiled
def _solve(system: NDArray[np.float64], right: NDArray[np.float64]) -> bool:
    """Solve a positive definite system in place; tell whether it is one."""
    size = right.shape[0]
    for i in range(size):
        whole = system[i, i]
        for j in range(i):
            moved = system[i, j] - np.dot(system[i, :j], system[j, :j])
            system[i, j] = moved / system[j, j]
        left = whole - np.dot(system[i, :i], system[i, :i])
        if left <= _LEAST_PIVOT * whole:
            return False
        system[i, i] = np.sqrt(left)
        right[i] = (right[i] - np.dot(system[i, :i], right[:i])) / system[i, i]
    for i in range(size - 1, -1, -1):
        right[i] /= system[i, i]
        right[:i] -= system[i, :i] * right[i]
    return True


@compiled
def _step_of_signs(
    gram: NDArray[np.float64],
    slope: NDArray[np.float64],
    coefficients: NDArray[np.float64],
    penalty: float,
) -> tuple[NDArray[np.float64], bool]:
    """Return the step to the minimum for the present signs, and whether it exists."""
    active = np.flatnonzero(coefficients)
    count = active.shape[0]
    right = np.empty(count)
    system = np.empty((count, count))
    for i in range(count):
        right[i] = slope[active[i]] - penalty * np.sign(coefficients[active[i]])
        for j in range(i + 1):
            system[i, j] = gram[active[i], active[j]]
    found = _solve(system, right)
    step = np.zeros(coefficients.shape[0])
    step[active] = right
    return step, found


@compiled
def _jump(
    gram: NDArray[np.float64],
    slope: NDArray[np.float64],
    coefficients: NDArray[np.float64],
    penalty: float,
) -> bool:
    """Go to the minimum if the present signs are its signs; tell whether they are."""
    step, found = _step_of_signs(gram, slope, coefficients, penalty)
    if not found:
        return False
    moved = slope - np.dot(gram, step)
    for j in range(step.shape[0]):
        if coefficients[j] == 0.0:
            wrong = abs(moved[j]) > penalty * (1.0 + 1e-12)
        else:
            wrong = (coefficients[j] + step[j]) * coefficients[j] <= 0.0
        if wrong:
            return False
    coefficients += step
    slope[:] = moved
    return True


@compiled
def _descend(
    gram: NDArray[np.float64],
    slope: NDArray[np.float64],
    coefficients: NDArray[np.float64],
    penalty: float,
    tolerance: float,
) -> None:
    """Minimize b' gram b / 2 - slope' b + penalty |b|.

    Sweeps find the signs, then one linear system gives the exact minimum. `slope`
    holds the descent direction at `coefficients`; both are updated.
    """
    patience = 1
    for sweep in range(_MOST_SWEEPS):
        largest, turned = _sweep(gram, slope, coefficients, penalty)
        if largest < tolerance * tolerance:
            break
        if not turned and sweep >= patience:
            if _jump(gram, slope, coefficients, penalty):
                break
            patience = 2 * sweep


@compiled
def _gram(
    centered: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    weighted = centered.copy()
    for i in range(weighted.shape[0]):
        weighted[i] *= weights[i]
    gram: NDArray[np.float64] = np.dot(centered.T, weighted)
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
    return float(largest)


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
