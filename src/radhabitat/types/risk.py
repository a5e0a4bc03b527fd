"""A risk model is a formula; learning one is a function of a cohort."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from radhabitat.errors import TableError
from radhabitat.types.cohort import Cohort


@dataclass(frozen=True, eq=False)
class RiskModel:
    """A logistic formula on standardized variables.

    log-odds = intercept + sum over variables of
    coefficient * (value - center) / scale; a missing value is `center`. Where sites
    were harmonized, value = slope * measured + offset of the patient's site.

    Attributes:
        name: Which model of the ladder: clinical, cr, crh ...
        event: What a high risk means, in words ("response = OR").
        variables: Names of the columns used; may be empty (prevalence only).
        coefficients: Log-odds per standard deviation, shape (variables,).
        intercept: Log-odds of a patient at the center of every variable.
        centers: Value that counts as 0, shape (variables,).
        scales: Standard deviation of each variable, shape (variables,), > 0.
        notes: What the learning decided, in words, for the report.
        sites: Site -> (slope, offset) of each variable, shape (2, variables); empty
            without harmonization.
    """

    name: str
    event: str
    variables: tuple[str, ...]
    coefficients: NDArray[np.float64]
    intercept: float
    centers: NDArray[np.float64]
    scales: NDArray[np.float64]
    notes: tuple[str, ...] = ()
    sites: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def log_odds(self, cohort: Cohort) -> NDArray[np.float64]:
        """Return the linear predictor, shape (patients,); higher = more likely.

        Raises:
            TableError: A variable is missing, or a site was not there in learning.
        """
        values = cohort.values[:, cohort.positions(self.variables)]
        if self.sites:
            maps = np.array([self._map_of(s) for s in cohort.sites or ("",)])
            values = maps[:, 0] * values + maps[:, 1]
        standardized = (values - self.centers) / self.scales
        known = np.where(np.isnan(standardized), 0.0, standardized)
        result: NDArray[np.float64] = self.intercept + known @ self.coefficients
        return result

    def _map_of(self, site: str) -> NDArray[np.float64]:
        if site not in self.sites:
            raise TableError(
                f"Site {site!r} was not among those harmonized: "
                f"{', '.join(self.sites)}",
                "learn again with patients of that site, or check its name",
            )
        return self.sites[site]

    def risk(self, cohort: Cohort) -> NDArray[np.float64]:
        """Return the probability of the event, shape (patients,)."""
        probability: NDArray[np.float64] = expit(self.log_odds(cohort))
        return probability

    def risk_of(self, values: Mapping[str, float]) -> float:
        """Return the probability of the event for one patient's variables."""
        row = np.array([values[name] for name in self.variables], dtype=np.float64)
        known = np.nan_to_num((row - self.centers) / self.scales, nan=0.0)
        return float(expit(self.intercept + known @ self.coefficients))


Ladder = Mapping[str, RiskModel]
"""Nested models learned from the same patients: clinical -> cr -> crh."""

Fit = Callable[[Cohort], Ladder]
"""Everything that learns from more than one patient, as one repeatable function."""
