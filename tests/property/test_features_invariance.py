"""What must not change when the same tumor is looked at in another way."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from radhabitat import extract_features
from radhabitat.features import extract_region
from radhabitat.settings import FeatureSettings
from radhabitat.types import Grid, Mask, Volume

SPACING = np.array([0.8, 1.3, 2.1])
OF_PLANES = "Maximum2DDiameter"
OF_MESH = ("MeshVolume", "SurfaceArea", "SurfaceVolumeRatio", "Sphericity")

seeds = st.integers(0, 2**32 - 1)
modes = st.sampled_from(["pyradiomics", "ibsi"])
few = settings(max_examples=15, deadline=None, derandomize=True)


def _lesion(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Multiples of 1/256 in 0..0.75, in a ragged region of about 150 voxels."""
    rng = np.random.default_rng(seed)
    image = (rng.integers(0, 192, size=(8, 7, 6)) / 256).astype(np.float32)
    return image, rng.random((8, 7, 6)) < 0.45


def _features(image, mask, spacing=SPACING, **given_settings) -> dict[str, float]:
    grid = Grid(image.shape, np.diag([*spacing, 1.0]))
    wanted = FeatureSettings(**given_settings)
    return extract_region(Volume(image, grid), Mask(mask, grid), wanted)


def _assert_same(found, wanted, *, but: tuple[str, ...] = ()) -> None:
    for name, value in wanted.items():
        if not name.endswith(but) or not but:
            assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name


@few
@given(seeds, st.permutations([0, 1, 2]), st.tuples(*[st.sampled_from([1, -1])] * 3))
def test_quarter_turns_and_flips_change_no_rotation_invariant_feature(
    seed, axes, flips
):
    image, mask = _lesion(seed)
    turn = tuple(slice(None, None, step) for step in flips)
    spacing = SPACING[list(axes)]
    found = _features(
        image.transpose(axes)[turn], mask.transpose(axes)[turn], spacing=spacing
    )
    wanted = _features(image, mask)
    planes = tuple(name for name in wanted if OF_PLANES in name)
    _assert_same(found, wanted, but=OF_MESH + planes)
    turned = [wanted[f"original_shape_{OF_PLANES}{n}"] for n in _planes(axes)]
    assert [found[f"original_shape_{OF_PLANES}{n}"] for n in _planes((0, 1, 2))] == (
        pytest.approx(turned)
    )


def _planes(axes) -> list[str]:
    return [["Row", "Column", "Slice"][axis] for axis in axes]


@few
@given(seeds, st.permutations([0, 1, 2]))
def test_a_turn_changes_the_mesh_of_a_smooth_region_by_less_than_a_percent(seed, axes):
    rng = np.random.default_rng(seed)
    i, j, k = np.indices((24, 24, 24)) - 11.5
    wave = np.sin(i * rng.uniform(0.2, 0.6)) + np.cos(j * rng.uniform(0.2, 0.6))
    mask = i**2 + j**2 + k**2 + 12 * wave < 81
    image = np.zeros(mask.shape, np.float32)
    wanted = _features(image, mask)
    found = _features(image, mask.transpose(axes), spacing=SPACING[list(axes)])
    for name in OF_MESH:
        key = f"original_shape_{name}"
        assert found[key] == pytest.approx(wanted[key], rel=0.01)


@few
@given(seeds, modes, st.tuples(*[st.integers(0, 3)] * 6))
def test_more_background_changes_nothing(seed, mode, margins):
    image, mask = _lesion(seed)
    pad = [(margins[0], margins[1]), (margins[2], margins[3]), (margins[4], margins[5])]
    wide = np.pad(image, pad, constant_values=9.0), np.pad(mask, pad)
    assert _features(*wide, mode=mode) == _features(image, mask, mode=mode)


@few
@given(seeds, modes)
def test_the_union_of_two_halves_is_the_whole(seed, mode):
    image, mask = _lesion(seed)
    halves = np.random.default_rng(seed).integers(1, 3, size=mask.shape) * mask
    wanted = FeatureSettings(mode=mode)
    labels = SimpleITK.GetImageFromArray(np.ascontiguousarray(halves.T))
    labels.SetSpacing(SPACING.tolist())
    voxels = SimpleITK.GetImageFromArray(np.ascontiguousarray(image.T))
    voxels.SetSpacing(SPACING.tolist())
    both = extract_features(voxels, labels, labels=[(1, 2)], settings=wanted)
    whole = _features(image, mask, mode=mode)
    assert both.loc["1+2", list(whole)].to_dict() == whole


@few
@given(seeds, st.integers(-8, 8))
def test_whole_bins_added_to_the_image_leave_texture_and_move_the_mean(seed, bins):
    image, mask = _lesion(seed)
    moved = _features(image + np.float32(bins / 64), mask)
    still = _features(image, mask)
    for name, value in still.items():
        if "_gl" in name or "_ngtdm_" in name:
            assert moved[name] == value
    key = "original_firstorder_Mean"
    assert moved[key] == pytest.approx(still[key] + bins / 64, abs=1e-12)


@few
@given(seeds, modes, st.sampled_from([0.25, 4.0, 1024.0]))
def test_image_and_bin_width_scaled_together_leave_texture(seed, mode, factor):
    image, mask = _lesion(seed)
    scaled = image * np.float32(factor)
    found = _features(scaled, mask, mode=mode, bin_width=factor / 32)
    wanted = _features(image, mask, mode=mode, bin_width=1 / 32)
    for name, value in wanted.items():
        if "_gl" in name or "_ngtdm_" in name:
            assert found[name] == pytest.approx(value, rel=1e-12), name


@few
@given(seeds, modes, st.floats(0.01, 100.0), st.floats(-50.0, 50.0))
def test_a_fixed_number_of_bins_does_not_see_the_unit_of_the_image(
    seed, mode, slope, intercept
):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 17, size=(6, 6, 6)) / 16  # centers, not edges, of 17 bins
    mask = np.ones(image.shape, bool)
    bins = {"bin_width": None, "bin_count": 17, "mode": mode}
    found = _features((slope * image + intercept).astype(np.float32), mask, **bins)
    wanted = _features(image.astype(np.float32), mask, **bins)
    for name, value in wanted.items():
        if "_gl" in name or "_ngtdm_" in name:
            assert found[name] == pytest.approx(value, rel=1e-12), name
