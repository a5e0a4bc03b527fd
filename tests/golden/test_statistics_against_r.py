"""Statistics against values computed with R (pROC 1.18, rms 6.5, dcurves)."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from radhabitat.evaluation.calibration import (
    calibrate,
    calibration_error,
    hosmer_lemeshow,
    spiegelhalter,
)
from radhabitat.evaluation.classification import confusion, youden_threshold
from radhabitat.evaluation.correlation import (
    benjamini_hochberg,
    holm,
    spearman,
    variance_inflation,
)
from radhabitat.evaluation.decision import decide
from radhabitat.evaluation.discrimination import (
    auc,
    auc_estimate,
    compare_all,
    compare_aucs,
    compare_unpaired,
    delong,
)

# Hanley and McNeil, Radiology 1982;143:29: ratings of 58 normal and 51 abnormal
# images; the area is printed there as 0.893.
HANLEY_NORMAL = [1] * 33 + [2] * 6 + [3] * 6 + [4] * 11 + [5] * 2
HANLEY_ABNORMAL = [1] * 3 + [2] * 2 + [3] * 2 + [4] * 11 + [5] * 33


def test_the_auc_of_hanley_and_mcneil_is_theirs():
    outcome = np.array([0] * 58 + [1] * 51, dtype=np.int8)
    scores = np.array(HANLEY_NORMAL + HANLEY_ABNORMAL, dtype=float)
    assert round(auc(outcome, scores), 3) == 0.893


@pytest.fixture(scope="module")
def reference(data_folder):
    folder = data_folder / "stats_reference"
    values = json.loads((folder / "R" / "ref_R.json").read_text())
    return folder, values, pd.read_csv(folder / "R" / "aSAH.csv")


@pytest.fixture(scope="module")
def hemorrhage(reference):
    table = reference[2]
    outcome = table["y"].to_numpy().astype(np.int8)
    scores = table[["s100b", "ndka", "wfns"]].to_numpy(dtype=float).T
    return outcome, scores


@pytest.mark.data
def test_delong_variances_and_tests_are_those_of_proc(reference, hemorrhage):
    values = reference[1]
    areas = delong(*hemorrhage)
    names = ["s100b", "ndka", "wfns"]
    for i, name in enumerate(names):
        assert areas.auc[i] == pytest.approx(values["auc"][name], rel=1e-12)
        assert areas.covariance[i, i] == pytest.approx(values["var"][name], rel=1e-12)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        wanted = values["test"][f"{names[first]}_{names[second]}"]
        # pROC tests first minus second, we second minus first
        _, z, p = compare_aucs(areas, first, second, confidence=0.95)
        assert -z == pytest.approx(wanted["Z"], rel=1e-10)
        assert p == pytest.approx(wanted["p"], rel=1e-9)
    difference = compare_aucs(areas, 1, 0, confidence=0.95)[0]
    assert (difference.low, difference.high) == pytest.approx(values["test_ci"])


@pytest.mark.data
def test_the_unpaired_test_is_that_of_proc(reference, hemorrhage):
    outcome, scores = hemorrhage
    women = reference[2]["gender"].to_numpy() == 1
    difference, test = compare_unpaired(
        (outcome[women], scores[0, women]),
        (outcome[~women], scores[0, ~women]),
        confidence=0.95,
    )
    wanted = reference[1]["unpaired"]
    # pROC tests first minus second, we second minus first
    assert -test.statistic == pytest.approx(wanted["Z"], rel=1e-12)
    assert (test.freedom, test.p) == pytest.approx((wanted["df"], wanted["p"]))
    assert difference.low < difference.value < difference.high
    stored = reference[0] / "pROC" / "expected_values.json"
    wanted = json.loads(stored.read_text())["delong_unpaired"]["wfns_vs_ndka"]
    test = compare_unpaired(
        (outcome, scores[1]), (outcome, scores[2]), confidence=0.95
    )[1]
    assert (test.statistic, test.p) == pytest.approx((wanted["D"], wanted["p"]))


# SAS/STAT user's guide, PROC LOGISTIC, "Comparing Receiver Operating Characteristic
# Curves": albumin, total protein, K-G score and outcome of 43 patients of DeLong et
# al. 1988; areas 0.7366, 0.6478, 0.7258; chi-square 2.5340 with 2 df, p = 0.2817
OVARIAN = """
3.0 5.8 10 0 3.2 6.3 5 1 3.9 6.8 3 1 2.8 4.8 6 0 3.2 5.8 3 1 0.9 4.0 5 0 2.5 5.7 8 0
1.6 5.6 5 1 3.8 5.7 5 1 3.7 6.7 6 1 3.2 5.4 4 1 3.8 6.6 6 1 4.1 6.6 5 1 3.6 5.7 5 1
4.3 7.0 4 1 3.6 6.7 4 0 2.3 4.4 6 1 4.2 7.6 4 0 4.0 6.6 6 0 3.5 5.8 6 1 3.8 6.8 7 1
3.0 4.7 8 0 4.5 7.4 5 1 3.7 7.4 5 1 3.1 6.6 6 1 4.1 8.2 6 1 4.3 7.0 5 1 4.3 6.5 4 1
3.2 5.1 5 1 2.6 4.7 6 1 3.3 6.8 6 0 1.7 4.0 7 0 3.7 6.1 5 1 3.3 6.3 7 1 4.2 7.7 6 1
3.5 6.2 5 1 2.9 5.7 9 0 2.1 4.8 7 1 2.8 6.2 8 0 4.0 7.0 7 1 3.3 5.7 6 1 3.7 6.9 5 1
3.6 6.6 5 1
"""


def test_three_tests_of_the_same_patients_compare_as_in_sas():
    table = np.array(OVARIAN.split(), dtype=float).reshape(-1, 4)
    scores = np.array([table[:, 0], table[:, 1], 10 - table[:, 2]])
    areas = delong(table[:, 3].astype(np.int8), scores)
    np.testing.assert_allclose(areas.auc, [0.7366, 0.6478, 0.7258], atol=5e-5)
    joint = compare_all(areas)
    assert (joint.statistic, joint.p) == pytest.approx((2.5340, 0.2817), abs=5e-5)
    assert joint.freedom == 2


@pytest.mark.data
def test_the_youden_threshold_is_that_of_proc(reference, hemorrhage):
    outcome, scores = hemorrhage
    wanted = reference[1]["youden"][0]
    threshold = youden_threshold(outcome, scores[0])
    assert threshold == pytest.approx(wanted["threshold"])
    positive = (scores[0] >= threshold).astype(float)
    found = confusion(
        outcome, positive, name="Youden", threshold=threshold, confidence=0.95
    )
    assert found.sensitivity.value == pytest.approx(wanted["sensitivity"])
    assert found.specificity.value == pytest.approx(wanted["specificity"])


@pytest.mark.data
def test_calibration_is_that_of_rms(reference, hemorrhage):
    values = reference[1]
    outcome, risk = hemorrhage[0], np.array(values["pm"])
    found = calibrate(outcome, risk[None], confidence=0.95)
    assert found.slope.value == pytest.approx(values["valprob"]["Slope"], rel=1e-6)
    assert found.intercept.value == pytest.approx(values["citl"], rel=1e-6)
    assert found.brier == pytest.approx(values["valprob"]["Brier"], rel=1e-9)


@pytest.mark.data
def test_the_distance_from_smoothed_risks_is_that_of_loess_in_r(reference, hemorrhage):
    values = reference[1]
    found = calibration_error(hemorrhage[0], np.array(values["pm"]))
    wanted = [values[f"{name}_loess"] for name in ("ici", "E50", "E90", "Emax")]
    assert found[:4] == pytest.approx(wanted, rel=1e-12)


@pytest.mark.data
def test_tests_of_calibration_are_those_of_r(reference, hemorrhage):
    outcome, values = hemorrhage[0], reference[1]
    found = hosmer_lemeshow(outcome, np.array(values["p"]))
    assert (found.statistic, found.p) == pytest.approx(values["hl"], rel=1e-10)
    found = spiegelhalter(outcome, np.array(values["pm"]))
    wanted = values["valprob"]["S:z"], values["valprob"]["S:p"]
    assert (found.statistic, found.p) == pytest.approx(wanted, rel=1e-10)


@pytest.mark.data
@pytest.mark.parametrize(
    ("column", "file"),
    [
        ("famhistory", "r_dca_famhistory.csv"),
        ("famhistory", "r_case1_results.csv"),
    ],
)
def test_net_benefit_is_that_of_dcurves_from_threshold_zero_on(reference, column, file):
    folder = reference[0] / "dcurves"
    table = pd.read_csv(folder / "data" / "df_binary.csv")
    wanted = pd.read_csv(folder / "r_benchmarks" / file)
    outcome = table["cancer"].astype(int).to_numpy().astype(np.int8)
    rows = wanted[wanted["variable"] == column]
    thresholds = rows["threshold"].to_numpy()
    risk = table[column].to_numpy(dtype=float)
    curve = decide(outcome, risk[None], confidence=0.95, thresholds=thresholds)
    assert thresholds[0] == 0.0
    np.testing.assert_allclose(curve.net_benefit, rows["net_benefit"], atol=1e-12)
    everybody = wanted.loc[wanted["variable"] == "all", "net_benefit"]
    np.testing.assert_allclose(curve.treat_all, everybody, atol=1e-12)


@pytest.mark.data
def test_rank_correlations_and_variance_inflation_are_those_of_r(reference):
    values, table = reference[1:]
    columns = list(values["vif"])
    vif = variance_inflation(table[columns].to_numpy(dtype=float))
    np.testing.assert_allclose(vif, list(values["vif"].values()), rtol=1e-12)
    rho, p = spearman(table[["s100b", "ndka"]].to_numpy(dtype=float))
    assert rho[0, 1] == pytest.approx(values["spearman"], rel=1e-12)
    assert p[0, 1] == pytest.approx(values["spearman_p"], rel=1e-12)


@pytest.mark.data
def test_adjusted_p_values_are_those_of_r(reference):
    values = reference[1]
    p = np.array(values["ps"])
    np.testing.assert_allclose(holm(p), values["holm"], rtol=1e-12)
    np.testing.assert_allclose(benjamini_hochberg(p), values["bh"], rtol=1e-12)


def test_a_perfect_order_has_an_interval_inside_zero_and_one():
    outcome = np.array([0, 0, 0, 1, 1], dtype=np.int8)
    estimate = auc_estimate(delong(outcome, np.arange(5.0)[None]), 0, confidence=0.95)
    assert (estimate.value, estimate.high) == (1.0, 1.0)
    assert estimate.low == pytest.approx(0.025**0.5)
