from __future__ import annotations

import numpy as np
import pytest

from radhabitat.errors import ComputationError, TableError
from radhabitat.models.combat import fit_combat
from radhabitat.models.cox import fit_cox
from radhabitat.models.firth import firth_interval, fit_firth, separated


def _sites(count=60, features=8, seed=0):
    random = np.random.default_rng(seed)
    sites = np.array(["Lyon", "Graz", "Bern"])[np.arange(count) % 3]
    values = random.normal(size=(count, features))
    values[sites == "Graz"] = 2.0 * values[sites == "Graz"] + 3.0
    return values, sites.tolist()


def test_harmonized_sites_have_nearly_the_same_mean_and_spread():
    values, sites = _sites(900)
    found = fit_combat(values, sites).transform(values, sites)
    own = np.array(sites)
    means = [found[own == site].mean(axis=0) for site in set(sites)]
    spreads = [found[own == site].std(axis=0) for site in set(sites)]
    assert np.ptp(means, axis=0).max() < 0.2
    assert np.ptp(np.log(spreads), axis=0).max() < 0.1


def test_a_new_patient_is_moved_like_those_of_the_same_site():
    values, sites = _sites()
    fitted = fit_combat(values, sites)
    together = fitted.transform(values, sites)
    np.testing.assert_array_equal(
        fitted.transform(values[7:8], sites[7:8]), together[7:8]
    )


def test_a_patient_of_an_unknown_site_is_refused_with_both_names():
    values, sites = _sites()
    with pytest.raises(TableError, match=r"'Oslo'.*Bern, Graz, Lyon"):
        fit_combat(values, sites).transform(values[:1], ["Oslo"])


def test_the_reference_site_and_a_lone_site_stay_as_they_are():
    values, sites = _sites()
    fitted = fit_combat(values, sites, reference="Graz")
    found = fitted.transform(values, sites)
    graz = np.array(sites) == "Graz"
    np.testing.assert_array_equal(found[graz], values[graz])
    only = fit_combat(values, ["Lyon"] * 60).transform(values, ["Lyon"] * 60)
    np.testing.assert_array_equal(only, values)
    with pytest.raises(TableError, match="reference site 'Oslo'"):
        fit_combat(values, sites, reference="Oslo")


@pytest.mark.parametrize("parametric", [True, False])
def test_a_site_with_one_patient_is_moved_and_its_spread_kept(parametric):
    values, sites = _sites()
    sites[0] = "Oslo"
    fitted = fit_combat(values, sites, parametric=parametric)
    place = fitted.sites.index("Oslo")
    np.testing.assert_array_equal(fitted.spread[place], 1.0)
    assert np.abs(fitted.shift[place]).max() > 0.0
    assert fitted.notes == ("Site Oslo has one patient: its spread was not changed",)
    # drawn twice by a bootstrap, it is still one patient
    twice = fit_combat(
        np.vstack([values, values[:1]]), [*sites, "Oslo"], parametric=parametric
    )
    np.testing.assert_array_equal(twice.spread[place], 1.0)


@pytest.mark.parametrize("parametric", [True, False])
def test_missing_values_stay_missing_and_move_no_other_feature_much(parametric):
    values, sites = _sites()
    gaps = values.copy()
    gaps[5, 2] = np.nan
    fitted = fit_combat(gaps, sites, parametric=parametric)
    found = fitted.transform(gaps, sites)
    assert np.isnan(found[5, 2])
    assert np.isnan(found).sum() == 1
    whole = fit_combat(values, sites, parametric=parametric).transform(values, sites)
    assert np.nanmax(np.abs(found - whole)) < 0.5


def test_features_constant_or_unknown_in_a_site_are_left_alone():
    values, sites = _sites()
    graz = np.array(sites) == "Graz"
    values[graz, 0] = 4.0
    values[graz, 1] = np.nan
    values[:, 2] = 0.1
    fitted = fit_combat(values, sites)
    found = fitted.transform(values, sites)
    np.testing.assert_array_equal(found[:, :3], values[:, :3])
    assert np.abs(found[:, 3:] - values[:, 3:]).max() > 0.1
    assert fitted.notes[0].startswith("3 features were left as measured")


def test_covariates_that_cannot_be_told_from_sites_are_refused():
    values, sites = _sites()
    graz = (np.array(sites) == "Graz").astype(float)[:, None]
    with pytest.raises(TableError, match="1 covariates cannot be told from 3 sites"):
        fit_combat(values, sites, covariates=graz)
    random = np.random.default_rng(1).normal(size=(60, 1))
    fitted = fit_combat(values, sites, covariates=random)
    with pytest.raises(TableError, match="learned with 1 covariates"):
        fitted.transform(values, sites)


