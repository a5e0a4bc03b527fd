from __future__ import annotations

import nibabel
import numpy as np
import pytest
import study_samples as samples

from radhabitat.files.checks import check_study, exit_code
from radhabitat.files.layout import StudyLayout
from radhabitat.files.store import write_json
from radhabitat.files.volumes import write_labels, write_mask, write_volume
from radhabitat.types import Grid, Mask, Volume


@pytest.fixture
def study(tmp_path):
    return samples.write_study(tmp_path)


def about(study, patient):
    return [f for f in check_study(study) if f.patient == patient]


def only(study, patient):
    (finding,) = about(study, patient)
    return finding


def test_a_good_study_only_hears_of_its_few_events(study):
    (finding,) = check_study(study)
    assert (finding.level, finding.patient) == ("look", None)
    assert "2.0 events per candidate variable" in finding.what
    assert exit_code([finding]) == 0


def test_every_problem_is_found_in_one_pass(study):
    root = study.parent
    (root / "images/P1/pre.nii.gz").unlink()
    path = root / "images/P2/pvp.nii.gz"
    path.write_bytes(path.read_bytes()[:300])
    empty = Mask(np.zeros(samples.SHAPE, dtype=np.bool_), samples.GRID)
    write_mask(root / "images/P3/mask.nii.gz", empty)
    findings = check_study(study)
    lost = {f.patient: f.what for f in findings if f.level == "loses a patient"}
    assert lost == {
        "P1": "Patient P1: pre.nii.gz does not exist",
        "P2": lost["P2"],
        "P3": "The tumor mask of patient P3 is empty",
    }
    assert "pvp.nii.gz cannot be read" in lost["P2"]
    assert all(f.fix for f in findings)
    assert exit_code(findings) == 1


def test_when_every_patient_is_lost_the_study_cannot_run(study):
    for path in study.parent.glob("images/*/mask.nii.gz"):
        path.unlink()
    findings = check_study(study)
    assert findings[0].what == "None of 4 patients can be used"
    assert exit_code(findings) == 2


def test_a_mask_outside_the_image_loses_the_patient(study):
    affine = samples.GRID.affine.copy()
    affine[:3, 3] += 500.0
    path = study.parent / "images/P1/mask.nii.gz"
    write_mask(path, samples.tumor(Grid(samples.SHAPE, affine)))
    finding = only(study, "P1")
    assert finding.level == "loses a patient"
    assert "100 % of the tumor mask of patient P1 lies outside" in finding.what


def test_a_mask_on_another_grid_is_to_be_looked_at(study):
    grid = Grid((30, 30, 30), np.diag([0.5, 0.5, 0.5, 1.0]))
    path = study.parent / "images/P1/mask.nii.gz"
    write_mask(path, samples.tumor(grid, size=12))
    finding = only(study, "P1")
    assert finding.level == "look"
    assert "another grid than PVP (30 x 30 x 30 voxels of 0.50" in finding.what


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (np.nan, "27 voxels that are not numbers"),
        (np.inf, "27 voxels"),
        (None, "constant"),
    ],
)
def test_voxels_without_content_lose_the_patient(study, value, says):
    array = np.array(samples.image().array)
    if value is None:
        array[...] = 3.0
    else:
        array[:3, :3, :3] = value
    write_volume(study.parent / "images/P2/pre.nii.gz", Volume(array, samples.GRID))
    finding = only(study, "P2")
    assert finding.level == "loses a patient"
    assert "The PRE of patient P2" in finding.what
    assert says in finding.what


def test_4d_images_lose_the_patient(study):
    path = study.parent / "images/P2/pre.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.ones((4, 4, 4, 3)), np.eye(4)), path)
    assert "is 4D where 3D is expected" in only(study, "P2").what


def test_a_tumor_too_small_for_the_habitats_loses_the_patient(study):
    array = np.zeros(samples.SHAPE, dtype=np.bool_)
    array[4:6, 4:6, 4] = True  # 4 voxels of 4.5 mm3
    path = study.parent / "images/P4/mask.nii.gz"
    write_mask(path, Mask(array, samples.GRID))
    findings = about(study, "P4")
    assert findings[0].level == "loses a patient"
    assert "about 18 voxels at 1 mm; 2 habitats need at least 2 x 16" in (
        findings[0].what
    )
    assert "spans only 1 voxels" in findings[1].what


def test_several_labels_are_said(study):
    labels = np.zeros(samples.SHAPE, dtype=np.uint8)
    labels[3:8, 3:8, 3:8], labels[5, 5, 5] = 1, 2
    write_labels(study.parent / "images/P1/mask.nii.gz", labels, samples.GRID)
    assert "labels 1, 2: their union" in only(study, "P1").what


