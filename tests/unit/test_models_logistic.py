from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from radhabitat.errors import ComputationError
from radhabitat.models import fit_risk_model
from radhabitat.types import Block, Cohort


def cohort_of(values: np.ndarray, outcome: np.ndarray) -> Cohort:
    patients, variables = values.shape
    return Cohort(
        patients=tuple(f"{i:03d}" for i in range(patients)),
        names=tuple(f"x{j}" for j in range(variables)),
        blocks=(Block.RADIOMICS,) * variables,
        values=values,
        outcome=outcome.astype(np.int8),
        event="response = OR",
    )


def drawn(seed: int, patients: int = 80, variables: int = 4) -> Cohort:
    draw = np.random.default_rng(seed)
    values = 3 * draw.normal(size=(patients, variables)) + 50
    chance = 1 / (1 + np.exp(-(values[:, 0] - 50) / 3))
    return cohort_of(values, draw.random(patients) < chance)


@pytest.mark.parametrize("ridge", [0.1, 1.0, 20.0])
def test_the_formula_is_that_of_scikit_learn(ridge: float) -> None:
    cohort = drawn(0)
    model = fit_risk_model(cohort, cohort.names, name="cr", ridge=ridge)
    standardized = (cohort.values - cohort.values.mean(axis=0)) / cohort.values.std(
        axis=0
    )
    reference = LogisticRegression(C=1 / ridge, tol=1e-10, solver="newton-cholesky")
    reference.fit(standardized, cohort.outcome)
    np.testing.assert_allclose(model.coefficients, reference.coef_[0], atol=1e-8)
    assert model.intercept == pytest.approx(reference.intercept_[0], abs=1e-8)
    np.testing.assert_allclose(
        model.risk(cohort), reference.predict_proba(standardized)[:, 1], atol=1e-8
    )
    assert (model.name, model.event, model.notes) == ("cr", "response = OR", ())


def test_without_a_penalty_the_published_odds_ratios_come_out() -> None:
    # the pooled table of vascular invasion (0 no, 1 yes) and diameter > 10 cm
    cells = {(0, 1): (4, 13), (0, 0): (11, 9), (1, 1): (17, 20), (1, 0): (25, 6)}
    rows = [
        (*cell, response)
        for cell, (events, others) in cells.items()
        for response, count in ((1, events), (0, others))
        for _ in range(count)
    ]
    table = np.array(rows, dtype=np.float64)
    cohort = cohort_of(table[:, :2], table[:, 2])
    model = fit_risk_model(cohort, cohort.names, name="clinical", ridge=0.0)
    ratios = np.exp(model.coefficients / model.scales)
    np.testing.assert_allclose(np.round([1 / ratios[0], ratios[1]], 3), [0.324, 0.220])


def test_a_missing_value_counts_as_the_mean_of_the_known_ones() -> None:
    cohort = drawn(1)
    values = cohort.values.copy()
    values[:10, 2] = np.nan
    with_gaps = cohort_of(values, cohort.outcome)
    model = fit_risk_model(with_gaps, cohort.names, name="cr", ridge=1.0)
    assert model.centers[2] == pytest.approx(values[10:, 2].mean())
    assert model.scales[2] == pytest.approx(values[10:, 2].std())
    filled = values.copy()
    filled[:10, 2] = model.centers[2]
    np.testing.assert_allclose(
        model.risk(with_gaps), model.risk(cohort_of(filled, cohort.outcome))
    )


def test_no_variables_give_everybody_the_prevalence() -> None:
    cohort = drawn(2)
    model = fit_risk_model(cohort, (), name="clinical", ridge=0.0)
    np.testing.assert_allclose(model.risk(cohort), cohort.outcome.mean())
    assert model.variables == ()


def test_separated_outcomes_get_a_penalty_and_it_is_said() -> None:
    cohort = drawn(3)
    values = np.column_stack([cohort.outcome + 0.0, cohort.values[:, 0]])
    separated = cohort_of(values, cohort.outcome)
    model = fit_risk_model(
        separated, separated.names, name="clinical", ridge=0.0, notes=("before",)
    )
    penalized = fit_risk_model(separated, separated.names, name="clinical", ridge=1.0)
    np.testing.assert_array_equal(model.coefficients, penalized.coefficients)
    assert model.notes[0] == "before"
    assert "separate" in model.notes[1]
    assert "ridge penalty of 1" in model.notes[1]
    assert penalized.notes == ()


def test_a_category_with_one_outcome_only_is_separation_too() -> None:
    draw = np.random.default_rng(4)
    outcome = np.r_[np.ones(5), draw.random(60) < 0.5]
    rare = np.r_[np.ones(5), np.zeros(60)]
    cohort = cohort_of(np.column_stack([rare, draw.normal(size=65)]), outcome)
    model = fit_risk_model(cohort, cohort.names, name="clinical", ridge=0.0)
    assert any("separate" in note for note in model.notes)
    assert np.abs(model.coefficients).max() < 5


def test_more_variables_than_patients_do_not_fail() -> None:
    cohort = drawn(5, patients=12, variables=30)
    free = fit_risk_model(cohort, cohort.names, name="clinical", ridge=0.0)
    assert "separate" in free.notes[0]
    assert np.isfinite(free.coefficients).all()


def test_a_constant_variable_is_left_out_and_named() -> None:
    cohort = drawn(6)
    values = cohort.values.copy()
    values[:, 1] = 0.1
    values[:, 3] = np.nan
    model = fit_risk_model(
        cohort_of(values, cohort.outcome), cohort.names, name="cr", ridge=1.0
    )
    assert model.variables == ("x0", "x2")
    assert model.notes == (
        "x1 is the same for every patient and was left out",
        "x3 is the same for every patient and was left out",
    )


def test_copies_of_a_variable_share_its_coefficient_without_a_penalty() -> None:
    cohort = drawn(7)
    twice = cohort_of(np.repeat(cohort.values[:, :1], 2, axis=1), cohort.outcome)
    once = fit_risk_model(cohort, ("x0",), name="clinical", ridge=0.0)
    model = fit_risk_model(twice, twice.names, name="clinical", ridge=0.0)
    np.testing.assert_allclose(model.risk(twice), once.risk(cohort), atol=1e-9)


def test_one_outcome_for_everybody_is_refused() -> None:
    cohort = drawn(8)
    everybody = cohort_of(cohort.values, np.ones(80))
    with pytest.raises(ComputationError, match="80 of 80 patients have the event"):
        fit_risk_model(everybody, everybody.names, name="cr", ridge=1.0)
