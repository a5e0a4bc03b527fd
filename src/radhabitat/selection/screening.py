"""Clinical candidates that are associated with the outcome on their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from radhabitat.selection.sample import Sample


def score_test(sample: Sample, columns: NDArray[np.intp]) -> float:
    """Return the p-value of one variable, given by one or more columns.

    Rao's score test of the univariable logistic model: for a category this is
    Pearson's chi-square without continuity correction. Unlike Wald's test it needs no
    fit and does not fail when a variable separates the outcomes.

    Args:
        sample: Standardized columns.
        columns: The variable's columns; more than one for dummy columns.

    Reference:
        Agresti 2013, Categorical Data Analysis, 3rd ed., section 5.3.5.
    """
    size = sample.weights.sum()
    share = sample.weights / size
    mean = float(share @ sample.outcome)
    block = sample.values[:, columns]
    covariance = (block * share[:, np.newaxis]).T @ block
    slope = (share * (sample.outcome - mean)) @ block
    rank = int(np.linalg.matrix_rank(covariance, tol=1e-9))
    inverse = np.linalg.pinv(covariance, rcond=1e-9, hermitian=True)
    statistic = size * float(slope @ inverse @ slope) / (mean * (1.0 - mean))
    return float(chi2.sf(statistic, rank))


def variables_of(names: tuple[str, ...]) -> list[NDArray[np.intp]]:
    """Return the columns of each variable: `stage=B` and `stage=C` belong together.

    Example:
        >>> variables_of(("age", "stage=B", "stage=C"))
        [array([0]), array([1, 2])]
    """
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        groups.setdefault(name.partition("=")[0], []).append(place)
    return [np.array(places, dtype=np.intp) for places in groups.values()]
