"""Shape of a mask: a mesh, its diameters, and the axes of its voxels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radhabitat.features.compiled import compiled
from radhabitat.features.marching_cubes import CORNERS, case_geometry


def shape_features(
    inside: NDArray[np.bool_], spacing_mm: NDArray[np.float64], *, sample: bool
) -> dict[str, float]:
    """Compute the 14 shape features of a mask.

    Axes are those of the array, lengths come from the spacing; the orientation of
    the patient plays no part. "Slice" diameters lie in planes of constant k,
    "column" in planes of constant j, "row" in planes of constant i.

    Args:
        inside: The mask, just held by its box, shape (i, j, k), one voxel or more.
        spacing_mm: Voxel size along i, j, k, shape (3,).
        sample: Divide the covariance of the voxels by N - 1 (IBSI) instead of N
            (PyRadiomics).

    Reference:
        PyRadiomics 3.1, shape; IBSI 1 reference manual section 3.1 (HCUG).
    """
    volume, area = _mesh(inside, spacing_mm)
    row, column, slice_, longest = _diameters(inside, spacing_mm)
    least, minor, major = _axis_lengths(inside, spacing_mm, sample=sample)
    nan = float("nan")
    return {
        "Elongation": minor / major if major > 0 else nan,
        "Flatness": least / major if major > 0 else nan,
        "LeastAxisLength": least,
        "MajorAxisLength": major,
        "Maximum2DDiameterColumn": column,
        "Maximum2DDiameterRow": row,
        "Maximum2DDiameterSlice": slice_,
        "Maximum3DDiameter": longest,
        "MeshVolume": volume,
        "MinorAxisLength": minor,
        "Sphericity": float(np.cbrt(36.0 * np.pi * volume**2)) / area,
        "SurfaceArea": area,
        "SurfaceVolumeRatio": area / volume,
        "VoxelVolume": float(np.count_nonzero(inside) * spacing_mm.prod()),
    }


def _mesh(
    inside: NDArray[np.bool_], spacing_mm: NDArray[np.float64]
) -> tuple[float, float]:
    """Return volume (mm3) and area (mm2) of the marching-cubes mesh.

    Equal cubes have equal surfaces, so that it is enough to count the cases. The
    axes are turned around to (k, j, i), the order of PyRadiomics: the mesh depends
    on it by up to a percent in cubes that can be cut in several ways.
    """
    padded = np.pad(inside.T, 1)
    end = np.array(padded.shape) - 1
    cases = np.zeros(tuple(end), dtype=np.uint8)
    for bit, corner in enumerate(CORNERS):
        i, j, k = (slice(at, at + n) for at, n in zip(corner, end, strict=True))
        cases |= padded[i, j, k].astype(np.uint8) << np.uint8(bit)
    cubes = np.argwhere((cases > 0) & (cases < 255))
    case = cases[tuple(cubes.T)]
    spacing = spacing_mm[::-1]
    area, volume, normal = case_geometry(spacing)
    total = volume[case].sum() + (normal[case] * (cubes * spacing)).sum()
    return float(total) / 6.0, float(area[case].sum())


def _diameters(
    inside: NDArray[np.bool_], spacing_mm: NDArray[np.float64]
) -> tuple[float, float, float, float]:
    """Return the longest distances (mm) between vertices of the mesh.

    Within planes of constant i, j, k, and overall. A vertex that is no corner of
    the convex hull of all three planes through it can be no end of the longest
    distance.
    """
    points = _vertices(inside)
    corner = np.ones(len(points), dtype=np.bool_)
    size = 2 * max(inside.shape) + 4
    longest = []
    for axis in range(3):
        first, second = [other for other in range(3) if other != axis]
        place = (points[:, axis] * size + points[:, first]) * size + points[:, second]
        order = np.argsort(place)
        ordered = np.ascontiguousarray(points[order][:, [axis, first, second]])
        half = 0.5 * spacing_mm[[first, second]]
        on_hull = np.zeros(len(points), dtype=np.bool_)
        longest.append(_planar_diameter(ordered, half, on_hull))
        corner[order] &= on_hull
    ends = points[corner] * (0.5 * spacing_mm)
    row, column, slice_ = longest
    return row, column, slice_, _diameter(ends)


def _vertices(inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the middles of the edges between inside and outside, in half voxels."""
    padded = np.pad(inside, 1)
    points = []
    for axis in range(3):
        found = 2 * np.argwhere(np.diff(padded, axis=axis))
        found[:, axis] += 1
        points.append(found)
    return np.concatenate(points).astype(np.int64)


