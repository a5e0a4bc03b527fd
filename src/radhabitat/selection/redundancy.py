"""Of columns that say the same, one is kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radhabitat.selection.sample import Sample


def drop_redundant(
    sample: Sample, *, limit: float, priority: NDArray[np.float64] | None = None
) -> NDArray[np.intp]:
    """Return the columns with |r| <= limit to every column kept before them.

    A column that was dropped no longer speaks against others.

    Args:
        sample: Standardized columns.
        limit: Largest absolute Pearson correlation that two kept columns may have.
        priority: Shape (columns,); the highest goes first, NaN last. Ties, and all
            where it is None: the column with the smallest mean |r| to all goes first.

    Returns:
        Positions in the sample, rising.
    """
    from radhabitat.selection.compiled import keep_in_order

    scaled = sample.values * np.sqrt(sample.shares)[:, np.newaxis]
    correlation = np.abs(scaled.T @ scaled)
    total = np.round(correlation.sum(axis=0), 8)
    first = np.zeros_like(total) if priority is None else np.round(priority, 8)
    order = np.lexsort((total, -np.where(np.isnan(first), -np.inf, first)))
    return np.flatnonzero(keep_in_order(correlation, order, limit))
