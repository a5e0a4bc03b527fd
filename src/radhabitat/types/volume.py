"""An image is an array and an affine: Grid, Volume, Mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import ImageError, MaskError

SAME_GRID_MM = 1e-3


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the voxels of an array lie.

    Attributes:
        shape: Number of voxels along i, j, k.
        affine: (4, 4), voxel index (i, j, k, 1) -> RAS+ mm. Columns need not be
            orthogonal to the axes of the patient (oblique) nor right-handed.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Copy the affine, so that nobody else can change it.

        Raises:
            ImageError: The affine is not an invertible (4, 4) matrix.
        """
        affine = np.array(self.affine, dtype=np.float64)
        usable = affine.shape == (4, 4) and bool(np.isfinite(affine).all())
        if not usable or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
            raise ImageError(
                f"The voxel-to-patient matrix cannot be used: {affine.tolist()}",
                "export the image again; its header has no valid geometry",
            )
        affine.setflags(write=False)
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """Voxel size along i, j, k, shape (3,)."""
        spacing: NDArray[np.float64] = np.linalg.norm(self.affine[:3, :3], axis=0)
        return spacing

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    def to_mm(self, indices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return RAS+ mm of voxel indices, both of shape (..., 3)."""
        points: NDArray[np.float64] = indices @ self.affine[:3, :3].T
        return points + self.affine[:3, 3]

    def to_index(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (fractional) voxel indices of RAS+ mm, both of shape (..., 3)."""
        inverse = np.linalg.inv(self.affine)
        indices: NDArray[np.float64] = points_mm @ inverse[:3, :3].T
        return indices + inverse[:3, 3]

    def same_as(self, other: Grid) -> bool:
        """Tell whether every corner lies within 0.001 mm of the other grid's."""
        if self.shape != other.shape:
            return False
        far = np.array(self.shape, dtype=np.float64)
        corners = np.stack(
            np.meshgrid([0, far[0]], [0, far[1]], [0, far[2]]), axis=-1
        ).reshape(-1, 3)
        return bool(
            np.abs(self.to_mm(corners) - other.to_mm(corners)).max() < SAME_GRID_MM
        )


@dataclass(frozen=True, eq=False)
class Volume:
    """One 3D image: intensities on a grid.

    Attributes:
        array: Intensities, float32, shape (i, j, k) = `grid.shape`; not writable.
        grid: Where the voxels lie.
        frame_of_reference: DICOM's identifier of the space; empty when unknown.
        time_s: When it was acquired, seconds since midnight; None when unknown.
    """

    array: NDArray[np.float32]
    grid: Grid
    frame_of_reference: str = ""
    time_s: float | None = None

    def __post_init__(self) -> None:
        """Freeze the array.

        Raises:
            ImageError: The array is not 3D or does not fit the grid.
        """
        _check_shape(self.array.shape, self.grid, ImageError, "image")
        array = np.asarray(self.array, dtype=np.float32).view()
        array.setflags(write=False)
        object.__setattr__(self, "array", array)


@dataclass(frozen=True, eq=False)
class Mask:
    """A region: True inside.

    Attributes:
        array: bool, shape (i, j, k) = `grid.shape`; not writable.
        grid: Where the voxels lie.
    """

    array: NDArray[np.bool_]
    grid: Grid

    def __post_init__(self) -> None:
        """Freeze the array.

        Raises:
            MaskError: The array is not 3D or does not fit the grid.
        """
        _check_shape(self.array.shape, self.grid, MaskError, "mask")
        array = np.asarray(self.array, dtype=np.bool_).view()
        array.setflags(write=False)
        object.__setattr__(self, "array", array)

    @property
    def voxels(self) -> int:
        """Number of voxels inside."""
        return int(np.count_nonzero(self.array))

    @property
    def volume_mm3(self) -> float:
        """Volume of the region."""
        return self.voxels * self.grid.voxel_volume_mm3

    def points_mm(self) -> NDArray[np.float64]:
        """Return the centers of the voxels inside, RAS+ mm, shape (voxels, 3)."""
        return self.grid.to_mm(np.argwhere(self.array).astype(np.float64))


def _check_shape(
    shape: tuple[int, ...],
    grid: Grid,
    error: type[ImageError] | type[MaskError],
    noun: str,
) -> None:
    if len(shape) != 3 or shape != grid.shape:
        raise error(
            f"The {noun} has shape {shape}; its grid wants {grid.shape}",
            f"give one 3D {noun} per file",
        )
