"""Recursive feature elimination with ridge logistic regression, one by one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radhabitat.selection.sample import Sample

TOLERANCE = 1e-5
"""Each step leaves a few percent of the error of the one before."""


def eliminate(sample: Sample, *, keep: int, penalty: float = 1.0) -> NDArray[np.intp]:
    """Return the columns that recursive elimination leaves.

    After each single column the model is fitted again, as an n x n problem in the dual
    coefficients; Newton starts where the last fit ended.

    Args:
        sample: Standardized columns.
        keep: How many are left.
        penalty: Of half the squared coefficients (1 / C of scikit-learn); the
            intercept is free.

    Returns:
        Positions in the sample, rising.

    Reference:
        Guyon et al. 2002, Machine Learning 46:389, section 4, with logistic loss.
    """
    from radhabitat.selection.dual import eliminate_columns

    count = sample.values.shape[1]
    if count <= keep:
        return np.arange(count)
    columns = sample.values.T.copy(order="C")
    labels = sample.outcome, sample.weights
    return eliminate_columns(columns, labels, keep, penalty, TOLERANCE)
