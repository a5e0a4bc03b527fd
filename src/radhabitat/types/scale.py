"""How the intensities of one image were normalized."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scale:
    """A rising piecewise linear map of intensities, continued beyond its ends.

    Attributes:
        given: Intensities of the image, rising.
        become: What they are after normalization.
    """

    given: tuple[float, ...]
    become: tuple[float, ...]

    def apply(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return values on the common scale, same shape."""
        given, become = np.array(self.given), np.array(self.become)
        slopes = np.diff(become) / np.diff(given)
        piece = np.searchsorted(given[1:-1], values, side="right")
        slope, zero = slopes[piece], given[piece]
        scaled = (values - zero) * slope + become[piece]
        return np.asarray(scaled, dtype=np.float32)
