"""How the habitats of a tumor lie to each other: features of the map.

Families, each off unless the settings name it:

    interaction    the multiregional spatial interaction matrix
    ith            one score of heterogeneity
    fragmentation  pieces, largest piece, surface to volume of each habitat
    boundary       how sharply a habitat is set off, per sequence
    position       how far from the center, how deep

Their columns are `ALL_Habitats_...` (the map as a whole), `ALL_Habitat_2_...`, and
`LAP_Habitat_2_...` where a sequence counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radhabitat.features.regions import DIRECTIONS
from radhabitat.types import AlignedSubject, HabitatMap

Labels = NDArray[np.uint8]
Row = dict[str, float]
T = TypeVar("T", bound=np.generic)

NEIGHBORS = np.ones((3, 3, 3), dtype=np.int8)


def map_features(
    subject: AlignedSubject, habitats: HabitatMap, families: Sequence[str]
) -> Row:
    """Compute the named families; NaN where a habitat is absent.

    Args:
        subject: The patient, all sequences on one grid.
        habitats: The patient's habitats on the same grid.
        families: Names of families, in any order.
    """
    where = np.argwhere(habitats.array)
    box = tuple(
        slice(a, b + 1) for a, b in zip(where.min(0), where.max(0), strict=True)
    )
    labels = np.pad(habitats.array[box], 1)
    spacing_mm = habitats.grid.spacing_mm
    row: Row = {}
    for family in FAMILIES:
        if family in families:
            row |= _family(family, labels, habitats.count, spacing_mm)
    if "boundary" in families:
        for sequence, image in subject.images.items():
            picture = np.pad(image.array[box], 1)
            row |= _boundary(labels, picture, habitats.count, sequence)
    return row


def _family(
    family: str, labels: Labels, count: int, spacing_mm: NDArray[np.float64]
) -> Row:
    if family == "interaction":
        return _interaction(labels, count)
    if family == "ith":
        return {"ALL_Habitats_ith_Score": _ith(labels, count)}
    measure = _fragmentation if family == "fragmentation" else _position
    return {
        f"ALL_Habitat_{h}_{family}_{name}": value
        for h in range(1, count + 1)
        for name, value in measure(labels, h, spacing_mm).items()
    }


def _interaction(labels: Labels, count: int) -> Row:
    """Shares of neighboring pairs, 0 = outside, and the texture of their matrix.

    Reference: Wu et al., Radiology 2018;288:26 (26 neighbors, symmetric).
    """
    size = count + 1
    matrix = np.zeros((size, size))
    for step in DIRECTIONS:
        one, other = _shifted(labels, step)
        pairs = size * one.astype(np.intp) + other
        matrix += np.bincount(pairs.ravel(), minlength=size**2).reshape(size, size)
    matrix += matrix.T
    matrix[0, 0] = 0.0
    matrix /= matrix.sum()
    i, j = np.indices(matrix.shape)
    mean = float((i * matrix).sum())
    variance = float(((i - mean) ** 2 * matrix).sum())
    row = {
        "Contrast": float(((i - j) ** 2 * matrix).sum()),
        "Homogeneity": float((matrix / (1.0 + (i - j) ** 2)).sum()),
        "Correlation": float(((i - mean) * (j - mean) * matrix).sum() / variance)
        if variance > 0.0
        else np.nan,
        "Energy": float((matrix**2).sum()),
    }
    row |= {f"Inside_{h}": float(matrix[h, h]) for h in range(1, size)}
    row |= {f"Border_{a}_{b}": 2.0 * float(matrix[a, b])
            for a, b in combinations(range(size), 2)}  # fmt: skip
    return {f"ALL_Habitats_interaction_{name}": v for name, v in row.items()}


def _ith(labels: Labels, count: int) -> float:
    """1 - sum over habitats of largest piece / pieces, as a share of the tumor.

    Reference: Li et al., Eur Radiol 2023;33:893, equation 1, in three dimensions.
    """
    pieces = [_pieces(labels == h) for h in range(1, count + 1)]
    whole = np.count_nonzero(labels)
    return 1.0 - sum(float(p.max()) / len(p) for p in pieces if len(p)) / whole


def _fragmentation(
    labels: Labels, habitat: int, spacing_mm: NDArray[np.float64]
) -> Row:
    """Pieces (26 neighbors), the largest one's share, area of voxel faces / volume."""
    inside = labels == habitat
    sizes = _pieces(inside)
    if not len(sizes):
        return {"Pieces": 0.0, "LargestShare": np.nan, "SurfaceToVolume": np.nan}
    faces = [np.count_nonzero(np.diff(inside, axis=axis)) for axis in range(3)]
    # a face across an axis over a voxel's volume is 1 / spacing along the axis
    area = sum(n / float(mm) for n, mm in zip(faces, spacing_mm, strict=True))
    return {
        "Pieces": float(len(sizes)),
        "LargestShare": float(sizes.max() / sizes.sum()),
        "SurfaceToVolume": area / float(sizes.sum()),
    }


