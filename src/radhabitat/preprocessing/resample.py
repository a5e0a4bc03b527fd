"""One interpolation: from native voxels straight to where they are needed."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radhabitat.errors import MaskError
from radhabitat.types import Grid, Mask, Volume

Matrix = NDArray[np.float64]

_SPLINE_REACH_VOXELS = 8


def resample_image(
    image: Volume,
    target: Grid,
    transform: Matrix,
    *,
    interpolation: Literal["linear", "bspline"],
    smooth: bool = False,
) -> NDArray[np.float32]:
    """Return an image on another grid; beyond its edge, the edge continues.

    Args:
        image: Native voxels.
        target: Where values are wanted.
        transform: (4, 4), RAS+ mm of the target -> RAS+ mm of the image.
        interpolation: Linear, or cubic B-spline cut at the image's own range.
        smooth: Blur first to the target's resolution, for a coarser grid.
    """
    block, matrix, offset = _needed_block(image.grid, target, transform)
    voxels = image.array[block]
    if smooth:
        voxels = _blur(voxels, image.grid.spacing_mm, target.spacing_mm)
    values: NDArray[np.float32] = ndimage.affine_transform(
        voxels,
        matrix,
        offset=offset,
        output_shape=target.shape,
        output=np.dtype(np.float32),
        order=1 if interpolation == "linear" else 3,
        mode="nearest",
    )
    if interpolation == "bspline":
        np.clip(values, image.array.min(), image.array.max(), out=values)
    return values


def carry_mask(mask: Mask, target: Grid, *, patient: str) -> Mask:
    """Return a drawn mask on the final grid.

    Raises:
        MaskError: It is too small to reach a single voxel there.
    """
    carried = resample_mask(mask, target)
    if carried.voxels == 0:
        spacing_mm = float(target.spacing_mm[0])
        raise MaskError(
            f"The tumor mask of patient {patient}, {mask.volume_mm3:.1f} mm3, has no "
            f"voxel left on the {spacing_mm:g}-mm grid",
            "check the mask, or lower preprocessing.spacing_mm in study.toml",
        )
    return carried


def resample_mask(mask: Mask, target: Grid) -> Mask:
    """Return a mask on another grid: each voxel takes the nearest one's answer."""
    block, matrix, offset = _needed_block(mask.grid, target, np.eye(4))
    inside = ndimage.affine_transform(
        mask.array[block].astype(np.uint8),
        matrix,
        offset=offset,
        output_shape=target.shape,
        order=0,
        mode="grid-constant",
        cval=0,
    )
    return Mask(inside > 0, target)


def in_view(source: Grid, target: Grid, transform: Matrix) -> NDArray[np.bool_]:
    """Tell which voxels of the target lie inside the source's voxels."""
    to_index = _index_map(source, target, transform)
    i, j, k = (np.arange(n, dtype=np.float64) for n in target.shape)
    inside = np.ones(target.shape, dtype=np.bool_)
    for axis, size in enumerate(source.shape):
        a, b, c, start = to_index[axis]
        index = (a * i + start)[:, None, None] + (b * j)[:, None] + c * k
        inside &= (index >= -0.5 - 1e-6) & (index <= size - 0.5 + 1e-6)
    return inside


def _index_map(source: Grid, target: Grid, transform: Matrix) -> Matrix:
    """Return (4, 4): voxel index of the target -> fractional index of the source."""
    mapped: Matrix = np.linalg.inv(source.affine) @ transform @ target.affine
    return mapped


def _needed_block(
    source: Grid, target: Grid, transform: Matrix
) -> tuple[tuple[slice, slice, slice], Matrix, Matrix]:
    """Return the voxels of the source that matter; matrix and offset into them."""
    to_index = _index_map(source, target, transform)
    matrix, offset = to_index[:3, :3], to_index[:3, 3]
    ends = np.stack(np.meshgrid(*[(0, n - 1) for n in target.shape]), -1).reshape(-1, 3)
    seen = ends @ matrix.T + offset
    size = np.array(source.shape)
    low = np.floor(seen.min(axis=0)).astype(int) - _SPLINE_REACH_VOXELS
    high = np.ceil(seen.max(axis=0)).astype(int) + _SPLINE_REACH_VOXELS + 1
    low = np.clip(low, 0, size - 1)
    high = np.clip(high, low + 1, size)
    i, j, k = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return (i, j, k), matrix, offset - low


def _blur(
    voxels: NDArray[np.float32], spacing_mm: Matrix, wanted_mm: Matrix
) -> NDArray[np.float32]:
    missing = np.sqrt(np.maximum(wanted_mm.min() ** 2 - spacing_mm**2, 0.0))
    sigma = 0.4 * missing / spacing_mm
    if sigma.max() < 0.2:
        return voxels
    blurred: NDArray[np.float32] = ndimage.gaussian_filter(
        voxels, sigma, mode="nearest", truncate=3.0
    )
    return blurred
