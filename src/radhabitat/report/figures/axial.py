"""Axial slices as radiologists look at them: the patient's right is on the left."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from radhabitat.types import Grid


@dataclass(frozen=True)
class AxialView:
    """How to turn arrays on one grid into axial slices.

    Attributes:
        axes: The array axis nearest to the patient's x, y, z (right, anterior,
            superior).
        rising: Whether the index rises toward right, anterior, superior.
        spacing_mm: Voxel size along x, y, z.
    """

    axes: tuple[int, int, int]
    rising: tuple[bool, bool, bool]
    spacing_mm: tuple[float, float, float]

    @staticmethod
    def of(grid: Grid) -> AxialView:
        """Return the view whose axes are nearest to the patient's."""
        matrix = grid.affine[:3, :3] / grid.spacing_mm
        cosines, rows = np.abs(matrix), np.arange(3)
        x, y, z = max(
            permutations(range(3)), key=lambda axes: cosines[rows, axes].sum()
        )
        sizes = [float(size) for size in grid.spacing_mm]
        return AxialView(
            axes=(x, y, z),
            rising=(matrix[0, x] > 0, matrix[1, y] > 0, matrix[2, z] > 0),
            spacing_mm=(sizes[x], sizes[y], sizes[z]),
        )

    def largest_slice(self, inside: NDArray[np.bool_]) -> int:
        """Return the index along z where a region, shape (i, j, k), is largest."""
        x, y, _ = self.axes
        return int(inside.sum(axis=(x, y)).argmax())

    def slice(self, array: NDArray[np.generic], index: int) -> NDArray[np.generic]:
        """Return a picture, shape (rows, columns): top anterior, left right.

        Args:
            array: Shape (i, j, k).
            index: Along the array axis nearest to z.
        """
        turned = np.transpose(array, self.axes)[:, :, index]
        if self.rising[0]:
            turned = turned[::-1, :]
        if self.rising[1]:
            turned = turned[:, ::-1]
        return turned.T
