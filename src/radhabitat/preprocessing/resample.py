"""One interpolation: from native voxels straight to where they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radhabitat.errors import MaskError
from radhabitat.types import Grid, Mask, Transform, Volume

Matrix = NDArray[np.float64]

_SPLINE_REACH_VOXELS = 8
_SLAB_VOXELS = 1_000_000
_MASK_BLUR_VOXELS = 0.7
_MASK_PAD = 3


def resample_image(
    image: Volume,
    target: Grid,
    transform: Transform,
    *,
    interpolation: Literal["linear", "bspline"],
    smooth: bool = False,
) -> NDArray[np.float32]:
    """Return an image on another grid; beyond its edge, the edge continues.

    Args:
        image: Native voxels.
        target: Where values are wanted.
        transform: From the target's space to the image's.
        interpolation: Linear, or cubic B-spline cut at the image's own range.
        smooth: Blur first to the target's resolution, for a coarser grid.
    """
    block, matrix, offset = _needed_block(image.grid, target, transform)
    voxels = image.array[block]
    if smooth:
        voxels = _blur(voxels, image.grid.spacing_mm, target.spacing_mm)
    order: Literal[1, 3] = 1 if interpolation == "linear" else 3
    if transform.displacement is None:
        values: NDArray[np.float32] = ndimage.affine_transform(
            voxels,
            matrix,
            offset=offset,
            output_shape=target.shape,
            output=np.dtype(np.float32),
            order=order,
            mode="nearest",
        )
    else:
        values = np.empty(target.shape, np.float32)
        if order == 3:
            voxels = ndimage.spline_filter(voxels, 3, np.float32, mode="nearest")
        start = np.array([part.start for part in block])[:, None, None, None]
        for part, index in _slabs(image.grid, target, transform):
            values[part] = ndimage.map_coordinates(
                voxels, index - start, order=order, mode="nearest", prefilter=False
            )
    if interpolation == "bspline":
        np.clip(values, image.array.min(), image.array.max(), out=values)
    return values


def at_scanner_position(image: Volume, grid: Grid) -> Volume:
    """Return a native image on a grid, not registered; to look at."""
    values = resample_image(image, grid, Transform(), interpolation="linear")
    return Volume(values, grid)


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
    """Return a mask on another grid, of the same volume.

    Smoothed by as much as the target is finer, then interpolated linearly, and cut
    where the volume stays what it was (docs/decisions/0010-one-interpolation.md).
    """
    block, matrix, offset = _needed_block(mask.grid, target, Transform())
    finer = 1.0 - np.abs(matrix).max(axis=1) ** 2
    sigma = _MASK_BLUR_VOXELS * np.sqrt(np.maximum(finer, 0.0))
    drawn = np.pad(mask.array[block], _MASK_PAD).astype(np.float32)
    share = ndimage.affine_transform(
        ndimage.gaussian_filter(drawn, sigma, mode="constant"),
        matrix,
        offset=offset + _MASK_PAD,
        output_shape=target.shape,
        order=1,
        mode="grid-constant",
    )
    wanted = round(float(share.sum(dtype=np.float64)))
    if wanted == 0:
        return Mask(np.zeros(target.shape, np.bool_), target)
    return Mask(share >= np.partition(share.ravel(), -wanted)[-wanted], target)


def in_view(source: Grid, target: Grid, transform: Transform) -> NDArray[np.bool_]:
    """Tell which voxels of the target lie inside the source's voxels."""
    inside = np.ones(target.shape, dtype=np.bool_)
    if transform.displacement is not None:
        for part, index in _slabs(source, target, transform):
            for at, size in zip(index, source.shape, strict=True):
                inside[part] &= _within(at, size)
        return inside
    to_index = _index_map(source, target, transform.matrix)
    i, j, k = (np.arange(n, dtype=np.float64) for n in target.shape)
    for axis, size in enumerate(source.shape):
        a, b, c, start = to_index[axis]
        index = (a * i + start)[:, None, None] + (b * j)[:, None] + c * k
        inside &= _within(index, size)
    return inside


def _within(index: Matrix, size: int) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (index >= -0.5 - 1e-6) & (index <= size - 0.5 + 1e-6)
    return inside


def _slabs(
    source: Grid, target: Grid, transform: Transform
) -> Iterator[tuple[slice, Matrix]]:
    """Yield parts of the target along i, and their voxel index, (3, ...), in source.

    A part at a time, so that memory stays small on the grid of a whole body.
    """
    thick = max(_SLAB_VOXELS // (target.shape[1] * target.shape[2]), 1)
    for start in range(0, target.shape[0], thick):
        part = slice(start, min(start + thick, target.shape[0]))
        sizes = (part.stop - part.start, *target.shape[1:])
        index = np.moveaxis(np.indices(sizes, dtype=np.float64), 0, -1)
        index[..., 0] += start
        there = source.to_index(transform.to_sequence(target.to_mm(index)))
        yield part, np.moveaxis(there, -1, 0)


def _index_map(source: Grid, target: Grid, transform: Matrix) -> Matrix:
    """Return (4, 4): voxel index of the target -> fractional index of the source."""
    mapped: Matrix = np.linalg.inv(source.affine) @ transform @ target.affine
    return mapped


def _needed_block(
    source: Grid, target: Grid, transform: Transform
) -> tuple[tuple[slice, slice, slice], Matrix, Matrix]:
    """Return the voxels of the source that matter; matrix and offset into them."""
    to_index = _index_map(source, target, transform.matrix)
    matrix, offset = to_index[:3, :3], to_index[:3, 3]
    ends = np.stack(np.meshgrid(*[(0, n - 1) for n in target.shape]), -1).reshape(-1, 3)
    seen = ends @ matrix.T + offset
    size = np.array(source.shape)
    warp = transform.displacement
    bent = 0.0 if warp is None else float(np.abs(warp).max())
    reach = _SPLINE_REACH_VOXELS + np.ceil(bent / source.spacing_mm).astype(int)
    low = np.floor(seen.min(axis=0)).astype(int) - reach
    high = np.ceil(seen.max(axis=0)).astype(int) + reach + 1
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
