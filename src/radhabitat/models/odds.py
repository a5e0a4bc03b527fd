"""Odds ratios with Wald's intervals, and the name of what keeps them from existing."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, expit, ndtr

from radhabitat.models.logistic import Floats, maximize_likelihood

Z_95 = 1.959964
"""Half the width of an interval, in standard errors."""


class OddsRatios(NamedTuple):
    """Odds ratios of the columns of a logistic model; NaN where they do not exist.

    Attributes:
        problem: "separated": some combination of the columns tells all outcomes of
            some patients, so the estimates are infinite; "collinear": one column
            follows from others.
        ratio, low, high, p: Shape (columns,): per unit, 95 % interval, Wald's p.
        p_all: Wald's p of all columns together.
    """

    problem: Literal["", "separated", "collinear"]
    ratio: Floats
    low: Floats
    high: Floats
    p: Floats
    p_all: float


def odds_ratios(values: Floats, outcome: NDArray[np.int8]) -> OddsRatios:
    """Return the odds ratios of a logistic model without penalty.

    Args:
        values: Shape (patients, columns); no NaN.
        outcome: 0 or 1; both occur.

    Reference:
        Hosmer, Lemeshow and Sturdivant 2013, Applied Logistic Regression, 3rd ed.,
        chapter 2; separation: Albert and Anderson 1984, Biometrika 71:1.
    """
    scales = values.std(axis=0)
    scales[scales == 0.0] = 1.0
    standardized = (values - values.mean(axis=0)) / scales
    if np.linalg.matrix_rank(standardized) < values.shape[1]:
        return _nothing("collinear", values.shape[1])
    formula = maximize_likelihood(standardized, outcome, ridge=0.0)
    if formula is None:
        return _nothing("separated", values.shape[1])
    design = np.column_stack([np.ones(len(values)), standardized])
    risk = expit(design @ formula)
    information = (design * (risk * (1.0 - risk))[:, np.newaxis]).T @ design
    covariance = np.linalg.inv(information)[1:, 1:]
    slopes = formula[1:]
    errors = np.sqrt(np.diag(covariance))
    statistic = float(slopes @ np.linalg.solve(covariance, slopes))
    return OddsRatios(
        "",
        np.exp(slopes / scales),
        np.exp((slopes - Z_95 * errors) / scales),
        np.exp((slopes + Z_95 * errors) / scales),
        2.0 * ndtr(-np.abs(slopes / errors)),
        float(chdtrc(len(slopes), statistic)),
    )


def _nothing(problem: Literal["separated", "collinear"], columns: int) -> OddsRatios:
    unknown = np.full(columns, np.nan)
    return OddsRatios(problem, unknown, unknown, unknown, unknown, float("nan"))
