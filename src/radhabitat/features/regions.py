"""Where the voxels of the tumor and of its habitats lie; shared by all sequences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

DIRECTIONS = np.array(
    [
        (i, j, k)
        for i in (0, 1)
        for j in (-1, 0, 1)
        for k in (-1, 0, 1)
        if (i, j, k) > (0, 0, 0)
    ],
    dtype=np.int64,
)
"""Half of the 26 neighbors, shape (13, 3); the others are their opposites."""


@dataclass(frozen=True, eq=False)
class Regions:
    """The whole (region 0) and its disjoint parts (regions 1, 2 ...).

    Attributes:
        box: The slices of the image that just hold the whole.
        inside: The whole within the box, bool, shape (i, j, k).
        positions: Flat index of each voxel in the box padded by one voxel on every
            side, shape (voxels,), in C order.
        steps: Flat distance to the neighbor in each of `DIRECTIONS`, shape (13,).
        padded_size: Number of voxels of the padded box.
        members: For each region, which of the `positions` belong to it.
    """

    box: tuple[slice, ...]
    inside: NDArray[np.bool_]
    positions: NDArray[np.int64]
    steps: NDArray[np.int64]
    padded_size: int
    members: tuple[NDArray[np.int64], ...]

    @cached_property
    def parts(self) -> NDArray[np.int64]:
        """Which of the `positions` belong to any part, ascending."""
        return np.sort(np.concatenate([self.members[0][:0], *self.members[1:]]))

    def coordinates(self, region: int) -> NDArray[np.int64]:
        """Return the voxels of a region as (i, j, k) in the box, shape (voxels, 3)."""
        return np.argwhere(self.inside)[self.members[region]]

    def keep(self, chosen: NDArray[np.bool_]) -> Regions:
        """Return the regions with some of their voxels only, bool, shape (voxels,)."""
        inside = self.inside.copy()
        inside[inside] = chosen
        place = np.cumsum(chosen) - 1
        return replace(
            self,
            inside=inside,
            positions=self.positions[chosen],
            members=tuple(place[own[chosen[own]]] for own in self.members),
        )


def locate(
    mask: NDArray[np.bool_], labels: NDArray[np.uint8] | None = None, *, count: int = 0
) -> Regions:
    """Find the voxels of a mask and of the labels inside it.

    Args:
        mask: The whole, shape (i, j, k), at least one voxel.
        labels: Part 1..count or 0 (none) of each voxel, same shape.
        count: Number of parts; a part may be absent.
    """
    box = _box(mask)
    inside = np.ascontiguousarray(mask[box])
    padded = np.pad(inside, 1)
    positions = np.flatnonzero(padded)
    strides = np.array([padded.shape[1] * padded.shape[2], padded.shape[2], 1])
    members = [np.arange(positions.size)]
    if labels is not None:
        found = np.ascontiguousarray(labels[box])[inside]
        members += [np.flatnonzero(found == part + 1) for part in range(count)]
    return Regions(
        box=box,
        inside=inside,
        positions=positions,
        steps=DIRECTIONS @ strides,
        padded_size=padded.size,
        members=tuple(members),
    )


def _box(mask: NDArray[np.bool_]) -> tuple[slice, ...]:
    """Return the slices that just hold a mask; each axis looks at what is left."""
    box: tuple[slice, ...] = ()
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        where = np.flatnonzero(mask[box].any(axis=others))
        box = (*box, slice(int(where[0]), int(where[-1]) + 1))
    return box


def directions_with_pairs(coordinates: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell along which directions some line meets a region more than once.

    PyRadiomics leaves the other directions out of the run lengths.

    Args:
        coordinates: Voxels of the region, shape (voxels, 3).

    Returns:
        bool, shape (13,), in the order of `DIRECTIONS`.
    """
    met = np.zeros(len(DIRECTIONS), dtype=np.bool_)
    for number, direction in enumerate(DIRECTIONS):
        axis = int(np.flatnonzero(direction)[0])
        along = coordinates[:, axis : axis + 1] * direction[axis]
        lines = np.unique(coordinates - along * direction, axis=0)
        met[number] = len(lines) < len(coordinates)
    return met
