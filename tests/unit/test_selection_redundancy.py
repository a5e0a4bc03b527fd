from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radhabitat.selection.redundancy import drop_redundant
from radhabitat.selection.sample import Sample, standardize


def sample_of(values: NDArray[np.float64], weights: object = None) -> Sample:
    patients, columns = values.shape
    return standardize(
        Sample(
            values=values,
            outcome=np.arange(patients) % 2.0,
            weights=np.ones(patients) if weights is None else np.asarray(weights),
            columns=np.arange(columns),
            fill=np.zeros(columns),
        )
    )


def related(patients: int, columns: int, seed: int) -> NDArray[np.float64]:
    draw = np.random.default_rng(seed)
    causes = draw.normal(size=(patients, columns // 4))
    values = np.repeat(causes, 4, axis=1) + 0.4 * draw.normal(size=(patients, columns))
    return values


def test_kept_columns_are_not_redundant_and_every_dropped_one_is() -> None:
    sample = sample_of(related(60, 80, 0))
    kept = drop_redundant(sample, limit=0.9)
    absolute = np.abs(np.corrcoef(sample.values.T))
    among = absolute[np.ix_(kept, kept)] - np.eye(len(kept))
    dropped = np.setdiff1d(np.arange(80), kept)
    assert 0 < len(dropped) < 80
    assert among.max() <= 0.9
    assert absolute[np.ix_(dropped, kept)].max(axis=1).min() > 0.9


def test_only_kept_columns_speak_against_others() -> None:
    # a chain: 0 is like 1, 1 is like 2, 0 is not like 2
    angles = np.deg2rad([0.0, 20.0, 40.0])
    noise = np.linalg.qr(np.random.default_rng(1).normal(size=(50, 3)))[0]
    noise = np.linalg.qr(noise - noise.mean(axis=0))[0]
    sample = sample_of(noise[:, :2] @ np.array([np.cos(angles), np.sin(angles)]))
    first_goes_first = drop_redundant(
        sample, limit=0.9, priority=np.array([3.0, 2.0, 1.0])
    )
    np.testing.assert_array_equal(first_goes_first, [0, 2])


def test_the_set_does_not_depend_on_the_place_of_the_columns() -> None:
    values = related(60, 80, 2)
    order = np.random.default_rng(3).permutation(80)
    kept = drop_redundant(sample_of(values), limit=0.9)
    kept_when_shuffled = order[drop_redundant(sample_of(values[:, order]), limit=0.9)]
    np.testing.assert_array_equal(np.sort(kept_when_shuffled), kept)


def test_of_opposite_and_equal_columns_one_is_kept() -> None:
    column = np.random.default_rng(4).normal(size=30)
    sample = sample_of(np.column_stack([column, -column, 3 * column + 1]))
    assert len(drop_redundant(sample, limit=0.9)) == 1


def test_copies_of_a_patient_count_as_often_as_they_occur() -> None:
    values = related(40, 40, 5)
    copies = np.random.default_rng(6).integers(1, 4, size=40)
    weighted = drop_redundant(sample_of(values, copies.astype(np.float64)), limit=0.9)
    repeated = drop_redundant(sample_of(np.repeat(values, copies, axis=0)), limit=0.9)
    np.testing.assert_array_equal(weighted, repeated)
