"""Longest diameters of a tumor mask, as a caliper would measure its voxels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from radhabitat.errors import MaskError

Floats = NDArray[np.float64]


class Diameters(NamedTuple):
    """Longest diameters in mm.

    Attributes:
        axial_mm: Within one axial slice, the longest of all slices.
        slice_index: That slice, along `axis`.
        axis: The voxel axis nearest to feet-head.
        feret_mm: In any direction (maximum Feret diameter).
    """

    axial_mm: float
    slice_index: int
    axis: int
    feret_mm: float


def longest_diameters(mask: NDArray[np.bool_], affine: Floats) -> Diameters:
    """Return the longest distances between outer corners of a mask's voxels.

    Exact for the voxels as boxes: the ends lie on the convex hull of their corners.
    Several pieces count as one.

    Args:
        mask: Shape (i, j, k).
        affine: Voxel -> RAS+ mm, shape (4, 4); oblique ones are fine.

    Raises:
        MaskError: The mask is empty.

    Reference:
        RECIST 1.1 (Eisenhauer et al. 2009, Eur J Cancer 45:228): longest diameter in
        the axial plane.
    """
    if not mask.any():
        raise MaskError("The mask is empty", "draw the tumor, or choose its label")
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    axis = int(np.argmax(np.abs(directions[2])))
    order = [axis, *(n for n in range(3) if n != axis)]
    steps = affine[:3, order]
    ends = _row_ends(mask.transpose(order))
    best, where = 0.0, 0
    for place in np.unique(ends[:, 0]):
        corners = _corners(ends[ends[:, 0] == place][:, 1:])
        length = _longest(corners @ steps[:, 1:].T, corners)
        if length > best:
            best, where = length, int(place)
    corners = _corners(ends)
    return Diameters(best, where, axis, _longest(corners @ steps.T, corners))


def _row_ends(voxels: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the first and last voxel of every row: the hull needs no others."""
    rows = np.argwhere(voxels.any(axis=2))
    first = voxels.argmax(axis=2)[tuple(rows.T)]
    last = voxels.shape[2] - 1 - voxels[:, :, ::-1].argmax(axis=2)[tuple(rows.T)]
    both = [np.column_stack([rows, end]) for end in (first, last)]
    return np.concatenate(both)


def _corners(voxels: NDArray[np.intp]) -> Floats:
    """Return the corners of voxels, in voxels."""
    size = voxels.shape[1]
    offsets = np.indices((2,) * size).reshape(size, -1).T - 0.5
    corners: Floats = (voxels[:, np.newaxis] + offsets).reshape(-1, size)
    return corners


def _longest(points: Floats, corners: Floats) -> float:
    """Return the longest distance; the hull is found in voxels, where it is full."""
    return float(pdist(points[ConvexHull(corners).vertices]).max())
