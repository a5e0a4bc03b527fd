"""Shape against figures known from geometry."""

from __future__ import annotations

import numpy as np
import pytest

from radhabitat.features.shape import shape_features

SPACING = np.array([1.0, 2.0, 3.0])


def _diameter(points: np.ndarray) -> float:
    off = points[:, None] - points
    return float(np.sqrt((off**2).sum(axis=2)).max())


def test_a_box_has_diameters_between_the_faces_voxel_layers():
    found = shape_features(np.ones((4, 5, 6), bool), SPACING, sample=False)
    i, j, k = np.array([4, 5, 6]) * SPACING
    di, dj, dk = np.array([3, 4, 5]) * SPACING
    assert found["Maximum2DDiameterSlice"] == max(np.hypot(i, dj), np.hypot(di, j))
    assert found["Maximum2DDiameterColumn"] == max(np.hypot(i, dk), np.hypot(di, k))
    assert found["Maximum2DDiameterRow"] == max(np.hypot(j, dk), np.hypot(dj, k))
    assert found["VoxelVolume"] == 4 * 5 * 6 * 6.0


def test_a_digital_ball_has_the_volume_area_and_diameter_of_a_ball():
    i, j, k = np.indices((41, 41, 41)) - 20
    found = shape_features(
        i**2 + j**2 + k**2 < 18.2**2, np.array([0.5, 0.5, 0.5]), sample=False
    )
    radius = 18.2 / 2
    assert found["MeshVolume"] == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.02)
    assert found["Maximum3DDiameter"] == pytest.approx(2 * radius, rel=0.03)
    assert found["MajorAxisLength"] == pytest.approx(4 * radius / 5**0.5, rel=0.01)
    assert found["Elongation"] == pytest.approx(1.0)
    assert 0.9 < found["Sphericity"] <= 1.0


@pytest.mark.parametrize("seed", range(4))
def test_diameters_are_the_longest_of_all_pairs_of_mesh_vertices(seed):
    inside = np.random.default_rng(seed).random((6, 7, 5)) < 0.3
    found = shape_features(inside, SPACING, sample=False)
    padded, points = np.pad(inside, 1), []
    for axis in range(3):
        middles = np.argwhere(np.diff(padded, axis=axis)).astype(float)
        middles[:, axis] += 0.5
        points.append(middles)
    vertices = np.concatenate(points) * SPACING
    assert found["Maximum3DDiameter"] == pytest.approx(_diameter(vertices), rel=1e-12)
    for axis, name in enumerate(["Row", "Column", "Slice"]):
        planes = [vertices[vertices[:, axis] == x] for x in set(vertices[:, axis])]
        wanted = max(_diameter(plane) for plane in planes)
        assert found[f"Maximum2DDiameter{name}"] == pytest.approx(wanted, rel=1e-12)


def test_axes_of_a_sample_are_longer_by_the_root_of_n_over_n_minus_1():
    inside = np.random.default_rng(0).random((6, 7, 5)) < 0.3
    n = inside.sum()
    whole = shape_features(inside, SPACING, sample=False)
    sample = shape_features(inside, SPACING, sample=True)
    for name in ("MajorAxisLength", "MinorAxisLength", "LeastAxisLength"):
        assert sample[name] / whole[name] == pytest.approx(np.sqrt(n / (n - 1)))
    assert sample["Flatness"] == pytest.approx(whole["Flatness"])


def test_a_single_slice_is_flat():
    found = shape_features(np.ones((4, 5, 1), bool), SPACING, sample=False)
    assert found["LeastAxisLength"] == found["Flatness"] == 0.0
