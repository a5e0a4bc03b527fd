"""Our features against PyRadiomics' (see make_pyradiomics_golden.py)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from features_cases import (
    CUBE_SPACING_MM,
    FILTERS,
    MORE_FILTERS,
    PREPARED,
    RESEGMENTED,
    Case,
    cases,
    cubes,
    real_case,
)

from radhabitat import extract_features
from radhabitat.features import INTENSITY_NAMES, SHAPE_NAMES, extract, extract_region
from radhabitat.features.maps import MAPPED, feature_maps
from radhabitat.settings import FeatureSettings
from radhabitat.types import AlignedSubject, FeatureName, Grid, HabitatMap, Mask, Volume

HERE = Path(__file__).parent
DATA = Path(os.environ.get("RADHABITAT_DATA", HERE.parents[1] / ".." / "shared/data"))
GOLDEN = json.loads((HERE / "pyradiomics_features.json").read_text())
CASES = cases()


def _grid(case: Case) -> Grid:
    return Grid(case.image.shape, np.diag([*case.spacing_mm, 1.0]))


def _settings(case: Case) -> FeatureSettings:
    return FeatureSettings(bin_width=case.bin_width, bin_count=case.bin_count)


def _assert_equal(found: dict[str, float], wanted: list[float]) -> None:
    compared = 0
    for name, value in zip(GOLDEN["features"], wanted, strict=True):
        if name not in found:
            continue
        tolerance = 1e-6 if name.endswith("_MCC") else 1e-9
        assert found[name] == pytest.approx(value, rel=tolerance, abs=1e-13), name
        compared += 1
    assert compared == len(found)


def test_names_and_their_order_are_those_of_pyradiomics():
    assert list(SHAPE_NAMES + INTENSITY_NAMES) == GOLDEN["features"]
    assert len(GOLDEN["features"]) == 107


@pytest.mark.parametrize("name", CASES)
def test_each_region_has_the_107_values_of_pyradiomics(name):
    case, grid = CASES[name], _grid(CASES[name])
    for number, wanted in enumerate(GOLDEN["cases"][name]):
        mask = Mask(case.region(number), grid)
        found = extract_region(Volume(case.image, grid), mask, _settings(case))
        _assert_equal(found, wanted)


@pytest.mark.parametrize("name", ["habitats", "bin_count", "odd_width", "raw"])
def test_whole_and_habitats_in_one_pass_have_the_values_of_pyradiomics(name):
    case, grid = CASES[name], _grid(CASES[name])
    subject = AlignedSubject(
        "0001", {"PVP": Volume(case.image, grid)}, "PVP", Mask(case.region(0), grid)
    )
    habitats = HabitatMap("0001", case.labels, grid, 3, np.zeros((3, 1)), ("PVP",))
    row = extract(subject, habitats, _settings(case))
    for number, wanted in enumerate(GOLDEN["cases"][name]):
        names = SHAPE_NAMES + INTENSITY_NAMES if number == 0 else INTENSITY_NAMES
        found = {n: row[str(FeatureName("PVP", number, n))] for n in names}
        _assert_equal(found, wanted)


def test_every_way_to_fill_two_by_two_by_two_voxels_has_pyradiomics_mesh():
    grid = Grid((2, 2, 2), np.diag([*CUBE_SPACING_MM, 1.0]))
    image = Volume(np.zeros((2, 2, 2), np.float32), grid)
    for cube, wanted in zip(cubes(), GOLDEN["cubes_volume_area"], strict=True):
        found = extract_region(image, Mask(cube, grid), FeatureSettings())
        if wanted:  # PyRadiomics refuses single voxels
            mesh = [found[f"original_shape_{n}"] for n in ("MeshVolume", "SurfaceArea")]
            assert mesh == pytest.approx(wanted, rel=1e-12)


@pytest.mark.data
def test_a_real_ragged_tumor_has_the_107_values_of_pyradiomics():
    if not (DATA / "breast_dce_3phase").is_dir():
        pytest.skip(f"no real images in {DATA}; set RADHABITAT_DATA")
    case = real_case(DATA)
    grid = _grid(case)
    mask = Mask(case.region(0), grid)
    found = extract_region(Volume(case.image, grid), mask, _settings(case))
    _assert_equal(found, GOLDEN["cases"]["breast"][0])


@pytest.fixture
def extracted(tmp_path):
    """Extract a case's whole with a parameter file of PyRadiomics."""

    def extract_case(case: Case, **sections: dict) -> dict[str, float]:
        grid = _grid(case)
        file = tmp_path / "parameters.yaml"
        setting = {"binWidth": case.bin_width} | sections.pop("setting", {})
        file.write_text(yaml.safe_dump({"setting": setting, **sections}))
        image, mask = Volume(case.image, grid), Mask(case.region(0), grid)
        return extract_features(image, mask, parameters=file).loc["1"].to_dict()

    return extract_case


