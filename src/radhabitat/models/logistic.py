"""Logistic risk models on standardized variables, with or without a ridge penalty."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from radhabitat.errors import ComputationError
from radhabitat.models.firth import fit_firth, separated
from radhabitat.types import Cohort, RiskModel

Floats = NDArray[np.float64]
Rescue = Literal["ridge", "firth"]

RESCUE_RIDGE = 1.0
"""Penalty where the variables separate the outcomes and none was asked for."""

_MOST_STEPS = 100
_MOST_HALVINGS = 30
_CONVERGED = 1e-9
_SEPARATED = 30.0
"""Log-odds beyond which a fitted risk is 0 or 1 to the last digit."""
_ROUNDING = 1e-12


def fit_risk_model(
    cohort: Cohort,
    variables: tuple[str, ...],
    *,
    name: str,
    ridge: float,
    rescue: Rescue = "ridge",
    notes: tuple[str, ...] = (),
) -> RiskModel:
    """Return the logistic formula of some variables of a cohort.

    Variables are standardized by the mean and standard deviation of the known
    values; a missing value counts as the mean, here and in new patients. A variable
    that is constant in this cohort is left out, and named in the notes.

    Args:
        cohort: What is learned from.
        variables: Names of the columns; none gives the prevalence to everybody.
        name: Of the model.
        ridge: L2 penalty: ridge / 2 times the sum of squared coefficients (1 / C of
            scikit-learn); the intercept is free; 0: none. Where the variables then
            separate the outcomes there is no finite formula: a penalty of 1 or
            Firth's is used, and said.
        rescue: Which of the two.
        notes: What led to these variables, in words.

    Raises:
        ComputationError: Every patient has the same outcome.
    """
    if cohort.events in (0, len(cohort)):
        raise ComputationError(
            f"The model {name} cannot be fitted: {cohort.events} of {len(cohort)} "
            f"patients have the event ({cohort.event})",
            "give patients with and without the event",
        )
    values = cohort.values[:, cohort.positions(variables)]
    centers, scales = _center_and_scale(values)
    varied = scales > 0.0
    notes += tuple(
        f"{variable} is the same for every patient and was left out"
        for variable in np.array(variables, dtype=object)[~varied]
    )
    centers, scales = centers[varied], scales[varied]
    standardized = (values[:, varied] - centers) / scales
    standardized[np.isnan(standardized)] = 0.0
    formula = maximize_likelihood(standardized, cohort.outcome, ridge=ridge)
    if formula is None:
        formula = _rescue(standardized, cohort.outcome, rescue)
        used = np.array(variables, dtype=object)[varied]
        guilty = [str(used[j]) for j in separated(standardized, cohort.outcome)]
        way = {"ridge": f"a ridge penalty of {RESCUE_RIDGE:g}", "firth": "Firth's"}
        notes += (
            f"{', '.join(guilty) or 'The variables'} separate the patients with and "
            "without the event: without a penalty there is no finite formula, so "
            f"{way[rescue]} was used",
        )
    if formula is None:
        raise ComputationError(
            f"The model {name} of {len(variables)} variables did not converge",
            "raise models.ridge in study.toml",
        )
    return RiskModel(
        name=name,
        event=cohort.event,
        variables=tuple(np.array(variables, dtype=object)[varied]),
        coefficients=formula[1:],
        intercept=float(formula[0]),
        centers=centers,
        scales=scales,
        notes=notes,
    )


def _rescue(values: Floats, outcome: NDArray[np.int8], rescue: Rescue) -> Floats | None:
    if rescue == "firth":
        return fit_firth(values, outcome).coefficients
    return maximize_likelihood(values, outcome, ridge=RESCUE_RIDGE)


def maximize_likelihood(
    values: Floats, outcome: NDArray[np.int8], *, ridge: float
) -> Floats | None:
    """Maximize log-likelihood - ridge / 2 * sum of squared coefficients.

    Newton's steps, halved while they make things worse.

    Args:
        values: Shape (patients, columns); no NaN. No columns: the intercept alone.
        outcome: 0 or 1, shape (patients,); both occur.
        ridge: Penalty of the coefficients; the intercept is free.

    Returns:
        Intercept and coefficients, shape (1 + columns,); None when there is no
        finite maximum (the variables separate the outcomes).

    Reference:
        McCullagh and Nelder 1989, Generalized Linear Models, section 4.4; with a
        penalty: le Cessie and van Houwelingen 1992, Appl Stat 41:191, eq. 4.
    """
    design = np.column_stack([np.ones(len(values)), values])
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 0.0
    formula = np.zeros(design.shape[1])
    loss = _loss(design, outcome, penalty, formula)
    for _ in range(_MOST_STEPS):
        risk = expit(design @ formula)
        curvature = risk * (1.0 - risk)
        information = (design * curvature[:, np.newaxis]).T @ design
        information += np.diag(penalty)
        slope = design.T @ (outcome - risk) - penalty * formula
        step = np.linalg.lstsq(information, slope, rcond=1e-13)[0]
        for _ in range(_MOST_HALVINGS):
            moved = _loss(design, outcome, penalty, formula + step)
            if moved <= loss + _ROUNDING * (1.0 + loss):
                break
            step *= 0.5
        formula += step
        loss = moved
        if ridge == 0.0 and np.abs(design @ formula).max() > _SEPARATED:
            return None
        if np.abs(step).max() < _CONVERGED:
            return formula
    return None


def _loss(
    design: Floats, outcome: NDArray[np.int8], penalty: Floats, formula: Floats
) -> float:
    sign = np.where(outcome == 1, -1.0, 1.0)
    loss = np.logaddexp(0.0, sign * (design @ formula)).sum()
    return float(loss + 0.5 * penalty @ formula**2)


def _center_and_scale(values: Floats) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of the known values; 0 if they are equal."""
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=0), 1)
    centers = np.where(known, values, 0.0).sum(axis=0) / count
    moved = np.where(known, values - centers, 0.0)
    scales = np.sqrt((moved**2).sum(axis=0) / count)
    scales[scales <= _ROUNDING * np.abs(centers)] = 0.0
    return centers, scales