def test_what_covariates_explain_is_kept():
    values, sites = _sites(900)
    group = (np.arange(900) % 2).astype(float)[:, None]
    values += 2.0 * group
    found = fit_combat(values, sites, covariates=group).transform(values, sites, group)
    even = found[group[:, 0] == 1].mean(axis=0) - found[group[:, 0] == 0].mean(axis=0)
    np.testing.assert_allclose(even, 2.0, atol=0.35)


def _logistic(count=80, seed=0):
    random = np.random.default_rng(seed)
    values = random.normal(size=(count, 2))
    return values, (random.random(count) < 0.5).astype(np.int8)


def test_one_variable_that_orders_all_patients_separates_them_alone():
    values, outcome = _logistic()
    clear = np.column_stack([values, outcome + 0.1 * values[:, 0], np.ones(80)])
    assert separated(clear, outcome) == (2,)
    assert separated(values, outcome) == ()


def test_variables_that_separate_only_together_are_both_named():
    values, outcome = _logistic()
    split = np.column_stack([values[:, 0], values[:, 0] + 0.1 * (2 * outcome - 1)])
    assert separated(np.column_stack([split, values[:, 1]]), outcome) == (0, 1)


def test_each_category_without_an_event_is_named():
    values, outcome = _logistic()
    only_events = np.zeros((80, 2))
    only_events[np.flatnonzero(outcome == 1)[:3], 0] = 1.0
    only_events[np.flatnonzero(outcome == 0)[:3], 1] = 1.0
    assert separated(np.hstack([values, only_events]), outcome) == (2, 3)


def test_firths_formula_is_finite_where_variables_separate():
    values, outcome = _logistic()
    clear = (outcome + 0.1 * values[:, 0])[:, None]
    estimate, test = firth_interval(clear, outcome, 0, confidence=0.95)
    assert 0.0 < estimate.low < estimate.value < estimate.high < 1e3
    assert test.p < 1e-6


def test_firths_formula_of_one_binary_variable_adds_half_to_each_cell():
    # Firth's penalty of a saturated 2 x 2 table, Heinze and Schemper 2002
    values = np.repeat([0.0, 0.0, 1.0, 1.0], [6, 4, 0, 5])[:, None]
    outcome = np.repeat([0, 1, 0, 1], [6, 4, 0, 5]).astype(np.int8)
    model = fit_firth(values, outcome)
    wanted = np.log(5.5 * 6.5 / (0.5 * 4.5))
    assert model.coefficients[1] == pytest.approx(wanted, rel=1e-8)


def test_redundant_variables_are_refused_by_both_regressions():
    values, outcome = _logistic()
    double = np.column_stack([values, values.sum(axis=1)])
    with pytest.raises(ComputationError, match="computed from the others"):
        fit_firth(double, outcome)
    with pytest.raises(ComputationError, match="computed from the others"):
        fit_cox(double, np.arange(80.0), outcome, confidence=0.95)


def test_coxs_model_of_an_order_without_exception_or_without_events_is_refused():
    time = np.arange(1.0, 21.0)
    event = np.ones(20, dtype=np.int8)
    with pytest.raises(ComputationError, match="no finite maximum"):
        fit_cox(time[:, None], time, event, confidence=0.95)
    with pytest.raises(ComputationError, match="0 events"):
        fit_cox(time[:, None], time, 0 * event, confidence=0.95)


def test_the_unit_of_a_variable_does_not_change_its_test():
    random = np.random.default_rng(0)
    values = random.normal(size=(50, 2))
    time = np.ceil(10 * random.exponential(np.exp(-values[:, 0])))
    event = (random.random(50) < 0.7).astype(np.int8)
    model = fit_cox(values, time, event, confidence=0.95)
    scaled = fit_cox(values * [1e4, 1e-3], time, event, confidence=0.95)
    np.testing.assert_allclose(scaled.p, model.p, rtol=1e-8)
    np.testing.assert_allclose(scaled.coefficients * [1e4, 1e-3], model.coefficients)


@pytest.mark.parametrize("seed", range(12))
def test_an_interval_is_found_beside_a_variable_that_separates(seed):
    # the likelihood of the others then has several maxima far from the best formula
    random = np.random.default_rng(seed)
    values = random.normal(size=(40, 3))
    values[:, 0] = values[:, 0] > 0
    outcome = (values[:, 2] > 0).astype(np.int8)
    for variable in range(3):
        estimate, test = firth_interval(values, outcome, variable, confidence=0.95)
        assert estimate.low < estimate.value < estimate.high
        covers_none = estimate.low < 0.0 < estimate.high
        assert covers_none == (test.p > 0.05)
