from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime

import dicom_samples as samples
import numpy as np
import pydicom
import pytest

from radhabitat.dicom import read_volumes
from radhabitat.dicom.objects import Origin, Region, Value, result_objects
from radhabitat.dicom.slicer import slicer_segmentation
from radhabitat.errors import ImageError
from radhabitat.files.masks import read_segments
from radhabitat.types import Grid

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ORIGIN = Origin("0.1.0", WHEN, {"crh: response = OR": 0.625})


def complete(file, k, phase):
    """Add what a whole MR header has, as objects repeat it."""
    file.PatientName, file.PatientBirthDate, file.PatientSex = "RH1", "", "M"
    file.StudyInstanceUID, file.FrameOfReferenceUID = "1.2.99", "1.2.98"
    file.StudyDate, file.StudyTime, file.StudyID = "20200101", "100000", "1"
    file.AccessionNumber = file.ReferringPhysicianName = ""
    file.PositionReferenceIndicator = ""


@pytest.fixture
def volume(tmp_path):
    return read_volumes(samples.series(tmp_path / "series", edit=complete))[0]


def regions():
    tumor = np.zeros(samples.SHAPE, dtype=bool)
    tumor[1:4, 1:3, 1:5] = True
    first = tumor.copy()
    first[:, :, 3:] = False
    values = (
        Value("Volume", 316.8, "mm³"),
        Value("Mean firstorder PVP", 12.5, "", "Q4LE"),
        Value("proportion PRE", 0.5),
    )
    return [
        Region("Tumor", tumor, (204, 204, 204), values),
        Region("Habitat 1", first, (0, 114, 178), values[:1]),
        Region("Habitat 2", tumor & ~first, (230, 159, 0), values[:1]),
    ]


def write(tmp_path, volume):
    files = tmp_path / "seg.dcm", tmp_path / "sr.dcm"
    for file, content in zip(
        files, result_objects(volume, regions(), ORIGIN), strict=True
    ):
        file.write_bytes(content)
    return files


def test_a_dicom_seg_is_read_back_voxel_by_voxel_with_names(tmp_path, volume):
    path, _ = write(tmp_path, volume)
    segments, _ = read_segments(path, on=volume.read())
    assert segments.names == {1: "Tumor", 2: "Habitat 1", 3: "Habitat 2"}
    for number, region in enumerate(regions(), start=1):
        mask = segments.union((number,))
        index = np.rint(volume.grid.to_index(mask.points_mm())).astype(int)
        found = np.zeros(samples.SHAPE, dtype=bool)
        found[tuple(index.T)] = True
        np.testing.assert_array_equal(found, region.array)


def test_the_report_holds_measurements_codes_and_the_risk(tmp_path, volume):
    seg, path = write(tmp_path, volume)
    report = pydicom.dcmread(path)
    assert report.ContentDate == "20260102"
    found = []

    def walk(item):
        if item.get("ValueType") == "NUM":
            name = item.ConceptNameCodeSequence[0]
            number = item.MeasuredValueSequence[0].NumericValue
            found.append((name.CodeValue, name.CodeMeaning, float(number)))
        for child in item.get("ContentSequence", ()):
            walk(child)

    walk(report)
    assert ("Q4LE", "Mean firstorder PVP", 12.5) in found
    assert [n for _, m, n in found if m.startswith("Risk (crh")] == [0.625]
    assert [n for _, m, n in found if m == "Volume"] == [316.8] * 3
    uid = pydicom.dcmread(seg).SOPInstanceUID
    assert uid in path.read_bytes().decode("latin-1")


def test_the_same_results_give_the_same_bytes(tmp_path, volume):
    assert result_objects(volume, regions(), ORIGIN) == result_objects(
        volume, regions(), ORIGIN
    )


def test_an_enhanced_series_gets_its_own_segmentation(tmp_path):
    path = samples.enhanced(tmp_path / "a.dcm")
    data = pydicom.dcmread(path)
    complete(data, 0, 0)
    data.save_as(path)
    volume = read_volumes(path)[1]
    file = tmp_path / "seg.dcm"
    file.write_bytes(result_objects(volume, regions(), ORIGIN)[0])
    segments, _ = read_segments(file, on=volume.read())
    assert segments.union((1,)).voxels == regions()[0].array.sum()


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools is missing")
def test_the_validator_of_dicom3tools_finds_no_error(tmp_path, volume):
    for file in write(tmp_path, volume):
        command = ["dciodvfy", str(file)]
        told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        lines = (told.stdout + told.stderr).splitlines()
        assert [line for line in lines if line.startswith("Error")] == []


def test_a_series_without_a_space_is_refused(tmp_path):
    volume = read_volumes(samples.series(tmp_path))[0]
    with pytest.raises(ImageError, match="No DICOM object can be made of series 4"):
        result_objects(volume, regions(), ORIGIN)


def test_a_slicer_segmentation_is_read_back_with_names_and_places(tmp_path):
    affine = np.array([[0, 2.0, 0, 5], [1.5, 0, 0, -7], [0, 0, 3.0, 1], [0, 0, 0, 1]])
    labels = np.zeros((4, 5, 6), dtype=np.uint8)
    labels[1, 2, 3], labels[3, 4, 5] = 1, 3
    names = [f"Habitat {n}" for n in (1, 2, 3)]
    content = slicer_segmentation(
        labels, Grid(labels.shape, affine), [(n, "SCT^1^x", (1, 2, 3)) for n in names]
    )
    path = tmp_path / "a.seg.nrrd"
    path.write_bytes(content)
    segments, _ = read_segments(path)
    assert list(segments.names.values()) == names
    np.testing.assert_allclose(segments.grid.affine, affine, atol=1e-9)
    np.testing.assert_array_equal(segments.union((3,)).array, labels == 3)
    assert b"Segment2_Extent:=3 3 4 4 5 5" in content
