"""A model tried on another center's table."""

import json

import numpy as np
import pandas as pd
import pytest

from radhabitat.errors import InputError, TableError
from radhabitat.types import RiskModel
from radhabitat.validate import read_formula, validate_model


def model(slope=1.0):
    return RiskModel(
        "m", "y = 1", ("a", "b"), np.array([slope, -slope]), 0.0, np.array([1.0, 0.0]),
        np.array([2.0, 1.0]),
    )  # fmt: skip


def table(patients=4000, *, seed=0, shift=0.0):
    draws = np.random.default_rng(seed)
    values = pd.DataFrame(
        {"a": 1 + 2 * draws.normal(size=patients), "b": draws.normal(size=patients)}
    )
    values.index = pd.Index([f"P{i:04d}" for i in range(patients)])
    log_odds = (values["a"] - 1) / 2 - values["b"] + shift
    outcome = (draws.random(patients) < 1 / (1 + np.exp(-log_odds))).astype("int8")
    return values, pd.Series(outcome, index=values.index)


def test_a_right_model_is_found_right():
    found = validate_model(model(), *table())
    assert found.intercept.low < 0 < found.intercept.high
    assert found.slope.low < 1 < found.slope.high
    assert found.ici < 0.03
    assert 0.78 < found.auc.value < 0.86
    assert abs(found.shifts["a"]) < 0.1


def test_too_extreme_risks_have_a_slope_below_one_and_a_cure():
    found = validate_model(model(slope=2.0), *table())
    assert found.slope.value == pytest.approx(0.5, abs=0.06)
    intercept, slope = found.recalibrated["intercept and slope"]
    assert slope == pytest.approx(found.slope.value, abs=1e-6)
    assert abs(intercept) < 0.15


def test_another_prevalence_moves_the_intercept_only():
    found = validate_model(model(), *table(shift=0.7))
    assert found.recalibrated["intercept only"] == (
        pytest.approx(0.7, abs=0.12),
        1.0,
    )


def test_a_shifted_input_is_told_in_units_of_the_training():
    values, outcome = table()
    values["a"] += 3.0
    assert validate_model(model(), values, outcome).shifts["a"] == pytest.approx(
        1.5, abs=0.1
    )


def test_a_patient_without_an_input_is_set_aside_and_named():
    values, outcome = table(200)
    values.loc["P0003", "b"] = np.nan
    found = validate_model(model(), values, outcome)
    assert found.set_aside == {"P0003": ("b",)}
    assert found.patients == 199


def test_a_missing_column_is_named():
    values, outcome = table(50)
    with pytest.raises(TableError, match="lacks 1 of 2 inputs of m: b"):
        validate_model(model(), values[["a"]], outcome)


@pytest.mark.data
def test_the_published_scores_are_transcribed_as_in_the_data(data_folder):
    path = data_folder / "paper_haic2026" / "published_models.json"
    published = json.loads(path.read_text(encoding="utf-8"))["models"]
    for name, stored in published.items():
        found, notes = read_formula(f"haic2026:{name}")
        assert found.intercept == stored["intercept"]
        assert (
            dict(zip(found.variables, found.coefficients, strict=True))
            == (stored["coefficients"])
        )
        assert "scaling of inputs not stated" in notes[0]


def test_a_formula_of_another_group_can_be_read(tmp_path):
    path = tmp_path / "score.json"
    path.write_text(json.dumps({"intercept": -1, "coefficients": {"afp": 0.5}}))
    found, _ = read_formula(str(path))
    assert (found.name, found.variables, found.intercept) == ("score", ("afp",), -1.0)
    path.write_text(json.dumps({"coefficients": {"afp": 0.5}}))
    with pytest.raises(InputError, match="The formula cannot be read"):
        read_formula(str(path))
    with pytest.raises(InputError, match="no published model 'x'"):
        read_formula("haic2026:x")
