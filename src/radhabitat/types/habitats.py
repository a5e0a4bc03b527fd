"""The tumor divided into habitats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import MaskError
from radhabitat.types.volume import Grid


@dataclass(frozen=True, eq=False)
class HabitatMap:
    """Which habitat each voxel of a tumor belongs to.

    Attributes:
        patient: Identifier of the patient.
        array: uint8, shape (i, j, k); 0 outside the tumor, 1..count inside.
        grid: Where the voxels lie.
        count: Number of habitats asked for; one of them may be absent.
        centers: Mean intensities, shape (habitats, sequences), in `sequences` order.
        sequences: Names of the columns of `centers`.
        inertia: k -> within-habitat sum of squares, the elbow curve (may be empty).
    """

    patient: str
    array: NDArray[np.uint8]
    grid: Grid
    count: int
    centers: NDArray[np.float64]
    sequences: tuple[str, ...]
    inertia: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Freeze the labels.

        Raises:
            MaskError: The labels do not fit the grid or exceed the count.
        """
        if self.array.shape != self.grid.shape or int(self.array.max()) > self.count:
            raise MaskError(
                f"The habitat map of patient {self.patient} has shape "
                f"{self.array.shape} and labels up to {int(self.array.max())}; "
                f"wanted {self.grid.shape} and at most {self.count}",
                "compute the habitats again",
            )
        array = np.asarray(self.array, dtype=np.uint8).view()
        array.setflags(write=False)
        object.__setattr__(self, "array", array)

    def voxels(self, habitat: int) -> int:
        """Return the number of voxels of one habitat (1..count)."""
        return int(np.count_nonzero(self.array == habitat))
