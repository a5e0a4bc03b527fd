"""Logistic regression where variables separate the outcomes: Firth's penalty.

Everywhere `values` has shape (patients, variables), without NaN; `outcome` is 0 or 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, linprog
from scipy.special import expit, log_expit
from scipy.stats import chi2

from radhabitat.errors import ComputationError
from radhabitat.types import Estimate, Significance

Floats = NDArray[np.float64]
Outcome = NDArray[np.int8]

_MOST_STEPS = 500
_MOST_STEP = 5.0
_CONVERGED = 1e-10


@dataclass(frozen=True, eq=False)
class FirthModel:
    """A logistic formula by penalized likelihood; finite whatever the data.

    Attributes:
        coefficients: Intercept and log odds ratios, shape (1 + variables,).
        standard_errors: Same shape.
        log_likelihood: Penalized.
    """

    coefficients: Floats
    standard_errors: Floats
    log_likelihood: float


def fit_firth(values: Floats, outcome: Outcome) -> FirthModel:
    """Return the logistic formula that maximizes Firth's penalized likelihood.

    Raises:
        ComputationError: A variable can be computed from the others.

    Reference:
        Firth, Biometrika 1993;80:27; Heinze and Schemper, Stat Med 2002;21:2409.
    """
    design = np.column_stack([np.ones(len(values)), values])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise ComputationError(
            f"One of {values.shape[1]} variables is constant or can be computed from "
            "the others",
            "leave out one of the variables that say the same",
        )
    b, likelihood = _maximize(design, outcome, np.zeros(design.shape[1]), fixed=None)
    covariance = np.linalg.inv(_information(design, b)[0])
    return FirthModel(b, np.sqrt(np.diag(covariance)), likelihood)


def firth_interval(
    values: Floats, outcome: Outcome, variable: int, *, confidence: float
) -> tuple[Estimate, Significance]:
    """Return the log odds ratio of one column, and its likelihood-ratio test.

    The interval is that of the profile likelihood.

    Reference:
        Heinze and Schemper, Stat Med 2002;21:2409, section 3.
    """
    model = fit_firth(values, outcome)
    design = np.column_stack([np.ones(len(values)), values])
    best, spread = model.coefficients[variable + 1], model.standard_errors[variable + 1]
    allowed = float(chi2.isf(1.0 - confidence, 1)) / 2.0

    def profile(value: float) -> float:
        start = model.coefficients.copy()
        start[variable + 1] = value
        return _maximize(design, outcome, start, fixed=variable + 1)[1]

    def excess(value: float) -> float:
        return profile(value) - model.log_likelihood + allowed

    limits = []
    for direction in (-1.0, 1.0):
        far = best + direction * 2.0 * spread
        while excess(far) > 0.0 and abs(far - best) < 1e3 * spread:
            far += direction * 2.0 * spread
        limits.append(float(brentq(excess, best, far, xtol=1e-10)))
    low, high = limits
    statistic = 2.0 * (model.log_likelihood - profile(0.0))
    return (
        Estimate(float(best), low, high, "Firth's penalty, profile likelihood"),
        Significance(statistic, 1, float(chi2.sf(statistic, 1))),
    )


def separated(values: Floats, outcome: Outcome) -> tuple[int, ...]:
    """Return the columns that separate events from non-events; () if none do.

    Columns that tell all patients apart alone are named; else those of a sparse
    combination that does; else all whose odds ratio is infinite.

    Reference:
        Konis 2007, Linear programming algorithms for detecting separated data in
        binary logistic regression models, thesis, Oxford.
    """
    event = outcome == 1
    if event.all() or not event.any():
        return ()
    (least, most), (low, high) = (
        (values[rows].min(axis=0), values[rows].max(axis=0)) for rows in (event, ~event)
    )
    alone = np.flatnonzero((least > high) | (most < low))
    if len(alone):
        return tuple(alone.tolist())
    spread = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    sign = np.where(event, 1.0, -1.0)[:, np.newaxis]
    rows = sign * np.column_stack([np.ones(len(values)), scaled])
    both = np.hstack([rows, -rows])
    size = np.ones(both.shape[1])
    size[[0, rows.shape[1]]] = 0.0
    found = linprog(size, A_ub=-both, b_ub=-np.ones(len(rows)), bounds=(0.0, None))
    if found.status != 0:
        # the small price keeps columns out that change nothing
        gain = both.mean(axis=0) - 1e-6 * size
        found = linprog(-gain, A_ub=-both, b_ub=np.zeros(len(rows)), bounds=(0.0, 1.0))
        if float(gain @ found.x) < 1e-9:
            return ()
    positive, negative = np.split(np.asarray(found.x), 2)
    b = positive - negative
    largest = np.abs(b[1:]).max(initial=0.0)
    return tuple(int(j) for j in np.flatnonzero(np.abs(b[1:]) > 1e-6 * largest))


def _maximize(
    design: Floats, outcome: Outcome, start: Floats, *, fixed: int | None
) -> tuple[Floats, float]:
    """Return coefficients and penalized likelihood, one coefficient held if asked."""
    free = [j for j in range(design.shape[1]) if j != fixed]
    b = start.copy()
    likelihood = _likelihood(design, outcome, b)
    for _ in range(_MOST_STEPS):
        information, root = _information(design, b)
        risk = expit(design @ b)
        leverage = (root @ np.linalg.pinv(information) * root).sum(axis=1)
        slope = design.T @ (outcome - risk + leverage * (0.5 - risk))
        inside = information[np.ix_(free, free)]
        step = np.linalg.lstsq(inside, slope[free], rcond=1e-14)[0]
        step *= min(1.0, _MOST_STEP / max(1e-12, float(np.abs(step).max(initial=0.0))))
        for _ in range(30):
            trial = b.copy()
            trial[free] += step
            moved = _likelihood(design, outcome, trial)
            if moved >= likelihood - 1e-12 * (1.0 + abs(likelihood)):
                break
            step = 0.5 * step
        b, likelihood = trial, moved
        if np.abs(step).max(initial=0.0) < _CONVERGED:
            return b, likelihood
    raise ComputationError(
        f"Firth's regression of {design.shape[1] - 1} variables and {len(design)} "
        "patients did not converge",
        "use fewer variables, or standardize them",
    )


def _information(design: Floats, b: Floats) -> tuple[Floats, Floats]:
    risk = expit(design @ b)
    root = design * np.sqrt(risk * (1.0 - risk))[:, np.newaxis]
    return root.T @ root, root


def _likelihood(design: Floats, outcome: Outcome, b: Floats) -> float:
    score = np.where(outcome == 1, 1.0, -1.0) * (design @ b)
    penalty = 0.5 * np.linalg.slogdet(_information(design, b)[0])[1]
    return float(log_expit(score).sum() + penalty)