def _position(labels: Labels, habitat: int, spacing_mm: NDArray[np.float64]) -> Row:
    """Distance of the centers in radii of an equal ball; mean depth, 1 = deepest.

    Reference: after IBSI 1 reference manual, center of mass shift (KLMA).
    """
    inside = labels == habitat
    if not inside.any():
        return {"CenterDistance": np.nan, "Depth": np.nan}
    tumor = labels > 0
    depth = ndimage.distance_transform_edt(tumor, sampling=spacing_mm)
    apart = (np.argwhere(inside).mean(0) - np.argwhere(tumor).mean(0)) * spacing_mm
    volume_mm3 = float(np.count_nonzero(tumor) * spacing_mm.prod())
    radius_mm = (0.75 * volume_mm3 / np.pi) ** (1 / 3)
    return {
        "CenterDistance": float(np.linalg.norm(apart)) / radius_mm,
        "Depth": float(depth[inside].mean() / depth.max()),
    }


def _boundary(
    labels: Labels, picture: NDArray[np.float32], count: int, sequence: str
) -> Row:
    """Mean difference across faces to other habitats, in the tumor's spread.

    Reference: after Gilhuijs et al., Med Phys 1998;25:1647 (margin sharpness).
    """
    total, faces = np.zeros(count + 1), np.zeros(count + 1)
    for step in np.eye(3, dtype=np.int64):
        one, other = _shifted(labels, step)
        here, there = _shifted(picture, step)
        meet = (one != other) & (one > 0) & (other > 0)
        size = np.abs(here[meet].astype(np.float64) - there[meet])
        for side in (one[meet], other[meet]):
            total += np.bincount(side, size, minlength=count + 1)
            faces += np.bincount(side, minlength=count + 1)
    spread = float(picture[labels > 0].std(dtype=np.float64))
    known = (faces > 0) & (spread > 0)
    sharp = np.divide(
        total, faces * spread, out=np.full(count + 1, np.nan), where=known
    )
    return {
        f"{sequence}_Habitat_{h}_boundary_Sharpness": float(sharp[h])
        for h in range(1, count + 1)
    }


def _pieces(inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the voxels of each connected piece."""
    pieces, _ = ndimage.label(inside, NEIGHBORS)
    sizes: NDArray[np.int64] = np.bincount(pieces.ravel())[1:]
    return sizes


def _shifted(
    array: NDArray[T], step: NDArray[np.int64]
) -> tuple[NDArray[T], NDArray[T]]:
    """Return two views of an array whose voxels are a step apart."""
    low = tuple(
        slice(max(0, -s), min(n, n - s)) for s, n in zip(step, array.shape, strict=True)
    )
    high = tuple(
        slice(max(0, s), min(n, n + s)) for s, n in zip(step, array.shape, strict=True)
    )
    return array[low], array[high]


FAMILIES = ("interaction", "ith", "fragmentation", "position")
"""Families that look at the map alone."""
