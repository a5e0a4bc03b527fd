"""Odds ratios with Wald's intervals, and the name of what keeps them from existing."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, expit, ndtr

from radhabitat.errors import ComputationError
from radhabitat.models.firth import firth_interval
from radhabitat.models.logistic import Floats, maximize_likelihood

Z_95 = 1.959964
"""Half the width of an interval, in standard errors."""


class OddsRatios(NamedTuple):
    """Odds ratios of the columns of a logistic model; NaN where they do not exist.

    Attributes:
        problem: "separated": some combination of the columns occurs with one outcome
            only, so the estimates are infinite, and those with Firth's penalty stand
            in their place; "collinear": one column follows from others.
        ratio, low, high, p: Shape (columns,): per unit, 95 % interval and p-value, by
            Wald; with Firth's penalty by the profile of the likelihood.
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
        values: Shape (patients, columns); no NaN. A column that is the same for
            everybody has no odds ratio, and does not keep the others from theirs.
        outcome: 0 or 1; both occur.

    Reference:
        Hosmer, Lemeshow and Sturdivant 2013, Applied Logistic Regression, 3rd ed.,
        chapter 2; separation: Albert and Anderson 1984, Biometrika 71:1.
    """
    width = values.shape[1]
    varied = np.ptp(values, axis=0) > 0.0
    scales = values[:, varied].std(axis=0)
    standardized = (values[:, varied] - values[:, varied].mean(axis=0)) / scales
    if np.linalg.matrix_rank(standardized) < len(scales):
        return _nothing("collinear", width)
    formula = maximize_likelihood(standardized, outcome, ridge=0.0)
    if formula is None:
        return _penalized(values, varied, outcome)
    design = np.column_stack([np.ones(len(values)), standardized])
    risk = expit(design @ formula)
    information = (design * (risk * (1.0 - risk))[:, np.newaxis]).T @ design
    covariance = np.linalg.inv(information)[1:, 1:]
    slopes = formula[1:]
    errors = np.sqrt(np.diag(covariance))
    statistic = float(slopes @ np.linalg.solve(covariance, slopes))
    found = np.full((4, width), np.nan)
    found[:, varied] = (
        np.exp(slopes / scales),
        np.exp((slopes - Z_95 * errors) / scales),
        np.exp((slopes + Z_95 * errors) / scales),
        2.0 * ndtr(-np.abs(slopes / errors)),
    )
    ratio, low, high, p = found
    p_all = float(chdtrc(len(slopes), statistic))
    return OddsRatios("", ratio, low, high, p, p_all)


def _penalized(
    values: Floats, varied: NDArray[np.bool_], outcome: NDArray[np.int8]
) -> OddsRatios:
    """Return what Firth's penalty makes of columns that separate the outcomes.

    Nothing where there are more columns than patients of the rarer outcome.
    """
    found = np.full((4, values.shape[1]), np.nan)
    if varied.sum() > min(outcome.sum(), (1 - outcome).sum()):
        return _nothing("separated", len(varied))
    for place, column in enumerate(np.flatnonzero(varied)):
        try:
            log_odds, test = firth_interval(
                values[:, varied], outcome, place, confidence=0.95
            )
        except (ComputationError, ValueError):  # an end of the profile is not reached
            continue
        ends = np.exp([log_odds.value, log_odds.low, log_odds.high])
        found[:, column] = (*ends, test.p)
    ratio, low, high, p = found
    return OddsRatios("separated", ratio, low, high, p, float("nan"))


def _nothing(problem: Literal["separated", "collinear"], columns: int) -> OddsRatios:
    unknown = np.full(columns, np.nan)
    return OddsRatios(problem, unknown, unknown, unknown, unknown, float("nan"))
