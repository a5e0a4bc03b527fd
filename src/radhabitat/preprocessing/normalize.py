"""Intensities on a common scale; found on the whole image, used on a part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scale:
    """How intensities are put on a common scale: (value - zero) / unit.

    Attributes:
        zero: The intensity that becomes 0.
        unit: The difference of intensities that becomes 1.
    """

    zero: float
    unit: float

    def apply(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return values on the common scale, same shape."""
        scaled: NDArray[np.float32] = (values - np.float32(self.zero)) * np.float32(
            1.0 / self.unit
        )
        return scaled


def find_scale(
    voxels: NDArray[np.float32], how: Literal["minmax", "zscore", "none"]
) -> Scale:
    """Return the scale of one image.

    Args:
        voxels: The whole image after bias correction, any shape.
        how: minmax: darkest voxel 0, brightest 1 (the published protocol). zscore:
            mean 0, standard deviation 1. none: as it is.
    """
    if how == "minmax":
        zero, unit = float(voxels.min()), float(np.ptp(voxels))
    elif how == "zscore":
        zero = float(voxels.mean(dtype=np.float64))
        unit = float(voxels.std(dtype=np.float64))
    else:
        zero, unit = 0.0, 1.0
    return Scale(zero, unit if unit > 0.0 else 1.0)
