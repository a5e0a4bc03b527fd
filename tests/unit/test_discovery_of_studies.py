from __future__ import annotations

import json
import os
from pathlib import Path

import dicom_samples
import numpy as np
import pytest
import study_samples as samples

from radhabitat.errors import InputError, SettingsError, TableError
from radhabitat.files.checks import check_study
from radhabitat.files.discovery import discover, init_study
from radhabitat.files.naming import guess_phase, is_mask_name, is_second_reader
from radhabitat.files.phase_labels import choose_phase
from radhabitat.files.subjects import list_subjects, read_subject
from radhabitat.files.volumes import write_mask
from radhabitat.settings import parse_settings
from radhabitat.types import Grid

DATA = Path(
    os.environ.get(
        "RADHABITAT_DATA", Path(__file__).parents[2].parent / "shared" / "data"
    )
)


@pytest.mark.parametrize(
    ("name", "phase"),
    [
        ("PRE", "PRE"),
        ("t1_pre", "PRE"),
        ("sub-001_acq-water_phase-native_T1w", "PRE"),
        ("平扫", "PRE"),
        ("LAP", "LAP"),
        ("phase-arterialLate", "LAP"),
        ("动脉期", "LAP"),
        ("t1_post1_early", "LAP"),
        ("Ax T1 portal venous 70s", "PVP"),
        ("phase-portalvenous", "PVP"),
        ("门脉期", "PVP"),
        ("DP", "DP"),
        ("delayed_3min", "DP"),
        ("t1_post2_late", "DP"),
        ("延迟期", "DP"),
        ("hepatobiliary 20 min", "HBP"),
        ("MR_T1", None),
        ("CT", None),
        ("ser", None),
        ("fla", None),
    ],
)
def test_names_tell_phases(name, phase):
    assert guess_phase(name) == phase


def test_names_tell_masks_and_readers():
    masks = ("mask", "MR_T1_mask", "tumor", "P1_gtv", "roi2", "肿瘤勾画", "x_dseg")
    assert all(is_mask_name(name) for name in masks)
    assert not any(is_mask_name(n) for n in ("t1_pre", "PVP", "series_3", "动脉期"))
    second = ("mask2", "tumor_reader2", "mask_r2", "seg_b", "second_mask")
    assert all(is_second_reader(f"{n}.nii.gz") for n in second)
    assert not is_second_reader("mask.nii.gz")


def folder_per_patient(root):
    for n in (1, 2, 3):
        samples.write_patient(root / f"HCC_MR_{n}", ("pre", "lap", "PVP", "dp", "mask"))


def images_and_masks_apart(root):
    for n in (1, 2):
        samples.write_patient(root / f"images/HCC_MR_{n}", ("pre", "lap", "pvp", "dp"))
        samples.write_patient(root / f"masks/HCC_MR_{n}", ("tumor",))


def folder_per_phase(root):
    for phase in ("pre", "lap", "pvp", "dp", "mask"):
        for n in (1, 2):
            samples.write_patient(root / phase, (f"HCC_MR_{n}_{phase}",))


def folder_per_phase_and_patient(root):
    for phase in ("平扫", "动脉期", "门脉期", "延迟期"):
        for n in (1, 2):
            samples.write_patient(root / phase / f"HCC_MR_{n}", ("image",))
    for n in (1, 2):
        samples.write_patient(root / "勾画" / f"HCC_MR_{n}", ("x",))


def one_folder(root):
    for n in (1, 2):
        names = tuple(f"HCC_MR_{n}_{p}" for p in ("pre", "lap", "pvp", "dp", "mask"))
        samples.write_patient(root, names)


def inside_one_more_folder(root):
    folder_per_patient(root / "images")


@pytest.mark.parametrize(
    "arrange",
    [
        folder_per_patient,
        images_and_masks_apart,
        folder_per_phase,
        folder_per_phase_and_patient,
        one_folder,
        inside_one_more_folder,
    ],
)
def test_arrangements_of_folders_are_understood(tmp_path, arrange):
    arrange(tmp_path / "cohort")
    found = discover(tmp_path / "cohort")
    assert [p.patient for p in found.patients][:2] == ["HCC_MR_1", "HCC_MR_2"]
    assert found.sequences == ("PRE", "LAP", "PVP", "DP")
    assert found.reference == "PVP"
    assert all(p.mask and len(p.images) == 4 for p in found.patients)


def test_a_single_patients_folder_is_one_patient(tmp_path):
    samples.write_patient(tmp_path / "P1", ("t1", "t2"))
    samples.write_patient(tmp_path / "P1/masks", ("simple", "second_mask"))
    found = discover(tmp_path / "P1")
    assert [p.patient for p in found.patients] == ["P1"]
    assert (found.sequences, found.reference) == (("T1", "T2"), "T1")
    assert Path(found.patients[0].mask2).name == "second_mask.nii.gz"


