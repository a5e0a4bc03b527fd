from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from radhabitat.errors import ComputationError
from radhabitat.selection.estimators import (
    LassoSelector,
    RecursiveElimination,
    RedundancyFilter,
)


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(80, 30))
    values[:, 20:] = values[:, :10] + 0.05 * draw.normal(size=(80, 10))
    chance = 1 / (1 + np.exp(-2 * values[:, 3] + 2 * values[:, 5]))
    return 10 * values + 5, (draw.random(80) < chance).astype(int)


def test_the_steps_work_in_a_pipeline_of_scikit_learn() -> None:
    values, outcome = drawn(0)
    pipeline = make_pipeline(
        RedundancyFilter(0.9),
        RecursiveElimination(keep=8),
        LassoSelector(folds=5, most=4),
        LogisticRegression(),
    )
    pipeline.fit(values, outcome)
    assert pipeline[0].get_support().sum() == 20
    assert pipeline[:2].transform(values).shape == (80, 8)
    assert pipeline[-1].coef_.shape == (1, 4)
    assert pipeline.score(values, outcome) > 0.7


@pytest.mark.parametrize(
    "estimator", [RedundancyFilter(0.8), RecursiveElimination(5, 2.0), LassoSelector()]
)
def test_estimators_can_be_cloned_with_their_settings(estimator: object) -> None:
    assert clone(estimator).get_params() == estimator.get_params()


def test_the_redundancy_filter_does_not_look_at_the_place_of_a_column() -> None:
    values, _ = drawn(1)
    order = np.random.default_rng(2).permutation(30)
    kept = RedundancyFilter(0.9).fit(values).get_support()
    shuffled = RedundancyFilter(0.9).fit(values[:, order]).get_support()
    np.testing.assert_array_equal(shuffled, kept[order])


def test_any_two_labels_will_do() -> None:
    values, outcome = drawn(3)
    words = np.where(outcome == 1, "yes", "no")
    first = RecursiveElimination(4).fit(values, outcome).get_support()
    second = RecursiveElimination(4).fit(values, words).get_support()
    np.testing.assert_array_equal(first, second)


def test_three_labels_are_refused() -> None:
    values, _ = drawn(4)
    with pytest.raises(ComputationError, match="has 3 values"):
        LassoSelector().fit(values, np.arange(80) % 3)


def test_a_class_of_one_cannot_be_cross_validated() -> None:
    values, _ = drawn(5)
    with pytest.raises(ComputationError, match="two patients of each class"):
        LassoSelector().fit(values, np.arange(80) == 0)


def test_the_lasso_shows_its_path_and_its_choice() -> None:
    values, outcome = drawn(6)
    fitted = LassoSelector(folds=5).fit(values, outcome)
    place = fitted.path_.best
    assert fitted.penalty_ == fitted.path_.penalties[place]
    np.testing.assert_array_equal(fitted.get_support(), fitted.coef_ != 0)
