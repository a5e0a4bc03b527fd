"""Of columns that say the same, one is kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radhabitat.selection.sample import Sample


def drop_redundant(
    sample: Sample, *, limit: float, priority: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Return the columns with |r| <= limit to every column kept before them.

    The rule compares with *kept* columns only: a column that was dropped no longer
    speaks against others.

    Args:
        sample: Standardized columns.
        limit: Largest absolute Pearson correlation that two kept columns may have.
        priority: Shape (columns,); the highest goes first, ties in column order.

    Returns:
        Positions in the sample, rising.
    """
    from radhabitat.selection.compiled import keep_in_order

    share = sample.weights / sample.weights.sum()
    scaled = sample.values * np.sqrt(share)[:, np.newaxis]
    order = np.argsort(-priority, kind="stable")
    return np.flatnonzero(keep_in_order(scaled.T @ scaled, order, limit))


def association(sample: Sample) -> NDArray[np.float64]:
    """Return |point-biserial correlation| of each standardized column and outcome."""
    share = sample.weights / sample.weights.sum()
    mean = float(share @ sample.outcome)
    scale = float(np.sqrt(mean * (1.0 - mean)))
    covariance = (share * (sample.outcome - mean)) @ sample.values
    result: NDArray[np.float64] = np.round(np.abs(covariance) / scale, 12)
    return result
