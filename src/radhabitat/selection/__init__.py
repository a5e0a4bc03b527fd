"""From candidates to a few variables; called inside every resample.

    known and not constant -> |r| -> recursive elimination -> LASSO

The same steps as scikit-learn estimators are in `selection.estimators`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from radhabitat.selection.elimination import eliminate
from radhabitat.selection.lasso import LassoPath, cross_validate_lasso, draw_folds
from radhabitat.selection.redundancy import drop_redundant
from radhabitat.selection.sample import Sample, distinct_patients, standardize
from radhabitat.selection.screening import associated_alone
from radhabitat.settings import SelectionSettings

__all__ = ["Selection", "select_clinical", "select_features"]

USABLE = "known in 80 % of patients, not constant"


@dataclass(frozen=True, eq=False)
class Selection:
    """What was kept, and how it came to it.

    Attributes:
        positions: Columns of the given table, rising; may be empty.
        counts: (step in words, how many columns were left after it).
        fill: What a missing value counted as in each kept column: the median.
        path: The LASSO's path over the columns `path_positions`, if it came to that.
        path_positions: Columns of the given table that the LASSO chose from.
    """

    positions: NDArray[np.intp]
    counts: tuple[tuple[str, int], ...]
    fill: NDArray[np.float64]
    path: LassoPath | None = None
    path_positions: tuple[int, ...] = ()


def select_features(
    values: NDArray[np.float64],
    outcome: NDArray[np.int8],
    patients: Sequence[str],
    names: Sequence[str],
    settings: SelectionSettings,
    *,
    seed: int,
) -> Selection:
    """Return the image features that the published selection keeps; perhaps none.

    The order of the rows and of the columns makes no difference.

    Args:
        values: Shape (rows, columns); NaN where missing.
        outcome: 0 or 1, shape (rows,).
        patients: One name per row; rows of one name are copies of one patient.
        names: One per column, all different.
        settings: Limits.
        seed: Of the folds.

    Raises:
        ComputationError: Every patient has the same outcome.
    """
    sample = standardize(distinct_patients(values, outcome, patients, names))
    counts = [("candidates", len(names)), (USABLE, len(sample.columns))]
    sample = sample.take(drop_redundant(sample, limit=settings.correlation_limit))
    counts.append((f"|r| <= {settings.correlation_limit:g}", len(sample.columns)))
    sample = sample.take(eliminate(sample, keep=settings.rfe_features))
    counts.append(("recursive elimination", len(sample.columns)))
    step = f"LASSO (lambda.{settings.lasso_rule}), largest {settings.max_features}"
    folds = draw_folds(sample.outcome, settings.lasso_folds, seed=seed)
    if not len(sample.columns) or folds is None:
        return _selection(sample.take(np.arange(0)), [*counts, (step, 0)])
    path = cross_validate_lasso(sample, folds)
    kept = path.largest(settings.lasso_rule, settings.max_features)
    chosen = _selection(sample.take(kept), [*counts, (step, len(kept))])
    return replace(chosen, path=path, path_positions=tuple(sample.columns.tolist()))


def select_clinical(
    values: NDArray[np.float64],
    outcome: NDArray[np.int8],
    patients: Sequence[str],
    names: Sequence[str],
    settings: SelectionSettings,
) -> Selection:
    """Return the clinical columns to use: all, or those associated on their own.

    The dummy columns of one variable are tested, kept and dropped together.

    Args:
        values: Shape (rows, columns); NaN where missing.
        outcome: 0 or 1, shape (rows,).
        patients: One name per row; rows of one name are copies of one patient.
        names: One per column, all different; `stage=B` is a dummy column of `stage`.
        settings: `clinical` and `clinical_p`.

    Raises:
        ComputationError: Every patient has the same outcome.
    """
    sample = standardize(distinct_patients(values, outcome, patients, names))
    counts = [("candidates", len(names)), (USABLE, len(sample.columns))]
    if settings.clinical == "univariable":
        usable = [names[column] for column in sample.columns]
        sample = sample.take(associated_alone(sample, usable, p=settings.clinical_p))
        counts.append((f"p < {settings.clinical_p:g} alone", len(sample.columns)))
    return _selection(sample, counts)


def _selection(sample: Sample, counts: list[tuple[str, int]]) -> Selection:
    order = np.argsort(sample.columns)
    return Selection(sample.columns[order], tuple(counts), sample.fill[order])
