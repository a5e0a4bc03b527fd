"""What cannot be computed is missing, never 0 or 1 by convention."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from radhabitat.features import (
    Reason,
    extract,
    extract_region,
    measure,
    remarks,
    why_missing,
)
from radhabitat.settings import FeatureSettings, FilterSettings
from radhabitat.types import AlignedSubject, Grid, HabitatMap, Mask, Volume

GRID = Grid((6, 6, 6), np.eye(4))
OF_LEVELS = {"original_firstorder_Entropy", "original_firstorder_Uniformity"}
OF_SPREAD = {"original_firstorder_Skewness", "original_firstorder_Kurtosis"}


def _missing(image: np.ndarray, mask: np.ndarray, mode: str = "pyradiomics") -> set:
    settings = FeatureSettings(mode=mode)
    volume = Volume(image.astype(np.float32), GRID)
    found = extract_region(volume, Mask(mask, GRID), settings)
    assert len(found) == 107
    return {name for name, value in found.items() if np.isnan(value)}


def _family(names: set, family: str) -> set:
    return {name for name in names if f"_{family}_" in name}


def test_a_constant_region_has_no_texture_and_no_skewness():
    block = np.zeros(GRID.shape, bool)
    block[1:5, 1:5, 1:5] = True
    missing = _missing(np.full(GRID.shape, 0.3), block)
    assert _family(missing, "firstorder") == OF_LEVELS | OF_SPREAD
    assert _family(missing, "shape") == set()
    assert len(missing) == 75 + 4


def test_a_habitat_in_one_bin_loses_its_texture_and_not_the_patient():
    rng = np.random.default_rng(0)
    image = rng.random(GRID.shape, dtype=np.float32)
    image[:3] = 0.5 + image[:3] / 100
    labels = np.ones(GRID.shape, np.uint8)
    labels[:3] = 2
    subject = AlignedSubject(
        "1", {"T1": Volume(image, GRID)}, "T1", Mask(labels > 0, GRID)
    )
    habitats = HabitatMap("1", labels, GRID, 2, np.zeros((2, 1)), ("T1",))
    row = extract(subject, habitats, FeatureSettings())
    missing = {name for name, value in row.items() if np.isnan(value)}
    assert len(missing) == 75 + 2
    assert all(name.startswith("T1_Habitat_2_original_") for name in missing)
    assert row["T1_Habitat_2_original_firstorder_Kurtosis"] > 1.0


def test_one_voxel_has_intensity_and_volume_but_no_axes():
    voxel = np.zeros(GRID.shape, bool)
    voxel[2, 3, 4] = True
    image = np.random.default_rng(0).random(GRID.shape)
    assert _family(_missing(image, voxel), "shape") == {
        "original_shape_Elongation",
        "original_shape_Flatness",
    }
    axes = _family(_missing(image, voxel, mode="ibsi"), "shape")
    assert len(axes) == 5


def test_voxels_without_neighbors_have_no_pairs_runs_or_tone_differences():
    apart = np.zeros(GRID.shape, bool)
    apart[0, 0, 0] = apart[2, 5, 1] = apart[5, 2, 3] = True
    missing = _missing(np.random.default_rng(0).random(GRID.shape), apart)
    assert len(_family(missing, "glcm")) == 24
    assert len(_family(missing, "glrlm")) == 16
    assert _family(missing, "ngtdm") == {
        "original_ngtdm_Coarseness",
        "original_ngtdm_Strength",
    }
    assert _family(missing, "glszm") == _family(missing, "gldm") == set()


def test_in_ibsi_mode_a_voxel_without_neighbors_has_no_neighborhood():
    apart = np.zeros(GRID.shape, bool)
    apart[0, 0, 0] = apart[2, 5, 1] = apart[5, 2, 3] = True
    image = np.random.default_rng(0).random(GRID.shape)
    assert len(_family(_missing(image, apart, mode="ibsi"), "ngtdm")) == 5


def test_flat_pieces_of_different_level_have_no_correlation():
    pieces, image = np.zeros(GRID.shape, bool), np.zeros(GRID.shape)
    pieces[:2], pieces[4:] = True, True
    image[4:] = 0.5
    image[0, 0, 0] = 0.5  # not a piece of its own: one pair of different levels
    assert "original_glcm_Correlation" not in _missing(image, pieces)
    image[0, 0, 0] = 0.0
    missing = _missing(image, pieces)
    assert missing == {"original_ngtdm_Coarseness", "original_ngtdm_Strength"}


@pytest.mark.parametrize("line", [(slice(None), 2, 2), (2, slice(None), 2), (2, 2)])
def test_a_line_of_voxels_has_all_textures(line):
    mask = np.zeros(GRID.shape, bool)
    mask[line] = True
    assert _missing(np.random.default_rng(0).random(GRID.shape), mask) == set()


def test_two_voxels_have_no_robust_deviation_and_raise_no_warning():
    array = np.zeros((3, 3, 3), np.float32)
    array[1, 1, 1:] = (0.2, 0.9)
    grid = Grid(array.shape, np.eye(4))
    row = extract_region(Volume(array, grid), Mask(array > 0, grid), FeatureSettings())
    assert np.isnan(row["original_firstorder_RobustMeanAbsoluteDeviation"])
    assert row["original_firstorder_Mean"] == pytest.approx(0.55)


def _reasons(image: np.ndarray, mask: np.ndarray, **settings) -> Counter:
    volume = Volume(image.astype(np.float32), GRID)
    found = measure(volume, Mask(mask, GRID), FeatureSettings(**settings))
    reasons = why_missing(found.features)
    nans = {name for name, value in found.features.items() if np.isnan(value)}
    assert set(reasons) == nans
    return Counter(reasons.values())


def test_each_missing_feature_has_its_reason():
    block = np.zeros(GRID.shape, bool)
    block[1:5, 1:5, 1:5] = True
    noise = np.random.default_rng(0).random(GRID.shape)
    assert _reasons(np.full(GRID.shape, 0.3), block) == {Reason.EQUAL: 79}
    assert _reasons(noise, block) == {}
    apart = np.zeros(GRID.shape, bool)
    apart[0, 0, 0] = apart[2, 5, 1] = apart[5, 2, 3] = True
    assert _reasons(noise, apart) == {
        Reason.NO_NEIGHBORS: 24,
        Reason.NO_LINE: 16,
        Reason.NO_DIFFERENCE: 2,
    }
    assert _reasons(noise, apart, mode="ibsi")[Reason.NO_NEIGHBORS] == 24 + 5
    voxel = np.zeros(GRID.shape, bool)
    voxel[2, 3, 4] = True
    assert _reasons(noise, voxel)[Reason.ONE_VOXEL] == 2
    two = voxel.copy()
    two[2, 3, 5] = True
    assert _reasons(noise, two)[Reason.TOO_FEW] == 1


def test_a_filtered_image_in_one_bin_is_missing_and_said_so():
    noise = np.random.default_rng(0).random(GRID.shape)
    flat = FilterSettings(kind="square", bin_width=25.0)
    settings = FeatureSettings(filters=(flat,))
    volume = Volume(noise.astype(np.float32), GRID)
    found = measure(volume, Mask(noise >= 0, GRID), settings)
    assert found.gray_levels == {"original_gray_levels": 62, "square_gray_levels": 1}
    assert remarks(found.features, found.gray_levels) == [
        "Not computable, because all intensities lie in one bin: 77 features of square"
    ]


def test_an_absent_habitat_is_named_as_the_reason():
    labels = np.ones(GRID.shape, np.uint8)
    image = np.random.default_rng(0).random(GRID.shape).astype(np.float32)
    subject = AlignedSubject(
        "1", {"T1": Volume(image, GRID)}, "T1", Mask(labels > 0, GRID)
    )
    habitats = HabitatMap("1", labels, GRID, 2, np.zeros((2, 1)), ("T1",))
    row = extract(subject, habitats, FeatureSettings())
    levels = {"T1_Habitat_1_original_gray_levels": 7}
    assert remarks(row, levels) == [
        "Few or many gray levels (16 to 128 are sensible for texture): "
        "T1_Habitat_1_original 7",
        "Not computable, because the region has no voxel: 93 features of "
        "T1_Habitat_2_original",
    ]
