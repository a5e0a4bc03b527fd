from __future__ import annotations

import numpy as np
import pytest

from radhabitat.errors import ComputationError
from radhabitat.selection import Selection, select_features
from radhabitat.settings import SelectionSettings
from radhabitat.types import Block, Cohort

SETTINGS = SelectionSettings().model_copy(
    update={"rfe_features": 8, "max_features": 4, "lasso_folds": 5}
)


def drawn(seed: int, patients: int = 60, columns: int = 40) -> tuple[np.ndarray, ...]:
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(patients, columns))
    chance = 1 / (1 + np.exp(-2 * values[:, 3] + 2 * values[:, 5]))
    outcome = (draw.random(patients) < chance).astype(np.int8)
    return values, outcome


def select(values: np.ndarray, outcome: np.ndarray, **changes: object) -> Selection:
    return select_features(
        cohort_of(values, outcome), SETTINGS.model_copy(update=changes), seed=11
    )


def cohort_of(values: np.ndarray, outcome: np.ndarray) -> Cohort:
    patients = tuple(f"{i:03d}" for i in range(len(outcome)))
    names = tuple(f"x{j:03d}" for j in range(values.shape[1]))
    blocks = (Block.RADIOMICS,) * len(names)
    return Cohort(patients, names, blocks, values, outcome, "e = 1")


def test_columns_that_matter_are_found_and_every_step_is_counted() -> None:
    values, outcome = drawn(0)
    values[:, 0] = 1.0
    values[:20, 1] = np.nan
    values[:, 2] = -values[:, 3] + 1e-3
    chosen = select(values, outcome)
    assert {5}.issubset(chosen.positions)
    assert len({2, 3} & set(chosen.positions)) == 1
    assert [count for _, count in chosen.counts] == [40, 38, 37, 8, 4]
    assert [step for step, _ in chosen.counts] == [
        "candidates",
        "known in 80 % of patients, not constant",
        "|r| <= 0.9",
        "recursive elimination",
        "LASSO (lambda.min), largest 4",
    ]


def test_missing_values_become_the_median_of_the_known_ones() -> None:
    values, outcome = drawn(1)
    values[:9, 5] = np.nan
    chosen = select(values, outcome)
    place = list(chosen.positions).index(5)
    assert chosen.fill[place] == np.median(values[9:, 5])
    filled = values.copy()
    filled[:9, 5] = chosen.fill[place]
    np.testing.assert_array_equal(select(filled, outcome).positions, chosen.positions)


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_the_order_of_rows_and_columns_makes_no_difference(seed: int) -> None:
    values, outcome = drawn(seed)
    draw = np.random.default_rng(seed)
    rows, columns = draw.permutation(60), draw.permutation(40)
    chosen = select(values, outcome)
    cohort = cohort_of(values, outcome).take(rows).take_columns(columns)
    shuffled = select_features(cohort, SETTINGS, seed=11)
    np.testing.assert_array_equal(
        np.sort(columns[shuffled.positions]), chosen.positions
    )
    assert shuffled.counts == chosen.counts


def test_what_the_lasso_saw_is_kept_for_a_figure() -> None:
    values, outcome = drawn(5)
    chosen = select(values, outcome)
    assert chosen.path is not None
    assert chosen.path.coefficients.shape == (len(chosen.path.penalties), 8)
    assert set(chosen.positions) <= set(chosen.path_positions)


def test_the_sparser_rule_keeps_no_more() -> None:
    for seed in range(6, 12):
        values, outcome = drawn(seed)
        sparse = select(values, outcome, lasso_rule="1se", max_features=8)
        rich = select(values, outcome, max_features=8)
        assert len(sparse.positions) <= len(rich.positions)


def test_nothing_usable_gives_nothing() -> None:
    _, outcome = drawn(12)
    values = np.full((60, 3), np.nan)
    values[:, 1] = 4.0
    chosen = select(values, outcome)
    assert chosen.positions.shape == chosen.fill.shape == (0,)
    assert [count for _, count in chosen.counts] == [3, 0, 0, 0, 0]
    assert chosen.path is None


def test_no_columns_give_no_columns() -> None:
    _, outcome = drawn(13)
    assert select(np.empty((60, 0)), outcome).positions.shape == (0,)


def test_infinite_values_are_not_used() -> None:
    values, outcome = drawn(14)
    values[7, 5] = np.inf
    assert 5 not in select(values, outcome).positions


def test_a_single_patient_with_the_event_gives_nothing() -> None:
    values, _ = drawn(15)
    outcome = np.zeros(60, dtype=np.int8)
    outcome[4] = 1
    chosen = select(values, outcome)
    assert chosen.positions.shape == (0,)
    assert chosen.counts[-1] == ("LASSO (lambda.min), largest 4", 0)


def test_one_outcome_for_everybody_is_refused() -> None:
    values, _ = drawn(16)
    with pytest.raises(ComputationError, match="60 of 60 patients have the event"):
        select(values, np.ones(60, dtype=np.int8))