@pytest.mark.filterwarnings("ignore:Label 1")  # few gray levels
@pytest.mark.parametrize(
    ("golden", "case", "filters"),
    [("filtered", "habitats", FILTERS), ("filtered_more", "raw", MORE_FILTERS)],
)
def test_filtered_images_have_the_values_of_pyradiomics(
    extracted, golden, case, filters
):
    found = extracted(CASES[case], imageType=filters)
    names = [name.removeprefix("original_") for name in INTENSITY_NAMES]
    images = GOLDEN[golden]
    assert len(images) == (19 if golden == "filtered" else 25)
    for image, wanted in images.items():
        for name, value in zip(names, wanted, strict=golden == "filtered"):
            mine = found[f"{image}_{name}"]
            if found[f"diagnostics_{image}_gray_levels"] == 1 and np.isnan(mine):
                assert name in ("firstorder_Entropy", "firstorder_Uniformity")
            else:
                assert mine == pytest.approx(value, rel=1e-6, abs=1e-12), (image, name)


@pytest.mark.filterwarnings("ignore:Label 1")
def test_resegmentation_and_shift_have_the_values_of_pyradiomics(extracted):
    found = extracted(CASES["habitats"], setting=RESEGMENTED)
    whole = GOLDEN["cases"]["habitats"][0]
    for name, value, full in zip(
        GOLDEN["features"], GOLDEN["resegmented"], whole, strict=True
    ):
        # PyRadiomics crops the whole mask to the box of the resegmented one
        wanted = full if "_shape_" in name else value
        assert found[name] == pytest.approx(wanted, rel=1e-9, abs=1e-13), name


def test_normalized_and_resampled_images_have_the_values_of_pyradiomics(extracted):
    found = extracted(CASES["habitats"], setting=PREPARED)
    for name, value in zip(GOLDEN["features"], GOLDEN["prepared"], strict=True):
        assert found[name] == pytest.approx(value, rel=1e-5), name


@pytest.mark.parametrize("radius", [1, 2])
def test_maps_have_the_values_of_pyradiomics_in_every_cube(radius):
    case, grid = CASES["habitats"], _grid(CASES["habitats"])
    mask = Mask(case.region(3), grid)
    parts = list(
        feature_maps(Volume(case.image, grid), mask, _settings(case), radius=radius)
    )
    found = np.concatenate([part.values for part in parts])
    where = np.concatenate([part.indices for part in parts])
    np.testing.assert_array_equal(where, np.argwhere(mask.array))
    wanted = np.array(GOLDEN["maps"][str(radius)])
    for column, name in enumerate(MAPPED):
        # PyRadiomics writes 0 for MCC, which fails, and NaN for some entropies
        told = np.isfinite(wanted[:, column]) & (name != "glcm_MCC")
        np.testing.assert_allclose(
            found[::60, column][told], wanted[told, column], rtol=1e-5, atol=1e-7
        )
    assert np.isnan(wanted).mean() < 0.05


def test_the_map_of_a_cube_that_holds_the_region_is_the_region():
    image, mask = np.zeros((5, 5, 5), np.float32), np.zeros((5, 5, 5), bool)
    mask[1:4, 1:4, 1:4] = True
    image[mask] = np.random.default_rng(1).random(27)
    grid = Grid(image.shape, np.eye(4))
    settings = FeatureSettings(bin_count=8)
    whole = extract_region(Volume(image, grid), Mask(mask, grid), settings)
    parts = feature_maps(Volume(image, grid), Mask(mask, grid), settings, radius=2)
    values = np.concatenate([part.values for part in parts])
    for column, name in enumerate(MAPPED):
        assert values[13, column] == pytest.approx(
            whole[f"original_{name}"], rel=1e-5, abs=1e-6
        ), name