def test_one_patients_mask_used_for_another_is_found(study):
    root = study.parent
    data = (root / "images/P2/mask.nii.gz").read_bytes()
    (root / "images/P1/mask.nii.gz").write_bytes(data)
    finding = only(study, "P1")
    assert finding.level == "look"
    assert "mask of patients P1, P2 is one and the same file" in finding.what


def test_the_same_picture_as_two_sequences_is_found(study):
    table = study.parent / "subjects.csv"
    table.write_text(table.read_text().replace("P3/pre", "P3/pvp"))
    assert only(study, "P3").what == "PRE and PVP are the same picture"


def edit_clinical(study, old, new):
    table = study.parent / "clinical.csv"
    text = table.read_text()
    assert old in text
    table.write_text(text.replace(old, new))


def test_patients_of_one_table_only_are_named_with_near_ids(study):
    edit_clinical(study, "P2,", "sub-P02,")
    finding = only(study, "P2")
    assert finding.level == "loses a patient"
    assert finding.what == "Patient P2 is not in clinical.csv; it has 'sub-P02'"


def test_patients_without_images_are_counted(study):
    edit_clinical(study, "P2,52", "P9,40,0\nP2,52")
    whats = [f.what for f in about(study, None)]
    assert any("1 patients are in clinical.csv" in what for what in whats)


def test_a_patient_without_outcome_is_lost(study):
    edit_clinical(study, "P3,53,1", "P3,53,")
    finding = only(study, "P3")
    assert finding.what == "Patient P3 has no response in clinical.csv"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("P1,51,1\nP2,52,0\nP3,53,1", "P1,51,0\nP2,52,0\nP3,53,0", "instead of two"),
        ("patient,age", "id,age", "clinical.csv has no column 'patient'"),
    ],
)
def test_a_wrong_clinical_table_stops_the_run(study, old, new, says):
    edit_clinical(study, old, new)
    findings = check_study(study)
    assert (findings[0].level, exit_code(findings)) == ("cannot run", 2)
    assert says in findings[0].what


def test_patients_with_images_of_one_class_only_stop_the_run(study):
    edit_clinical(study, "P1,51,1", "P8,51,1")
    edit_clinical(study, "P3,53,1", "P9,53,1")
    findings = check_study(study)
    assert "All 2 patients with images have the same response" in findings[0].what


def test_a_word_among_numbers_loses_its_patient(study):
    edit_clinical(study, "P3,53", "P3,about 53")
    finding = only(study, "P3")
    assert finding.level == "loses a patient"
    assert "age is 'about 53' in clinical.csv" in finding.what


def test_a_patient_with_two_clinical_rows_is_lost(study):
    edit_clinical(study, "P3,53,1", "P3,53,1\nP3,54,0")
    finding = only(study, "P3")
    assert finding.what == "Patient P3 has more than one row in clinical.csv"


def test_a_patient_with_two_rows_of_images_is_lost(study):
    table = study.parent / "subjects.csv"
    rows = table.read_text().splitlines()
    table.write_text("\n".join([*rows, rows[3]]) + "\n")
    finding = only(study, "P3")
    assert finding.level == "loses a patient"
    assert finding.what == "Patient P3 has more than one row in subjects.csv"


def test_ids_that_share_a_folder_stop_the_run(study):
    table = study.parent / "subjects.csv"
    text = table.read_text()
    table.write_text(text.replace("P3,", "P-1,", 1))
    findings = check_study(study)
    assert "would share the folder" in findings[0].what
    assert exit_code(findings) == 2


def test_a_wrong_or_missing_study_file_is_a_finding_too(study):
    study.write_text("[data]\nsequencs = []\n")
    (finding,) = check_study(study)
    assert (finding.level, exit_code([finding])) == ("cannot run", 2)
    assert "unknown setting data.sequencs" in finding.what
    study.unlink()
    assert "study.toml cannot be read" in check_study(study)[0].what


def test_patients_can_be_looked_at_elsewhere_in_any_order(study):
    calls = []

    def run(function, tasks):
        calls.append(len(tasks))
        return [function(task) for task in tasks]

    assert check_study(study, run=run) == check_study(study)
    assert calls == [4]


def test_after_a_run_what_alignment_asks_to_look_at_is_shown(study):
    settings = study.parent
    paths = StudyLayout(settings).patient("P1", "PVP")
    notes = ["LAP: not registered, look at this sequence: no peak", "PRE: kept"]
    record = {"key": "", "files": {}, "result": {"notes": notes}}
    write_json(paths.record("align"), record)
    found = [f for f in check_study(study) if "look at this sequence" in f.what]
    assert [f.patient for f in found] == ["P1"]
    assert "checkerboard" in found[0].fix
