import numpy as np

from radhabitat.types import Grid, Scale, Transform

GRID = Grid((6, 5, 4), np.diag([2.0, 3.0, 4.0, 1.0]))


def bent(values):
    return Transform(displacement=np.asarray(values, np.float32), grid=GRID)


def test_a_displacement_comes_before_the_matrix():
    matrix = np.diag([2.0, 2.0, 2.0, 1.0])
    field = np.tile(np.float32([1, 0, -1]), (6, 5, 4, 1))
    transform = Transform(matrix, field, GRID)
    points = np.array([[4.0, 6.0, 4.0], [2.0, 3.0, 8.0]])
    wanted = 2 * (points + np.array([1, 0, -1]))
    np.testing.assert_allclose(transform.to_sequence(points), wanted, atol=1e-6)
    np.testing.assert_allclose(transform.to_sequence(points[0]), wanted[0], atol=1e-6)


def test_beyond_its_grid_a_deformation_displaces_nothing():
    transform = bent(np.ones((6, 5, 4, 3)))
    far = np.array([[500.0, 0.0, 0.0]])
    np.testing.assert_array_equal(transform.to_sequence(far), far)


def test_the_jacobian_is_the_local_change_of_volume():
    x = GRID.to_mm(np.moveaxis(np.indices(GRID.shape), 0, -1).astype(float))
    stretched = bent(x * [0.1, -0.2, 0.0])
    np.testing.assert_allclose(stretched.jacobian(), 1.1 * 0.8, rtol=1e-5)
    folded = bent(x * [-1.5, 0.0, 0.0])
    assert (folded.jacobian() < 0).all()
    assert Transform(np.diag([2.0, 1.0, 1.0, 1.0])).jacobian().tolist() == [2.0]


def test_a_scale_is_linear_between_its_points_and_goes_on_beyond():
    scale = Scale((0.0, 10.0, 20.0), (0.0, 0.2, 1.0))
    values = np.float32([-10, 0, 5, 10, 15, 30])
    np.testing.assert_allclose(
        scale.apply(values), [-0.2, 0.0, 0.1, 0.2, 0.6, 1.8], atol=1e-6
    )
