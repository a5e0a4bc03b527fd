"""What a PyRadiomics parameter file asks for before features: normalize, resample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from radhabitat.types import Grid, Mask, Volume

INTERPOLATORS = {
    "sitkNearestNeighbor": SimpleITK.sitkNearestNeighbor,
    "sitkLinear": SimpleITK.sitkLinear,
    "sitkBSpline": SimpleITK.sitkBSpline,
    "sitkGaussian": SimpleITK.sitkGaussian,
}


@dataclass(frozen=True)
class Preparation:
    """How an image is changed before it is measured; by default not at all.

    Attributes:
        normalize: Subtract the mean of the whole image, divide by its deviation.
        outliers: Then limit to that many deviations; None: no limit.
        scale: Then multiply.
        spacing_mm: New voxel size along i, j, k; 0 keeps the old one; empty: all do.
        interpolator: SimpleITK's name, for the image; masks take the nearest voxel.
        margin: Voxels kept around the region.
    """

    normalize: bool = False
    outliers: float | None = None
    scale: float = 1.0
    spacing_mm: tuple[float, ...] = ()
    interpolator: str = "sitkBSpline"
    margin: int = 5


def prepare(image: Volume, mask: Mask, wanted: Preparation) -> tuple[Volume, Mask]:
    """Normalize the image, then resample it and the mask around the region.

    Args:
        image: The whole image.
        mask: The region on the same grid, at least one voxel.
        wanted: What to do.

    Reference:
        PyRadiomics 3.1, imageoperations.normalizeImage and resampleImage.
    """
    if wanted.normalize:
        whole = SimpleITK.Normalize(_itk(image.array.astype(np.float64), np.ones(3)))
        values = SimpleITK.GetArrayFromImage(whole).T
        if wanted.outliers is not None:
            values = np.clip(values, -wanted.outliers, wanted.outliers)
        image = Volume(values * wanted.scale, image.grid)
    return _resampled(image, mask, wanted) if wanted.spacing_mm else (image, mask)


def _resampled(image: Volume, mask: Mask, wanted: Preparation) -> tuple[Volume, Mask]:
    """Lay a grid whose first corner is the old one's; cut it around the region."""
    old = image.grid.spacing_mm
    where = np.argwhere(mask.array)
    first, last = where.min(axis=0), where.max(axis=0)
    new = np.array(wanted.spacing_mm)
    new = np.where((new == 0) | (first == last), old, new)
    size = np.array(image.grid.shape)
    if np.allclose(old, new):
        low = np.maximum(first - wanted.margin, 0)
        high = np.minimum(last + wanted.margin, size - 1)
    else:
        low = np.floor((first - 0.5) * old / new - wanted.margin).clip(min=0)
        high = np.ceil((last + 0.5) * old / new + wanted.margin)
        high = np.minimum(high, np.ceil(size * old / new) - 1)
    start = 0.5 * (new - old) / old + low * new / old
    affine = image.grid.affine.copy()
    affine[:3, 3] = image.grid.to_mm(start)
    affine[:3, :3] *= new / old
    grid = Grid(tuple((high - low + 1).astype(int).tolist()), affine)
    itk = INTERPOLATORS[wanted.interpolator]
    values = _on_grid(image.array.astype(np.float64), old, start * old, new, grid, itk)
    nearest = SimpleITK.sitkNearestNeighbor
    inside = _on_grid(mask.array.astype(np.uint8), old, start * old, new, grid, nearest)
    return Volume(values.astype(np.float32), grid), Mask(inside > 0, grid)


def _on_grid(
    array: NDArray[np.float64] | NDArray[np.uint8],
    old: NDArray[np.float64],
    origin: NDArray[np.float64],
    new: NDArray[np.float64],
    grid: Grid,
    interpolator: int,
) -> NDArray[np.float64]:
    resample = SimpleITK.ResampleImageFilter()
    resample.SetOutputSpacing(new.tolist())
    resample.SetOutputOrigin(origin.tolist())
    resample.SetSize(grid.shape)
    resample.SetInterpolator(interpolator)
    values: NDArray[np.float64] = SimpleITK.GetArrayFromImage(
        resample.Execute(_itk(array, old))
    ).T
    return values


def _itk(
    array: NDArray[np.float64] | NDArray[np.uint8], spacing: NDArray[np.float64]
) -> SimpleITK.Image:
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(array.T))
    image.SetSpacing(spacing.tolist())
    return image