def test_the_layout_of_openswisshcc_is_understood(tmp_path):
    phases = ("native", "arterial", "portalvenous", "delayed")
    for n in (1, 2):
        sub = f"sub-00{n}"
        for acq in ("water", "fat"):
            names = tuple(f"{sub}_acq-{acq}_phase-{p}_T1w" for p in phases)
            samples.write_patient(tmp_path / sub / "dyn", names)
        samples.write_patient(
            tmp_path / "derivatives/labels" / sub / "anat", (f"{sub}_tumor_mask",)
        )
    found = discover(tmp_path)
    assert [p.patient for p in found.patients] == ["sub-001", "sub-002"]
    assert found.sequences == ("PRE", "LAP", "PVP", "DP")
    cells = found.patients[0].images.values()
    assert all("acq-water" in cell for cell in cells)
    assert found.patients[1].mask.endswith("sub-002_tumor_mask.nii.gz")


def test_the_mask_of_the_reference_is_chosen_among_masks_of_each_image(tmp_path):
    names = ("CT", "MR_T1", "PET", "CT_mask", "MR_T1_mask", "PET_mask")
    for n in (1, 2):
        samples.write_patient(tmp_path / f"STS_{n}", names)
    found = discover(tmp_path)
    assert found.sequences == ("CT", "MR_T1", "PET")
    assert found.reference == "MR_T1"
    assert Path(found.patients[0].mask).name == "MR_T1_mask.nii.gz"
    assert any(g.startswith("2 patients: the mask is MR_T1") for g in found.guesses)


def test_the_reference_is_the_sequence_whose_grid_the_mask_shares(tmp_path):
    other = Grid((8, 8, 8), np.diag([2.0, 2.0, 2.0, 1.0]))
    samples.write_patient(tmp_path / "P1", ("t1", "t2"))
    write_mask(tmp_path / "P1/mask.nii.gz", samples.tumor(other))
    from radhabitat.files.volumes import write_volume

    write_volume(tmp_path / "P1/t2.nii.gz", samples.image(5, other))
    assert discover(tmp_path).reference == "T2"


def test_sequences_of_a_minority_are_left_out_and_said(tmp_path):
    for n in (1, 2, 3):
        extra = ("adc",) if n == 1 else ()
        samples.write_patient(tmp_path / f"P{n}", ("t1", "t2", *extra, "mask"))
    found = discover(tmp_path)
    assert (found.sequences, found.others) == (("T1", "T2"), ("ADC",))
    assert "images left out of data.sequences: ADC" in found.guesses


def dicom_patient(folder, *, phases=4, name="Ax LAVA"):
    def edit(file, k, phase):
        file.SeriesDescription = name
        file.AcquisitionTime = f"09{phase:02d}00"

    dicom_samples.series(folder / "series", phases=phases, edit=edit)
    values = np.zeros(dicom_samples.SHAPE, dtype=np.uint8)
    values[1:4, 1:3, 1:5] = 1
    dicom_samples.segmentation(folder / "mask/seg.dcm", {1: values})


def test_four_phases_in_one_dicom_series_are_named_in_order_of_time(tmp_path):
    for n in (1, 2):
        dicom_patient(tmp_path / f"P{n}")
    found = discover(tmp_path)
    assert [p.patient for p in found.patients] == ["P1", "P2"]
    assert found.sequences == ("PRE", "LAP", "PVP", "DP")
    assert found.patients[0].images["LAP"] == str(tmp_path / "P1/series#2")
    assert found.patients[0].mask == str(tmp_path / "P1/mask/seg.dcm")
    assert "certainty check (150 s after" in found.guesses[-1]
    cell, label = found.labels["P1"]["DP"]
    assert (cell, label.certainty) == (str(tmp_path / "P1/series#4"), "check")


def test_uncertain_phases_are_shown_until_somebody_decides(tmp_path):
    dicom_patient(tmp_path / "P1")
    dicom_patient(tmp_path / "P2")
    study = init_study(tmp_path).file

    def doubts():
        found = [f for f in check_study(study) if "DP is" in f.what]
        return [f for f in found if f.patient == "P1"]

    (doubt,) = doubts()
    assert "DP is series#4, certainty check: 150 s after" in doubt.what
    table = tmp_path / "subjects.csv"
    table.write_text(table.read_text().replace("P1/series#4", "P1/series#3"))
    assert "another volume than the recorded series#4" in doubts()[0].what
    data = parse_settings(study.read_text()).data
    choose_phase(tmp_path, data, ("P1", "DP", "P1/series#4"), by="Dr. A")
    assert doubts() == []
    assert "P1/series#4,P1/mask" in table.read_text()
    kept = json.loads((tmp_path / "phases.json").read_text())["P1"]["DP"]["choices"]
    assert (kept[0]["by"], kept[0]["before"]) == ("Dr. A", "P1/series#3")
    assert kept[0]["when"].endswith("+00:00")
    with pytest.raises(InputError, match="no patient P9"):
        choose_phase(tmp_path, data, ("P9", "DP", ""), by="Dr. A")


