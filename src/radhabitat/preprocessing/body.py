"""The patient in the picture, without the air around."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radhabitat.types import Grid, Mask, Volume

COARSE_MM = 5.0

_FEWEST_PER_AXIS = 8
_LEVELS = 256
_LEAST_CONTRAST = 6.0
_LEAST_SHARE = 0.1
_PLANE_NEIGHBORS = np.ones((3, 3, 1), np.bool_)


def coarse_parts(grid: Grid) -> tuple[slice, slice, slice]:
    """Return every n-th voxel per axis, about 5 mm, as ITK's ShrinkImageFilter."""
    parts = []
    for n, spacing_mm in zip(grid.shape, grid.spacing_mm, strict=True):
        step = max(min(round(COARSE_MM / spacing_mm), n // _FEWEST_PER_AXIS), 1)
        taken = n // step
        first = (n - taken * step) // 2 + step // 2
        parts.append(slice(first, first + (taken - 1) * step + 1, step))
    i, j, k = parts
    return i, j, k


def body_mask(image: Volume) -> Mask:
    """Return the body on a coarse grid of the image's own axes."""
    parts = coarse_parts(image.grid)
    body = find_body(np.ascontiguousarray(image.array[parts]))
    affine = image.grid.affine.copy()
    affine[:3, 3] = image.grid.to_mm(np.array([float(p.start) for p in parts]))
    affine[:3, :3] *= [p.step for p in parts]
    return Mask(body, Grid(body.shape, affine))


def find_body(picture: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the body: bright against air, one piece, holes filled per slice.

    Air is what lies below Otsu's threshold of log intensities. Where that parts
    tissues (a factor below 6) or leaves little, all voxels are the body.

    Args:
        picture: Intensities, shape (i, j, k), of about 5 mm voxels.

    Reference:
        Otsu, IEEE Trans Syst Man Cybern 1979;9:62.
    """
    logs = np.log1p(picture - min(float(picture.min()), 0.0))
    bright = logs > _otsu(logs)
    contrast = float(logs[bright].mean() - logs[~bright].mean())
    closed = ndimage.binary_closing(bright, _PLANE_NEIGHBORS) | bright
    pieces, count = ndimage.label(closed)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    body = pieces == 1 + int(sizes.argmax())
    for k in range(body.shape[2]):
        body[:, :, k] = ndimage.binary_fill_holes(body[:, :, k])
    if contrast < np.log(_LEAST_CONTRAST) or body.mean() < _LEAST_SHARE:
        return np.ones(picture.shape, np.bool_)
    filled: NDArray[np.bool_] = body
    return filled


def _otsu(values: NDArray[np.float32]) -> float:
    """Return the threshold with the largest variance between its two sides."""
    counts, edges = np.histogram(values, _LEVELS)
    centers = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1].astype(np.float64)
    above = counts.sum() - below
    total = np.cumsum(counts * centers)
    mean_below = total[:-1] / below
    mean_above = (total[-1] - total[:-1]) / above
    between = below * above * (mean_below - mean_above) ** 2
    return float(edges[1 + int(between.argmax())])
