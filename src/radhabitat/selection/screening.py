"""Clinical candidates that are associated with the outcome on their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, expit

from radhabitat.selection.sample import Sample

Floats = NDArray[np.float64]

_MOST_STEPS = 25
_CONVERGED = 1e-8
_SEPARATED = 20.0
"""Log-odds beyond which a risk is as good as 0 or 1."""


def associated_alone(
    sample: Sample, names: Sequence[str], *, p: float
) -> NDArray[np.intp]:
    """Return the columns of the variables with a p-value below `p` on their own.

    Args:
        sample: Standardized columns.
        names: Of the columns; `stage=B` and `stage=C` are one variable.
        p: The limit.

    Returns:
        Positions in the sample, rising.
    """
    kept = [c for c in variables_of(names) if p_alone(sample, c) < p]
    return np.sort(np.concatenate([np.empty(0, dtype=np.intp), *kept]))


def associated_together(
    sample: Sample, names: Sequence[str], *, p: float
) -> NDArray[np.intp]:
    """Return the columns of the variables with a Wald p < `p` in one joint model.

    Where they separate the outcomes that model has no estimate: all are kept.

    Args:
        sample: Standardized columns.
        names: Of the columns, as in `associated_alone`.
        p: The limit.
    """
    design = np.column_stack([np.ones(len(sample.values)), sample.values])
    formula, information = _fit(design, sample.outcome, sample.weights)
    if information is None:
        return np.arange(sample.values.shape[1])
    covariance = np.linalg.pinv(information, rcond=1e-10, hermitian=True)
    kept = [np.empty(0, dtype=np.intp)]
    for places in variables_of(names):
        rows = places + 1
        block = covariance[np.ix_(rows, rows)].astype(np.float64)
        statistic, rank = _quadratic(formula[rows], block)
        if chdtrc(rank, statistic) < p:
            kept.append(places)
    return np.sort(np.concatenate(kept))


def p_alone(sample: Sample, columns: NDArray[np.intp]) -> float:
    """Return the p-value of one variable in a logistic model of its own.

    Wald's test, as published. Where the variable separates the outcomes that test
    has no answer (the estimate is infinite, its p-value 1); Rao's score test, which
    needs no estimate, takes its place.

    Args:
        sample: Standardized columns.
        columns: The variable's columns; more than one for dummy columns.

    Reference:
        Agresti 2013, Categorical Data Analysis, 3rd ed., sections 5.2.1 (Wald) and
        1.3.3, 5.3.5 (score; for a category it is Pearson's chi-square).
    """
    block = sample.values[:, columns]
    design = np.column_stack([np.ones(len(block)), block])
    formula, information = _fit(design, sample.outcome, sample.weights)
    if information is None:
        return score_test(sample, columns)
    covariance = np.linalg.pinv(information, rcond=1e-10, hermitian=True)[1:, 1:]
    statistic, rank = _quadratic(formula[1:], covariance.astype(np.float64))
    return float(chdtrc(rank, statistic))


def score_test(sample: Sample, columns: NDArray[np.intp]) -> float:
    """Return the p-value of Rao's score test of one variable, as `p_alone`."""
    size = sample.weights.sum()
    share = sample.shares
    mean = float(share @ sample.outcome)
    block = sample.values[:, columns]
    covariance = (block * share[:, np.newaxis]).T @ block
    slope = (share * (sample.outcome - mean)) @ block
    statistic, rank = _quadratic(slope, covariance)
    return float(chdtrc(rank, size * statistic / (mean * (1.0 - mean))))


def _quadratic(slopes: Floats, covariance: Floats) -> tuple[float, int]:
    """Return slopes' covariance^-1 slopes, and the rank of the covariance."""
    inverse = np.linalg.pinv(covariance, rcond=1e-10, hermitian=True)
    rank = int(np.linalg.matrix_rank(covariance, hermitian=True))
    return float(slopes @ inverse @ slopes), rank


def variables_of(names: Sequence[str]) -> list[NDArray[np.intp]]:
    """Return the columns of each variable: `stage=B` and `stage=C` belong together.

    Example:
        >>> variables_of(("age", "stage=B", "stage=C"))
        [array([0]), array([1, 2])]
    """
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        groups.setdefault(name.partition("=")[0] or name, []).append(place)
    return [np.array(places, dtype=np.intp) for places in groups.values()]


def _fit(
    design: Floats, outcome: Floats, weights: Floats
) -> tuple[Floats, Floats | None]:
    """Return formula and information of a logistic model; None when separated."""
    formula = np.zeros(design.shape[1])
    for _ in range(_MOST_STEPS):
        log_odds = design @ formula
        if np.abs(log_odds).max() > _SEPARATED:
            break
        risk = expit(log_odds)
        curvature = weights * risk * (1.0 - risk)
        information = (design * curvature[:, np.newaxis]).T @ design
        slope = (weights * (outcome - risk)) @ design
        step = np.linalg.lstsq(information, slope, rcond=1e-12)[0]
        formula += step
        if np.abs(step).max() < _CONVERGED:
            return formula, information
    return formula, None
