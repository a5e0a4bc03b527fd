import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from radhabitat.preprocessing.geometry import map_along
from radhabitat.preprocessing.normalize import find_scale
from radhabitat.preprocessing.perturb import grow_contour, move_contour
from radhabitat.preprocessing.quality import agreement
from radhabitat.preprocessing.resample import resample_image, resample_mask
from radhabitat.types import Grid, Mask, Transform, Volume

FEW = settings(max_examples=25, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)
ANGLES = st.tuples(*[st.floats(-180, 180)] * 3)


def grid_turned(angles, shape=(7, 6, 5), spacing=(1.2, 0.9, 3.0), *, flip=False):
    axes = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    affine = np.eye(4)
    affine[:3, :3] = axes * np.array(spacing) * ([-1, 1, 1] if flip else [1, 1, 1])
    affine[:3, 3] = [10, -20, 30]
    return Grid(shape, affine)


@FEW
@given(angles=ANGLES, flip=st.booleans(), seed=SEEDS)
def test_resampling_to_the_own_grid_changes_nothing(angles, flip, seed):
    grid = grid_turned(angles, flip=flip)
    rng = np.random.default_rng(seed)
    image = Volume(rng.normal(size=grid.shape).astype(np.float32), grid)
    mask = Mask(rng.random(grid.shape) < 0.5, grid)
    same = resample_image(image, grid, Transform(), interpolation="linear")
    np.testing.assert_allclose(same, image.array, atol=1e-5)
    np.testing.assert_array_equal(resample_mask(mask, grid).array, mask.array)


@FEW
@given(angles=ANGLES, turn=ANGLES, seed=SEEDS)
def test_turning_patient_and_target_together_changes_no_value(angles, turn, seed):
    """Only the relation of the two grids counts, not the patient's position."""
    rng = np.random.default_rng(seed)
    source, target = grid_turned((0, 0, 0)), grid_turned(angles, (8, 8, 8), (1, 1, 1))
    moved = np.eye(4)
    moved[:3, :3] = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()
    moved[:3, 3] = [5, 6, -7]
    array = rng.normal(size=source.shape).astype(np.float32)
    first = resample_image(
        Volume(array, source), target, Transform(), interpolation="linear"
    )
    second = resample_image(
        Volume(array, Grid(source.shape, moved @ source.affine)),
        Grid(target.shape, moved @ target.affine),
        Transform(),
        interpolation="linear",
    )
    np.testing.assert_allclose(first, second, atol=1e-3)


@FEW
@given(seed=SEEDS, gain=st.floats(0.1, 50), offset=st.floats(-500, 500))
def test_the_scanners_gain_and_offset_leave_normalized_images_alone(seed, gain, offset):
    voxels = np.random.default_rng(seed).uniform(0, 100, 200).astype(np.float32)
    other = (voxels * gain + offset).astype(np.float32)
    for how in ("minmax", "zscore"):
        first, second = find_scale(voxels, how), find_scale(other, how)
        np.testing.assert_allclose(first.apply(voxels), second.apply(other), atol=2e-3)


@FEW
@given(seed=SEEDS, points=st.integers(20, 3000))
def test_mutual_information_is_symmetric_and_blind_to_contrast(seed, points):
    rng = np.random.default_rng(seed)
    first = rng.normal(size=points).astype(np.float32)
    second = (first + rng.normal(size=points)).astype(np.float32)
    mi, nmi = agreement(first, second)
    np.testing.assert_allclose(agreement(second, first), (mi, nmi), rtol=1e-9)
    np.testing.assert_allclose(agreement(3 * first + 5, second), (mi, nmi), rtol=0.05)
    assert mi >= -1e-12
    assert 1.0 <= nmi + 1e-12 <= 2.0 + 1e-9
    assert agreement(first, first)[1] > 1.999


@FEW
@given(angles=ANGLES, seed=SEEDS)
def test_a_map_along_turned_axes_moves_their_origin_by_its_shift(angles, seed):
    axes = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    origin = np.random.default_rng(seed).uniform(-100, 100, 3)
    matrix = np.eye(4)
    matrix[:3, :3] = np.random.default_rng(seed).normal(size=(3, 3))
    matrix[:3, 3] = [1, 2, 3]
    moved = map_along(axes, origin, matrix) @ np.append(origin, 1.0)
    np.testing.assert_allclose(moved[:3], origin + axes @ [1, 2, 3], atol=1e-9)


@FEW
@given(seed=SEEDS, largest=st.floats(0.1, 3.0))
def test_a_contour_drawn_again_keeps_its_size_and_moves_no_further(seed, largest):
    grid = Grid((24, 24, 24), np.eye(4))
    ball = np.linalg.norm(np.indices(grid.shape).T - 12.0, axis=-1).T <= 6
    mask = Mask(ball, grid)
    draw = np.random.default_rng(seed).uniform(-largest, largest, 3)
    moved = move_contour(mask, draw)
    shift = moved.points_mm().mean(axis=0) - mask.points_mm().mean(axis=0)
    assert (np.abs(shift) <= largest + 0.25).all()
    assert 0.85 < moved.voxels / mask.voxels < 1.15


@FEW
@given(by_mm=st.floats(-3.0, 3.0))
def test_a_contour_grows_by_as_much_as_was_asked(by_mm):
    grid = Grid((30, 30, 30), np.eye(4))
    ball = np.linalg.norm(np.indices(grid.shape).T - 15.0, axis=-1).T <= 8
    mask = Mask(ball, grid)
    radius = [(m.voxels / (4 / 3 * np.pi)) ** (1 / 3)
              for m in (mask, grow_contour(mask, by_mm))]  # fmt: skip
    assert abs(radius[1] - radius[0] - by_mm) < 0.6
