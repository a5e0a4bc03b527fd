import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from radhabitat.errors import MaskError
from radhabitat.preprocessing.geometry import final_grid, orthonormal_axes
from radhabitat.preprocessing.resample import (
    carry_mask,
    in_view,
    resample_image,
    resample_mask,
)
from radhabitat.settings import PreprocessingSettings
from radhabitat.types import Grid, Mask, Transform, Volume

SETTINGS = PreprocessingSettings()
STILL = Transform()


def grid_of(shape, spacing, *, turn=(0, 0, 0), flip=False, start=(0, 0, 0)):
    axes = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()
    if flip:
        axes = axes @ np.diag([-1.0, 1.0, 1.0])
    affine = np.eye(4)
    affine[:3, :3] = axes * np.array(spacing)
    affine[:3, 3] = start
    return Grid(shape, affine)


def points_of(grid):
    index = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1)
    return grid.to_mm(index.astype(float))


def ramp_on(grid):
    """An image that is linear in space: interpolation must reproduce it."""
    return Volume(points_of(grid) @ np.array([1.0, -2.0, 0.5]) + 300.0, grid)


def ball_on(grid, center, radius):
    distance = np.linalg.norm(points_of(grid) - np.array(center), axis=-1)
    return Mask(distance <= radius, grid)


OBLIQUE = grid_of((40, 36, 20), (1.5, 1.4, 3.0), turn=(12, -8, 20), start=(9, 8, 7))
LEFT_HANDED = grid_of((40, 36, 20), (1.5, 1.4, 3.0), turn=(5, 9, -4), flip=True)


@pytest.mark.parametrize("grid", [OBLIQUE, LEFT_HANDED])
@pytest.mark.parametrize("interpolation", ["linear", "bspline"])
def test_a_linear_ramp_comes_out_exact_on_any_geometry(grid, interpolation):
    center = grid.to_mm(np.array(grid.shape) / 2.0)
    target = final_grid(grid, [ball_on(grid, center, 9)], SETTINGS)
    values = resample_image(ramp_on(grid), target, STILL, interpolation=interpolation)
    inside = in_view(grid, target, STILL)
    index = grid.to_index(points_of(target))
    deep = ((index > 4) & (index < np.array(grid.shape) - 5)).all(axis=-1)
    assert inside[deep].all()
    assert deep.mean() > 0.3
    np.testing.assert_allclose(values[deep], ramp_on(target).array[deep], atol=0.02)


@pytest.mark.parametrize("grid", [OBLIQUE, LEFT_HANDED])
def test_the_final_grid_is_isotropic_along_the_references_axes_and_covers_the_tumor(
    grid,
):
    tumor = ball_on(grid, grid.to_mm(np.array(grid.shape) / 2.0), 8)
    final = final_grid(grid, [tumor], SETTINGS)
    np.testing.assert_allclose(final.spacing_mm, 1.0)
    np.testing.assert_allclose(
        final.affine[:3, :3], grid.affine[:3, :3] / grid.spacing_mm, atol=1e-12
    )
    index = final.to_index(tumor.points_mm())
    assert (index >= SETTINGS.margin_mm).all()
    assert (index <= np.array(final.shape) - 1 - SETTINGS.margin_mm).all()


def test_a_second_readers_mask_makes_the_grid_larger_and_moves_no_voxel():
    tumor = ball_on(OBLIQUE, OBLIQUE.to_mm(np.array([20.0, 18, 10])), 8)
    other = ball_on(OBLIQUE, OBLIQUE.to_mm(np.array([23.0, 16, 10])), 9)
    alone = final_grid(OBLIQUE, [tumor], SETTINGS)
    both = final_grid(OBLIQUE, [tumor, other], SETTINGS)
    shift = both.to_index(alone.to_mm(np.zeros(3)))
    np.testing.assert_allclose(shift, np.rint(shift), atol=1e-9)
    assert np.prod(both.shape) > np.prod(alone.shape)


def test_a_sheared_affine_gets_right_angles():
    sheared = np.eye(4)
    sheared[1, 2] = 0.3
    axes = orthonormal_axes(Grid((4, 4, 4), sheared))
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)


def test_a_mask_on_another_grid_keeps_its_volume_and_place():
    mask = ball_on(LEFT_HANDED, LEFT_HANDED.to_mm(np.array([20.0, 18, 10])), 12)
    final = final_grid(OBLIQUE, [mask], SETTINGS)
    carried = carry_mask(mask, final, patient="P1")
    assert carried.volume_mm3 == pytest.approx(mask.volume_mm3, rel=0.02)
    np.testing.assert_allclose(
        carried.points_mm().mean(axis=0), mask.points_mm().mean(axis=0), atol=0.15
    )


