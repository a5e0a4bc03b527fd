"""Where a point of the reference is in another sequence."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radhabitat.types.volume import Grid

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Transform:
    """From the space of the reference to that of a sequence, RAS+ mm.

    A point p of the reference shows the same tissue as `matrix` @ (p + u(p)).

    Attributes:
        matrix: (4, 4) affine.
        displacement: u on `grid`, float32, shape (i, j, k, 3), RAS+ mm; interpolated
            linearly, 0 beyond the grid. None where the transform is linear.
        grid: Where `displacement` lies.
    """

    matrix: Matrix = field(default_factory=lambda: np.eye(4))
    displacement: NDArray[np.float32] | None = None
    grid: Grid | None = None

    def to_sequence(self, points_mm: Matrix) -> Matrix:
        """Return where points of the reference are in the sequence, (..., 3) mm."""
        points = points_mm
        if self.displacement is not None and self.grid is not None:
            index = self.grid.to_index(points_mm.reshape(-1, 3)).T
            moved = [
                ndimage.map_coordinates(u, index, order=1, output=np.float64)
                for u in np.moveaxis(self.displacement, -1, 0)
            ]
            points = points_mm + np.stack(moved, axis=-1).reshape(points_mm.shape)
        result: Matrix = points @ self.matrix[:3, :3].T + self.matrix[:3, 3]
        return result

    def jacobian(self) -> Matrix:
        """Return local volume change: (1,), or (i, j, k) on `grid`; <= 0: folded."""
        whole = float(np.linalg.det(self.matrix[:3, :3]))
        if self.displacement is None or self.grid is None:
            return np.array([whole])
        components = np.moveaxis(self.displacement, -1, 0).astype(np.float64)
        per_voxel = [np.stack(np.gradient(u), -1) for u in components]
        per_mm = np.stack(per_voxel, -2) @ np.linalg.inv(self.grid.affine[:3, :3])
        local: Matrix = np.linalg.det(np.eye(3) + per_mm)
        return whole * local
