"""Local binary patterns: which points around a voxel are at least as bright as it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, special, stats

from radhabitat.settings import FilterSettings

SPLINE_REACH = 24
"""Voxels after which a cubic spline has forgotten the edge (0.27 ** 24 < 1e-13)."""

_AT_ONCE = 20_000
_GOLDEN = (1.0 + np.sqrt(5.0)) / 2.0


def in_plane(
    array: NDArray[np.float64], points: NDArray[np.int64], chosen: FilterSettings
) -> NDArray[np.float64]:
    """Compute the uniform pattern of each voxel in its plane of constant k.

    The brighter ones of `samples` points on a circle are counted if, from the first
    to the last, brighter and darker alternate at most twice; else samples + 1.

    Args:
        array: Intensities, shape (i, j, k), wide enough for the circle.
        points: The voxels, shape (voxels, 3).
        chosen: `radius` and `samples`.

    Reference:
        Ojala et al., Pattern Recognition 1996; scikit-image, local_binary_pattern,
        method "uniform".
    """
    i, j, k = points.T
    center = array[i, j, k]
    turn = 2.0 * np.pi * np.arange(chosen.samples) / chosen.samples
    offsets = np.round([chosen.radius * np.cos(turn), -chosen.radius * np.sin(turn)], 5)
    brighter = []
    for across, down in offsets.T:
        low_i, low_j = int(np.floor(across)), int(np.floor(down))
        near, far = across - low_i, down - low_j
        high_i, high_j = i + int(np.ceil(across)), j + int(np.ceil(down))
        low_i, low_j = i + low_i, j + low_j
        above = (1 - near) * array[low_i, low_j, k] + near * array[high_i, low_j, k]
        below = (1 - near) * array[low_i, high_j, k] + near * array[high_i, high_j, k]
        brighter.append((1 - far) * above + far * below - center >= 0)
    signs = np.array(brighter)
    changes = np.count_nonzero(signs[1:] != signs[:-1], axis=0)
    count = np.count_nonzero(signs, axis=0)
    return np.where(changes <= 2, count, chosen.samples + 1).astype(np.float64)


def in_space(
    array: NDArray[np.float64], points: NDArray[np.int64], chosen: FilterSettings
) -> NDArray[np.float64]:
    """Compute the strength of each order of spherical harmonics, and the kurtosis.

    Polar angle and azimuth are exchanged in the harmonics, and each order's values
    are squared, summed and rooted as complex numbers, as PyRadiomics does.

    Args:
        array: Intensities, shape (i, j, k).
        points: The voxels, shape (voxels, 3).
        chosen: `radius`, `harmonics` and `subdivisions`.

    Returns:
        One column for each order of the brighter points, then the kurtosis of the
        intensities on the sphere, shape (voxels, harmonics + 1).

    Reference:
        Banerjee et al., ACCV 2012; PyRadiomics 3.1, getLBP3DImage.
    """
    sphere = _icosphere(chosen.subdivisions)
    polar, azimuth = np.arccos(sphere[:, 2]), np.arctan2(sphere[:, 1], sphere[:, 0])
    orders = [_harmonics(n, azimuth, polar) for n in range(chosen.harmonics)]
    # the first coordinate of the sphere belongs to the last axis of the image
    offsets = chosen.radius * sphere[:, ::-1]
    smooth = ndimage.spline_filter(array, order=3, output=np.float64)
    found = []
    for first in range(0, len(points), _AT_ONCE):
        some = points[first : first + _AT_ONCE]
        where = (some[:, None, :] + offsets).reshape(-1, 3).T
        around = ndimage.map_coordinates(smooth, where, order=3, prefilter=False)
        around = around.reshape(len(some), -1)
        signs = (around >= array[tuple(some.T)][:, None]).astype(np.float64)
        columns = [np.sqrt((((signs @ y.T) @ y) ** 2).sum(axis=1)).real for y in orders]
        columns.append(stats.kurtosis(around, axis=1))
        found.append(np.stack(columns, axis=1))
    return np.concatenate(found)


def _harmonics(
    n: int, polar: NDArray[np.float64], azimuth: NDArray[np.float64]
) -> NDArray[np.complex128]:
    """Return the spherical harmonics of one order, shape (2 n + 1, directions)."""
    rows = []
    for m in range(n + 1):
        scale = np.sqrt((2 * n + 1) / (4 * np.pi) / special.poch(n - m + 1, 2 * m))
        y = scale * special.lpmv(m, n, np.cos(polar)) * np.exp(1j * m * azimuth)
        rows += [y] if m == 0 else [y, (-1) ** m * y.conj()]
    return np.array(rows)


def _icosphere(subdivisions: int) -> NDArray[np.float64]:
    """Return the corners of an icosahedron with split faces, on the unit sphere."""
    signs = [(a, b) for a in (-1.0, 1.0) for b in (-_GOLDEN, _GOLDEN)]
    corners = np.array(
        [np.roll((a, b, 0.0), turn) for a, b in signs for turn in range(3)]
    )
    corners /= np.linalg.norm(corners[0])
    for _ in range(subdivisions):
        apart = np.linalg.norm(corners[:, None] - corners, axis=2)
        edge = apart[apart > 0].min()
        one, other = np.nonzero(np.triu((apart > 0) & (apart < 1.3 * edge)))
        middles = corners[one] + corners[other]
        middles /= np.linalg.norm(middles, axis=1, keepdims=True)
        corners = np.concatenate([corners, middles])
    return corners
