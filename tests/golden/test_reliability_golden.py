"""ICC(2,1) against R's psych 2.2.9 and the example of its authors."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from radhabitat.selection.reliability import icc_2_1, icc_2_1_interval

SHROUT_FLEISS = np.array(
    [
        [9, 2, 5, 8],
        [6, 1, 3, 2],
        [8, 4, 6, 8],
        [7, 1, 2, 6],
        [10, 5, 6, 9],
        [6, 2, 4, 7],
    ],
    dtype=np.float64,
)
"""Shrout and Fleiss 1979, table 2: six targets (rows) rated by four judges."""

DATA = Path(
    os.environ.get(
        "RADHABITAT_DATA", Path(__file__).parents[2].parent / "shared" / "data"
    )
)


def test_the_example_of_shrout_and_fleiss_gives_their_icc_2_1() -> None:
    icc = icc_2_1(SHROUT_FLEISS.T[:, :, np.newaxis])
    assert round(float(icc[0]), 2) == 0.29
    assert icc[0] == pytest.approx(0.289763779527559, abs=1e-12)


def test_its_interval_is_that_of_psych() -> None:
    low, high = icc_2_1_interval(SHROUT_FLEISS.T[:, :, np.newaxis])
    assert low[0] == pytest.approx(0.018786513374712, abs=1e-9)
    assert high[0] == pytest.approx(0.761084369648953, abs=1e-9)


@pytest.mark.data
def test_thirty_patients_read_twice_agree_with_psych() -> None:
    folder = DATA / "stats_reference" / "R"
    if not folder.is_dir():
        pytest.skip("the reference values of R are not here")
    values = np.loadtxt(folder / "icc30.csv", delimiter=",", skiprows=1)
    reference = json.loads((folder / "ref_R.json").read_text())["icc30"]
    row = next(row for row in reference if row["type"] == "ICC2")
    low, high = icc_2_1_interval(values.T[:, :, np.newaxis])
    assert icc_2_1(values.T[:, :, np.newaxis])[0] == pytest.approx(
        row["ICC"], abs=1e-12
    )
    assert low[0] == pytest.approx(row["lower bound"], abs=1e-9)
    assert high[0] == pytest.approx(row["upper bound"], abs=1e-9)
