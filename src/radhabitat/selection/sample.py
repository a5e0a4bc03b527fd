"""The rows that selection learns from: distinct patients, each with its weight."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import ComputationError
from radhabitat.types import Cohort

MOST_MISSING = 0.2
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Sample:
    """Distinct patients; the copies that a bootstrap made are weights.

    A row of weight three is smaller than three copies of it, and cannot be torn
    apart into different folds.

    Attributes:
        values: float64, shape (patients, columns); no NaN, no constant column.
        outcome: 1.0 = event, 0.0 = none, shape (patients,).
        weights: Number of copies, shape (patients,).
        columns: Positions of the columns in the table they came from.
        fill: What missing values of a column became, in the table's unit.
    """

    values: NDArray[np.float64]
    outcome: NDArray[np.float64]
    weights: NDArray[np.float64]
    columns: NDArray[np.intp]
    fill: NDArray[np.float64]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Weights that sum to 1."""
        shares: NDArray[np.float64] = self.weights / self.weights.sum()
        return shares

    def take(self, columns: NDArray[np.intp]) -> Sample:
        """Return some of the columns, by their position in this sample."""
        return replace(
            self,
            values=self.values[:, columns],
            columns=self.columns[columns],
            fill=self.fill[columns],
        )


def distinct_patients(cohort: Cohort) -> Sample:
    """Return the usable columns of distinct patients, both in order of their names.

    Columns with more than 20 % missing or with infinite values and columns that are
    constant are left out; other missing values become the median of the known ones.

    Raises:
        ComputationError: Every patient has the same outcome.
    """
    values, names = cohort.values, cohort.names
    ids = np.asarray(cohort.patients, dtype=np.str_)
    _, first, copies = np.unique(
        ids,
        return_index=True,
        return_counts=True,
    )
    result = cohort.outcome[first].astype(np.float64)
    events = int(result.sum())
    if events in (0, len(result)):
        raise ComputationError(
            f"{events} of {len(result)} patients have the event; nothing can be "
            "learned where all have the same outcome",
            "give patients with and without the event, at least two of each",
        )
    by_name = np.argsort(np.asarray(names, dtype=np.str_), kind="stable")
    missing = np.isnan(values[first][:, by_name])
    often_known = copies @ missing <= MOST_MISSING * copies.sum()
    columns = by_name[often_known]
    missing = missing[:, often_known]
    known = values[np.ix_(first, columns)]
    middle = _medians(np.repeat(known, copies, axis=0))
    filled = np.where(missing, middle, known)
    usable = np.isfinite(filled).all(axis=0) & (np.ptp(filled, axis=0) > 0.0)
    return Sample(
        np.ascontiguousarray(filled[:, usable]),
        result,
        copies.astype(np.float64),
        columns[usable],
        middle[usable],
    )


def standardize(sample: Sample) -> Sample:
    """Return the sample with weighted mean 0 and standard deviation 1 per column.

    Columns that vary only by rounding are left out.
    """
    centered = sample.values - sample.shares @ sample.values
    scale = np.sqrt(sample.shares @ centered**2)
    size = np.abs(sample.values).max(axis=0, initial=0.0)
    varied = np.flatnonzero(scale > ROUNDING * size)
    scaled = centered[:, varied] / scale[varied]
    return replace(sample.take(varied), values=scaled)


def _medians(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of the known values of each column."""
    middle: NDArray[np.float64] = np.median(values, axis=0)
    gaps = np.isnan(middle)  # numpy's other function is much slower
    middle[gaps] = np.nanmedian(values[:, gaps], axis=0)
    return middle
