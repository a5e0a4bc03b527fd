from __future__ import annotations

import dicom_samples
import numpy as np
import pytest
import study_samples as samples

from radhabitat.errors import ImageError, MaskError, TableError
from radhabitat.files.subjects import list_subjects, read_subject, source_paths
from radhabitat.files.volumes import write_labels
from radhabitat.settings import DataSettings

DATA = DataSettings(sequences=("PRE", "PVP"))


def test_paths_start_at_the_study_file(tmp_path):
    samples.write_study(tmp_path, patients=2)
    first, second = list_subjects(tmp_path, DATA)
    assert (first.patient, second.patient) == ("P1", "P2")
    assert first.images["PVP"] == str(tmp_path / "images/P1/pvp.nii.gz")
    subject = read_subject(first, DATA)
    assert list(subject.images) == ["PRE", "PVP"]
    assert subject.tumor.voxels == 125
    assert (subject.notes, subject.second_reader) == ((), None)


def test_absolute_paths_and_backslashes_are_understood(tmp_path):
    samples.write_study(tmp_path, patients=1)
    pre = tmp_path / "images/P1/pre.nii.gz"
    (tmp_path / "subjects.csv").write_text(
        f"patient,PRE,PVP,mask\nP1,{pre},images\\P1\\pvp.nii.gz,images/P1/mask.nii.gz\n"
    )
    (files,) = list_subjects(tmp_path, DATA)
    assert read_subject(files, DATA).patient == "P1"


def test_an_empty_cell_is_a_missing_sequence_of_that_patient(tmp_path):
    samples.write_study(tmp_path, patients=1)
    (tmp_path / "subjects.csv").write_text("patient,PRE,PVP,mask\nP1,,x.nii,\n")
    (files,) = list_subjects(tmp_path, DATA)
    with pytest.raises(ImageError, match="Patient P1 has no PRE: its cell"):
        read_subject(files, DATA)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("patient,PRE,mask\nP1,a,b\n", "no column 'PVP'"),
        ("patient,PRE,PVP\nP1,a,b\n", "no column 'mask'"),
    ],
)
def test_a_wrong_subjects_table_is_refused(tmp_path, text, says):
    (tmp_path / "subjects.csv").write_text(text)
    with pytest.raises(TableError, match=says):
        list_subjects(tmp_path, DATA)


def test_several_labels_are_united_and_said(tmp_path):
    samples.write_study(tmp_path, patients=1)
    labels = np.zeros(samples.SHAPE, dtype=np.uint8)
    labels[3:5, 3:5, 3:5], labels[6, 6, 6] = 1, 2
    write_labels(tmp_path / "images/P1/mask.nii.gz", labels, samples.GRID)
    (files,) = list_subjects(tmp_path, DATA)
    subject = read_subject(files, DATA)
    assert subject.tumor.voxels == 9
    assert subject.notes == ("mask has labels 1, 2: their union is the tumor",)
    chosen = read_subject(files, DATA.model_copy(update={"mask_labels": (2, 4)}))
    assert chosen.tumor.voxels == 1
    assert chosen.notes == ("mask has no label 4; found: 1, 2",)


def test_a_second_readers_mask_is_read_too(tmp_path):
    samples.write_study(tmp_path, patients=1)
    row = "P1,images/P1/pre.nii.gz,images/P1/pvp.nii.gz,images/P1/mask.nii.gz"
    (tmp_path / "subjects.csv").write_text(
        f"patient,PRE,PVP,mask,mask2\n{row},images/P1/mask.nii.gz\n"
    )
    (files,) = list_subjects(tmp_path, DATA)
    assert read_subject(files, DATA).second_reader.voxels == 125
    names = [p.name for p in source_paths(files)]
    assert names == ["mask.nii.gz", "pre.nii.gz", "pvp.nii.gz"]


def test_a_missing_mask_file_names_the_patient(tmp_path):
    samples.write_study(tmp_path, patients=1)
    (tmp_path / "images/P1/mask.nii.gz").unlink()
    (files,) = list_subjects(tmp_path, DATA)
    with pytest.raises(MaskError, match=r"Patient P1: mask\.nii\.gz does not exist"):
        read_subject(files, DATA)


def test_the_sources_of_a_dicom_folder_are_its_files(tmp_path):
    folder = dicom_samples.series(tmp_path / "dcm", phases=2)
    (tmp_path / "a.mhd").write_text("")
    (tmp_path / "a.raw").write_text("")
    (tmp_path / "subjects.csv").write_text(
        "patient,PRE,PVP,mask\nP1,dcm#1,dcm#2,a.mhd\n"
    )
    (files,) = list_subjects(tmp_path, DATA)
    names = [p.name for p in source_paths(files)]
    assert names == ["a.mhd", "a.raw", *sorted(p.name for p in folder.iterdir())]
