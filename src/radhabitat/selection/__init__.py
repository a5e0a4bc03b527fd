"""From candidates to a few variables; called inside every resample.

    missing and constant -> redundancy -> recursive elimination -> LASSO

Estimators with scikit-learn's contract are in `selection.estimators`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radhabitat.selection.elimination import eliminate
from radhabitat.selection.lasso import LassoPath, cross_validate_lasso, draw_folds
from radhabitat.selection.redundancy import association, drop_redundant
from radhabitat.selection.sample import distinct_patients, standardize
from radhabitat.selection.screening import score_test, variables_of
from radhabitat.settings import SelectionSettings

__all__ = ["Selection", "screen_variables", "select_features"]


@dataclass(frozen=True, eq=False)
class Selection:
    """What was kept, and how it came to it.

    Attributes:
        positions: Columns of the given table, rising; may be empty.
        remaining: (step in words, how many columns were left after it).
        path: The LASSO's path over the columns `path_positions`, if it came to that.
        path_positions: Columns of the given table that the LASSO chose from.
    """

    positions: NDArray[np.intp]
    remaining: tuple[tuple[str, int], ...]
    path: LassoPath | None = None
    path_positions: tuple[int, ...] = ()


def select_features(
    values: NDArray[np.float64],
    outcome: NDArray[np.int8],
    patients: Sequence[str],
    settings: SelectionSettings,
    *,
    seed: int,
) -> Selection:
    """Return the image features that the published selection keeps; perhaps none.

    Args:
        values: Shape (rows, columns); NaN where missing.
        outcome: 0 or 1, shape (rows,); both occur.
        patients: One name per row; rows of one name are copies of one patient.
        settings: Limits.
        seed: Of the folds.
    """
    raw = distinct_patients(values, outcome, patients)
    sample = standardize(raw)
    remaining = [("candidates", values.shape[1]), ("usable", len(sample.columns))]
    limit = settings.correlation_limit
    sample = sample.take(
        drop_redundant(sample, limit=limit, priority=association(sample))
    )
    remaining.append((f"|r| <= {limit:g}", len(sample.columns)))
    sample = sample.take(eliminate(sample, keep=settings.rfe_features))
    remaining.append(("recursive elimination", len(sample.columns)))
    if not len(sample.columns):
        return Selection(sample.columns, tuple(remaining))
    count = min(settings.lasso_folds, len(sample.outcome))
    path = cross_validate_lasso(sample, draw_folds(sample.outcome, count, seed=seed))
    place = path.best if settings.lasso_rule == "min" else path.sparse
    kept = _largest(path.coefficients[place], settings.max_features)
    remaining.append((f"LASSO (lambda.{settings.lasso_rule}), largest", len(kept)))
    return Selection(
        sample.columns[kept],
        tuple(remaining),
        path,
        tuple(int(c) for c in sample.columns),
    )


def screen_variables(
    values: NDArray[np.float64],
    names: tuple[str, ...],
    outcome: NDArray[np.int8],
    patients: Sequence[str],
    settings: SelectionSettings,
) -> Selection:
    """Return the clinical columns to use: all, or those with a small p on their own.

    The dummy columns of one variable are tested, kept and dropped together.

    Args:
        values: Shape (rows, columns); NaN where missing.
        names: Of the columns; `stage=B` is a dummy column of `stage`.
        outcome: 0 or 1, shape (rows,); both occur.
        patients: One name per row; rows of one name are copies of one patient.
        settings: `clinical` and `clinical_p`.
    """
    sample = standardize(distinct_patients(values, outcome, patients))
    remaining = [("candidates", len(names)), ("usable", len(sample.columns))]
    if settings.clinical == "all":
        return Selection(sample.columns, tuple(remaining))
    usable = tuple(names[c] for c in sample.columns)
    kept = [
        place
        for columns in variables_of(usable)
        if score_test(sample, columns) < settings.clinical_p
        for place in columns
    ]
    remaining.append((f"p < {settings.clinical_p:g} alone", len(kept)))
    positions = sample.columns[np.array(sorted(kept), dtype=np.intp)]
    return Selection(positions, tuple(remaining))


def _largest(coefficients: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    order = np.argsort(-np.abs(coefficients), kind="stable")[:most]
    return np.sort(order[coefficients[order] != 0.0])
