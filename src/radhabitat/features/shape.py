"""Shape of a mask: a mesh, its diameters, and the axes of its voxels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radhabitat.features import diameters
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
    geometry = case_geometry(spacing)
    origins = cubes * spacing
    volume = geometry.volume[case].sum() + (geometry.normal[case] * origins).sum()
    return float(volume) / 6.0, float(geometry.area[case].sum())


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
    longest = []
    for axis in range(3):
        first, second = [other for other in range(3) if other != axis]
        order = np.lexsort((points[:, second], points[:, first], points[:, axis]))
        ordered = np.ascontiguousarray(points[order][:, [axis, first, second]])
        half = 0.5 * spacing_mm[[first, second]]
        on_hull = np.zeros(len(points), dtype=np.bool_)
        longest.append(diameters.planar_diameter(ordered, half, on_hull))
        corner[order] &= on_hull
    ends = points[corner] * (0.5 * spacing_mm)
    row, column, slice_ = longest
    return row, column, slice_, diameters.diameter(ends)


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
