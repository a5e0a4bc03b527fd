"""The loops over voxels: gray levels and all five texture matrices in one pass.

Matrices of several disjoint regions lie behind each other in flat arrays. Within a
region of n gray levels, index 0 of a gray-level axis stands for "outside of it", so
that the loops need no branches; those entries are never read.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radhabitat.features.compiled import compiled

LEVEL_BITS = 11
"""A voxel's key is its region << LEVEL_BITS | its level (>= 1); 0 is outside."""

_LEVEL = (1 << LEVEL_BITS) - 1
_DIRECTIONS = 13
_U = np.uint64
"""Indices are unsigned: else numba looks at each whether it counts from the end."""


class Tallies(NamedTuple):
    """Counts of all regions, flat.

    Attributes:
        levels: Levels of each region, including level 0, shape (regions,).
        level_start: Where the levels of each region begin.
        total_levels: Sum of `levels`.
        pair_start: Where the co-occurrences of each region begin.
        runs: Longest possible run, + 1.
        pairs: Voxel pairs by region, direction, level, level of the neighbor ahead.
        run_lengths: Runs of two and more voxels by direction, region, level, length.
        dependences: Voxels by level, number of neighbors of the same level.
        differences: Sum of |level - mean level of the neighbors| by level.
        alone: Voxels without neighbors in the region by level.
        parents: Union-find forest of the zones, shape (layers * padded voxels,).
    """

    levels: NDArray[np.int64]
    level_start: NDArray[np.int64]
    total_levels: int
    pair_start: NDArray[np.int64]
    runs: int
    pairs: NDArray[np.int32]
    run_lengths: NDArray[np.int32]
    dependences: NDArray[np.int32]
    differences: NDArray[np.float64]
    alone: NDArray[np.int32]
    parents: NDArray[np.int32]


@compiled
def assign_levels(
    intensities: NDArray[np.float32] | NDArray[np.float64],
    edges: NDArray[np.float64],
    levels: NDArray[np.int32],
) -> None:
    """Fill in for each intensity how many of the equidistant edges are <= it."""
    last = edges.size
    per_unit = 1.0 / (edges[1] - edges[0])
    for voxel in range(intensities.size):
        intensity = np.float64(intensities[voxel])
        level = min(max(int((intensity - edges[0]) * per_unit) + 1, 1), last)
        while level < last and intensity >= edges[level]:
            level += 1
        while level > 1 and intensity < edges[level - 1]:
            level -= 1
        levels[voxel] = level


@compiled
def tally(
    voxels: NDArray[np.int64],
    keys: NDArray[np.int32],
    steps: NDArray[np.int64],
    counts: Tallies,
) -> None:
    """Count all texture matrices of all regions in one pass over the voxels.

    Args:
        voxels: Where `keys` is not 0, ascending.
        keys: Key of each voxel of the padded box, layer behind layer, shape
            (layers * padded voxels,). The regions of one layer are disjoint; every
            region has its own number.
        steps: Distance in `keys` to the neighbor in each direction, shape (13,).
        counts: Filled; zeros at the beginning, each voxel its own parent.
    """
    levels, level_start = counts.levels, counts.level_start
    pair_start, pairs, parents = counts.pair_start, counts.pairs, counts.parents
    run_lengths, runs = counts.run_lengths, _U(counts.runs)
    run_step = _U(counts.total_levels) * runs
    dependences, differences = counts.dependences, counts.differences
    alone = counts.alone
    for place in voxels:  # no tuples of arrays in here: they cost twice the time
        voxel = zone = _U(place)
        key = keys[voxel]
        region, level = key >> LEVEL_BITS, key & _LEVEL
        at, square = _U(level_start[region] + level), _U(levels[region] ** 2)
        pair, run = _U(pair_start[region] + level * levels[region]), at * runs
        total, neighbors, same = 0, 0, 0
        for direction in range(_DIRECTIONS):
            step = _U(steps[direction])
            ahead, behind = keys[voxel + step], keys[voxel - step]
            level_ahead = _level_within(region, ahead)
            level_behind = _level_within(region, behind)
            pairs[pair + _U(level_ahead)] += 1
            total += level_ahead + level_behind
            neighbors += (level_ahead != 0) + (level_behind != 0)
            same += (ahead == key) + (behind == key)
            if behind == key:
                zone = _join(parents, zone, _root(parents, voxel - step))
            elif ahead == key:
                run_lengths[run + _run_length(keys, voxel, step)] += 1
            pair += square
            run += run_step
        dependences[at * _U(27) + _U(same)] += 1
        if neighbors == 0:
            alone[at] += 1
        else:
            differences[at] += abs(level - total / neighbors)


@compiled
def _level_within(region: int, key: int) -> int:
    return key & _LEVEL if key >> LEVEL_BITS == region else 0


@compiled
def _run_length(
    keys: NDArray[np.int32], voxel: np.uint64, step: np.uint64
) -> np.uint64:
    length, key = _U(2), keys[voxel]
    voxel += _U(2) * step
    while keys[voxel] == key:
        length += _U(1)
        voxel += step
    return length


@compiled
def _root(parents: NDArray[np.int32], voxel: np.uint64) -> np.uint64:
    while parents[voxel] != voxel:
        parents[voxel] = parents[parents[voxel]]
        voxel = _U(parents[voxel])
    return voxel


@compiled
def _join(parents: NDArray[np.int32], one: np.uint64, other: np.uint64) -> np.uint64:
    """Join two roots; the first voxel of a zone stays its root."""
    if other < one:
        parents[one] = other
        return other
    parents[other] = one
    return one


@compiled
def zones(
    voxels: NDArray[np.int64],
    keys: NDArray[np.int32],
    parents: NDArray[np.int32],
    starts: NDArray[np.int64],
    found: NDArray[np.int32],
) -> None:
    """List the zones of each region behind each other.

    Args:
        voxels: Where `keys` is not 0.
        keys: Key of each voxel.
        parents: Union-find forest of the zones.
        starts: Where the zones of each region begin; afterwards, where they end.
        found: Filled with level and size, shape (2, as many as there are voxels).
    """
    sizes = np.zeros(keys.size, dtype=np.int32)
    for voxel in voxels:
        sizes[_root(parents, _U(voxel))] += 1
    for voxel in voxels:
        if sizes[voxel] > 0:
            region = keys[voxel] >> LEVEL_BITS
            found[0, starts[region]] = keys[voxel] & _LEVEL
            found[1, starts[region]] = sizes[voxel]
            starts[region] += 1