def test_dicom_series_are_named_by_their_descriptions(tmp_path):
    for number, name in enumerate(("T1 平扫", "T1 art", "T1 portal", "T1 delay")):
        files = [dicom_samples.slice_file(k, series=f"1.2.{number}") for k in range(6)]
        for file in files:
            file.SpecificCharacterSet = "ISO_IR 192"
            file.SeriesDescription, file.SeriesNumber = name, number
            file.StudyInstanceUID = "1.2.99"
        dicom_samples.save(tmp_path / f"P1/{number}", files)
    found = discover(tmp_path)
    assert found.sequences == ("PRE", "LAP", "PVP", "DP")
    assert found.patients[0].images["DP"] == str(tmp_path / "P1/3")


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no NIfTI"):
        discover(tmp_path)


def test_the_written_study_can_be_read_and_passes_its_check(tmp_path):
    folder_per_patient(tmp_path)
    (tmp_path / "临床.csv").write_bytes(
        "编号,年龄,姓名,疗效\nHCC_MR_1,60,甲,有效\nHCC_MR_2,70,乙,无效\n"
        "HCC_MR_3,65,丙,无效\n".encode("gb18030")
    )
    result = init_study(tmp_path)
    assert result.file == tmp_path / "study.toml"
    settings = parse_settings(result.file.read_text(encoding="utf-8"))
    assert settings.data.clinical == "临床.csv"
    assert (settings.data.id_column, settings.data.outcome) == ("编号", "疗效")
    assert settings.data.positive == "有效"
    assert any("the event is 有效" in guess for guess in result.guesses)
    table = (tmp_path / "subjects.csv").read_text()
    assert table.startswith("patient,PRE,LAP,PVP,DP,mask\nHCC_MR_1,HCC_MR_1/pre.nii.gz")
    for files in list_subjects(tmp_path, settings.data):
        assert read_subject(files, settings.data).tumor.voxels == 216
    levels = {finding.level for finding in check_study(result.file)}
    assert levels == {"look"}


def test_a_study_file_is_never_overwritten(tmp_path):
    folder_per_patient(tmp_path)
    init_study(tmp_path)
    with pytest.raises(SettingsError, match=r"study\.toml exists already"):
        init_study(tmp_path)
    elsewhere = init_study(tmp_path, out=tmp_path / "other")
    row = (tmp_path / "other/subjects.csv").read_text().splitlines()[1]
    assert elsewhere.file.parent.name == "other"
    assert str(tmp_path / "HCC_MR_1/pre.nii.gz") in row


def test_a_named_clinical_table_must_hold_the_patients(tmp_path):
    folder_per_patient(tmp_path / "cohort")
    (tmp_path / "c.csv").write_text("id,response\nX1,1\nX2,0\n")
    with pytest.raises(TableError, match=r"No column of c\.csv holds the patients"):
        init_study(tmp_path / "cohort", clinical=tmp_path / "c.csv")


def test_columns_that_know_the_outcome_are_no_candidates(tmp_path):
    folder_per_patient(tmp_path)
    (tmp_path / "c.csv").write_text(
        "patient,hbv_status,event,response,best_response,os_months,os_status,note\n"
        "HCC_MR_1,1,0,OR,CR,9,1,a\nHCC_MR_2,0,1,nOR,SD,8,1,b\n"
        "HCC_MR_3,1,1,nOR,PD,7,0,c\n"
    )
    result = init_study(tmp_path)
    data = parse_settings(result.file.read_text(encoding="utf-8")).data
    assert (data.outcome, data.positive) == ("response", "OR")
    assert data.variables == ("hbv_status", "note")
    assert (data.survival_time, data.survival_event) == ("os_months", "os_status")


@pytest.mark.data
def test_the_real_sarcoma_cohort_is_understood(tmp_path):
    folder = DATA / "sts_ibsi_multimodal/cropped"
    if not folder.exists():
        pytest.skip("RADHABITAT_DATA has no sts_ibsi_multimodal")
    found = discover(folder)
    assert len(found.patients) == 18
    assert (found.sequences, found.reference) == (("CT", "MR_T1", "PET"), "MR_T1")
    assert {Path(p.mask).name for p in found.patients} == {"MR_T1_mask.nii.gz"}


@pytest.mark.data
def test_the_real_breast_phases_are_understood():
    folder = DATA / "breast_dce_3phase/nifti_cropped"
    if not folder.exists():
        pytest.skip("RADHABITAT_DATA has no breast_dce_3phase")
    found = discover(folder)
    assert found.sequences == ("PRE", "LAP", "DP")
    assert Path(found.patients[0].mask).name == "ftv_mask.nii.gz"
