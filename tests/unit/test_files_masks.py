from __future__ import annotations

import contextlib
import os
from pathlib import Path

import dicom_samples as samples
import nrrd
import numpy as np
import pytest
from pydicom.sequence import Sequence

from radhabitat.dicom import read_volumes
from radhabitat.errors import MaskError, RadHabitatError
from radhabitat.files.masks import largest_lesion, read_mask, read_segments
from radhabitat.files.subjects import read_tumor
from radhabitat.files.volumes import read_volume
from radhabitat.settings import DataSettings
from radhabitat.types import Grid, Mask, Volume

DATA = Path(
    os.environ.get(
        "RADHABITAT_DATA", Path(__file__).parents[2].parent / "shared" / "data"
    )
)
GRID = Grid((12, 10, 4), np.diag([-1.5, -2.0, 3.0, 1.0]))


def image(space: str = "") -> Volume:
    return Volume(np.zeros(GRID.shape, dtype=np.float32), GRID, space)


def slicer_file(path: Path, layers: np.ndarray, entries) -> Path:
    """Write layers (n, i, j, k) as 3D Slicer does; entries: name, layer, value."""
    directions = [[np.nan] * 3, [1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]]
    single = layers.shape[0] == 1
    header = {
        "space": "left-posterior-superior",
        "space directions": np.array(directions[1:] if single else directions),
        "space origin": [0.0, 0, 0],
    }
    for n, (name, layer, value) in enumerate(entries):
        header[f"Segment{n}_ID"] = f"Segment_{n + 1}"
        header[f"Segment{n}_Name"] = name
        header[f"Segment{n}_Layer"] = str(layer)
        header[f"Segment{n}_LabelValue"] = str(value)
    nrrd.write(str(path), layers[0] if single else layers, header)
    return path


def overlapping(path: Path) -> Path:
    layers = np.zeros((2, 5, 5, 5), dtype=np.uint8)
    layers[0, :4], layers[0, 4] = 1, 2
    layers[1, 1:3, 1:3, 1:3] = 1
    entries = [("Liver", 0, 1), ("Vein", 0, 2), ("Tumor 1", 1, 1)]
    return slicer_file(path, layers, entries)


def test_overlapping_segments_of_slicer_are_chosen_by_name(tmp_path):
    path = overlapping(tmp_path / "a.seg.nrrd")
    assert read_mask(path, labels=("tumor 1",))[0].voxels == 8
    assert read_mask(path, labels=("Liver",))[0].voxels == 100
    assert read_mask(f"{path}#Vein")[0].voxels == 25
    assert read_mask(path)[0].voxels == 125


def test_segments_that_are_not_there_are_answered_with_all_names(tmp_path):
    path = overlapping(tmp_path / "a.seg.nrrd")
    with pytest.raises(MaskError, match=r"labels HCC; found: 1 Liver, 2 Vein, 3 Tumor"):
        read_mask(path, labels=("HCC",))


def test_the_segment_named_after_a_tumor_is_the_tumor(tmp_path):
    path = str(overlapping(tmp_path / "a.seg.nrrd"))
    mask, notes = read_tumor(path, DataSettings(), patient="P1")
    assert mask.voxels == 8
    assert notes == (
        "mask has labels 1 Liver, 2 Vein, 3 Tumor 1: Tumor 1 is the tumor",
    )


def test_the_largest_of_several_lesions_can_be_asked_for(tmp_path):
    array = np.zeros((6, 6, 6), dtype=np.uint8)
    array[0, 0, 0], array[3:5, 3:5, 3:5], array[5, 5, 5] = 1, 1, 1
    path = slicer_file(tmp_path / "a.seg.nrrd", array[None], [("HCC", 0, 1)])
    data = DataSettings(lesions="largest")
    mask, notes = read_tumor(str(path), data, patient="P1")
    assert mask.voxels == 9  # touching by a corner is one lesion
    assert notes == ("mask has 2 lesions: the largest is the tumor",)
    whole, count = largest_lesion(Mask(array > 1, mask.grid))
    assert (whole.voxels, count) == (0, 0)


