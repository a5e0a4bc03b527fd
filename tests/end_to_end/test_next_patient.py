"""A model of a study, applied to one of its own patients as if new."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from radhabitat.cli import app
from radhabitat.study import Study

pytestmark = pytest.mark.slow

QUICK = """
[reliability]
patients = 3
repeats = 2

[selection]
clinical = "all"
max_features = 3

[evaluation]
bootstraps = 40
permutations = 0
cv_repeats = 1
ablation = false
"""
OUTCOMES = {"response", "overall_survival_months", "died", "patient"}


@pytest.fixture(scope="module")
def trained(phantom_study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "study"
    shutil.copytree(phantom_study.parent, folder)
    file = folder / "study.toml"
    file.write_text(file.read_text() + QUICK)
    Study.load(file).run(workers=2)
    return folder


def new_patient(trained, tmp_path, patient):
    """The patient's images without the second reader, and its clinical cells."""
    images = tmp_path / "images"
    images.mkdir()
    for name in ("PRE", "LAP", "PVP", "DP", "mask"):
        shutil.copy(trained / "images" / patient / f"{name}.nii.gz", images)
    table = pd.read_csv(trained / "clinical.csv", dtype=str).set_index("patient")
    cells = {k: v for k, v in table.loc[patient].items() if k not in OUTCOMES}
    return images, ",".join(f"{k}={v}" for k, v in cells.items())


def predict(trained, images, clinical, out, *more):
    model = trained / "results" / "models" / "crh.json"
    words = ["predict", str(model), "--images", str(images), "--clinical", clinical]
    return CliRunner().invoke(app, [*words, "--out", str(out), *more])


def test_a_training_patient_gets_the_training_features_and_risk(trained, tmp_path):
    images, clinical = new_patient(trained, tmp_path, "P0002")
    done = predict(trained, images, clinical, tmp_path / "out", "--patient", "X1")
    assert done.exit_code == 0, done.output
    folder = tmp_path / "out" / "derivatives" / "sub-X1"
    record = json.loads((folder / "sub-X1_desc-features_record.json").read_text())
    table = pd.read_csv(trained / "results" / "features.csv", index_col="patient")
    row = record["result"]["row"]
    found = np.array([row[c] for c in table.columns], dtype=float)
    np.testing.assert_allclose(found, table.loc["P0002"].to_numpy(), rtol=1e-6)
    evaluation = json.loads((trained / "results" / "evaluation.json").read_text())
    place = evaluation["patients"].index("P0002")
    risk = evaluation["models"]["crh"]["risk_apparent"][place]
    prediction = json.loads((folder / "prediction.json").read_text())
    assert prediction["probability"] == pytest.approx(risk, abs=1e-6)
    assert prediction["low"] <= prediction["probability"] <= prediction["high"]
    page = (folder / "prediction.html").read_text()
    assert "Research use only" in page
    assert "X1" in page
    audit = (tmp_path / "out" / "audit.jsonl").read_text()
    assert "X1" not in audit
    again = predict(trained, images, clinical, tmp_path / "two", "--patient", "X1")
    assert again.exit_code == 0
    same = tmp_path / "two" / "derivatives" / "sub-X1" / "prediction.json"
    assert same.read_bytes() == (folder / "prediction.json").read_bytes()


def test_what_is_missing_is_named(trained, tmp_path):
    images, clinical = new_patient(trained, tmp_path, "P0003")
    short = ",".join(c for c in clinical.split(",") if not c.startswith("age"))
    done = predict(trained, images, short, tmp_path / "out")
    assert done.exit_code == 1
    assert "inputs of the model: age" in done.stderr.replace("\n", " ")
    (images / "LAP.nii.gz").unlink()
    done = predict(trained, images, clinical, tmp_path / "out")
    assert done.exit_code != 0
    assert "lacks LAP" in str(done.exception)
