"""Features of any image and mask: inputs, labels, cases, and what is refused."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import SimpleITK

from radhabitat import extract_features
from radhabitat.errors import ImageError, MaskError, SettingsError, TableError
from radhabitat.extraction import (
    Case,
    measure_case,
    read_cases,
    write_maps,
)
from radhabitat.features.maps import MAPPED, feature_maps
from radhabitat.files import exports
from radhabitat.files.exports import export_table
from radhabitat.files.given import parse_labels
from radhabitat.files.pyradiomics_parameters import Parameters
from radhabitat.files.volumes import read_volume, write_labels, write_volume
from radhabitat.settings import FeatureSettings
from radhabitat.types import Grid, Mask, Volume

GRID = Grid((10, 9, 8), np.diag([-1.0, -2.0, 1.5, 1.0]))
BINS = FeatureSettings(bin_count=20)


@pytest.fixture
def image() -> Volume:
    rng = np.random.default_rng(2)
    return Volume(rng.normal(100, 30, GRID.shape).astype(np.float32), GRID)


@pytest.fixture
def labels() -> np.ndarray:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[2:8, 2:7, 2:4] = 1
    labels[2:8, 2:7, 4:6] = 3
    return labels


@pytest.fixture
def files(image, labels, tmp_path):
    write_volume(tmp_path / "image.nii.gz", image)
    write_labels(tmp_path / "mask.nii.gz", labels, GRID)
    return tmp_path / "image.nii.gz", tmp_path / "mask.nii.gz"


def _itk(array, spacing=(1.0, 2.0, 1.5)):
    itk = SimpleITK.GetImageFromArray(np.ascontiguousarray(array.T))
    itk.SetSpacing(spacing)
    return itk


def test_paths_simpleitk_images_and_volumes_give_the_same_row_per_label(
    image, labels, files
):
    of_paths = extract_features(*map(str, files), settings=BINS)
    assert list(of_paths.index) == ["1", "3"]
    assert of_paths.index.name == "label"
    assert of_paths.shape == (2, 3 + 107)
    of_itk = extract_features(_itk(image.array), _itk(labels), settings=BINS)
    pd.testing.assert_frame_equal(of_paths, of_itk)
    alone = extract_features(image, Mask(labels == 3, GRID), settings=BINS)
    assert alone.loc["1"].equals(of_paths.loc["3"])


def test_the_union_of_two_labels_is_the_whole(image, labels, files):
    both = extract_features(*files, labels=[(1, 3), 1], settings=BINS)
    whole = extract_features(image, Mask(labels > 0, GRID), settings=BINS)
    assert list(both.index) == ["1+3", "1"]
    assert both.loc["1+3"].equals(whole.loc["1"])


def test_a_mask_on_another_grid_is_carried_and_one_elsewhere_refused(image, labels):
    moved = Grid(GRID.shape, GRID.affine + np.eye(4)[:, [3]] * [[0, 0, 0, 0.2]])
    carried = extract_features(image, Mask(labels == 1, moved), settings=BINS)
    same = extract_features(image, Mask(labels == 1, GRID), settings=BINS)
    assert carried.equals(same)
    far = GRID.affine.copy()
    far[0, 3] = 500.0
    with pytest.raises(MaskError, match="lies outside"):
        extract_features(image, Mask(labels == 1, Grid(GRID.shape, far)), settings=BINS)


def test_few_gray_levels_cause_a_warning(image, labels):
    with pytest.warns(UserWarning, match="Label 1: Few or many gray .*: original 8"):
        found = extract_features(
            image,
            Mask(labels == 1, GRID),
            settings=FeatureSettings(bin_count=8),
        )
    assert found["diagnostics_original_gray_levels"].item() == 8


@pytest.mark.parametrize(
    ("mask", "labels", "words"),
    [
        (np.zeros(GRID.shape, np.uint8), (), "The mask is empty"),
        (np.ones(GRID.shape, np.uint8), (2,), "no label 2; found: 1"),
    ],
)
def test_an_empty_mask_and_an_absent_label_are_refused(image, mask, labels, words):
    with pytest.raises(MaskError, match=words):
        extract_features(_itk(image.array), _itk(mask), labels=labels)


def test_an_image_with_two_dimensions_is_refused(labels):
    flat = SimpleITK.GetImageFromArray(np.zeros((4, 4), np.float32))
    with pytest.raises(ImageError, match="2 dimensions"):
        extract_features(flat, _itk(labels))


def test_a_parameter_file_limits_features_labels_and_sizes(files, tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text(
        "setting: {binCount: 20, label: 3, minimumROISize: 10}\n"
        "imageType: {Square: {}}\n"
        "featureClass: {shape: , glcm: [Contrast]}\n"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = extract_features(*files, parameters=file)
    assert list(found.index) == ["3"]
    features = [name for name in found if not name.startswith("diagnostics_")]
    assert len(features) == 14 + 1
    assert features[-1] == "square_glcm_Contrast"
    file.write_text("setting: {binCount: 20, minimumROISize: 60}")
    with pytest.raises(MaskError, match="Label 1 has 60 voxels along 3 axes"):
        extract_features(*files, parameters=file)


def test_maps_are_written_one_file_per_feature(files, tmp_path):
    told = []
    written = write_maps(
        (*files, (3,)),
        tmp_path / "maps",
        BINS,
        features=("glcm_Contrast", "firstorder_Mean"),
        progress=lambda *words: told.append(words),
    )
    assert [path.name for path in written] == [
        "glcm_Contrast.nii.gz",
        "firstorder_Mean.nii.gz",
    ]
    assert told == [("Mapping features", 60, 60)]
    mean = read_volume(written[1]).array
    assert np.count_nonzero(mean) == 60
    assert mean[2:8, 2:7, 4:6].min() > 60


@pytest.mark.parametrize(
    ("options", "words"),
    [({"radius": 4}, "1, 2 or 3"), ({"features": ["glszm_ZoneEntropy"]}, "no maps of")],
)
def test_maps_that_do_not_exist_are_refused(files, tmp_path, options, words):
    with pytest.raises(SettingsError, match=words):
        write_maps((*files, ()), tmp_path, BINS, **options)


def test_voxels_alone_in_their_cube_have_no_map_of_neighbors():
    mask = np.zeros(GRID.shape, bool)
    mask[1, 1, 1] = mask[5, 5, 5] = mask[5, 5, 7] = True
    image = Volume(np.arange(720, dtype=np.float32).reshape(GRID.shape), GRID)
    (part,) = feature_maps(image, Mask(mask, GRID), BINS, radius=1)
    texture = [name.startswith("glcm") for name in MAPPED]
    assert np.isnan(part.values[:, texture]).all()
    bins = FeatureSettings(bin_width=1.0)
    (wide,) = feature_maps(image, Mask(mask, GRID), bins, radius=2)
    assert np.isnan(wide.values[:, texture]).all()  # two levels, but no neighbors
    assert np.isfinite(wide.values[:, MAPPED.index("firstorder_Entropy")]).sum() == 2


def test_cases_are_read_beside_their_table(files, tmp_path):
    table = tmp_path / "cases.csv"
    table.write_text(
        "Case,Image,Mask,Label\nA,image.nii.gz,mask.nii.gz,\n"
        "B,image.nii.gz,mask.nii.gz,1+3\n"
    )
    cases = read_cases(table, ((3,),), Parameters(BINS))
    assert [(case.name, case.labels) for case in cases] == [
        ("A", ((3,),)),
        ("B", ((1, 3),)),
    ]
    rows = [row for case in cases for row in measure_case(case)]
    assert [(row.case, row.label) for row in rows] == [("A", "3"), ("B", "1+3")]
    assert [row.values["diagnostics_voxels"] for row in rows] == [60, 120]


def test_cases_without_ids_are_named_by_their_row(tmp_path):
    table = tmp_path / "cases.csv"
    table.write_text("image,mask\na.nii,b.nii\n")
    assert [case.name for case in read_cases(table, (), Parameters())] == ["row1"]
    table.write_text("picture,mask\na.nii,b.nii\n")
    with pytest.raises(TableError, match="no column 'image'"):
        read_cases(table, (), Parameters())


def test_a_case_that_cannot_be_read_is_an_error_with_its_name(tmp_path):
    with pytest.raises(ImageError, match=r"gone\.nii does not exist"):
        measure_case(Case("A", tmp_path / "gone.nii", tmp_path / "mask.nii"))


def test_a_label_that_fails_leaves_the_other_labels_of_its_case(image, labels):
    few = labels.copy()
    few[few == 3] = 0
    few[0, 0, 0] = 3  # a single voxel
    parameters = Parameters(BINS, more_voxels_than=1)
    case = Case("A", image, _itk(few), ((1,), (3,), (9,)), parameters)
    good, small, absent = measure_case(case)
    assert good.error is None
    assert good.values["diagnostics_voxels"] == 60
    assert (small.values, absent.values) == ({}, {})
    assert "Label 3 has 1 voxels" in small.error.problem
    assert "no label 9; found: 1, 3" in absent.error.problem


@pytest.mark.parametrize("text", ["a", "1,-2", "1+", "1;2"])
def test_what_is_no_list_of_labels_is_refused(text):
    with pytest.raises(MaskError, match="not a list of labels"):
        parse_labels(text)


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])
def test_a_table_is_written_in_the_format_of_its_name(tmp_path, suffix):
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    table = pd.DataFrame({"case": ["A", "B"], "x": [0.1 + 0.2, np.nan]})
    path = tmp_path / f"table.{suffix}"
    export_table(path, table)
    read = {"csv": pd.read_csv, "xlsx": pd.read_excel, "parquet": pd.read_parquet}
    pd.testing.assert_frame_equal(read[suffix](path), table, check_dtype=False)


def test_an_unknown_format_and_a_missing_library_are_told_before_work(
    tmp_path, monkeypatch
):
    with pytest.raises(TableError, match="does not say how to write it"):
        export_table(tmp_path / "table.feather", pd.DataFrame())
    monkeypatch.setattr(exports, "find_spec", lambda name: None)
    with pytest.raises(TableError, match="pyarrow") as raised:
        export_table(tmp_path / "table.parquet", pd.DataFrame())
    assert "radhabitat[parquet]" in raised.value.fix


def test_a_setting_that_is_not_supported_ends_before_any_image_is_read(tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text("setting: {force2D: true}")
    with pytest.raises(SettingsError, match="force2D = True is not supported"):
        extract_features("no image", "no mask", parameters=file)
