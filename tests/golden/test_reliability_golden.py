"""ICC against R's psych 2.2.9 and the example of its authors."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from radhabitat.selection.reliability import icc

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


# psych 2.2.9 of R, from the table above: ICC, lower, upper
PSYCH = {
    "1,1": (0.165741768405476, -0.132932324874751, 0.722560062328121),
    "2,1": (0.289763779527559, 0.018786513374712, 0.761084369648953),
    "3,1": (0.714840714840715, 0.342464765033925, 0.94585825995536),
    "1,k": (0.442797133679269, -0.884442155238119, 0.912415420340776),
    "2,k": (0.620050547598989, 0.0711368153025035, 0.927232040167722),
    "3,k": (0.909315542377069, 0.675674713816305, 0.985891678169062),
}


@pytest.mark.parametrize("form", PSYCH)
def test_the_example_of_shrout_and_fleiss_gives_all_six_forms_of_psych(form) -> None:
    found = np.array(icc(SHROUT_FLEISS.T[:, :, np.newaxis], form=form))
    np.testing.assert_allclose(found[:, 0], PSYCH[form], atol=1e-12)


@pytest.mark.data
def test_thirty_patients_read_twice_agree_with_psych() -> None:
    folder = DATA / "stats_reference" / "R"
    if not folder.is_dir():
        pytest.skip("the reference values of R are not here")
    values = np.loadtxt(folder / "icc30.csv", delimiter=",", skiprows=1)
    for row in json.loads((folder / "ref_R.json").read_text())["icc30"]:
        form = f"{row['type'][3]},{row['type'][4:] or '1'}"
        found = np.array(icc(values.T[:, :, np.newaxis], form=form))
        wanted = row["ICC"], row["lower bound"], row["upper bound"]
        np.testing.assert_allclose(found[:, 0], wanted, atol=1e-12)