def structure_set(path: Path, rois, *, space: str = "1.2.7") -> Path:
    """Write contours given as name -> [(k, points (i, j))]."""
    data = samples.empty_file("1.2.840.10008.5.1.4.1.1.481.3")
    data.Modality, data.FrameOfReferenceUID = "RTSTRUCT", space
    names, drawn = [], []
    for number, (name, contours) in enumerate(rois.items(), start=1):
        names.append(samples.item(ROINumber=number, ROIName=name))
        items = []
        for k, points in contours:
            index = np.column_stack([points, np.full(len(points), k)])
            lps = GRID.to_mm(index.astype(float)) * (-1, -1, 1)
            items.append(
                samples.item(
                    ContourGeometricType="CLOSED_PLANAR",
                    ContourData=[f"{v:.4f}" for v in lps.ravel()],
                )
            )
        contour = samples.item(
            ReferencedROINumber=number, ContourSequence=Sequence(items)
        )
        drawn.append(contour)
    data.StructureSetROISequence = Sequence(names)
    data.ROIContourSequence = Sequence(drawn)
    data.save_as(path, enforce_file_format=True)
    return path


def square(low: float, high: float) -> list[tuple[float, float]]:
    return [(low, low), (high, low), (high, high), (low, high)]


def test_contours_are_filled_with_their_holes(tmp_path):
    rois = {
        "GTV": [(1, square(0.5, 8.5)), (1, square(2.5, 5.5)), (2, square(3.5, 4.5))],
        "Liver": [(0, square(-0.5, 9.5))],
    }
    path = structure_set(tmp_path / "rt.dcm", rois)
    segments, _ = read_segments(path, on=image("1.2.7"))
    assert segments.names == {1: "GTV", 2: "Liver"}
    mask = segments.union((1,)).array
    wanted = np.zeros(GRID.shape, dtype=bool)
    wanted[1:9, 1:9, 1], wanted[3:6, 3:6, 1], wanted[4, 4, 2] = True, False, True
    np.testing.assert_array_equal(mask, wanted)
    assert segments.union((2,)).voxels == 100


def test_contours_need_their_image_and_its_space(tmp_path):
    path = structure_set(tmp_path / "rt.dcm", {"GTV": [(1, square(0.5, 8.5))]})
    with pytest.raises(MaskError, match="need the image"):
        read_mask(path)
    with pytest.raises(MaskError, match=r"another frame of reference .*holds: GTV"):
        read_mask(path, on=image("9.9"))


def test_contours_between_slices_are_refused(tmp_path):
    path = structure_set(tmp_path / "rt.dcm", {"GTV": [(1.5, square(0.5, 8.5))]})
    with pytest.raises(MaskError, match=r"at slice 2\.50 of 4"):
        read_mask(path, on=image())


@pytest.mark.parametrize("kind", ["rt.dcm", "a.seg.nrrd"])
def test_spoiled_masks_always_give_our_error_or_a_mask(tmp_path, kind):
    rois = {"GTV": [(1, square(0.5, 8.5)), (2, square(3.5, 4.5))]}
    rt, slicer = tmp_path / "rt.dcm", tmp_path / "a.seg.nrrd"
    structure_set(rt, rois)
    overlapping(slicer)
    good = (tmp_path / kind).read_bytes()
    for seed in range(150):
        draw = np.random.default_rng(seed)
        bad = bytearray(good)
        for place in draw.integers(0, len(bad), size=draw.integers(1, 20)):
            bad[place] = draw.integers(0, 256)
        if draw.random() < 0.3:
            bad = bad[: draw.integers(0, len(bad))]
        path = tmp_path / f"{seed}-{kind}"
        path.write_bytes(bytes(bad))
        with contextlib.suppress(RadHabitatError):
            assert read_mask(path, on=image())[0].array.ndim == 3


