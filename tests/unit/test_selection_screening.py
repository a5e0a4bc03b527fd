from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from radhabitat.errors import ComputationError
from radhabitat.selection import select_clinical
from radhabitat.selection.sample import Sample, distinct_patients, standardize
from radhabitat.selection.screening import p_alone, score_test
from radhabitat.settings import SelectionSettings
from radhabitat.types import Block, Cohort

# vascular invasion by response in the published cohort: (no, yes) x (OR, nOR)
INVASION = ((15, 22), (42, 26))


def published() -> tuple[np.ndarray, np.ndarray]:
    cells = [(v, r, INVASION[v][1 - r]) for v in (0, 1) for r in (1, 0)]
    values = np.concatenate([np.full(n, float(v)) for v, _, n in cells])
    outcome = np.concatenate([np.full(n, r, dtype=np.int8) for _, r, n in cells])
    return values[:, np.newaxis], outcome


def sample_of(values: np.ndarray, outcome: np.ndarray) -> Sample:
    patients = tuple(f"{i:04d}" for i in range(len(outcome)))
    names = tuple(f"x{i:02d}" for i in range(values.shape[1]))
    blocks = (Block.CLINICAL,) * len(names)
    return standardize(
        distinct_patients(Cohort(patients, names, blocks, values, outcome, "e = 1"))
    )


def settings(**changes: object) -> SelectionSettings:
    return SelectionSettings().model_copy(update=changes)


def test_walds_p_is_that_of_the_odds_ratio() -> None:
    values, outcome = published()
    log_ratio = np.log(15 * 26 / (22 * 42))
    error = np.sqrt(1 / 15 + 1 / 22 + 1 / 42 + 1 / 26)
    from scipy.stats import norm

    expected = 2 * norm.sf(abs(log_ratio / error))
    assert p_alone(sample_of(values, outcome), np.array([0])) == pytest.approx(
        expected, rel=1e-9
    )


def test_the_score_test_of_a_category_is_pearsons_chi_square() -> None:
    values, outcome = published()
    expected = chi2_contingency(np.array(INVASION), correction=False).pvalue
    assert round(float(expected), 3) == 0.037  # as published
    assert score_test(sample_of(values, outcome), np.array([0])) == pytest.approx(
        expected
    )


def select_clinical_of(values, outcome, patients, names, settings):
    blocks = (Block.CLINICAL,) * len(names)
    cohort = Cohort(tuple(patients), tuple(names), blocks, values, outcome, "e = 1")
    return select_clinical(cohort, settings)


def test_a_variable_that_separates_the_outcomes_is_kept() -> None:
    outcome = np.repeat([0, 1], 15).astype(np.int8)
    draw = np.random.default_rng(0)
    values = np.column_stack(
        [outcome + 0.1 * draw.normal(size=30), draw.normal(size=30)]
    )
    chosen = select_clinical_of(
        values,
        outcome,
        [f"{i:02d}" for i in range(30)],
        ("perfect", "noise"),
        settings(),
    )
    np.testing.assert_array_equal(chosen.positions, [0])


def test_the_dummies_of_a_variable_are_kept_together() -> None:
    draw = np.random.default_rng(1)
    stage = draw.integers(0, 3, size=90)
    outcome = (draw.random(90) < np.array([0.1, 0.9, 0.12])[stage]).astype(np.int8)
    values = np.column_stack([stage == 1, stage == 2, draw.normal(size=90)])
    names = ("stage=B", "stage=C", "age")
    chosen = select_clinical_of(
        values.astype(np.float64),
        outcome,
        [f"{i:02d}" for i in range(90)],
        names,
        settings(),
    )
    np.testing.assert_array_equal(chosen.positions, [0, 1])
    assert chosen.counts[-1] == ("p < 0.05 alone", 2)


def test_all_prespecified_variables_enter_when_the_study_says_so() -> None:
    draw = np.random.default_rng(2)
    values = draw.normal(size=(40, 3))
    values[:, 1] = 7.0
    chosen = select_clinical_of(
        values,
        (draw.random(40) < 0.5).astype(np.int8),
        [f"{i:02d}" for i in range(40)],
        ("a", "b", "c"),
        settings(clinical="all"),
    )
    np.testing.assert_array_equal(chosen.positions, [0, 2])
    assert chosen.counts == (
        ("candidates", 3),
        ("known in 80 % of patients, not constant", 2),
    )


def test_nothing_kept_is_an_answer() -> None:
    values = np.tile([0.0, 0.0, 1.0, 1.0], 10)[:, np.newaxis]
    outcome = np.tile([0, 1], 20).astype(np.int8)
    chosen = select_clinical_of(
        values, outcome, [f"{i:02d}" for i in range(40)], ("a",), settings()
    )
    assert chosen.positions.shape == (0,)
    assert chosen.counts[-1] == ("p < 0.05 alone", 0)


def test_one_outcome_for_everybody_is_refused() -> None:
    with pytest.raises(ComputationError, match="0 of 4 patients have the event"):
        select_clinical_of(
            np.ones((4, 1)),
            np.zeros(4, dtype=np.int8),
            list("abcd"),
            ("x",),
            settings(),
        )
