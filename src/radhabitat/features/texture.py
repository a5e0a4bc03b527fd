"""The texture matrices of all regions of one sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radhabitat.features import counting
from radhabitat.features.regions import DIRECTIONS, Regions, directions_with_pairs

_ND = len(DIRECTIONS)


@dataclass(frozen=True, eq=False)
class Textures:
    """The texture matrices of one region; rows are the gray levels that occur.

    Attributes:
        gray: The gray levels that occur, shape (levels,).
        highest: The highest of them, the number of bins from the first on.
        pairs: Symmetric co-occurrences, shape (directions, levels, levels), of the
            directions in which there are any.
        runs: Run lengths 1, 2 ..., shape (directions, levels, lengths), of the
            directions in which a line meets the region more than once.
        zones: Connected zones, shape (levels, sizes), and their sizes.
        zone_sizes: Voxels of the zones in each column of `zones`.
        dependences: Voxels with 0, 1 ... 26 neighbors of the same level, shape
            (levels, 27).
        differences: Sum of |level - mean level of the neighbors|, shape (levels,).
        alone: Voxels without a neighbor in the region, shape (levels,).
    """

    gray: NDArray[np.float64]
    highest: int
    pairs: NDArray[np.float64]
    runs: NDArray[np.float64]
    zones: NDArray[np.float64]
    zone_sizes: NDArray[np.float64]
    dependences: NDArray[np.float64]
    differences: NDArray[np.float64]
    alone: NDArray[np.float64]


def count_textures(
    regions: Regions, levels: Sequence[NDArray[np.int32]]
) -> tuple[Textures | None, ...]:
    """Count the texture matrices of the whole and of its parts.

    Args:
        regions: Where the voxels lie.
        levels: For each region the gray level (>= 1) of each of its members.

    Returns:
        The matrices of each region; None for a region with fewer than two levels,
        which has no texture.
    """
    layer_starts = regions.padded_size * np.arange(min(len(levels), 2))
    keys = np.zeros(layer_starts.size * regions.padded_size, dtype=np.int32)
    for region, (members, own) in enumerate(zip(regions.members, levels, strict=True)):
        at = layer_starts[min(region, 1)] + regions.positions[members]
        keys[at] = (region + 1 << counting.LEVEL_BITS) | own
    starts = layer_starts.tolist()
    voxels = np.concatenate(
        [
            regions.positions + starts[0],
            *(regions.positions[regions.parts] + start for start in starts[1:]),
        ]
    )
    counts = _room(regions, levels, keys.size)
    counting.tally(voxels, keys, regions.steps, counts)
    zones = _zones(voxels, keys, counts.parents, regions.members)
    return tuple(
        _of_region(region, own, regions, counts, zones[region])
        for region, own in enumerate(levels)
    )


def _room(
    regions: Regions, levels: Sequence[NDArray[np.int32]], size: int
) -> counting.Tallies:
    """Make empty counts; region 0 of the counts is what lies outside."""
    sizes = np.array([1] + [int(own.max(initial=0)) + 1 for own in levels])
    total = int(sizes.sum())
    runs = max(regions.inside.shape) + 1
    return counting.Tallies(
        levels=sizes,
        level_start=np.cumsum(sizes) - sizes,
        total_levels=total,
        pair_start=_ND * (np.cumsum(sizes**2) - sizes**2),
        runs=runs,
        pairs=np.zeros(_ND * int((sizes**2).sum()), dtype=np.int32),
        run_lengths=np.zeros(_ND * total * runs, dtype=np.int32),
        dependences=np.zeros(total * 27, dtype=np.int32),
        differences=np.zeros(total),
        alone=np.zeros(total, dtype=np.int32),
        parents=np.arange(size, dtype=np.int32),
    )


def _of_region(
    region: int,
    own: NDArray[np.int32],
    regions: Regions,
    counts: counting.Tallies,
    zones: NDArray[np.int32],
) -> Textures | None:
    """Cut one region's matrices out of the counts."""
    voxels = np.bincount(own)
    gray = np.flatnonzero(voxels)
    if gray.size < 2:
        return None
    rows = counts.level_start[region + 1] + gray
    sizes, table = _zone_table(zones, gray)
    return Textures(
        gray=gray.astype(np.float64),
        highest=int(gray[-1]),
        pairs=_pairs(region, gray, counts),
        runs=_runs(region, gray, voxels[gray], regions, counts),
        zones=table,
        zone_sizes=sizes,
        dependences=counts.dependences.reshape(-1, 27)[rows].astype(np.float64),
        differences=counts.differences[rows],
        alone=counts.alone[rows].astype(np.float64),
    )


def _rows(gray: NDArray[np.int64]) -> NDArray[np.int64] | slice:
    """Return a slice, which is much faster, if all levels in between occur."""
    first, last = int(gray[0]), int(gray[-1])
    return slice(first, last + 1) if last - first + 1 == gray.size else gray


def _pairs(
    region: int, gray: NDArray[np.int64], counts: counting.Tallies
) -> NDArray[np.float64]:
    n = int(counts.levels[region + 1])
    start = int(counts.pair_start[region + 1])
    one_way = counts.pairs[start : start + _ND * n * n].reshape(_ND, n, n)
    rows = _rows(gray)
    one_way = (
        one_way[:, rows, rows]
        if isinstance(rows, slice)
        else (one_way[:, gray[:, None], gray])
    )
    pairs = (one_way + one_way.transpose(0, 2, 1)).astype(np.float64)
    return pairs[pairs.any(axis=(1, 2))]


def _runs(
    region: int,
    gray: NDArray[np.int64],
    voxels: NDArray[np.int64],
    regions: Regions,
    counts: counting.Tallies,
) -> NDArray[np.float64]:
    """Add the runs of one voxel: those that no longer run holds."""
    rows = _rows(counts.level_start[region + 1] + gray)
    by_level = counts.run_lengths.reshape(_ND, counts.total_levels, counts.runs)
    runs = by_level[:, rows].astype(np.float64)
    runs[:, :, 1] = voxels - runs @ np.arange(counts.runs)
    used = runs[:, :, 2:].any(axis=(1, 2))
    if not used.all():
        used = directions_with_pairs(regions.coordinates(region))
    longest = int(np.flatnonzero(runs.any(axis=(0, 1)))[-1])
    return runs[used, :, 1 : longest + 1]


def _zones(
    voxels: NDArray[np.int64],
    keys: NDArray[np.int32],
    parents: NDArray[np.int32],
    members: Sequence[NDArray[np.int64]],
) -> list[NDArray[np.int32]]:
    """Return level and size of every zone of each region, shape (2, zones)."""
    starts = np.cumsum([0, 0] + [own.size for own in members])
    ends, found = starts.copy(), np.empty((2, voxels.size), dtype=np.int32)
    counting.zones(voxels, keys, parents, ends, found)
    return [
        found[:, starts[region] : ends[region]] for region in range(1, len(members) + 1)
    ]


def _zone_table(
    zones: NDArray[np.int32], gray: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the zone sizes of a region and its zones, shape (levels, sizes)."""
    level, size = zones
    sizes = np.flatnonzero(np.bincount(size))
    column = np.zeros(sizes[-1] + 1, dtype=np.int64)
    column[sizes] = np.arange(sizes.size)
    cells = (int(gray[-1]) + 1) * sizes.size
    table = np.bincount(level * sizes.size + column[size], minlength=cells)
    by_level = table.reshape(-1, sizes.size)[gray]
    return sizes.astype(np.float64), by_level.astype(np.float64)
