from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_ind

from radhabitat.errors import SettingsError, TableError
from radhabitat.evaluation.calibration import (
    calibration_error,
    hosmer_lemeshow,
    scaled_brier,
    spiegelhalter,
    wilson,
)
from radhabitat.evaluation.classification import confusion, youden_threshold
from radhabitat.evaluation.correlation import spearman, variance_inflation
from radhabitat.evaluation.decision import decide
from radhabitat.evaluation.discrimination import (
    compare_all,
    compare_aucs,
    compare_unpaired,
    delong,
)
from radhabitat.evaluation.reclassification import (
    discrimination_improvement,
    net_reclassification,
)
from radhabitat.evaluation.sample_size import cox_snell_from_c, sample_size
from radhabitat.evaluation.smoothing import loess
from radhabitat.evaluation.survival import auc_over_time, kaplan_meier, log_rank


def _risks(count=200, seed=0):
    random = np.random.default_rng(seed)
    risk = random.beta(1, 2, count)
    return (random.random(count) < risk).astype(np.int8), risk


def test_of_two_scores_the_joint_test_is_the_square_of_the_paired_one():
    outcome, risk = _risks()
    noise = np.random.default_rng(1).normal(size=len(risk))
    areas = delong(outcome, np.array([risk, risk + noise]))
    joint = compare_all(areas)
    _, z, p = compare_aucs(areas, 0, 1, confidence=0.95)
    assert (joint.statistic, joint.p) == pytest.approx((z**2, p))


def test_scores_that_order_alike_are_equal_in_every_test():
    outcome, risk = _risks()
    joint = compare_all(delong(outcome, np.array([risk, 2 * risk, risk**2])))
    assert joint == (0.0, 0, 1.0)
    perfect = np.array([0, 0, 0, 1, 1], dtype=np.int8), np.arange(5.0)
    difference, test = compare_unpaired(perfect, perfect, confidence=0.95)
    assert (difference.value, test.p) == (0.0, 1.0)


def test_scaled_brier_is_one_for_foresight_and_zero_for_the_prevalence():
    outcome, _ = _risks()
    assert scaled_brier(outcome, outcome.astype(float)) == 1.0
    everybody = np.full(len(outcome), outcome.mean())
    assert scaled_brier(outcome, everybody) == pytest.approx(0.0)


def test_local_regression_leaves_a_parabola_as_it_is():
    x = np.random.default_rng(0).normal(size=50)
    np.testing.assert_allclose(loess(x, x**2), x**2, atol=1e-2)
    np.testing.assert_allclose(loess(x, 3 * x - 1), 3 * x - 1, atol=1e-12)


@pytest.mark.parametrize("values", [[0.3], [0.2, 0.7], [0.25, 0.25, 0.25, 0.25, 0.9]])
def test_risks_with_few_distinct_values_break_no_measure_of_calibration(values):
    random = np.random.default_rng(0)
    risk = random.choice(values, size=40)
    outcome = (random.random(40) < risk).astype(np.int8)
    error = calibration_error(outcome, risk)
    assert 0.0 <= error.median <= error.ninetieth <= error.largest <= 1.0
    test = hosmer_lemeshow(outcome, risk)
    assert np.isnan(test.p)
    assert 0.0 <= spiegelhalter(outcome, risk).p <= 1.0


def test_patients_of_equal_risk_are_in_one_group_of_hosmer_and_lemeshow():
    risk = np.repeat([0.1, 0.3, 0.5, 0.7], 25)
    outcome = np.tile(np.arange(25) < 10, 4).astype(np.int8)
    test = hosmer_lemeshow(outcome, risk, learned=False)
    expected = np.array([2.5, 7.5, 12.5, 17.5])
    by_hand = ((10 - expected) ** 2 / (expected * (1 - expected / 25))).sum()
    assert test.statistic == pytest.approx(by_hand)
    assert test.freedom == 4
    assert hosmer_lemeshow(outcome, risk).freedom == 2


