"""Real patients and real tables, found through RADHABITAT_DATA."""

from __future__ import annotations

import json
import shutil
import tarfile

import numpy as np
import pandas as pd
import pytest

from radhabitat.execution import start_workers
from radhabitat.features import column_names
from radhabitat.files.discovery import init_study
from radhabitat.settings import EvaluationSettings, StudySettings
from radhabitat.shortcuts import TableColumns, model_table
from radhabitat.study import Study

pytestmark = [pytest.mark.slow, pytest.mark.data]


def test_untouched_dicom_of_three_phases_in_one_series_goes_through_features(
    data_folder, tmp_path
):
    archive = next((data_folder / "breast_dce_3phase" / "dicom").glob("*.tar.xz"))
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    file = init_study(tmp_path, clinical=None, out=None).file
    result = Study.load(file).run()
    assert result.set_aside == ()
    table = pd.read_csv(tmp_path / "results" / "features.csv")
    sequences = ("PRE", "LAP", "DP")
    k = sum(c.startswith("PRE_Habitat") and c.endswith("proportion") for c in table)
    assert tuple(table.columns[1:]) == column_names(sequences, k)
    assert table.notna().to_numpy().all()


def test_cropped_nifti_of_three_phases_goes_through_features(data_folder, tmp_path):
    source = data_folder / "breast_dce_3phase" / "nifti_cropped" / "UCSF-BR-06"
    shutil.copytree(source, tmp_path / "study" / "UCSF-BR-06")
    file = init_study(tmp_path / "study", clinical=None, out=None).file
    result = Study.load(file).run()
    assert result.set_aside == ()
    table = pd.read_csv(file.parent / "results" / "features.csv")
    volume = table["LAP_Original_original_shape_VoxelVolume"].item()
    # 41,105 voxels of 0.703 x 0.703 x 2 mm are the vendor's tumor
    assert volume == pytest.approx(41105 * 0.7031**2 * 2, rel=0.02)


def test_an_outcome_drawn_at_random_is_found_to_carry_no_signal(data_folder, tmp_path):
    """Six sarcoma patients with MR, CT and PET on different grids."""
    source = data_folder / "sts_ibsi_multimodal" / "cropped"
    patients = sorted(p.name for p in source.iterdir() if p.is_dir())[:8]
    for patient in patients:
        shutil.copytree(source / patient, tmp_path / "patients" / patient)
    drawn = np.random.default_rng(7).permutation(np.arange(len(patients)) % 2)
    table = pd.DataFrame({"patient": patients, "drawn_at_random": drawn})
    table.to_csv(tmp_path / "patients" / "clinical.csv", index=False)
    file = init_study(tmp_path / "patients", clinical=None, out=None).file
    text = file.read_text().replace('outcome = ""', 'outcome = "drawn_at_random"')
    text += "\n[evaluation]\nbootstraps = 40\n[reliability]\npatients = 4\n"
    file.write_text(text)
    result = Study.load(file).run(workers=2)
    assert result.set_aside == ()
    assert result.evaluation is not None
    for model in result.evaluation.results.values():
        assert model.validation.out_of_bag.low < 0.5 < model.validation.out_of_bag.high


@pytest.mark.parametrize(
    ("name", "outcome", "patients"),
    [
        ("radMLBench/HCC-TACE-Seg.gz", "Target", 84),
        ("hcc_survival_uci/hcc-data_with_header.csv", None, 165),
    ],
)
def test_a_real_table_is_modeled_with_the_optimism_beside(
    data_folder, tmp_path, name, outcome, patients
):
    path = data_folder / "radiomics_tables" / name
    last = pd.read_csv(path, nrows=1, compression="infer").columns[-1]
    settings = StudySettings(evaluation=EvaluationSettings(bootstraps=30))
    with start_workers(1) as run:
        model_table(
            path, TableColumns(outcome or last), settings, out=tmp_path, run=run
        )
    evaluation = json.loads((tmp_path / "evaluation.json").read_text())
    assert evaluation["n"] == patients
    auc = evaluation["models"]["radiomics"]["auc"]
    assert auc["out_of_bag"]["low"] < auc["out_of_bag"]["value"]
    assert auc["out_of_bag"]["value"] < auc["apparent"]["value"]
    assert (tmp_path / "report.html").stat().st_size > 20_000
