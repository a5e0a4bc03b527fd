import json
import pickle
from functools import partial

import numpy as np
import pytest

from radhabitat.errors import ComputationError
from radhabitat.evaluation import evaluate, learn_task, to_json, verdict
from radhabitat.evaluation.discrimination import (
    Areas,
    auc_estimate,
    compare_aucs,
    delong,
)
from radhabitat.evaluation.draw import Kind, Task
from radhabitat.evaluation.resampling import join_blocks
from radhabitat.evaluation.unseen import mean_risks, unseen_areas
from radhabitat.learning import fit_ladder
from radhabitat.settings import EvaluationSettings, SelectionSettings, StudySettings
from radhabitat.types import Block, Cohort, RiskModel

FEW = EvaluationSettings(bootstraps=40, permutations=0)


def cohort_of(patients=40, *, columns=3, effect=0.0, seed=0):
    rng = np.random.default_rng(seed)
    outcome = (np.arange(patients) % 2).astype(np.int8)
    values = rng.normal(size=(patients, columns))
    values[:, 0] += effect * outcome
    return Cohort(
        tuple(f"P{i:03d}" for i in range(patients)),
        tuple(f"x{i}" for i in range(columns)),
        (Block.RADIOMICS,) * columns,
        values,
        outcome,
        "e = 1",
    )


def model_of(cohort, names, *, name="one"):
    """Coefficients are differences of class means, the intercept the prevalence."""
    values = cohort.values[:, cohort.positions(names)]
    event = cohort.outcome == 1
    prevalence = cohort.outcome.mean()
    return RiskModel(
        name,
        cohort.event,
        names,
        values[event].mean(axis=0) - values[~event].mean(axis=0),
        float(np.log(prevalence / (1 - prevalence))),
        values.mean(axis=0),
        np.ones(len(names)),
    )


def boots(fit, cohort, start, stop, *, seed):
    task = Task(Kind.BOOTSTRAP, start, stop)
    return learn_task(fit, cohort, task, settings=FEW, seed=seed)


def nothing_kept(cohort):
    return {"one": model_of(cohort, ())}


def first_variable(cohort):
    return {"one": model_of(cohort, ("x0",))}


def first_twice(cohort):
    return {
        "one": model_of(cohort, ("x0",), name="one"),
        "two": model_of(cohort, ("x0",), name="two"),
    }


def nothing_then_first(cohort):
    return {"clinical": model_of(cohort, ()), "cr": model_of(cohort, ("x0",))}


def first_then_nothing(cohort):
    return {"clinical": model_of(cohort, ("x0",)), "cr": model_of(cohort, ())}


def first_reversed(cohort):
    model = model_of(cohort, ("x0",))
    return {
        "cr": RiskModel(
            "cr",
            model.event,
            model.variables,
            -model.coefficients,
            model.intercept,
            model.centers,
            model.scales,
        )
    }


def test_each_pair_counts_by_the_share_of_resamples_that_order_it_rightly():
    outcome = np.array([1, 0, 0], dtype=np.int8)
    risks = np.array(
        [[0.9, 0.1, np.nan], [0.2, 0.3, np.nan], [0.5, 0.5, 0.4], [0.7, np.nan, 0.6]]
    )
    # first pair: right, wrong, tie; second pair: right, right
    areas = unseen_areas(outcome, [risks])
    assert areas.auc[0] == pytest.approx((1.5 / 3 + 1.0) / 2)


def test_risks_of_different_resamples_are_never_compared():
    cohort = cohort_of(effect=1.5)
    risks = boots(first_variable, cohort, 0, 60, seed=1).unseen("one")
    moved = risks**2 * np.linspace(0.1, 1.0, len(risks))[:, None]
    plain = unseen_areas(cohort.outcome, [risks])
    other = unseen_areas(cohort.outcome, [moved])
    np.testing.assert_allclose(other.auc, plain.auc, rtol=1e-12)


