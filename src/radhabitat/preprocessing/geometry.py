"""Grids along the reference image's axes, whatever its obliqueness or handedness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radhabitat.settings import PreprocessingSettings
from radhabitat.types import Grid, Mask, Volume

Matrix = NDArray[np.float64]

_CORNERS = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1]), axis=-1).reshape(-1, 3)


def turn_to_patient(image: Volume) -> Volume:
    """Return the image with its axes in the order and sense nearest to R, A, S.

    How a file stores its axes then makes no difference to what follows.
    """
    from nibabel import orientations

    order = orientations.io_orientation(image.grid.affine)
    turned = orientations.apply_orientation(image.array, order)
    array = np.ascontiguousarray(turned)
    affine = image.grid.affine @ orientations.inv_ornt_aff(order, image.grid.shape)
    return replace(image, array=array, grid=Grid(array.shape, affine))


def orthonormal_axes(grid: Grid) -> Matrix:
    """Return the orthonormal axes nearest to a grid's own, as columns, shape (3, 3).

    They undo the shear of a gantry tilt and keep the handedness.

    Reference:
        Higham, SIAM J Sci Stat Comput 1986;7:1160 (polar decomposition).
    """
    left, _, right = np.linalg.svd(grid.affine[:3, :3] / grid.spacing_mm)
    axes: Matrix = left @ right
    return axes


def grid_corners(grid: Grid) -> Matrix:
    """Return the eight outer corners of a grid's voxels, RAS+ mm, shape (8, 3)."""
    return grid.to_mm(_CORNERS * np.array(grid.shape) - 0.5)


def mask_corners(mask: Mask) -> Matrix:
    """Return the eight corners of a mask's box along its own axes, shape (8, 3)."""
    box = ndimage.find_objects(mask.array.astype(np.uint8))[0]
    first = np.array([s.start for s in box]) - 0.5
    last = np.array([s.stop for s in box]) - 0.5
    return mask.grid.to_mm(first + _CORNERS * (last - first))


def box_along(
    axes: Matrix, origin_mm: Matrix, corners: Matrix
) -> tuple[Matrix, Matrix]:
    """Return the lowest and highest mm of corners along axes, from an origin."""
    along = (corners - origin_mm) @ axes
    return along.min(axis=0), along.max(axis=0)


def raster_grid(
    axes: Matrix, origin_mm: Matrix, first: Matrix, last: Matrix, *, spacing_mm: float
) -> Grid:
    """Return the isotropic grid of raster indices `first` to `last`, both included.

    Args:
        axes: Directions of i, j, k as columns, shape (3, 3).
        origin_mm: The raster's voxel (0, 0, 0), RAS+ mm.
        first: Raster index of the grid's first voxel, shape (3,).
        last: Of its last voxel.
        spacing_mm: Voxel size.
    """
    i, j, k = (int(n) for n in last - first + 1)
    affine = np.eye(4)
    affine[:3, :3] = axes * spacing_mm
    affine[:3, 3] = origin_mm + axes @ (first * spacing_mm)
    return Grid((i, j, k), affine)


def final_grid(
    reference: Grid, masks: Sequence[Mask], settings: PreprocessingSettings
) -> Grid:
    """Return the isotropic grid along the reference's axes that all masks fit in.

    Args:
        reference: Its first voxel starts the raster: another mask moves no voxel.
        masks: Whose boxes are covered together.
        settings: `spacing_mm` and `margin_mm`.
    """
    axes, origin = orthonormal_axes(reference), reference.affine[:3, 3]
    corners = np.concatenate([mask_corners(m) for m in masks])
    low, high = box_along(axes, origin, corners)
    first = np.floor((low - settings.margin_mm) / settings.spacing_mm)
    last = np.ceil((high + settings.margin_mm) / settings.spacing_mm)
    return raster_grid(axes, origin, first, last, spacing_mm=settings.spacing_mm)


def map_along(axes: Matrix, origin_mm: Matrix, matrix: Matrix) -> Matrix:
    """Return the RAS+ form of a (4, 4) map written along axes from an origin."""
    frame = np.eye(4)
    frame[:3, :3], frame[:3, 3] = axes, origin_mm
    mapped: Matrix = frame @ matrix @ np.linalg.inv(frame)
    return mapped
