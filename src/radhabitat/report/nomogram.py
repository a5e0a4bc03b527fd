"""A formula as points that can be added by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from radhabitat.types import RiskModel


@dataclass(frozen=True, eq=False)
class Nomogram:
    """Points for each value of each variable; the widest axis has 100.

    Attributes:
        names: Variables.
        low, high: Ends of each axis, shape (variables,).
        slope: Points per unit of each variable; negative where larger means less.
        zero: Value of each variable that has no points.
        unit: Log-odds per point.
        base: Log-odds of 0 points.
    """

    names: tuple[str, ...]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    slope: NDArray[np.float64]
    zero: NDArray[np.float64]
    unit: float
    base: float

    def points(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the points of values of shape (patients, variables)."""
        found: NDArray[np.float64] = (values - self.zero) * self.slope
        return found

    def probability(self, total: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the risk of sums of points."""
        risk: NDArray[np.float64] = expit(self.base + self.unit * total)
        return risk


def make_nomogram(model: RiskModel, values: NDArray[np.float64]) -> Nomogram:
    """Return the nomogram of a formula with at least one coefficient that is not 0.

    Args:
        model: The formula.
        values: Of the patients, shape (patients, variables); they set the axes.
    """
    per_unit = model.coefficients / model.scales
    filled = np.where(np.isfinite(values), values, model.centers)
    low, high = filled.min(axis=0), filled.max(axis=0)
    high = np.where(high > low, high, low + model.scales)
    unit = float(np.abs(per_unit * (high - low)).max()) / 100.0
    zero = np.where(per_unit >= 0, low, high)
    base = float(model.intercept + (per_unit * (zero - model.centers)).sum())
    return Nomogram(model.variables, low, high, per_unit / unit, zero, unit, base)