def test_treating_by_risk_at_threshold_zero_is_treating_all_with_a_risk():
    outcome, risk = _risks()
    curve = decide(
        outcome, risk[None], confidence=0.95, thresholds=np.array([0.0, 0.2])
    )
    assert curve.net_benefit[0] == pytest.approx(outcome.mean())
    nobody = decide(
        outcome, np.zeros((1, 200)), confidence=0.95, thresholds=np.array([0.0, 0.2])
    )
    np.testing.assert_array_equal(nobody.net_benefit, 0.0)


def test_limits_of_net_benefit_are_those_of_a_bootstrap_of_patients():
    outcome, risk = _risks(400)
    thresholds = np.array([0.1, 0.3, 0.5])
    curve = decide(outcome, risk[None], confidence=0.95, thresholds=thresholds)
    random = np.random.default_rng(1)
    drawn = [
        decide(outcome[r], risk[None, r], confidence=0.95, thresholds=thresholds)
        for r in random.integers(0, 400, (2000, 400))
    ]
    limits = np.quantile([one.net_benefit for one in drawn], (0.025, 0.975), axis=0)
    width = curve.high - curve.low
    apart = np.abs(limits - [curve.low, curve.high])
    assert (apart < 0.07 * width).all()


def test_resampled_risks_weigh_each_patient_once_and_skip_those_never_left_out():
    outcome = np.array([1, 0, 1], dtype=np.int8)
    risks = np.array([[0.9, 0.1, np.nan], [0.2, np.nan, np.nan]])
    curve = decide(outcome, risks, confidence=0.95, thresholds=np.array([0.5]))
    assert curve.net_benefit[0] == pytest.approx(0.5 * 0.5)
    assert curve.treat_all[0] == 0.0


# Newcombe, Stat Med 1998;17:857, table I, method 3 (Wilson)
@pytest.mark.parametrize(
    ("hits", "size", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611),
     (1, 29, 0.0061, 0.1718)],
)  # fmt: skip
def test_wilsons_interval_is_that_of_newcombes_table(hits, size, low, high):
    share, sizes = np.array([hits / size]), np.array([float(size)])
    found = [float(limit[0]) for limit in wilson(share, sizes, 0.95)]
    assert found == pytest.approx([low, high], abs=5e-5)


def _confusion(outcome, positive):
    return confusion(outcome, positive, name="0.5", threshold=0.5, confidence=0.95)


def test_a_confusion_matrix_counts_and_has_intervals():
    outcome = np.array([1] * 10 + [0] * 20, dtype=np.int8)
    found = _confusion(outcome, np.repeat([1.0, 0.0, 1.0, 0.0], [8, 2, 5, 15]))
    assert (found.true_positives, found.false_positives) == (8, 5)
    assert (found.true_negatives, found.false_negatives) == (15, 2)
    rates = (
        found.sensitivity,
        found.specificity,
        found.positive_predictive_value,
        found.negative_predictive_value,
        found.accuracy,
    )
    counts = ((8, 10), (15, 20), (8, 13), (15, 17), (23, 30))
    for rate, (hits, size) in zip(rates, counts, strict=True):
        theirs = binomtest(hits, size).proportion_ci(method="wilson")
        wanted = hits / size, theirs.low, theirs.high
        assert (rate.value, rate.low, rate.high) == pytest.approx(wanted)


def test_where_nobody_is_positive_there_is_no_predictive_value():
    found = _confusion(np.array([0, 1], dtype=np.int8), np.zeros(2))
    rate = found.positive_predictive_value
    assert np.isnan([rate.value, rate.low, rate.high]).all()


def test_of_equally_good_thresholds_the_one_that_misses_fewest_is_taken():
    outcome = np.array([0, 1, 0, 1], dtype=np.int8)
    assert youden_threshold(outcome, np.array([0.1, 0.2, 0.3, 0.4])) == pytest.approx(
        0.15
    )
    assert youden_threshold(outcome, np.full(4, 0.3)) == 0.3


