import json

import numpy as np
import pytest

from radhabitat.errors import ComputationError
from radhabitat.evaluation import evaluate, to_json, verdict
from radhabitat.evaluation.calibration import calibrate
from radhabitat.evaluation.draw import Kind, draw_resample, list_tasks
from radhabitat.evaluation.unseen import unseen_areas
from radhabitat.files.store import to_json_text
from radhabitat.settings import EvaluationSettings
from radhabitat.types import Block, Cohort, RiskModel

QUICK = EvaluationSettings(bootstraps=60, permutations=0)


def cohort_of(patients=60, *, effect=0.0, noise=200, seed=0):
    """One true variable, and many that mean nothing."""
    rng = np.random.default_rng(seed)
    outcome = (np.arange(patients) % 2).astype(np.int8)
    values = rng.normal(size=(patients, noise + 1))
    values[:, 0] += effect * outcome
    names = tuple(f"x{i}" for i in range(noise + 1))
    ids = tuple(f"P{i:03d}" for i in range(patients))
    return Cohort(ids, names, (Block.RADIOMICS,) * len(names), values, outcome, "e = 1")


def model_of(cohort, columns, name):
    """A formula whose coefficients are differences of class means."""
    values = cohort.values[:, columns]
    event = cohort.outcome == 1
    difference = values[event].mean(axis=0) - values[~event].mean(axis=0)
    return RiskModel(
        name,
        cohort.event,
        tuple(cohort.names[c] for c in columns),
        difference,
        0.0,
        values.mean(axis=0),
        np.ones(len(columns)),
    )


def true_then_best(cohort):
    """A ladder: the true variable; then the five that look best on these patients."""
    event = cohort.outcome == 1
    gap = cohort.values[event].mean(axis=0) - cohort.values[~event].mean(axis=0)
    best = np.sort(np.argsort(-np.abs(gap))[:5])
    return {
        "clinical": model_of(cohort, [0], "clinical"),
        "cr": model_of(cohort, list(best), "cr"),
    }


def test_selection_on_noise_looks_good_only_on_the_patients_it_was_made_from():
    result = evaluate(true_then_best, cohort_of(), QUICK, seed=1)
    assert result.results["cr"].apparent.value > 0.8
    assert 0.35 < result.results["cr"].validation.out_of_bag.value < 0.65
    assert result.results["cr"].optimism > 0.25
    assert "No evidence of signal" in verdict(result)


def test_a_true_variable_is_found_again_on_unseen_patients():
    result = evaluate(true_then_best, cohort_of(120, effect=2.0), QUICK, seed=1)
    clinical = result.results["clinical"]
    # two normal distributions two standard deviations apart: AUC 0.921
    assert clinical.validation.out_of_bag.value == pytest.approx(0.921, abs=0.05)
    assert (
        clinical.validation.out_of_bag.low < 0.921 < clinical.validation.out_of_bag.high
    )
    assert clinical.selection_frequency == {"x0": 1.0}
    assert "carries a signal" in verdict(result)


def test_the_order_of_the_patients_changes_nothing():
    cohort = cohort_of()
    turned = cohort.take(np.arange(len(cohort))[::-1])
    one = to_json_text(to_json(evaluate(true_then_best, cohort, QUICK, seed=1)))
    other = to_json_text(to_json(evaluate(true_then_best, turned, QUICK, seed=1)))
    assert one == other


def test_how_the_resamples_are_run_changes_nothing():
    def backwards(function, tasks):
        return [function(task) for task in tasks[::-1]][::-1]

    cohort = cohort_of()
    one = evaluate(true_then_best, cohort, QUICK, seed=1)
    other = evaluate(true_then_best, cohort, QUICK, seed=1, run=backwards)
    assert to_json_text(to_json(one)) == to_json_text(to_json(other))


def test_the_json_holds_each_auc_with_its_interval_and_method():
    text = to_json_text(to_json(evaluate(true_then_best, cohort_of(), QUICK, seed=1)))
    models = json.loads(text)["models"]
    for name in ("clinical", "cr"):
        for kind in ("apparent", "out_of_bag"):
            auc = models[name]["auc"][kind]
            assert 0 <= auc["low"] <= auc["value"] <= auc["high"] <= 1
            assert "DeLong" in auc["method"]


def test_a_learning_that_always_fails_is_an_error_with_the_numbers():
    calls = []

    def fails(cohort):
        calls.append(1)
        if len(calls) > 1:
            raise ComputationError("no", "more")
        return true_then_best(cohort)

    with pytest.raises(ComputationError, match="any of 60 resamples of 60 patients"):
        evaluate(fails, cohort_of(), QUICK, seed=1)


def test_a_resample_has_two_of_each_class_and_leaves_one_of_each_out():
    outcome = np.array([1] * 3 + [0] * 9, dtype=np.int8)
    for number in range(50):
        rows = draw_resample(outcome, seed=3, number=number)
        left_out = np.setdiff1d(np.arange(12), rows)
        assert min(np.bincount(outcome[np.unique(rows)], minlength=2)) >= 2
        assert set(outcome[left_out]) == {0, 1}


def test_a_class_of_two_cannot_be_resampled():
    outcome = np.array([1] * 2 + [0] * 9, dtype=np.int8)
    assert draw_resample(outcome, seed=3, number=0) is None


@pytest.mark.parametrize("count", [20, 60, 1000])
def test_every_resample_is_in_exactly_one_block(count):
    tasks = list_tasks(cohort_of(), EvaluationSettings(bootstraps=count))
    blocks = [task for task in tasks if task.kind is Kind.BOOTSTRAP]
    assert [n for b in blocks for n in range(b.start, b.stop)] == list(range(count))


def test_pairs_never_left_out_together_count_one_half():
    outcome = np.array([1, 1, 0, 0], dtype=np.int8)
    risks = np.array([[0.9, np.nan, 0.1, np.nan], [np.nan, 0.2, np.nan, 0.8]])
    areas = unseen_areas(outcome, [risks])
    # pairs: right, unknown, unknown, wrong
    assert areas.auc[0] == pytest.approx((1 + 0.5 + 0.5 + 0) / 4)


def test_perfectly_calibrated_risks_have_slope_one_and_intercept_zero():
    rng = np.random.default_rng(5)
    score = rng.normal(0, 1.5, 20000)
    risk = 1 / (1 + np.exp(-score))
    outcome = (rng.random(20000) < risk).astype(np.int8)
    found = calibrate(outcome, risk[None], confidence=0.95)
    assert found.slope.low < 1 < found.slope.high
    assert found.intercept.low < 0 < found.intercept.high
    np.testing.assert_allclose(found.predicted, found.observed, atol=0.03)


def test_too_extreme_risks_have_a_slope_below_one():
    rng = np.random.default_rng(5)
    score = rng.normal(0, 1.0, 5000)
    outcome = (rng.random(5000) < 1 / (1 + np.exp(-score))).astype(np.int8)
    extreme = 1 / (1 + np.exp(-3 * score))
    found = calibrate(outcome, extreme[None], confidence=0.95)
    assert found.slope.value == pytest.approx(1 / 3, abs=0.03)


def test_a_model_without_variables_has_no_slope():
    outcome = np.array([0, 1, 0, 1], dtype=np.int8)
    found = calibrate(outcome, np.full((1, 4), 0.5), confidence=0.95)
    assert np.isnan(found.slope.value)
    assert found.slope.method == "all risks are equal"
