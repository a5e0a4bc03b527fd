from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_selection import RFE
from sklearn.linear_model import LogisticRegression

from radhabitat.selection.elimination import eliminate
from radhabitat.selection.sample import Sample, standardize


def drawn(seed: int, patients: int, columns: int, *, copies: bool = False) -> Sample:
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(patients, columns))
    chance = 1 / (1 + np.exp(-values[:, :3].sum(axis=1)))
    weights = draw.integers(1, 4, size=patients) if copies else np.ones(patients)
    return standardize(
        Sample(
            values=values,
            outcome=(draw.random(patients) < chance).astype(np.float64),
            weights=weights.astype(np.float64),
            columns=np.arange(columns),
            fill=np.zeros(columns),
        )
    )


@pytest.mark.parametrize(
    ("seed", "patients", "columns"), [(0, 40, 90), (1, 60, 30), (2, 25, 120)]
)
def test_the_same_columns_are_left_as_by_scikit_learn_solved_to_the_end(
    seed: int, patients: int, columns: int
) -> None:
    sample = drawn(seed, patients, columns)
    model = LogisticRegression(C=1.0, tol=1e-10, solver="newton-cholesky")
    reference = RFE(model, n_features_to_select=10, step=1)
    reference.fit(sample.values, sample.outcome)
    np.testing.assert_array_equal(
        eliminate(sample, keep=10), np.flatnonzero(reference.support_)
    )


def test_copies_of_a_patient_count_as_often_as_they_occur() -> None:
    sample = drawn(3, 40, 80, copies=True)
    rows = np.repeat(np.arange(40), sample.weights.astype(np.intp))
    repeated = Sample(
        sample.values[rows],
        sample.outcome[rows],
        np.ones(len(rows)),
        sample.columns,
        sample.fill,
    )
    np.testing.assert_array_equal(
        eliminate(sample, keep=8), eliminate(repeated, keep=8)
    )


def test_fewer_columns_than_wanted_all_stay() -> None:
    np.testing.assert_array_equal(eliminate(drawn(4, 30, 5), keep=20), np.arange(5))


def test_the_sample_is_left_as_it_was() -> None:
    sample = drawn(5, 30, 40)
    before = sample.values.copy()
    eliminate(sample, keep=3)
    np.testing.assert_array_equal(sample.values, before)
