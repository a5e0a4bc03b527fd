"""The rows that selection learns from: distinct patients, each with its weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_MISSING = 0.2


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
    """

    values: NDArray[np.float64]
    outcome: NDArray[np.float64]
    weights: NDArray[np.float64]
    columns: NDArray[np.intp]

    def take(self, columns: NDArray[np.intp]) -> Sample:
        """Return some of the columns, by their position in this sample."""
        return Sample(
            self.values[:, columns], self.outcome, self.weights, self.columns[columns]
        )


def distinct_patients(
    values: NDArray[np.float64], outcome: NDArray[np.int8], patients: Sequence[str]
) -> Sample:
    """Return the usable columns of distinct patients, in the order of their names.

    Columns with more than 20 % missing values and columns that are constant are left
    out; other missing values become the median of the known ones.

    Args:
        values: Shape (rows, columns); NaN where missing.
        outcome: Shape (rows,).
        patients: One name per row; rows of one name are copies of one patient.
    """
    _, first, copies = np.unique(
        np.asarray(patients), return_index=True, return_counts=True
    )
    weights = copies.astype(np.float64)
    rows = values[first]
    missing = np.isnan(rows)
    often_known = weights @ missing <= MOST_MISSING * weights.sum()
    columns = np.flatnonzero(often_known)
    filled = rows[:, columns]
    for place in np.flatnonzero(missing[:, columns].any(axis=0)):
        known = ~np.isnan(filled[:, place])
        middle = np.median(np.repeat(filled[known, place], copies[known]))
        filled[~known, place] = middle
    lowest, highest = filled.min(axis=0), filled.max(axis=0)
    varied = np.isfinite(filled).all(axis=0) & (highest > lowest)
    return Sample(
        np.ascontiguousarray(filled[:, varied]),
        outcome[first].astype(np.float64),
        weights,
        columns[varied],
    )


def standardize(sample: Sample) -> Sample:
    """Return the sample with weighted mean 0 and standard deviation 1 per column.

    Columns that vary only by rounding are left out.
    """
    share = sample.weights / sample.weights.sum()
    centered = sample.values - share @ sample.values
    scale = np.sqrt(share @ centered**2)
    size = np.abs(sample.values).max(axis=0, initial=0.0)
    varied = np.flatnonzero(scale > 1e-12 * np.maximum(size, 1e-300))
    return Sample(
        centered[:, varied] / scale[varied],
        sample.outcome,
        sample.weights,
        sample.columns[varied],
    )