@pytest.mark.data
def test_real_slicer_segments_are_read_by_name_with_overlap():
    folder = DATA / "dicom_import_samples/slicer_seg_nrrd"
    if not folder.exists():
        pytest.skip("RADHABITAT_DATA has no dicom_import_samples")
    flat, _ = read_segments(folder / "Segmentation.seg.nrrd")
    layered, _ = read_segments(folder / "SegmentationOverlapping.seg.nrrd")
    assert (len(flat.names), len(layered.names)) == (7, 8)
    assert flat.names[1] == layered.names[1] == "ribs"
    same = flat.union(flat.choose(("ribs",))).array
    np.testing.assert_array_equal(same, layered.union(layered.choose(("ribs",))).array)
    assert all(layered.union((n,)).voxels for n in layered.names)


@pytest.mark.data
def test_a_real_structure_set_gives_the_published_mask():
    folder = DATA / "sts_ibsi_multimodal"
    if not folder.exists():
        pytest.skip("RADHABITAT_DATA has no sts_ibsi_multimodal")
    series = folder / "dicom/STS_002/MR_T1"
    on = read_volume(series / "image")
    mask, _ = read_mask(series / "mask", on=on)
    published, _ = read_mask(folder / "cropped/STS_002/MR_T1_mask.nii.gz")
    ours = {tuple(p) for p in np.round(mask.points_mm(), 1)}
    theirs = {tuple(p) for p in np.round(published.points_mm(), 1)}
    dice = 2 * len(ours & theirs) / (len(ours) + len(theirs))
    assert dice > 0.96


SAME = [
    ("seg_liver_ct_3slice/liver.dcm", "seg_liver_ct_3slice/liver_seg.nrrd"),
    (
        "seg_labelmap_and_overlap/24x38x3/seg/label.seg",
        "seg_labelmap_and_overlap/24x38x3/nrrd/label.nrrd",
    ),
    (
        "seg_labelmap_and_overlap/sparse-labelmap-ppv5.dcm",
        "seg_labelmap_and_overlap/sparse_labelmap_ppv5_seg.nrrd",
    ),
    (
        "seg_labelmap_and_overlap/sparse-labelmap-noppv.dcm",
        "seg_labelmap_and_overlap/sparse_labelmap_noppv_seg.nrrd",
    ),
]


@pytest.mark.data
@pytest.mark.parametrize(("dicom", "other"), SAME)
def test_real_dicom_segments_lie_where_their_nrrd_says(dicom, other):
    folder = DATA / "dicom_import_samples"
    if not folder.exists():
        pytest.skip("RADHABITAT_DATA has no dicom_import_samples")
    ours, theirs = read_segments(folder / dicom)[0], read_segments(folder / other)[0]
    assert 0 < len(ours.names) <= len(theirs.names)  # padding is no segment
    for one, two in zip(sorted(ours.names), sorted(theirs.names), strict=False):
        points = ours.union((one,)).points_mm()
        index = theirs.grid.to_index(points)
        assert np.abs(index - np.rint(index)).max() < 0.01
        wanted = theirs.union((two,))
        assert wanted.voxels == len(points)
        assert wanted.array[tuple(np.rint(index).astype(int).T)].all()


@pytest.mark.data
def test_a_real_segmentation_of_another_examination_is_refused_by_its_space():
    folder = DATA / "dicom_import_samples/seg_labelmap_and_overlap"
    if not folder.exists():
        pytest.skip("RADHABITAT_DATA has no dicom_import_samples")
    on = read_volumes(folder / "ct_image.dcm")[0].read()
    with pytest.raises(MaskError, match="holds: first segment, second segment"):
        read_segments(folder / "seg_image_ct_binary_overlap.dcm", on=on)
