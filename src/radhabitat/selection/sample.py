"""The rows that selection learns from: distinct patients, each with its weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import ComputationError

MOST_MISSING = 0.2
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Sample:
    """Distinct patients; the copies that a bootstrap made are weights.

    Every formula of selection is the same for three copies of a row and for one row
    of weight three, but the second is smaller, and it cannot tear the copies of a
    patient apart into different folds.

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

    def take(self, columns: NDArray[np.intp]) -> Sample:
        """Return some of the columns, by their position in this sample."""
        return Sample(
            self.values[:, columns],
            self.outcome,
            self.weights,
            self.columns[columns],
            self.fill[columns],
        )


def distinct_patients(
    values: NDArray[np.float64],
    outcome: NDArray[np.int8],
    patients: Sequence[str],
    names: Sequence[str],
) -> Sample:
    """Return the usable columns of distinct patients, both in order of their names.

    Columns with more than 20 % missing or with infinite values and columns that are
    constant are left out; other missing values become the median of the known ones.

    Args:
        values: Shape (rows, columns); NaN where missing.
        outcome: 0 or 1, shape (rows,).
        patients: One name per row; rows of one name are copies of one patient.
        names: One per column, all different.

    Raises:
        ComputationError: Every patient has the same outcome.
    """
    _, first, copies = np.unique(
        np.asarray(patients, dtype=np.str_), return_index=True, return_counts=True
    )
    result = outcome[first].astype(np.float64)
    _check_outcome(result)
    by_name = np.argsort(np.asarray(names, dtype=np.str_), kind="stable")
    missing = np.isnan(values[first][:, by_name])
    often_known = copies @ missing <= MOST_MISSING * copies.sum()
    columns = by_name[often_known]
    filled = values[np.ix_(first, columns)]
    middle = _fill(filled, missing[:, often_known], copies)
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
    share = sample.weights / sample.weights.sum()
    centered = sample.values - share @ sample.values
    scale = np.sqrt(share @ centered**2)
    size = np.abs(sample.values).max(axis=0, initial=0.0)
    varied = np.flatnonzero(scale > ROUNDING * size)
    return Sample(
        centered[:, varied] / scale[varied],
        sample.outcome,
        sample.weights,
        sample.columns[varied],
        sample.fill[varied],
    )


def _fill(
    values: NDArray[np.float64],
    missing: NDArray[np.bool_],
    copies: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Put each column's median where it is missing; return the medians."""
    middle = np.zeros(values.shape[1])
    rows = np.repeat(np.arange(len(copies)), copies)
    if values.shape[1]:
        middle = np.median(values[rows], axis=0)
    for place in np.flatnonzero(missing.any(axis=0)):
        unknown = missing[:, place]
        middle[place] = np.median(values[rows, place][~unknown[rows]])
        values[unknown, place] = middle[place]
    return middle


def _check_outcome(outcome: NDArray[np.float64]) -> None:
    events = int(outcome.sum())
    if events in (0, len(outcome)):
        raise ComputationError(
            f"{events} of {len(outcome)} patients have the event; nothing can be "
            "learned where all have the same outcome",
            "give patients with and without the event, at least two of each",
        )
