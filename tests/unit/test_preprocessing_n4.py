import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (its own convention)

from radhabitat.preprocessing.n4 import LogField, _refine, fit_log_field


def shaded_picture(shape=(40, 36, 20), *, strength=0.5, seed=0):
    """Three tissues and noise under a smooth field; picture, mask, log field."""
    rng = np.random.default_rng(seed)
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    mask = (x / 0.9) ** 2 + (y / 0.85) ** 2 + (z / 1.2) ** 2 < 1
    tissue = np.where((x - 0.3) ** 2 + y**2 + z**2 < 0.15, 200.0, 100.0)
    tissue = np.where((x + 0.4) ** 2 + (y - 0.2) ** 2 < 0.06, 320.0, tissue)
    log_field = strength * (0.7 * x + 0.4 * y**2 - 0.3 * z)
    picture = tissue * np.exp(log_field) + rng.normal(0, 3, shape)
    picture = np.where(mask, picture, np.abs(rng.normal(0, 2, shape)))
    return picture.astype(np.float32), mask, log_field


def own_positions(shape):
    return [np.linspace(0, 1, n) for n in shape]


def itk_log_field(picture, mask, *, levels, iterations):
    image = sitk.GetImageFromArray(np.ascontiguousarray(picture.T))
    region = sitk.GetImageFromArray(np.ascontiguousarray(mask.T).astype(np.uint8))
    filter_ = sitk.N4BiasFieldCorrectionImageFilter()
    filter_.SetNumberOfThreads(1)
    filter_.SetMaximumNumberOfIterations([iterations] * levels)
    filter_.SetConvergenceThreshold(1e-3)
    filter_.SetNumberOfControlPoints([4, 4, 4])
    filter_.Execute(image, region)
    return sitk.GetArrayFromImage(filter_.GetLogBiasFieldAsImage(image)).T


@pytest.mark.parametrize("levels", [1, 3])
def test_the_field_is_that_of_itk_on_the_same_grid_mask_and_schedule(levels):
    picture, mask, _ = shaded_picture()
    mask &= picture > 0
    ours = fit_log_field(picture, mask, levels=levels, iterations=20)
    ours = ours.at(own_positions(picture.shape))
    itk = itk_log_field(picture, mask, levels=levels, iterations=20)
    rms = np.sqrt(np.mean((ours - itk)[mask] ** 2))
    assert rms <= 0.001
    assert np.ptp(itk[mask]) > 0.3


def test_a_known_field_is_found():
    picture, mask, truth = shaded_picture()
    found = fit_log_field(picture, mask, levels=2).at(own_positions(picture.shape))
    left = (found - truth)[mask]
    assert left.std() < 0.2 * truth[mask].std()


def test_an_even_picture_gets_almost_no_field():
    picture, mask, _ = shaded_picture(strength=0.0)
    found = fit_log_field(picture, mask, levels=2).at(own_positions(picture.shape))
    assert found[mask].std() < 0.02


def test_one_slice_gets_a_field_that_is_flat_across_it():
    picture, mask, truth = shaded_picture((60, 50, 1))
    field = fit_log_field(picture, mask, levels=2)
    assert field.lattice.shape == (5, 5, 1)
    found = field.at(own_positions(picture.shape))
    assert (found - truth)[mask].std() < 0.3 * truth[mask].std()


def test_refining_the_lattice_leaves_the_spline_as_it_is():
    coarse = np.random.default_rng(1).normal(size=(5, 5, 5))
    fine = _refine(coarse)
    assert fine.shape == (7, 7, 7)
    positions = [np.linspace(0, 1, n) for n in (9, 8, 7)]
    np.testing.assert_allclose(
        LogField(coarse, 2).at(positions), LogField(fine, 4).at(positions), atol=1e-5
    )


def test_a_mask_without_contrast_gives_no_field():
    flat = np.full((10, 10, 10), 7.0, np.float32)
    field = fit_log_field(flat, np.ones(flat.shape, bool))
    assert not field.lattice.any()