def test_a_model_without_variables_is_exactly_a_guess():
    result = evaluate(nothing_kept, cohort_of(), FEW, seed=3).results["one"]
    assert result.validation.out_of_bag.value == 0.5
    assert np.ptp(result.risk_out_of_bag) < 1e-9
    assert result.empty_share == 1.0
    assert np.isnan(result.calibration.slope.value)


def test_patients_left_out_do_not_lean_against_their_own_class():
    # the prevalence of a resample is lower when an event is left out of it
    cohort = cohort_of(20)
    risks = boots(nothing_kept, cohort, 0, 200, seed=3).unseen("one")
    event = cohort.outcome == 1
    assert mean_risks(risks)[event].mean() == pytest.approx(0.5, abs=1e-9)


def test_two_models_of_the_same_risks_do_not_differ():
    row = evaluate(first_twice, cohort_of(effect=1.0), FEW, seed=1).comparisons[0]
    assert (row.difference.value, row.z, row.p, row.p_apparent) == (0.0, 0.0, 1.0, 1.0)


def test_a_variance_is_never_smaller_than_delongs_on_the_mean_risks():
    cohort = cohort_of(effect=1.0)
    block = boots(first_variable, cohort, 0, 80, seed=2)
    risks = block.unseen("one")
    areas = unseen_areas(cohort.outcome, [risks], block.copies)
    fixed = delong(cohort.outcome, mean_risks(risks)[None]).covariance[0, 0]
    assert areas.variance(np.ones(1)) >= fixed > 0.0


def test_learning_on_noise_adds_to_the_variance():
    cohort = cohort_of(60, columns=40)
    block = boots(best_of_many, cohort, 0, 300, seed=2)
    areas = unseen_areas(cohort.outcome, [block.unseen("one")], block.copies)
    given = areas.floors[0][0, 0]
    assert areas.covariance[0, 0] > 1.5 * given


def best_of_many(cohort):
    event = cohort.outcome == 1
    gap = cohort.values[event].mean(axis=0) - cohort.values[~event].mean(axis=0)
    return {"one": model_of(cohort, (cohort.names[int(np.argmax(np.abs(gap)))],))}


def test_resamples_one_by_one_are_those_of_a_block():
    cohort = cohort_of(effect=1.0)
    whole = boots(first_variable, cohort, 0, 6, seed=5)
    parts = [boots(first_variable, cohort, n, n + 1, seed=5) for n in range(6)]
    joined = join_blocks(parts)
    np.testing.assert_array_equal(joined.risks["one"], whole.risks["one"])
    np.testing.assert_array_equal(joined.copies, whole.copies)
    kept = [[m.variables for m in b.models["one"]] for b in (joined, whole)]
    assert kept[0] == kept[1]


def test_a_block_of_resamples_can_be_sent_to_another_process():
    cohort = cohort_of()
    fit = partial(fit_ladder, settings=StudySettings())
    work = partial(learn_task, fit, cohort, settings=FEW, seed=1)
    sent = pickle.loads(pickle.dumps(work))  # noqa: S301
    here = boots(fit, cohort, 0, 2, seed=1)
    np.testing.assert_array_equal(
        sent(Task(Kind.BOOTSTRAP, 0, 2)).risks["radiomics"], here.risks["radiomics"]
    )


def test_resamples_that_cannot_be_learned_are_counted_and_left_out():
    calls = []

    def sometimes(cohort):
        calls.append(1)
        if len(calls) % 4 == 0:
            raise ComputationError("no", "more")
        return first_variable(cohort)

    result = evaluate(sometimes, cohort_of(), FEW, seed=1)
    assert (result.resamples, result.failed_resamples) == (40, 10)
    assert np.isfinite(result.results["one"].validation.out_of_bag.value)


def test_the_json_has_null_where_nothing_can_be_computed():
    stored = to_json(evaluate(nothing_kept, cohort_of(), FEW, seed=1))
    text = json.dumps(stored, allow_nan=False)
    assert json.loads(text)["models"]["one"]["calibration"]["slope"]["value"] is None
    assert (stored["n"], stored["events"], stored["resamples"]) == (40, 20, 40)


