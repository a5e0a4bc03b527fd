from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.linear_model import Lasso, LogisticRegression

from radhabitat.selection.lasso import cross_validate_lasso, draw_folds
from radhabitat.selection.sample import Sample, standardize


def drawn(seed: int, patients: int, columns: int, *, related: float = 0.0) -> Sample:
    draw = np.random.default_rng(seed)
    mixed = np.eye(columns) + related * draw.normal(size=(columns, columns))
    values = draw.normal(size=(patients, columns)) @ mixed
    chance = 1 / (1 + np.exp(-values[:, 0] + values[:, 1]))
    return standardize(
        Sample(
            values=values,
            outcome=(draw.random(patients) < chance).astype(np.float64),
            weights=np.ones(patients),
            columns=np.arange(columns),
            fill=np.zeros(columns),
        )
    )


def folds_of(sample: Sample, count: int = 10) -> np.ndarray:
    folds = draw_folds(sample.outcome, count, seed=7)
    assert folds is not None
    return folds


@pytest.mark.parametrize("related", [0.0, 0.4])
def test_the_path_is_that_of_scikit_learn_to_six_digits(related: float) -> None:
    sample = drawn(0, 100, 15, related=related)
    path = cross_validate_lasso(sample, folds_of(sample))
    for place in (5, 15, 30):
        with warnings.catch_warnings():
            # newer versions know the penalty by its l1_ratio alone
            warnings.simplefilter("ignore", FutureWarning)
            reference = LogisticRegression(
                penalty="elasticnet",
                l1_ratio=1.0,
                solver="saga",
                C=1 / (100 * path.penalties[place]),
                tol=1e-11,
                max_iter=100_000,
            ).fit(sample.values, sample.outcome)
        np.testing.assert_allclose(
            path.coefficients[place], reference.coef_[0], atol=1e-6
        )


def test_every_point_of_the_path_meets_the_conditions_of_a_minimum() -> None:
    sample = drawn(1, 80, 30, related=0.3)
    path = cross_validate_lasso(sample, folds_of(sample))
    log_odds = sample.values @ path.coefficients.T
    for place in range(35):
        shift = _intercept(log_odds[:, place], sample.outcome)
        residual = sample.outcome - 1 / (1 + np.exp(-log_odds[:, place] - shift))
        slope = residual @ sample.values / 80
        penalty, b = path.penalties[place], path.coefficients[place]
        assert np.abs(slope).max() <= penalty + 1e-7
        np.testing.assert_allclose(
            slope[b != 0], penalty * np.sign(b[b != 0]), atol=1e-7
        )


def _intercept(log_odds: np.ndarray, outcome: np.ndarray) -> float:
    shift = 0.0
    for _ in range(50):
        risk = 1 / (1 + np.exp(-log_odds - shift))
        shift += (outcome - risk).sum() / (risk * (1 - risk)).sum()
    return shift


def test_at_the_largest_penalty_nothing_is_kept_and_below_it_one_column() -> None:
    sample = drawn(2, 60, 10)
    path = cross_validate_lasso(sample, folds_of(sample))
    assert np.abs(path.coefficients[0]).max() < 1e-9
    assert np.count_nonzero(path.coefficients[1]) >= 1


def test_the_squared_loss_gives_the_coefficients_of_scikit_learns_lasso() -> None:
    sample = drawn(3, 90, 12, related=0.3)
    path = cross_validate_lasso(sample, folds_of(sample), loss="squared")
    for place in (5, 20, 40):
        reference = Lasso(alpha=path.penalties[place], tol=1e-12, max_iter=100_000)
        reference.fit(sample.values, sample.outcome)
        np.testing.assert_allclose(path.coefficients[place], reference.coef_, atol=1e-8)


def test_copies_of_a_patient_are_like_a_patient_of_that_weight() -> None:
    sample = drawn(4, 60, 8)
    copies = np.random.default_rng(5).integers(1, 4, size=60)
    rows = np.repeat(np.arange(60), copies)
    weighted = standardize(
        Sample(sample.values, sample.outcome, copies * 1.0, sample.columns, sample.fill)
    )
    repeated = standardize(
        Sample(
            sample.values[rows],
            sample.outcome[rows],
            np.ones(len(rows)),
            sample.columns,
            sample.fill,
        )
    )
    folds = folds_of(sample)
    first = cross_validate_lasso(weighted, folds)
    second = cross_validate_lasso(repeated, folds[rows])
    np.testing.assert_allclose(first.loss, second.loss, atol=1e-5)
    np.testing.assert_allclose(first.coefficients, second.coefficients, atol=1e-6)
    assert first.best == second.best


def test_the_cross_validated_loss_is_the_deviance_of_left_out_patients() -> None:
    sample = drawn(6, 60, 5)
    folds = folds_of(sample, 5)
    path = cross_validate_lasso(sample, folds)
    deviances = []
    for fold in range(5):
        out = folds == fold
        mean = sample.outcome[~out].mean()
        truth = sample.outcome[out]
        likely = truth * np.log(mean) + (1 - truth) * np.log(1 - mean)
        deviances.append(-2 * likely.sum())
    # at the largest penalty the folds' models are nearly their prevalence
    assert path.loss[0] == pytest.approx(sum(deviances) / 60, rel=0.02)
    assert path.loss[path.best] == path.loss.min()


def test_one_standard_error_is_never_the_smaller_penalty() -> None:
    for seed in range(5):
        sample = drawn(10 + seed, 50, 10)
        path = cross_validate_lasso(sample, folds_of(sample))
        limit = path.loss[path.best] + path.error[path.best]
        assert path.penalties[path.sparse] >= path.penalties[path.best]
        assert path.loss[path.sparse] <= limit


def test_folds_are_stratified_shuffled_and_drawn_from_the_seed() -> None:
    outcome = np.repeat([1.0, 0.0], [30, 50])
    folds = draw_folds(outcome, 10, seed=1)
    assert folds is not None
    for fold in range(10):
        assert outcome[folds == fold].sum() == 3
        assert np.count_nonzero(folds == fold) == 8
    np.testing.assert_array_equal(folds, draw_folds(outcome, 10, seed=1))
    assert (folds != draw_folds(outcome, 10, seed=2)).any()


def test_there_are_no_folds_when_a_class_has_one_patient() -> None:
    assert draw_folds(np.array([1.0, 0.0, 0.0, 0.0]), 3, seed=0) is None


def test_columns_that_separate_the_outcomes_end_the_path_without_infinities() -> None:
    sample = drawn(7, 30, 6)
    values = np.column_stack([sample.values, sample.outcome * 4])
    separated = standardize(
        Sample(values, sample.outcome, sample.weights, np.arange(7), np.zeros(7))
    )
    path = cross_validate_lasso(separated, folds_of(separated))
    assert np.isfinite(path.coefficients).all()
    assert np.isfinite(path.loss).all()
    assert np.argmax(np.abs(path.coefficients[path.best])) == 6
