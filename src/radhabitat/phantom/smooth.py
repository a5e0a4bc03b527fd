"""Smooth random fields that can be asked at any point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

NODES = 40


@dataclass(frozen=True, eq=False)
class SmoothNoise:
    """A periodic random field with mean 0 and variance 1."""

    lattice: NDArray[np.float32]  # shape (nodes, nodes, nodes)
    step: float  # between nodes, in the unit of the points

    def at(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the field at points of shape (3, ...), shape (...)."""
        values: NDArray[np.float32] = map_coordinates(
            self.lattice, points / np.float32(self.step), order=1, mode="grid-wrap"
        )
        return values


def draw_noise(rng: np.random.Generator, length: float) -> SmoothNoise:
    """Draw a field whose Gaussian kernel has this length, in the points' unit."""
    white = rng.standard_normal((NODES, NODES, NODES), dtype=np.float32)
    lattice = gaussian_filter(white, 1.3, mode="wrap")
    lattice -= lattice.mean()
    lattice /= lattice.std()
    return SmoothNoise(lattice, length / 1.3)
