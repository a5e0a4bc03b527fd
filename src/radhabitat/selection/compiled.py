"""The loops of selection; importing this module imports numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Loop = TypeVar("Loop", bound=Callable[..., object])

_MOST_STEPS = 50
_MOST_SWEEPS = 1000
_LEAST_PIVOT = 1e-10
_PERFECT = 0.01
"""Share of the null loss below which smaller penalties teach nothing."""


def compiled(loop: Loop) -> Loop:
    """Compile a loop at its first call and keep the machine code on disk if it can."""
    try:
        return cast(Loop, numba.njit(nogil=True, cache=True)(loop))
    except RuntimeError:  # numba found no folder that it could write to
        return cast(Loop, numba.njit(nogil=True)(loop))


@compiled
def keep_in_order(
    correlation: Floats, order: NDArray[np.intp], limit: float
) -> NDArray[np.bool_]:
    """Keep, in the given order, each column with |r| <= limit to all kept ones."""
    kept = np.ones(order.shape[0], dtype=np.bool_)
    for place, column in enumerate(order):
        if kept[column]:
            for other in order[place + 1 :]:
                if abs(correlation[column, other]) > limit:
                    kept[other] = False
    return kept


@compiled
def _substitute(lower: Floats, right: Floats) -> None:
    """Solve (lower lower^T) x = right in place; only the lower triangle is read."""
    size = right.shape[0]
    for i in range(size):
        right[i] = (right[i] - np.dot(lower[i, :i], right[:i])) / lower[i, i]
    for i in range(size - 1, -1, -1):
        right[i] /= lower[i, i]
        right[:i] -= lower[i, :i] * right[i]


@compiled
def _sweep(
    gram: Floats, slope: Floats, coefficients: Floats, penalty: float
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
def _factor(system: Floats) -> bool:
    """Make the lower triangle a Cholesky factor; tell whether there is one."""
    for i in range(system.shape[0]):
        whole = system[i, i]
        for j in range(i):
            moved = system[i, j] - np.dot(system[i, :j], system[j, :j])
            system[i, j] = moved / system[j, j]
        left = whole - np.dot(system[i, :i], system[i, :i])
        if left <= _LEAST_PIVOT * whole:
            return False
        system[i, i] = np.sqrt(left)
    return True


@compiled
def _jump(gram: Floats, slope: Floats, coefficients: Floats, penalty: float) -> bool:
    """Go to the minimum if the present signs are its signs; tell whether they are."""
    active = np.flatnonzero(coefficients)
    system = gram[active][:, active]
    if not _factor(system):
        return False
    right = slope[active] - penalty * np.sign(coefficients[active])
    _substitute(system, right)
    step = np.zeros(coefficients.shape[0])
    step[active] = right
    moved = slope - np.dot(gram, step)
    turned = (coefficients + step) * coefficients <= 0.0
    steep = np.abs(moved) > penalty * (1.0 + 1e-12)
    if np.where(coefficients == 0.0, steep, turned).any():
        return False
    coefficients += step
    slope[:] = moved
    return True


@compiled
def _descend(
    gram: Floats, slope: Floats, coefficients: Floats, penalty: float, tolerance: float
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
def _center(
    values: Floats, weights: Floats, total: float
) -> tuple[Floats, Floats, Floats]:
    """Return the weighted means, the values less them, and the Gram matrix of those."""
    center = np.dot(weights, values) / total
    centered = values - center
    gram = np.dot(centered.T, centered * weights.reshape(-1, 1))
    return center, centered, gram + 1e-12 * np.eye(gram.shape[0])


@compiled
def _newton_step(
    values: Floats,
    outcome: Floats,
    shares: Floats,
    state: tuple[Floats, Floats],
    penalties: tuple[float, float],
    tolerance: float,
) -> float:
    """Improve state = (formula with intercept first, log-odds); return the change."""
    formula, log_odds = state
    risk = 1.0 / (1.0 + np.exp(-log_odds))
    curvature = shares * np.maximum(risk * (1.0 - risk), 1e-5)
    residual = shares * (outcome - risk)
    total = curvature.sum()
    center, centered, gram = _center(values, curvature, total)
    gram += penalties[1] * np.eye(gram.shape[0])
    coefficients = formula[1:].copy()
    slope = np.dot(residual, centered) - penalties[1] * coefficients
    _descend(gram, slope, coefficients, penalties[0], tolerance)
    change = coefficients - formula[1:]
    offset = residual.sum() / total
    step = offset - np.dot(center, change)
    formula[0] += step
    formula[1:] = coefficients
    log_odds += step + np.dot(values, change)
    largest = (np.diag(gram) * change * change).max()
    return float(max(total * offset * offset, largest))


@compiled
def _logistic_loss(outcome: Floats, shares: Floats, log_odds: Floats) -> float:
    losses = np.log1p(np.exp((1.0 - 2.0 * outcome) * log_odds))
    return np.dot(shares, losses)  # type: ignore[no-any-return]


@compiled
def trace_logistic(
    values: Floats, outcome: Floats, shares: Floats, penalties: Floats,
    mix: float, tolerance: float,
) -> Floats:  # fmt: skip
    """Minimize mean logistic loss + penalty (mix |b| + (1 - mix) b^2 / 2).

    Args:
        values: Shape (patients, columns), C order.
        outcome: 0.0 or 1.0; both occur.
        shares: Weights that sum to 1.
        penalties: Falling.
        mix: 1: the LASSO; less: the elastic net.
        tolerance: Largest curvature * squared change of a coefficient at the end.

    Returns:
        Shape (penalties, 1 + columns): intercept first. Once the fit is as good as
        perfect, smaller penalties repeat the last formula.

    Reference:
        Friedman, Hastie, Tibshirani 2010, J Stat Softw 33(1), section 3: coordinate
        descent on Newton's quadratic; once the signs stand, one linear system.
    """
    path = np.zeros((penalties.shape[0], values.shape[1] + 1))
    mean = np.dot(shares, outcome)
    formula = np.zeros(values.shape[1] + 1)
    formula[0] = np.log(mean / (1.0 - mean))
    log_odds = np.full(values.shape[0], formula[0])
    state = (formula, log_odds)
    enough = _PERFECT * _logistic_loss(outcome, shares, log_odds)
    for place, penalty in enumerate(penalties):
        both = penalty * mix, penalty * (1.0 - mix)
        for _ in range(_MOST_STEPS):
            moved = _newton_step(values, outcome, shares, state, both, tolerance)
            if moved < tolerance:
                break
        path[place:] = formula
        if _logistic_loss(outcome, shares, log_odds) < enough:
            break
    return path


@compiled
def trace_squared(
    values: Floats, outcome: Floats, shares: Floats, penalties: Floats,
    mix: float, tolerance: float,
) -> Floats:  # fmt: skip
    """Minimize mean squared error / 2 + the penalty of `trace_logistic`."""
    path = np.zeros((penalties.shape[0], values.shape[1] + 1))
    mean = np.dot(shares, outcome)
    center, centered, gram = _center(values, shares, 1.0)
    start = np.dot(shares * (outcome - mean), centered)
    coefficients = np.zeros(values.shape[1])
    for place, penalty in enumerate(penalties):
        curved = gram + penalty * (1.0 - mix) * np.eye(gram.shape[0])
        slope = start - np.dot(curved, coefficients)
        _descend(curved, slope, coefficients, penalty * mix, tolerance)
        path[place, 0] = mean - np.dot(center, coefficients)
        path[place, 1:] = coefficients
    return path
