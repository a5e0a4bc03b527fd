"""Smooth random fields that can be asked at any point, and smooth upsampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline
from scipy.ndimage import gaussian_filter, map_coordinates

NODES = 40


@dataclass(frozen=True, eq=False)
class SmoothNoise:
    """A periodic random field with mean 0 and variance 1.

    Attributes:
        lattice: Values, float32, shape (nodes, nodes, nodes).
        step: Distance between nodes, in the unit of the points.
    """

    lattice: NDArray[np.float32]
    step: float

    def at(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the field at points of shape (3, ...), shape (...)."""
        values: NDArray[np.float32] = map_coordinates(
            self.lattice, points / np.float32(self.step), order=1, mode="grid-wrap"
        )
        return values


def draw_noise(rng: np.random.Generator, length: float) -> SmoothNoise:
    """Draw a field whose Gaussian kernel has the standard deviation `length`.

    Args:
        rng: Where the randomness comes from.
        length: In the unit of the points at which it will be asked.
    """
    white = rng.standard_normal((NODES, NODES, NODES), dtype=np.float32)
    lattice = gaussian_filter(white, 1.3, mode="wrap")
    lattice -= lattice.mean()
    lattice /= lattice.std()
    return SmoothNoise(lattice, length / 1.3)


def coarse_indices(size: int, stride: float) -> NDArray[np.float64]:
    """Return evenly spaced positions from 0 to size - 1, about `stride` apart."""
    count = max(4, round((size - 1) / stride) + 1)
    return np.linspace(0.0, size - 1.0, count)


def upsample(
    values: NDArray[np.float64],
    nodes: tuple[NDArray[np.float64], ...],
    shape: tuple[int, int, int],
) -> NDArray[np.float32]:
    """Return cubic spline interpolation of a coarse field on every voxel.

    Args:
        values: Shape (components, nodes_i, nodes_j, nodes_k).
        nodes: Voxel indices of the nodes along i, j and k.
        shape: Number of voxels along i, j, k.

    Returns:
        float32, shape (components, i, j, k).
    """
    field = values.astype(np.float32)
    for axis in (3, 2, 1):
        known = nodes[axis - 1]
        spline = make_interp_spline(known, np.eye(len(known)), k=3)
        matrix = spline(np.arange(shape[axis - 1])).astype(np.float32)
        moved = np.moveaxis(field, axis, -1) @ matrix.T
        field = np.moveaxis(moved, -1, axis)
    return np.ascontiguousarray(field)
