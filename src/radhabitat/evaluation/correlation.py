"""Correlation between variables, and p-values of many tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, rankdata
from scipy.stats import t as student

Floats = NDArray[np.float64]


def spearman(values: Floats) -> tuple[Floats, Floats]:
    """Return Spearman's rho of all pairs of columns, and its p.

    p is two-sided, by Student's distribution; NaN for a constant column.

    Args:
        values: Shape (patients, variables), without NaN.
    """
    rho = _correlate(rankdata(values, axis=0))
    freedom = len(values) - 2
    with np.errstate(divide="ignore"):
        t = np.abs(rho) * np.sqrt(freedom / ((1.0 - rho) * (1.0 + rho)))
    return rho, 2.0 * student.sf(t, freedom)


def variance_inflation(values: Floats) -> Floats:
    """Return each variable's VIF, shape (variables,); 1 is ideal.

    Infinite for variables of which one can be computed from others; NaN for a
    constant one.

    Args:
        values: Shape (patients, variables), without NaN.

    Reference:
        Fox and Monette, JASA 1992;87:178: the diagonal of the inverse correlation.
    """
    vif = np.full(values.shape[1], np.nan)
    varied = np.ptp(values, axis=0) > 0.0
    if varied.any():
        sizes, directions = np.linalg.eigh(_correlate(values[:, varied]))
        bound = sizes < 1e-10
        vif[varied] = (directions[:, ~bound] ** 2 / sizes[~bound]).sum(axis=1)
        tied = (directions[:, bound] ** 2).sum(axis=1) > 1e-10
        vif[np.flatnonzero(varied)[tied]] = np.inf
    return vif


def holm(p: Floats) -> Floats:
    """Return p-values adjusted for the chance of any false alarm.

    Reference:
        Holm, Scand J Stat 1979;6:65.
    """
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def benjamini_hochberg(p: Floats) -> Floats:
    """Return p-values adjusted for the share of false alarms.

    Reference:
        Benjamini and Hochberg, J R Stat Soc B 1995;57:289.
    """
    adjusted: Floats = false_discovery_control(p, method="bh")
    return adjusted


def _correlate(values: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.atleast_2d(np.corrcoef(values, rowvar=False))
