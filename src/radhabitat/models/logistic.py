"""(Ridge) logistic regression on standardized variables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from radhabitat.types import Cohort, RiskModel

RESCUE_RIDGE = 1.0
_MOST_STEPS = 60
_TOLERANCE = 1e-9
_LONGEST_STEP = 5.0
_LARGEST_LOG_ODDS = 30.0


@dataclass(frozen=True, eq=False)
class LogisticFit:
    """A maximum of the (penalized) likelihood.

    Attributes:
        intercept: Log-odds at zero.
        coefficients: Shape (columns,).
        log_likelihood: At the maximum, without the penalty.
        covariance: Inverse of the (penalized) information, intercept first.
        converged: Whether a maximum was found; without a penalty there is none when
            the variables separate the outcomes.
    """

    intercept: float
    coefficients: NDArray[np.float64]
    log_likelihood: float
    covariance: NDArray[np.float64]
    converged: bool


def fit_logistic(
    values: NDArray[np.float64],
    outcome: NDArray[np.int8],
    *,
    ridge: float = 0.0,
    offset: NDArray[np.float64] | None = None,
) -> LogisticFit:
    """Maximize log-likelihood - ridge / 2 * sum of squared coefficients by Newton.

    Args:
        values: Shape (patients, columns); no NaN. No columns: the intercept alone.
        outcome: 0 or 1, shape (patients,); both occur.
        ridge: Penalty; the intercept is free.
        offset: Log-odds that are known already, shape (patients,).

    Reference:
        McCullagh and Nelder 1989, Generalized Linear Models, section 4.4; with a
        penalty: le Cessie and van Houwelingen 1992, Appl Stat 41:191, eq. 4.
    """
    patients, columns = values.shape
    design = np.column_stack([np.ones(patients), values])
    penalty = np.diag(np.r_[0.0, np.full(columns, ridge)])
    known = np.zeros(patients) if offset is None else offset
    formula = np.zeros(columns + 1)
    size = np.inf
    information = penalty
    for _ in range(_MOST_STEPS):
        risk = expit(known + design @ formula)
        variance = np.maximum(risk * (1.0 - risk), 1e-12)
        information = (design * variance[:, np.newaxis]).T @ design + penalty
        slope = design.T @ (outcome - risk) - penalty @ formula
        step = np.linalg.lstsq(information, slope, rcond=1e-12)[0]
        size = float(np.abs(step).max())
        formula += step * min(1.0, _LONGEST_STEP / max(size, 1e-300))
        if size < _TOLERANCE:
            break
    log_odds = known + design @ formula
    sign = np.where(outcome == 1, -1.0, 1.0)
    within = float(np.abs(log_odds).max()) < _LARGEST_LOG_ODDS
    return LogisticFit(
        intercept=float(formula[0]),
        coefficients=formula[1:],
        log_likelihood=-float(np.logaddexp(0.0, sign * log_odds).sum()),
        covariance=np.linalg.pinv(information, rcond=1e-12, hermitian=True),
        converged=size < 1e-6 and within,
    )


def fit_risk_model(
    cohort: Cohort,
    variables: tuple[str, ...],
    *,
    name: str,
    ridge: float,
    notes: tuple[str, ...] = (),
) -> RiskModel:
    """Return the formula of one model of the ladder.

    A missing value counts as the median of the known ones, here and in new patients;
    variables that are constant in this cohort are left out, and named.

    Args:
        cohort: What is learned from; both outcomes occur.
        variables: Names of the columns; none gives the prevalence to everybody.
        name: Of the model.
        ridge: L2 penalty on the standardized coefficients; 0: none. Where the
            variables separate the outcomes and nothing else would hold the
            coefficients, a penalty of 1 is used, and said.
        notes: What led to these variables, in words.
    """
    values = cohort.values[:, cohort.positions(variables)]
    filled, middle = _fill(values)
    means, scales = filled.mean(axis=0), filled.std(axis=0)
    size = np.abs(filled).max(axis=0, initial=0.0)
    varied = scales > 1e-12 * np.maximum(size, 1e-300)
    kept = tuple(v for v, keep in zip(variables, varied, strict=True) if keep)
    said = tuple(
        f"{v} is the same for every patient and was left out"
        for v, keep in zip(variables, varied, strict=True)
        if not keep
    )
    means, scales, middle = means[varied], scales[varied], middle[varied]
    standardized = (filled[:, varied] - means) / scales
    fit = fit_logistic(standardized, cohort.outcome, ridge=ridge)
    if not fit.converged and ridge == 0.0:
        fit = fit_logistic(standardized, cohort.outcome, ridge=RESCUE_RIDGE)
        said += (
            f"The variables separate the outcomes: without a penalty there is no "
            f"finite formula, so a ridge penalty of {RESCUE_RIDGE:g} was used",
        )
    centers = np.where(np.isnan(values[:, varied]).any(axis=0), middle, means)
    return RiskModel(
        name=name,
        event=cohort.event,
        variables=kept,
        coefficients=fit.coefficients,
        intercept=fit.intercept
        + float(fit.coefficients @ ((centers - means) / scales)),
        centers=centers,
        scales=scales,
        notes=notes + said,
    )


def _fill(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the values without gaps, and the median of each column (0 if none)."""
    filled = values.copy()
    middle = np.zeros(values.shape[1])
    for column in range(values.shape[1]):
        known = ~np.isnan(values[:, column])
        if known.any():
            middle[column] = np.median(values[known, column])
        filled[~known, column] = middle[column]
    return filled, middle