def test_the_json_has_the_formula_and_how_often_each_variable_was_kept():
    result = evaluate(first_variable, cohort_of(effect=1.0), FEW, seed=1)
    model = to_json(result)["models"]["one"]
    assert model["selection_frequency"] == {"x0": 1.0}
    formula = result.results["one"].model
    assert model["variables"] == {"x0": formula.coefficients[0]}
    assert model["optimism"] == pytest.approx(result.results["one"].optimism)


def test_the_verdict_is_about_the_last_model_but_names_a_better_earlier_one():
    cohort = cohort_of(60, effect=2.0)
    better_first = verdict(evaluate(first_then_nothing, cohort, FEW, seed=1))
    assert better_first.startswith("No evidence of signal")
    assert "Better than guessing: the clinical model" in better_first
    assert "CR worsened on clinical" in better_first
    better_last = verdict(evaluate(nothing_then_first, cohort, FEW, seed=1))
    assert better_last.startswith("The CR model carries a signal")
    assert "CR improved on clinical" in better_last


def test_the_verdict_on_a_model_that_ranks_backwards_is_worse_than_guessing():
    words = verdict(evaluate(first_reversed, cohort_of(60, effect=2.0), FEW, seed=1))
    assert "No evidence of signal" in words
    assert "worse than guessing" in words


def test_the_mean_roc_curve_runs_from_corner_to_corner():
    result = evaluate(first_variable, cohort_of(effect=1.0), FEW, seed=1)
    curve = result.results["one"].roc_out_of_bag
    corners = [
        (curve.false_positive_rate[place], curve.true_positive_rate[place])
        for place in (0, -1)
    ]
    assert corners == [(0.0, 0.0), (1.0, 1.0)]
    assert (np.diff(curve.true_positive_rate) >= 0).all()
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(
        result.results["one"].validation.out_of_bag.value, abs=0.03
    )


def test_an_always_wrong_order_has_an_interval_inside_zero_and_one():
    outcome = np.array([1, 1, 0, 0, 0], dtype=np.int8)
    estimate = auc_estimate(delong(outcome, np.arange(5.0)[None]), 0, confidence=0.95)
    assert (estimate.value, estimate.low) == (0.0, 0.0)
    assert estimate.high == pytest.approx(1 - 0.025**0.5)


def test_the_interval_of_a_difference_stays_inside_minus_one_and_one():
    areas = Areas(np.array([0.05, 0.95]), np.diag([0.2, 0.2]), 5)
    difference, z, p = compare_aucs(areas, 0, 1, confidence=0.95)
    assert difference.high == 1.0
    assert z == pytest.approx(0.9 / 0.4**0.5)
    assert 0.15 < p < 0.16


@pytest.mark.slow
def test_intervals_on_noise_cover_one_half_as_often_as_they_say():
    few = EvaluationSettings(bootstraps=60, permutations=0, cv_repeats=0)
    found = [
        evaluate(best_of_many, cohort_of(50, columns=30, seed=s), few, seed=s)
        for s in range(60)
    ]
    covered = [
        e.results["one"].validation.out_of_bag.low
        < 0.5
        < e.results["one"].validation.out_of_bag.high
        for e in found
    ]
    # 95 % of 60 is 57; 52 and fewer have a chance below 2 %
    assert sum(covered) > 52


@pytest.mark.slow
def test_the_whole_learning_on_noise_shines_only_on_its_own_patients():
    settings = StudySettings(selection=SelectionSettings(rfe_features=10))
    cohort = cohort_of(60, columns=150)
    fit = partial(fit_ladder, settings=settings)
    result = evaluate(fit, cohort, FEW, seed=1)
    last = result.results["radiomics"]
    assert last.apparent.value > 0.8
    assert last.validation.out_of_bag.low < 0.5 < last.validation.out_of_bag.high
    assert abs(last.validation.out_of_bag.value - 0.5) < 0.15
    assert "No evidence of signal" in verdict(result)