def test_a_mask_at_the_edge_of_its_array_keeps_the_outer_half_of_its_voxels():
    grid = Grid((4, 4, 4), np.diag([3.0, 3.0, 3.0, 1.0]))
    mask = Mask(np.ones(grid.shape, bool), grid)
    carried = resample_mask(mask, final_grid(grid, [mask], SETTINGS))
    assert carried.volume_mm3 == pytest.approx(mask.volume_mm3)


def test_a_mask_that_falls_between_the_voxels_is_an_error_with_a_fix():
    fine = Grid((30, 30, 30), np.diag([0.2, 0.2, 0.2, 1.0]))
    dot = np.zeros(fine.shape, bool)
    dot[12, 12, 12] = True
    coarse = PreprocessingSettings(spacing_mm=5.0)
    mask = Mask(dot, fine)
    with pytest.raises(MaskError, match=r"patient P7, 0.0 mm3.*5-mm grid") as error:
        carry_mask(mask, final_grid(fine, [mask], coarse), patient="P7")
    assert "spacing_mm" in error.value.fix


def test_beyond_the_edge_the_edge_continues():
    grid = Grid((6, 6, 6), np.eye(4))
    image = ramp_on(grid)
    target = Grid(
        (3, 1, 1), np.array([[4.0, 0, 0, 4], [0, 1, 0, 2], [0, 0, 1, 2], [0, 0, 0, 1]])
    )
    values = resample_image(image, target, STILL, interpolation="linear")
    np.testing.assert_allclose(values[1:, 0, 0], image.array[5, 2, 2])
    assert in_view(grid, target, STILL)[:, 0, 0].tolist() == [True, False, False]


def test_a_target_wholly_elsewhere_still_gets_the_edge():
    image = ramp_on(Grid((6, 6, 6), np.eye(4)))
    far = np.eye(4)
    far[:3, 3] = 100.0
    values = resample_image(image, Grid((4, 4, 4), far), STILL, interpolation="bspline")
    np.testing.assert_allclose(values, image.array[5, 5, 5])


def test_splines_stay_within_the_images_own_range():
    step = np.zeros((12, 12, 12), np.float32)
    step[6:] = 100.0
    grid = Grid(step.shape, np.eye(4))
    fine = np.diag([0.5, 0.5, 0.5, 1.0])
    values = resample_image(
        Volume(step, grid), Grid((24, 24, 24), fine), STILL, interpolation="bspline"
    )
    assert values.min() >= 0.0
    assert values.max() <= 100.0


def test_a_transform_says_where_in_the_moving_image_to_look():
    grid = Grid((20, 20, 20), np.eye(4))
    array = np.zeros(grid.shape, np.float32)
    array[12, 9, 4] = 1.0
    transform = np.eye(4)
    transform[:3, 3] = [3.0, -1.0, 2.0]
    values = resample_image(
        Volume(array, grid), grid, Transform(transform), interpolation="linear"
    )
    assert np.argwhere(values == 1.0).tolist() == [[9, 10, 2]]


@pytest.mark.parametrize("interpolation", ["linear", "bspline"])
def test_a_constant_displacement_is_a_translation(interpolation):
    grid = grid_of((24, 22, 20), (1.5, 1.4, 3.0), turn=(12, -8, 20))
    rng = np.random.default_rng(0)
    image = Volume(rng.normal(size=grid.shape).astype(np.float32), grid)
    target = grid_of((12, 12, 12), (1, 1, 1), start=grid.to_mm(np.full(3, 7.0)))
    shift = np.array([2.0, -1.0, 3.0])
    matrix = np.eye(4)
    matrix[:3, 3] = shift
    around = grid_of((30, 30, 30), (4, 4, 4), start=target.affine[:3, 3] - 50)
    field = np.tile(shift.astype(np.float32), (30, 30, 30, 1))
    bent = Transform(displacement=field, grid=around)
    linear, warped = (
        resample_image(image, target, t, interpolation=interpolation)
        for t in (Transform(matrix), bent)
    )
    np.testing.assert_allclose(warped, linear, atol=2e-3)
    np.testing.assert_array_equal(
        in_view(grid, target, bent), in_view(grid, target, Transform(matrix))
    )


def test_a_mask_on_thick_slices_keeps_its_volume_and_loses_its_steps():
    thick = grid_of((40, 40, 10), (1.5, 1.5, 6.0))
    ball = ball_on(thick, (29, 29, 27), 16)
    fine = final_grid(thick, [ball], SETTINGS)
    carried, truth = resample_mask(ball, fine), ball_on(fine, (29, 29, 27), 16)
    assert carried.volume_mm3 == pytest.approx(ball.volume_mm3, rel=0.01)
    both = 2 * (carried.array & truth.array).sum()
    assert both / (carried.voxels + truth.voxels) > 0.93
