"""Survival statistics against R's survival 3.5-3 and riskRegression 2022.11.28."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from radhabitat.evaluation.survival import auc_over_time, kaplan_meier, log_rank
from radhabitat.models.cox import fit_cox, proportional_hazards

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def lung(data_folder):
    """R's values, time, event, and the four variables of 213 patients."""
    folder = data_folder / "stats_reference" / "R"
    table = pd.read_csv(folder / "lung.csv")
    values = table[["age", "sex", "ph.ecog", "wt.loss"]].to_numpy(dtype=float)
    return (
        json.loads((folder / "ref_R.json").read_text()),
        table["time"].to_numpy(dtype=float),
        table["status"].to_numpy(dtype=np.int8),
        values,
    )


def test_the_survival_curve_is_that_of_r(lung):
    reference, time, event, _ = lung
    curve = kaplan_meier(time, event, confidence=0.95)
    when = np.array([180.0, 365.0, 730.0])
    place = np.searchsorted(curve.times, when, side="right") - 1
    np.testing.assert_allclose(curve.at(when)[0], reference["km"]["surv"], rtol=1e-12)
    for limit, name in ((curve.low, "lower"), (curve.high, "upper")):
        np.testing.assert_allclose(limit[place], reference["km_ll"][name], rtol=1e-12)
    median = curve.median
    assert [median.value, median.low, median.high] == reference["kmmed_ll"]


def test_the_log_rank_test_is_that_of_r(lung):
    reference, time, event, values = lung
    test = log_rank(time, event, values[:, 1])
    assert test.statistic == pytest.approx(reference["logrank"]["chi"], rel=1e-12)
    assert test.p == pytest.approx(reference["logrank"]["p"], rel=1e-10)


def test_the_log_rank_test_of_four_groups_is_that_of_lifelines(lung):
    _, time, event, values = lung
    # multivariate_logrank_test of lifelines 0.30.3, by ph.ecog
    test = log_rank(time, event, values[:, 2])
    assert test == pytest.approx((20.53836105884, 3, 0.000131267038217), rel=1e-9)


def test_coxs_model_is_that_of_r(lung):
    reference, *patients = lung
    time, event, values = patients
    model = fit_cox(values, time, event, confidence=0.95)
    wanted = np.array(reference["cox"]["coef"])
    np.testing.assert_allclose(model.coefficients, wanted[:, 0], rtol=1e-10)
    np.testing.assert_allclose(model.standard_errors, wanted[:, 2], rtol=1e-10)
    np.testing.assert_allclose(model.p, wanted[:, 4], rtol=1e-8)
    np.testing.assert_allclose(model.log_likelihood, reference["cox"]["ll"])
    ratios = [ratio.value for ratio in model.hazard_ratios(confidence=0.95)]
    np.testing.assert_allclose(ratios, wanted[:, 1], rtol=1e-10)
    c, error = reference["cox"]["conc"]
    assert model.concordance.value == pytest.approx(c, rel=1e-12)
    assert model.concordance.high == pytest.approx(c + 1.959963985 * error, rel=1e-9)


def test_the_test_of_proportional_hazards_is_cox_zph(lung):
    reference, time, event, values = lung
    model = fit_cox(values, time, event, confidence=0.95)
    found = proportional_hazards(model, values, time, event)
    # R's rows are age, sex, ph.ecog, wt.loss, all
    np.testing.assert_allclose(found, reference["zph"], rtol=1e-7)


def test_the_auc_over_time_is_that_of_risk_regression(lung):
    reference, time, event, _ = lung
    wanted = [row["AUC"] for row in reference["tAUC"]]
    found = auc_over_time(
        time,
        event,
        np.array(reference["lp"]),
        horizons=np.array([row["times"] for row in reference["tAUC"]], dtype=float),
    )
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
