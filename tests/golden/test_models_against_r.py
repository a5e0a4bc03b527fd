"""ComBat against R's sva 3.46, Firth's regression against brglm2 0.9."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from radhabitat.models.combat import fit_combat
from radhabitat.models.firth import firth_interval, fit_firth, separated

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def folder(data_folder):
    return data_folder / "stats_reference" / "R"


@pytest.mark.parametrize(
    ("number", "preserve", "parametric", "reference"),
    [(1, True, True, None), (2, False, True, None), (3, True, True, "A"),
     (4, True, False, None)],
)  # fmt: skip
def test_combat_is_that_of_sva(folder, number, preserve, parametric, reference):
    table = pd.read_csv(folder / "combat_in.csv")
    values = table.iloc[:, 2:].to_numpy(dtype=float)
    sites = table["b"].tolist()
    covariates = table[["y"]].to_numpy(dtype=float) if preserve else None
    fitted = fit_combat(
        values, sites, covariates=covariates, parametric=parametric, reference=reference
    )
    wanted = pd.read_csv(folder / f"combat_out{number}.csv").to_numpy(dtype=float)
    found = fitted.transform(values, sites, covariates)
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_firths_regression_is_that_of_brglm2(folder):
    reference = json.loads((folder / "ref_R.json").read_text())
    table = pd.read_csv(folder / "endometrial.csv")
    values = table[["NV", "PI", "EH"]].to_numpy(dtype=float)
    outcome = table["HG"].to_numpy(dtype=np.int8)
    model = fit_firth(values, outcome)
    wanted = np.array(reference["firth"])
    # brglm2 stops at a gradient of 1e-6
    np.testing.assert_allclose(model.coefficients, wanted[:, 0], atol=5e-7)
    np.testing.assert_allclose(model.standard_errors, wanted[:, 1], atol=2e-7)
    assert model.log_likelihood == pytest.approx(reference["firth_maxpll"], rel=1e-12)
    for variable, limits in enumerate(reference["firth_ci"]):
        estimate, test = firth_interval(values, outcome, variable, confidence=0.95)
        assert [estimate.low, estimate.high] == pytest.approx(limits, abs=1e-6)
        wanted = reference["firth_plrt"][variable]
        assert test.p == pytest.approx(wanted, rel=1e-7)
    assert separated(values, outcome) == (0,)
    assert separated(values[:, 1:], outcome) == ()
