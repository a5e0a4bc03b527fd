"""Statistics against values computed with R (pROC 1.18, rms 6.5, dcurves)."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from radhabitat.evaluation.calibration import calibrate, decide
from radhabitat.evaluation.discrimination import (
    auc,
    auc_estimate,
    compare_aucs,
    delong,
    roc_curve,
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
def test_the_youden_point_of_proc_lies_on_the_roc_curve(reference, hemorrhage):
    outcome, scores = hemorrhage
    curve = roc_curve(outcome, scores[0])
    best = np.argmax(curve.true_positive_rate - curve.false_positive_rate)
    wanted = reference[1]["youden"][0]
    assert curve.true_positive_rate[best] == pytest.approx(wanted["sensitivity"])
    specificity = 1 - curve.false_positive_rate[best]
    assert specificity == pytest.approx(wanted["specificity"])


@pytest.mark.data
def test_calibration_is_that_of_rms(reference, hemorrhage):
    values = reference[1]
    outcome, risk = hemorrhage[0], np.array(values["pm"])
    found = calibrate(outcome, risk[None], confidence=0.95)
    assert found.slope.value == pytest.approx(values["valprob"]["Slope"], rel=1e-6)
    assert found.intercept.value == pytest.approx(values["citl"], rel=1e-6)
    assert found.brier == pytest.approx(values["valprob"]["Brier"], rel=1e-9)


@pytest.mark.data
def test_net_benefit_is_that_of_dcurves(reference):
    folder = reference[0] / "dcurves"
    table = pd.read_csv(folder / "data" / "df_binary.csv")
    wanted = pd.read_csv(folder / "r_benchmarks" / "r_dca_famhistory.csv")
    outcome = table["cancer"].astype(int).to_numpy().astype(np.int8)
    curve = decide(
        outcome, table["famhistory"].to_numpy(dtype=float)[None], confidence=0.95
    )
    for label, found in (
        ("famhistory", curve.net_benefit),
        ("all", curve.treat_all),
    ):
        rows = wanted[wanted["variable"] == label].sort_values("threshold")
        theirs = np.interp(curve.thresholds, rows["threshold"], rows["net_benefit"])
        known = curve.thresholds <= rows["threshold"].max() + 1e-9
        np.testing.assert_allclose(found[known], theirs[known], atol=1e-9)


def test_a_perfect_order_has_an_interval_inside_zero_and_one():
    outcome = np.array([0, 0, 0, 1, 1], dtype=np.int8)
    estimate = auc_estimate(delong(outcome, np.arange(5.0)[None]), 0, confidence=0.95)
    assert (estimate.value, estimate.high) == (1.0, 1.0)
    assert estimate.low == pytest.approx(0.025**0.5)
