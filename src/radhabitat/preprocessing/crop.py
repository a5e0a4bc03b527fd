"""The surroundings of the tumor on the coarse raster that registration works on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radhabitat.errors import MaskError
from radhabitat.preprocessing.geometry import (
    box_along,
    grid_corners,
    mask_corners,
    orthonormal_axes,
    raster_grid,
)
from radhabitat.preprocessing.resample import in_view, resample_image, resample_mask
from radhabitat.settings import PreprocessingSettings
from radhabitat.types import Grid, Mask, Subject, Transform, Volume

CROP_SPACING_MM = 2.0
_AROUND_REGION_MM = 10.0
_WINDOW_PERCENT = (0.5, 99.5)

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Frame:
    """Axes of the reference, counted from the middle of the tumor.

    Attributes:
        axes: Directions of i, j, k as orthonormal columns, shape (3, 3).
        center_mm: Mean of the tumor's voxels, RAS+ mm, shape (3,).
        box_mm: Lowest and highest mm of tumor, region and surroundings along the axes.
    """

    axes: Matrix
    center_mm: Matrix
    box_mm: tuple[Matrix, Matrix]


@dataclass(frozen=True, eq=False)
class Crop:
    """One image around the tumor; crops of one frame differ by whole voxels.

    Attributes:
        array: float32, shape (i, j, k), 0..1 over the crop's own range; the edge
            continues where nothing was imaged.
        imaged: Where the image has voxels, shape (i, j, k).
        first: Raster index of voxel (0, 0, 0); the frame's center is (0, 0, 0).
        grid: Where the voxels lie.
    """

    array: NDArray[np.float32]
    imaged: NDArray[np.bool_]
    first: tuple[int, int, int]
    grid: Grid

    @property
    def first_mm(self) -> Matrix:
        """Position of voxel (0, 0, 0) in the frame, shape (3,)."""
        return np.array(self.first) * CROP_SPACING_MM


@dataclass(frozen=True, eq=False)
class Target:
    """What every other sequence is registered to.

    Attributes:
        frame: Axes of the reference, from the middle of the tumor.
        crop: The reference around the tumor; None where it is too thin to register.
        region: Tumor and neighborhood, shape of `crop.array`.
        ring: The neighborhood without the tumor, same shape.
    """

    frame: Frame
    crop: Crop | None
    region: NDArray[np.bool_]
    ring: NDArray[np.bool_]


def region_to_register(
    subject: Subject, body: Mask, settings: PreprocessingSettings
) -> Mask:
    """Return what registration looks at: the tumor, the liver or the body.

    Raises:
        MaskError: The liver is wanted, and no mask shows it.
    """
    if settings.region == "liver" and "liver" not in subject.organs:
        raise MaskError(
            f"Patient {subject.patient} has no liver mask to register by",
            'name it in the column liver of the subjects table, or set region = "tumor"'
            " under [preprocessing] in study.toml",
        )
    regions = {"tumor": subject.tumor, "body": body, **subject.organs}
    return regions[settings.region]


def prepare_target(
    reference: Volume, tumor: Mask, around: Mask, *, region_mm: float
) -> Target:
    """Return the reference around the tumor, ready for registration.

    Args:
        reference: Bias-corrected native image.
        tumor: The drawn tumor.
        around: What registration looks at: tumor, liver or body.
        region_mm: How far it looks beyond that.
    """
    axes = orthonormal_axes(reference.grid)
    center = tumor.points_mm().mean(axis=0)
    corners = np.concatenate([mask_corners(tumor), mask_corners(around)])
    low, high = box_along(axes, center, corners)
    more = region_mm + _AROUND_REGION_MM
    frame = Frame(axes, center, (low - more, high + more))
    crop = crop_image(reference, frame, reach_mm=0.0)
    if crop is None:
        nothing = np.zeros((1, 1, 1), np.bool_)
        return Target(frame, None, nothing, nothing)
    core = _tumor_in(tumor, crop)
    seen = core if around is tumor else core | resample_mask(around, crop.grid).array
    distance_mm = ndimage.distance_transform_edt(~seen, sampling=CROP_SPACING_MM)
    region = (distance_mm <= region_mm) & crop.imaged
    return Target(frame, crop, region, region & ~core)


def crop_image(image: Volume, frame: Frame, *, reach_mm: float) -> Crop | None:
    """Return an image around the tumor; None where it has no voxel there.

    Args:
        image: Native voxels.
        frame: Of the reference.
        reach_mm: Added on all sides: how far tissue may have moved.
    """
    low, high = box_along(frame.axes, frame.center_mm, grid_corners(image.grid))
    low = np.maximum(low, frame.box_mm[0] - reach_mm)
    high = np.minimum(high, frame.box_mm[1] + reach_mm)
    first, last = np.ceil(low / CROP_SPACING_MM), np.floor(high / CROP_SPACING_MM)
    if (last < first).any():
        return None
    grid = raster_grid(
        frame.axes, frame.center_mm, first, last, spacing_mm=CROP_SPACING_MM
    )
    same = Transform()
    imaged = in_view(image.grid, grid, same)
    if not imaged.any():
        return None
    values = resample_image(image, grid, same, interpolation="linear", smooth=True)
    dark, bright = np.percentile(values[imaged], _WINDOW_PERCENT)
    unit = float(bright - dark) or 1.0
    scaled = np.clip((values - dark) / unit, 0.0, 1.0).astype(np.float32)
    i, j, k = (int(n) for n in first)
    return Crop(scaled, imaged, (i, j, k), grid)


def _tumor_in(tumor: Mask, crop: Crop) -> NDArray[np.bool_]:
    """Return the tumor on a crop; one smaller than a voxel still fills one."""
    core = np.array(resample_mask(tumor, crop.grid).array)
    last = np.array(core.shape) - 1
    nearest = np.rint(crop.grid.to_index(tumor.points_mm())).astype(int)
    core[tuple(np.clip(nearest, 0, last).T)] = True
    return core
