"""From candidates to a few variables; called inside every resample.

    known and not constant -> |r| -> RFE or mRMR -> LASSO or elastic net

The same steps as scikit-learn estimators are in `selection.estimators`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from radhabitat.selection.elimination import eliminate
from radhabitat.selection.lasso import LassoPath, cross_validate_lasso, draw_folds
from radhabitat.selection.redundancy import drop_redundant
from radhabitat.selection.relevance import most_relevant
from radhabitat.selection.sample import Sample, distinct_patients, standardize
from radhabitat.selection.screening import associated_alone, associated_together
from radhabitat.settings import SelectionSettings
from radhabitat.types import Cohort

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
    cohort: Cohort, settings: SelectionSettings, *, seed: int
) -> Selection:
    """Return the image features that the selection keeps; perhaps none.

    The order of the rows and of the columns makes no difference. Of redundant columns
    the most reliable is kept, or, where nothing is known of it, the one with the
    smallest mean |r| to all.

    Args:
        cohort: The candidates; rows of one patient are copies.
        settings: Limits.
        seed: Of the folds.

    Raises:
        ComputationError: Every patient has the same outcome.
    """
    sample = standardize(distinct_patients(cohort))
    counts = [("candidates", len(cohort.names)), (USABLE, len(sample.columns))]
    known = cohort.reliability
    first = None if known is None else known[sample.columns]
    sample = sample.take(
        drop_redundant(sample, limit=settings.correlation_limit, priority=first)
    )
    counts.append((f"|r| <= {settings.correlation_limit:g}", len(sample.columns)))
    sample, counts = _reduce(sample, counts, settings)
    name = "LASSO" if settings.lasso_mix == 1.0 else "elastic net"
    step = f"{name} (lambda.{settings.lasso_rule}), largest {settings.max_features}"
    folds = draw_folds(sample.outcome, settings.lasso_folds, seed=seed)
    if not len(sample.columns) or folds is None:
        return _selection(sample.take(np.arange(0)), [*counts, (step, 0)])
    path = cross_validate_lasso(
        sample, folds, loss=settings.lasso_loss, mix=settings.lasso_mix
    )
    kept = path.largest(settings.lasso_rule, settings.max_features)
    chosen = _selection(sample.take(kept), [*counts, (step, len(kept))])
    return replace(chosen, path=path, path_positions=tuple(sample.columns.tolist()))


def select_clinical(cohort: Cohort, settings: SelectionSettings) -> Selection:
    """Return the clinical columns to use: all, or those associated with the outcome.

    The dummy columns of one variable are tested, kept and dropped together.

    Args:
        cohort: The candidates; `stage=B` is a dummy column of `stage`. Rows of one
            patient are copies.
        settings: `clinical` and `clinical_p`. "multivariable": those with a small p
            alone are put into one model, where they must have a small p again.

    Raises:
        ComputationError: Every patient has the same outcome.
    """
    sample = standardize(distinct_patients(cohort))
    names = cohort.names
    counts = [("candidates", len(names)), (USABLE, len(sample.columns))]
    limit = settings.clinical_p
    if settings.clinical != "all":
        usable = [names[column] for column in sample.columns]
        sample = sample.take(associated_alone(sample, usable, p=limit))
        counts.append((f"p < {limit:g} alone", len(sample.columns)))
    if settings.clinical == "multivariable":
        usable = [names[column] for column in sample.columns]
        sample = sample.take(associated_together(sample, usable, p=limit))
        counts.append((f"p < {limit:g} together", len(sample.columns)))
    return _selection(sample, counts)


def _reduce(
    sample: Sample, counts: list[tuple[str, int]], settings: SelectionSettings
) -> tuple[Sample, list[tuple[str, int]]]:
    """Return the columns that RFE or mRMR leave; all when there is no such step."""
    if settings.reduction == "none":
        return sample, counts
    reduce = eliminate if settings.reduction == "rfe" else most_relevant
    sample = sample.take(reduce(sample, keep=settings.rfe_features))
    words = {"rfe": "recursive elimination", "mrmr": "relevance and redundancy"}
    return sample, [*counts, (words[settings.reduction], len(sample.columns))]


def _selection(sample: Sample, counts: list[tuple[str, int]]) -> Selection:
    order = np.argsort(sample.columns)
    return Selection(sample.columns[order], tuple(counts), sample.fill[order])
