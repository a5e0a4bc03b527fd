"""Draw the same tumor again, a little differently."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from radhabitat.types import Mask


def move_contour(mask: Mask, *, largest_mm: float, seed: int) -> Mask:
    """Return the mask moved as a whole by a random part of `largest_mm` per axis.

    Args:
        mask: The drawn tumor.
        largest_mm: Each axis moves by a uniform draw from -largest_mm..largest_mm.
        seed: Of the draw.

    Reference:
        Zwanenburg et al., Sci Rep 2019;9:614 (translation of the contour).
    """
    draw = np.random.default_rng(seed).uniform(-largest_mm, largest_mm, 3)
    moved = ndimage.shift(
        mask.array.astype(np.float32), draw / mask.grid.spacing_mm, order=1
    )
    return Mask(moved >= 0.5, mask.grid)
