"""The steps of selection as scikit-learn estimators; importing this imports it.

Each takes complete numeric columns, standardizes them, and says in `get_support`
which it keeps. Rows count as different patients: for resamples with copies use
`select_features`, which knows the patients.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from radhabitat.errors import ComputationError
from radhabitat.selection.elimination import eliminate
from radhabitat.selection.lasso import Loss, Rule, cross_validate_lasso, draw_folds
from radhabitat.selection.redundancy import drop_redundant
from radhabitat.selection.sample import Sample, standardize


class _Selector(SelectorMixin, BaseEstimator):  # type: ignore[misc]
    """What the estimators share: the mask of the kept columns."""

    support_: NDArray[np.bool_]

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self, "support_")
        return self.support_

    def _keep(self, positions: NDArray[np.intp]) -> Self:
        self.support_ = np.zeros(self.n_features_in_, dtype=np.bool_)
        self.support_[positions] = True
        return self


class RedundancyFilter(_Selector):
    """Keep columns with |r| <= limit to every column kept before them.

    The column with the smallest mean |r| to all others goes first; the outcome and
    the order of the columns have no say.

    Args:
        limit: Largest absolute Pearson correlation of two kept columns.
    """

    def __init__(self, limit: float = 0.9) -> None:
        self.limit = limit

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:  # noqa: N803
        """Learn which columns to keep; `y` is not looked at."""
        values = validate_data(self, X, dtype=np.float64)
        sample = _sample(values, np.zeros(len(values)))
        # an order of the columns that does not depend on where they stood
        sample = sample.take(np.lexsort(np.round(sample.values[::-1], 9)))
        return self._keep(sample.columns[drop_redundant(sample, limit=self.limit)])


class RecursiveElimination(_Selector):
    """Drop the column of smallest |coefficient| of a ridge logistic model, refit.

    The same columns as scikit-learn's RFE with step=1 around a LogisticRegression
    that is solved to the end, in a fraction of the time.

    Args:
        keep: How many columns are left.
        penalty: 1 / C of scikit-learn.
    """

    def __init__(self, keep: int = 20, penalty: float = 1.0) -> None:
        self.keep = keep
        self.penalty = penalty

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Learn which columns to keep."""
        sample = _labeled(self, X, y)
        kept = eliminate(sample, keep=self.keep, penalty=self.penalty)
        return self._keep(sample.columns[kept])


class LassoSelector(_Selector):
    """Keep the columns with a coefficient in the cross-validated LASSO.

    Args:
        folds: Of the stratified, shuffled cross-validation.
        rule: The penalty of the smallest loss, or the largest one within a standard
            error of it.
        most: Largest number of columns kept, by |coefficient|; None: no limit.
        loss: What is minimized and scored.
        seed: Of the folds.

    Attributes:
        path_: Coefficients and cross-validated loss over the penalty.
        coef_: Of the standardized columns, at the chosen penalty.
        penalty_: The chosen penalty (1 / (n C) of scikit-learn).
    """

    def __init__(
        self,
        folds: int = 10,
        rule: Rule = "min",
        *,
        most: int | None = None,
        loss: Loss = "logistic",
        seed: int = 0,
    ) -> None:
        self.folds = folds
        self.rule = rule
        self.most = most
        self.loss = loss
        self.seed = seed

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Learn which columns to keep; perhaps none.

        Raises:
            ComputationError: A class has fewer than two rows.
        """
        sample = _labeled(self, X, y)
        folds = draw_folds(sample.outcome, self.folds, seed=self.seed)
        if folds is None:
            raise ComputationError(
                "Cross-validation needs two patients of each class",
                "give more patients",
            )
        self.path_ = cross_validate_lasso(sample, folds, loss=self.loss)
        place = self.path_.place(self.rule)
        self.penalty_ = float(self.path_.penalties[place])
        self.coef_ = np.zeros(self.n_features_in_)
        self.coef_[sample.columns] = self.path_.coefficients[place]
        return self._keep(sample.columns[self.path_.largest(self.rule, self.most)])


def _labeled(selector: _Selector, values: ArrayLike, outcome: ArrayLike) -> Sample:
    """Return the standardized sample; the event is the larger of two labels."""
    numbers, labels = validate_data(selector, values, outcome, dtype=np.float64)
    classes = np.unique(labels)
    if len(classes) != 2:
        raise ComputationError(
            f"The outcome has {len(classes)} values; two are needed",
            "give patients with and without the event",
        )
    return _sample(numbers, (labels == classes[1]).astype(np.float64))


def _sample(values: NDArray[np.float64], outcome: NDArray[np.float64]) -> Sample:
    columns = np.flatnonzero(np.ptp(values, axis=0) > 0.0)
    fill, weights = np.zeros(len(columns)), np.ones(len(values))
    return standardize(Sample(values[:, columns], outcome, weights, columns, fill))