def _moved(table):
    """Return risks whose category moves as a table of old by new says."""
    middle = np.array([0.03, 0.1, 0.5])
    old, new = np.indices((3, 3))
    repeats = np.asarray(table).ravel()
    return np.repeat(middle[old.ravel()], repeats), np.repeat(
        middle[new.ravel()], repeats
    )


def test_the_nri_of_hdl_in_framingham_is_that_of_pencina():
    # Pencina et al. 2008, table II: NRI 0.121, z = 3.616 (Framingham, cuts 6 and 20 %)
    events = _moved([[39, 15, 0], [4, 87, 14], [0, 3, 21]])
    others = _moved([[1959, 142, 0], [148, 703, 31], [1, 25, 72]])
    first, second = (np.concatenate(pair) for pair in zip(events, others, strict=True))
    outcome = np.repeat([1, 0], [183, 3081]).astype(np.int8)
    found = net_reclassification(
        outcome, first, second, thresholds=(0.06, 0.2), confidence=0.95
    )
    assert found.gain.value == pytest.approx(0.121, abs=6e-4)
    assert found.test.statistic == pytest.approx(3.616, abs=5e-4)
    assert found.events.value == pytest.approx(22 / 183)


def test_the_continuous_nri_counts_every_move():
    outcome = np.array([1, 1, 1, 1, 0, 0], dtype=np.int8)
    first = np.full(6, 0.5)
    second = np.array([0.6, 0.6, 0.6, 0.4, 0.4, 0.5])
    found = net_reclassification(
        outcome, first, second, thresholds=None, confidence=0.95
    )
    assert found.events.value == pytest.approx(2 / 4)
    assert found.nonevents.value == pytest.approx(1 / 2)
    # variances (1 - 0.25) / 4 and (0.5 - 0.25) / 2
    half = 1.959964 * (0.75 / 4 + 0.25 / 2) ** 0.5
    assert found.gain.high == pytest.approx(1.0 + half, rel=1e-6)
    nothing = net_reclassification(
        outcome, first, first, thresholds=None, confidence=0.95
    )
    assert (nothing.gain.value, nothing.test.p) == (0.0, 1.0)


def test_the_idi_is_welchs_comparison_of_changes_in_risk():
    outcome, first = _risks()
    second = np.clip(first + np.random.default_rng(2).normal(0, 0.1, 200), 0, 1)
    found = discrimination_improvement(outcome, first, second, confidence=0.95)
    change = second - first
    theirs = ttest_ind(change[outcome == 1], change[outcome == 0], equal_var=False)
    wanted = change[outcome == 1].mean() - change[outcome == 0].mean()
    assert found.gain.value == pytest.approx(wanted)
    assert found.test.statistic == pytest.approx(theirs.statistic)


def test_variables_that_tell_each_other_have_infinite_inflation():
    values = np.random.default_rng(0).normal(size=(30, 3))
    together = np.column_stack([values, values[:, 0] + values[:, 1], np.ones(30)])
    vif = variance_inflation(together)
    assert np.isinf(vif[[0, 1, 3]]).all()
    assert 1.0 <= vif[2] < 2.0
    assert np.isnan(vif[4])


def test_a_rank_correlation_of_equal_orders_is_one_and_of_a_constant_unknown():
    x = np.random.default_rng(0).normal(size=20)
    rho, p = spearman(np.column_stack([x, np.exp(x), np.ones(20)]))
    assert (rho[0, 1], p[0, 1]) == (pytest.approx(1.0), pytest.approx(0.0, abs=1e-12))
    assert np.isnan(rho[:, 2]).all()


def test_the_sample_size_is_that_of_pmsampsizes_vignette():
    # pmsampsize of R: type "b", csrsquared 0.288, parameters 24, prevalence 0.174
    found = sample_size(prevalence=0.174, parameters=24, cox_snell=0.288)
    assert found[:5] == (623, 662, 221, 662, 116)
    assert "24 candidate parameters needs 662 patients" in found.sentence


