"""One patient's row: columns, order, what is missing, and what is refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from radhabitat.errors import (
    ComputationError,
    ImageError,
    MaskError,
    SettingsError,
)
from radhabitat.features import column_names, extract, extract_region, gray_levels
from radhabitat.settings import FeatureSettings, FilterSettings
from radhabitat.types import AlignedSubject, FeatureName, Grid, HabitatMap, Mask, Volume

GRID = Grid((9, 8, 7), np.diag([1.0, 2.0, 3.0, 1.0]))
SEQUENCES = ("PRE", "LAP", "PVP", "DP")
SETTINGS = FeatureSettings()


def _images() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    return {name: rng.random(GRID.shape, dtype=np.float32) for name in SEQUENCES}


def _subject(images: dict[str, np.ndarray], tumor: np.ndarray) -> AlignedSubject:
    volumes = {name: Volume(array, GRID) for name, array in images.items()}
    return AlignedSubject("0007", volumes, next(iter(images)), Mask(tumor, GRID))


def _labels() -> np.ndarray:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[1:8, 1:7, 1:3] = 1
    labels[1:8, 1:7, 3:4] = 2
    labels[1:8, 1:7, 4:6] = 3
    return labels


def _habitats(labels: np.ndarray, count: int = 3) -> HabitatMap:
    centers = np.zeros((count, len(SEQUENCES)))
    return HabitatMap("0007", labels, GRID, count, centers, SEQUENCES)


def test_four_sequences_and_three_habitats_give_428_and_1140_columns_in_order():
    row = extract(_subject(_images(), _labels() > 0), _habitats(_labels()), SETTINGS)
    assert tuple(row) == column_names(SEQUENCES, 3)
    whole = [name for name in row if FeatureName.parse(name).habitat == 0]
    assert (len(whole), len(row) - len(whole)) == (428, 1140)
    assert "DP_Original_original_firstorder_10Percentile" in row
    assert "DP_Habitat_3_original_firstorder_Kurtosis" in row
    assert np.isfinite(list(row.values())).all()
    assert all(type(value) is float for value in row.values())


def test_one_sequence_and_no_habitats_give_107_columns():
    images = {"T2": _images()["PRE"]}
    nowhere = np.zeros(GRID.shape, np.uint8)
    habitats = HabitatMap("0007", nowhere, GRID, 0, np.zeros((0, 1)), ("T2",))
    row = extract(_subject(images, _labels() > 0), habitats, SETTINGS)
    assert tuple(row) == column_names(["T2"], 0)
    assert len(row) == 107


def test_filtered_images_follow_the_image_in_every_region():
    filters = (FilterSettings(kind="wavelet"), FilterSettings(kind="gradient"))
    settings = FeatureSettings(filters=filters)
    subject, habitats = _subject(_images(), _labels() > 0), _habitats(_labels())
    row = extract(subject, habitats, settings)
    plain = extract(subject, habitats, SETTINGS)
    assert len(row) == len(plain) + 4 * 4 * 9 * 93
    assert {name: row[name] for name in plain} == plain
    assert "DP_Habitat_2_wavelet-HHL_glcm_Contrast" in row
    parsed = FeatureName.parse("PRE_Original_gradient_firstorder_Mean")
    assert parsed.feature == "gradient_firstorder_Mean"
    assert row[str(parsed)] > 0


def test_a_filter_that_cannot_be_computed_says_why():
    small = FilterSettings(kind="log", sigma_mm=(9.0,))
    unknown = FilterSettings(kind="wavelet", wavelet="coif")
    subject, habitats = _subject(_images(), _labels() > 0), _habitats(_labels())
    with pytest.raises(ImageError, match="9 x 8 x 7 voxels is too small"):
        extract(subject, habitats, FeatureSettings(filters=(small,)))
    with pytest.raises(SettingsError, match="no wavelet 'coif'"):
        extract(subject, habitats, FeatureSettings(filters=(unknown,)))


def test_no_intensity_within_the_range_is_an_error_that_says_what_there_is():
    settings = FeatureSettings(resegment=(5.0, 9.0))
    subject, habitats = _subject(_images(), _labels() > 0), _habitats(_labels())
    with pytest.raises(MaskError, match=r"resegment = \[5.0, 9.0\] \(intensity\)"):
        extract(subject, habitats, settings)


def test_resegmentation_narrows_every_habitat_and_no_shape():
    settings = FeatureSettings(resegment=(0.25, 0.75))
    subject, habitats = _subject(_images(), _labels() > 0), _habitats(_labels())
    row, plain = (extract(subject, habitats, s) for s in (settings, SETTINGS))
    for place in ("Original", "Habitat_1", "Habitat_2", "Habitat_3"):
        assert row[f"PRE_{place}_original_firstorder_Minimum"] >= 0.25
        assert row[f"PRE_{place}_original_firstorder_Maximum"] <= 0.75
    for name in ("Original_original_shape_MeshVolume", "Habitat_1_volume_mm3"):
        assert row[f"PRE_{name}"] == plain[f"PRE_{name}"]


def test_the_size_of_a_habitat_is_in_mm3_and_a_share_of_the_tumor():
    row = extract(_subject(_images(), _labels() > 0), _habitats(_labels()), SETTINGS)
    assert row["LAP_Habitat_2_volume_mm3"] == 7 * 6 * 1 * 6.0
    assert row["LAP_Habitat_2_proportion"] == pytest.approx(1 / 5)
    shares = [row[f"LAP_Habitat_{number}_proportion"] for number in (1, 2, 3)]
    assert sum(shares) == pytest.approx(1.0)


def test_an_absent_habitat_has_size_zero_and_93_missing_features():
    labels = np.where(_labels() == 2, 1, _labels()).astype(np.uint8)
    row = extract(_subject(_images(), labels > 0), _habitats(labels), SETTINGS)
    assert row["DP_Habitat_2_volume_mm3"] == row["DP_Habitat_2_proportion"] == 0.0
    missing = {name for name, value in row.items() if np.isnan(value)}
    assert len(missing) == 4 * 93
    assert {FeatureName.parse(name).habitat for name in missing} == {2}


def test_each_region_has_the_values_that_it_has_alone():
    images, labels = _images(), _labels()
    row = extract(_subject(images, labels > 0), _habitats(labels), SETTINGS)
    for number in range(4):
        mask = Mask(labels > 0 if number == 0 else labels == number, GRID)
        alone = extract_region(Volume(images["PVP"], GRID), mask, SETTINGS)
        for name, value in alone.items():
            column = str(FeatureName("PVP", number, name))
            if number == 0 or "_shape_" not in name:
                assert row[column] == pytest.approx(value, rel=1e-12), column


def test_how_the_tumor_is_divided_does_not_change_the_whole():
    subject = _subject(_images(), _labels() > 0)
    united = (_labels() > 0).astype(np.uint8)
    one = extract(subject, _habitats(united, 1), SETTINGS)
    three = extract(subject, _habitats(_labels()), SETTINGS)
    for name in column_names(SEQUENCES, 0):
        assert one[name] == three[name]
        part = name.replace("_Original_", "_Habitat_1_")
        assert "_shape_" in name or one[part] == pytest.approx(one[name], rel=1e-12)


def test_the_same_input_gives_the_same_row():
    subject, habitats = _subject(_images(), _labels() > 0), _habitats(_labels())
    first = list(extract(subject, habitats, SETTINGS).values())
    second = list(extract(subject, habitats, SETTINGS).values())
    assert np.array(first).tobytes() == np.array(second).tobytes()


def test_the_order_of_voxels_in_memory_changes_nothing():
    array, mask = _images()["PRE"], _labels() > 0
    one = extract_region(Volume(array, GRID), Mask(mask, GRID), SETTINGS)
    turned = Volume(np.asfortranarray(array), GRID), Mask(np.asfortranarray(mask), GRID)
    assert extract_region(*turned, SETTINGS) == one


def test_gray_levels_are_counted_in_every_region():
    images = {"PRE": np.zeros(GRID.shape, np.float32)}
    images["PRE"][..., 2] = 0.5
    images["PRE"][3, 3, 5] = 1.0
    subject = _subject(images, _labels() > 0)
    labels = np.where(_labels() == 2, 0, _labels()).astype(np.uint8)
    assert gray_levels(subject, _habitats(labels), SETTINGS) == {
        "PRE_Original_original_gray_levels": 3,
        "PRE_Habitat_1_original_gray_levels": 2,
        "PRE_Habitat_2_original_gray_levels": 0,
        "PRE_Habitat_3_original_gray_levels": 2,
    }


def test_habitats_outside_of_the_tumor_are_refused():
    tumor = _labels() > 0
    tumor[1, 1, 1] = False
    with pytest.raises(MaskError, match="1 voxels of the habitats of patient 0007"):
        extract(_subject(_images(), tumor), _habitats(_labels()), SETTINGS)


def test_habitats_on_another_grid_are_refused():
    grid = Grid(GRID.shape, np.eye(4))
    habitats = HabitatMap("0007", _labels(), grid, 3, np.zeros((3, 4)), SEQUENCES)
    with pytest.raises(MaskError, match="habitats of patient 0007 are not on the grid"):
        extract(_subject(_images(), _labels() > 0), habitats, SETTINGS)


def test_an_empty_tumor_is_refused():
    nothing = np.zeros(GRID.shape, np.uint8)
    with pytest.raises(MaskError, match="tumor mask of patient 0007 is empty"):
        extract(_subject(_images(), nothing > 0), _habitats(nothing), SETTINGS)


def test_a_mask_on_another_grid_is_refused():
    mask = Mask(_labels() > 0, Grid(GRID.shape, np.eye(4)))
    with pytest.raises(MaskError, match=r"1 x 1 x 1 mm, the image .* 1 x 2 x 3 mm"):
        extract_region(Volume(_images()["PRE"], GRID), mask, SETTINGS)


def test_an_empty_mask_is_refused():
    mask = Mask(np.zeros(GRID.shape, bool), GRID)
    with pytest.raises(MaskError, match="The mask is empty"):
        extract_region(Volume(_images()["PRE"], GRID), mask, SETTINGS)


def test_voxels_that_are_not_numbers_are_refused_inside_and_ignored_outside():
    images, labels = _images(), _labels()
    images["LAP"][0, 0, 0] = np.nan
    outside = extract(_subject(images, labels > 0), _habitats(labels), SETTINGS)
    assert np.isfinite(list(outside.values())).all()
    images["LAP"][2, 2, 2] = np.inf
    with pytest.raises(ImageError, match="tumor of patient 0007 in LAP has 1 voxels"):
        extract(_subject(images, labels > 0), _habitats(labels), SETTINGS)


def test_one_bin_over_the_tumor_is_an_error_that_says_what_to_set():
    settings = FeatureSettings(bin_width=25.0)  # PyRadiomics' default
    with pytest.raises(ComputationError) as raised:
        extract(_subject(_images(), _labels() > 0), _habitats(_labels()), settings)
    assert "tumor of patient 0007 in PRE" in raised.value.problem
    assert "all in one bin of 25" in raised.value.problem
    assert raised.value.fix.startswith("set bin_width near 0.03")


def test_thousands_of_bins_are_an_error_that_says_what_to_set():
    images = {name: 1700 * array for name, array in _images().items()}
    with pytest.raises(ComputationError, match="gray levels, at most 1024") as raised:
        extract(_subject(images, _labels() > 0), _habitats(_labels()), SETTINGS)
    assert "bin_count = 32" in raised.value.fix


def test_importing_radhabitat_and_its_settings_does_not_load_numba():
    code = "import sys, radhabitat.features; sys.exit('numba' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603
    assert run.returncode == 0