def _axis_lengths(
    inside: NDArray[np.bool_], spacing_mm: NDArray[np.float64], *, sample: bool
) -> NDArray[np.float64]:
    """Return 4 standard deviations (mm) along the principal axes, ascending."""
    points = np.argwhere(inside) * spacing_mm
    if len(points) == 1 and sample:
        return np.full(3, np.nan)
    off = points - points.mean(axis=0)
    covariance = off.T @ off / (len(points) - sample)
    variances = np.linalg.eigvalsh(covariance)
    lengths: NDArray[np.float64] = 4.0 * np.sqrt(np.maximum(variances, 0.0))
    return lengths


@compiled
def _planar_diameter(
    points: NDArray[np.int64],
    scale: NDArray[np.float64],
    on_hull: NDArray[np.bool_],
) -> float:
    """Find the longest distance in any plane, and mark the corners of all hulls.

    Points are plane, x, y, sorted in this order; scale is the length of one unit of
    x and of y.
    """
    longest = 0.0
    chain = np.empty(2 * points.shape[0] + 2, dtype=np.int64)
    first = 0
    while first < points.shape[0]:
        last = first
        while last + 1 < points.shape[0] and points[last + 1, 0] == points[first, 0]:
            last += 1
        size = _hull(points, first, last, chain)
        for corner in chain[:size]:
            on_hull[corner] = True
        longest = max(longest, _longest(points, chain[:size], scale))
        first = last + 1
    return float(np.sqrt(longest))


@compiled
def _diameter(points: NDArray[np.float64]) -> float:
    """Return the longest distance between points of shape (points, 3)."""
    longest = 0.0
    for one in range(points.shape[0]):
        for other in range(one):
            x = points[one, 0] - points[other, 0]
            y = points[one, 1] - points[other, 1]
            z = points[one, 2] - points[other, 2]
            longest = max(longest, x * x + y * y + z * z)
    return float(np.sqrt(longest))


@compiled
def _hull(
    points: NDArray[np.int64], first: int, last: int, chain: NDArray[np.int64]
) -> int:
    """Andrew's monotone chain; returns how many corners it wrote into the chain."""
    size = 0
    for begin, end, step in ((first, last + 1, 1), (last - 1, first - 1, -1)):
        fewest = max(size + 1, 2)
        for point in range(begin, end, step):
            while (
                size >= fewest
                and _turn(points, chain[size - 2], chain[size - 1], point) <= 0
            ):
                size -= 1
            chain[size] = point
            size += 1
    return size


@compiled
def _turn(points: NDArray[np.int64], a: int, b: int, c: int) -> int:
    """Positive where a, b, c turn to the left."""
    ahead = (points[b, 1] - points[a, 1]) * (points[c, 2] - points[a, 2])
    return int(ahead - (points[b, 2] - points[a, 2]) * (points[c, 1] - points[a, 1]))


@compiled
def _longest(
    points: NDArray[np.int64], chosen: NDArray[np.int64], scale: NDArray[np.float64]
) -> float:
    """Return the square of the longest distance between the chosen points."""
    longest = 0.0
    for one in chosen:
        for other in chosen:
            x = (points[one, 1] - points[other, 1]) * scale[0]
            y = (points[one, 2] - points[other, 2]) * scale[1]
            longest = max(longest, x * x + y * y)
    return longest