def test_an_expected_auc_gives_the_r2_of_rileys_simulation():
    # pmsampsize simulates 0.288 for this AUC
    assert cox_snell_from_c(0.89, prevalence=0.174) == pytest.approx(0.288, abs=0.005)
    found = sample_size(prevalence=57 / 105, parameters=2, c_statistic=0.633)
    assert found.patients == 382


def test_the_r2_of_an_auc_is_that_of_many_simulated_patients():
    random = np.random.default_rng(0)
    event = random.random(400_000) < 0.3
    apart = np.sqrt(2) * 0.8416212
    score = random.normal(size=event.size) + apart * event
    log_odds = np.log(0.3 / 0.7) + apart * score - apart**2 / 2
    fitted = -np.logaddexp(0, np.where(event, -log_odds, log_odds)).mean()
    null = np.log(np.where(event, 0.3, 0.7)).mean()
    simulated = 1 - np.exp(2 * (null - fitted))
    assert cox_snell_from_c(0.8, prevalence=0.3) == pytest.approx(simulated, abs=0.003)


@pytest.mark.parametrize(
    "wrong",
    [
        {"cox_snell": None},
        {"cox_snell": 0.2, "c_statistic": 0.8},
        {"cox_snell": 0.7},
        {"c_statistic": 0.5},
        {"c_statistic": 0.8, "parameters": 0},
        {"c_statistic": 0.8, "prevalence": 0.0},
    ],
)
def test_a_sample_size_of_impossible_numbers_is_refused(wrong):
    with pytest.raises(SettingsError, match="give"):
        sample_size(**{"prevalence": 0.174, "parameters": 3, **wrong})


# Freireich et al., Blood 1963;21:699: weeks of remission, 6-MP and placebo; the
# log-rank chi-square 16.79 is in Kleinbaum and Klein, Survival Analysis, chapter 2
TREATED = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def test_remission_under_6_mp_is_that_of_the_textbook():
    event = np.repeat([1, 0], [9, 12]).astype(np.int8)
    time = np.array(TREATED, dtype=float)
    curve = kaplan_meier(time, event, confidence=0.95)
    survival, at_risk = curve.at(np.array([0.0, 6.0, 10.0, 23.0]))
    np.testing.assert_allclose(survival, [1.0, 0.8571, 0.7529, 0.4482], atol=5e-5)
    np.testing.assert_array_equal(at_risk, [21, 21, 15, 6])
    assert curve.median.value == 23.0
    both = np.concatenate([time, PLACEBO])
    events = np.concatenate([event, np.ones(21, dtype=np.int8)])
    test = log_rank(both, events, np.repeat(["6-MP", "placebo"], 21))
    assert test.statistic == pytest.approx(16.79, abs=5e-3)


def test_a_median_between_two_steps_is_their_middle_and_else_never_reached():
    event = np.array([1, 1, 1, 1], dtype=np.int8)
    assert (
        kaplan_meier(np.array([1.0, 2, 4, 5]), event, confidence=0.95).median.value
        == 3.0
    )
    alive = kaplan_meier(
        np.array([1.0, 2, 4, 5]), np.zeros(4, dtype=np.int8), confidence=0.95
    )
    assert np.isinf(alive.median.value)
    np.testing.assert_array_equal([alive.low, alive.high], 1.0)


def test_without_censoring_the_auc_over_time_is_the_ordinary_one():
    random = np.random.default_rng(0)
    time = random.exponential(size=60)
    scores = -time + random.normal(size=60)
    event = np.ones(60, dtype=np.int8)
    horizons = np.array([0.0, 0.7, 99.0])
    found = auc_over_time(time, event, scores, horizons=horizons)
    by_then = (time <= 0.7).astype(np.int8)
    assert found[1] == pytest.approx(delong(by_then, scores[None]).auc[0])
    assert np.isnan(found[[0, 2]]).all()


@pytest.mark.parametrize("wrong", [np.nan, -1.0, np.inf])
def test_a_time_that_cannot_be_is_refused(wrong):
    with pytest.raises(TableError, match="1 of 2 times"):
        kaplan_meier(np.array([1.0, wrong]), np.ones(2, dtype=np.int8), confidence=0.95)
