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

_MOST_STEPS = 1000
_MOST_STEP = 5.0
_CONVERGED = 1e-11


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
    design, back = _standardize(values)
    b, likelihood = _maximize(design, outcome, np.zeros(design.shape[1]), fixed=None)
    covariance = back @ np.linalg.inv(_information(design, b)[0]) @ back.T
    likelihood -= float(np.log(np.diag(back)).sum())
    return FirthModel(back @ b, np.sqrt(np.diag(covariance)), likelihood)


def firth_interval(
    values: Floats, outcome: Outcome, variable: int, *, confidence: float
) -> tuple[Estimate, Significance]:
    """Return the log odds ratio of one column, and its likelihood-ratio test.

    The interval is that of the profile likelihood.

    Reference:
        Heinze and Schemper, Stat Med 2002;21:2409, section 3.
    """
    design, back = _standardize(values)
    j, unit = variable + 1, float(back[variable + 1, variable + 1])
    b, most = _maximize(design, outcome, np.zeros(design.shape[1]), fixed=None)
    best = float(b[j])
    spread = np.sqrt(np.linalg.inv(_information(design, b)[0])[j, j])
    allowed = float(chi2.isf(1.0 - confidence, 1)) / 2.0

    # far out there are other maxima: start from the nearest that is known
    known = {best: b}

    def profile(value: float) -> float:
        start = known[min(known, key=lambda other: abs(other - value))].copy()
        start[j] = value
        known[value], likelihood = _maximize(design, outcome, start, fixed=j)
        return likelihood

    def excess(value: float) -> float:
        return profile(value) - most + allowed

    limits = []
    for direction in (-1.0, 1.0):
        far = best + direction * 2.0 * spread
        while excess(far) > 0.0 and abs(far - best) < 1e3 * spread:
            far += direction * 2.0 * spread
        limits.append(unit * float(brentq(excess, best, far, xtol=1e-10)))
    statistic = 2.0 * (most - profile(0.0))
    method = "Firth's penalty, profile likelihood"
    return (
        Estimate(unit * best, limits[0], limits[1], method),
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


def _standardize(values: Floats) -> tuple[Floats, Floats]:
    """Return the design of standardized values, and what brings its formula back."""
    mean, scale = values.mean(axis=0), values.std(axis=0)
    varied = np.where(scale > 0.0, scale, 1.0)
    design = np.column_stack([np.ones(len(values)), (values - mean) / varied])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise ComputationError(
            f"One of {values.shape[1]} variables is constant or can be computed from "
            "the others",
            "leave out one of the variables that say the same",
        )
    back = np.diag(np.append(1.0, 1.0 / varied))
    back[0, 1:] = -mean / varied
    return design, back


def _maximize(
    design: Floats, outcome: Outcome, start: Floats, *, fixed: int | None
) -> tuple[Floats, float]:
    """Return coefficients and penalized likelihood, one coefficient held if asked."""
    free = np.flatnonzero(np.arange(design.shape[1]) != fixed)
    b = start.copy()
    likelihood, slope, wide = _penalized(design, outcome, b)
    for _ in range(_MOST_STEPS):
        if np.abs(slope[free]).max() < _CONVERGED * len(design):
            return b, likelihood
        step = np.zeros(len(b))
        inside = wide[np.ix_(free, free)]
        step[free] = np.linalg.lstsq(inside, slope[free], rcond=1e-14)[0]
        step *= min(1.0, _MOST_STEP / max(1e-12, float(np.abs(step).max())))
        for _ in range(40):
            moved, slope, wide = _penalized(design, outcome, b + step)
            if moved >= likelihood - 1e-13 * (1.0 + abs(likelihood)):
                break
            step = 0.5 * step
        b, likelihood = b + step, moved
    raise ComputationError(
        f"Firth's regression of {design.shape[1] - 1} variables and {len(design)} "
        "patients did not converge",
        "use fewer variables",
    )


def _penalized(
    design: Floats, outcome: Outcome, b: Floats
) -> tuple[float, Floats, Floats]:
    """Return the penalized likelihood, its slope, and a curvature above its own."""
    risk = expit(design @ b)
    information, root = _information(design, b)
    leverage = (root @ np.linalg.pinv(information) * root).sum(axis=1)
    slope = design.T @ (outcome - risk + leverage * (0.5 - risk))
    wide = (root * (1.0 + leverage)[:, np.newaxis]).T @ root
    sign = np.where(outcome == 1, 1.0, -1.0)
    penalty = 0.5 * np.linalg.slogdet(information)[1]
    return float(log_expit(sign * (design @ b)).sum() + penalty), slope, wide


def _information(design: Floats, b: Floats) -> tuple[Floats, Floats]:
    risk = expit(design @ b)
    root = design * np.sqrt(risk * (1.0 - risk))[:, np.newaxis]
    return root.T @ root, root
