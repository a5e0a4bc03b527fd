"""A trained model as a file, and what it says about one more patient."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from radhabitat.applied import apply_model, clinical_values, load_model
from radhabitat.errors import InputError, StorageError, TableError
from radhabitat.evaluation import evaluate
from radhabitat.files.audit import append_entry, verify
from radhabitat.learning import fit_ladder
from radhabitat.model_card import describe_model
from radhabitat.settings import EvaluationSettings, SelectionSettings, StudySettings
from radhabitat.trained import Training, read_trained, trained_json
from radhabitat.types import Block, Cohort

SETTINGS = StudySettings(
    selection=SelectionSettings(clinical="all"),
    evaluation=EvaluationSettings(bootstraps=40, permutations=0, cv_repeats=0),
)
NAMES = ("age", "ascites=yes", "LAP_Original_original_firstorder_Mean")
BLOCKS = (Block.CLINICAL, Block.CLINICAL, Block.RADIOMICS)
TRAINING = Training(clinical={"age": (), "ascites": ("no", "yes")})


@pytest.fixture(scope="module")
def cohort():
    draws = np.random.default_rng(0)
    outcome = (np.arange(90) % 2).astype(np.int8)
    values = np.column_stack(
        [
            60 + 8 * draws.normal(size=90) + 4 * outcome,
            (draws.random(90) < 0.4).astype(float),
            draws.normal(size=90) + 1.2 * outcome,
        ]
    )
    ids = tuple(f"P{i:03d}" for i in range(90))
    return Cohort(ids, NAMES, BLOCKS, values, outcome, "response = OR")


@pytest.fixture(scope="module")
def stored(cohort):
    fit = partial(fit_ladder, settings=SETTINGS)
    found = evaluate(fit, cohort, SETTINGS.evaluation, seed=1)
    value = trained_json(found.results["cr"], cohort, SETTINGS, TRAINING)
    return json.loads(json.dumps(value))


def row_of(cohort, place):
    return dict(zip(cohort.names, cohort.values[place].tolist(), strict=True))


def test_a_training_patient_gets_the_training_risk_to_the_last_digit(cohort, stored):
    trained = read_trained(stored)
    risks = trained.model.risk(cohort)
    for place in range(0, 90, 17):
        found = apply_model(trained, row_of(cohort, place), patient="x")
        assert found.probability == risks[place]
        assert found.low <= found.probability <= found.high
        assert found.flags == ()


def test_the_contributions_sum_to_the_log_odds(cohort, stored):
    found = apply_model(read_trained(stored), row_of(cohort, 3), patient="x")
    total = found.intercept + sum(row.log_odds for row in found.contributions)
    assert 1 / (1 + np.exp(-total)) == pytest.approx(found.probability, abs=1e-12)


def test_a_value_outside_the_training_is_flagged_and_the_patient_set_apart(
    cohort, stored
):
    odd = row_of(cohort, 3) | {"age": 190.0}
    found = apply_model(read_trained(stored), odd, patient="x")
    assert any("age is 190, outside the training's" in flag for flag in found.flags)
    assert found.abstain
    assert found.distance > 1


def test_a_missing_input_is_named_and_never_filled_in(cohort, stored):
    row = row_of(cohort, 3)
    del row["age"]
    with pytest.raises(TableError, match="lacks 1 of 3 inputs of the model: age"):
        apply_model(read_trained(stored), row, patient="x")


def test_a_feature_that_cannot_be_computed_is_said_and_the_risk_withheld(
    cohort, stored
):
    row = row_of(cohort, 3) | {NAMES[2]: float("nan")}
    found = apply_model(read_trained(stored), row, patient="x")
    assert any("not computable" in flag for flag in found.flags)
    assert found.abstain


def test_clinical_cells_are_read_as_in_the_training(stored):
    trained = read_trained(stored)
    found = clinical_values(trained, {"Age": "61,5", "ascites": "YES", "other": "1"})
    assert found == {"age": 61.5, "ascites=yes": 1.0}
    with pytest.raises(
        TableError, match="ascites is 'maybe'; the training had no, yes"
    ):
        clinical_values(trained, {"ascites": "maybe"})
    with pytest.raises(TableError, match="age is 'old', which is not a number"):
        clinical_values(trained, {"age": "old"})


def test_an_edited_model_is_refused(stored):
    edited = json.loads(json.dumps(stored))
    edited["model"]["intercept"] += 0.5
    with pytest.raises(InputError, match="changed after it was written"):
        read_trained(edited)


def test_an_older_schema_is_refused_with_both_versions(stored):
    with pytest.raises(InputError, match=r"schema_version 1; this version .* reads 2"):
        read_trained(stored | {"schema_version": 1})


def test_what_is_no_model_is_refused(tmp_path):
    path = tmp_path / "crh.json"
    path.write_text("[1, 2]")
    with pytest.raises(InputError, match=r"crh\.json is not a model file"):
        load_model(path)
    with pytest.raises(InputError, match="is not a model file"):
        load_model(tmp_path / "none.json")


def test_the_model_card_tells_unseen_performance_before_the_apparent(stored):
    card = describe_model(read_trained(stored))
    assert "Research use only" in card
    assert card.index("AUC:") < card.index("apparent, too good")
    assert "ascites (no, yes)" in card


def test_no_patient_is_named_in_a_model(cohort, stored):
    text = json.dumps(stored)
    assert not any(patient in text for patient in cohort.patients)


def test_the_audit_log_only_grows(tmp_path):
    path = tmp_path / "audit.jsonl"
    for number in range(3):
        append_entry(path, {"number": number})
    verify(path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[2]]) + "\n")
    with pytest.raises(StorageError, match="entry 2 does not follow"):
        append_entry(path, {"number": 3})
    path.write_text(lines[0].replace('"number": 0', '"number": 9') + "\n")
    with pytest.raises(StorageError, match="entry 1 does not follow"):
        verify(path)


def test_the_interval_is_of_the_refits(cohort, stored):
    trained = read_trained(stored)
    assert len(trained.refits) == 40
    row = row_of(cohort, 8)
    one = cohort.take(np.array([8]))
    logits = [float(refit.log_odds(one)[0]) for refit in trained.refits]
    low = 1 / (1 + np.exp(-np.percentile(logits, 2.5)))
    found = apply_model(trained, row, patient="x")
    assert found.low == pytest.approx(min(low, found.probability))
    few = replace(trained, refits=trained.refits[:5])
    blind = apply_model(few, row, patient="x")
    assert (blind.low, blind.high) == (0.0, 1.0)
