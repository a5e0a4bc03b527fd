"""NGTDM: how much a voxel differs from its neighbors' mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def tone_differences(
    voxels: NDArray[np.float64],
    differences: NDArray[np.float64],
    gray: NDArray[np.float64],
) -> dict[str, float]:
    """Compute the 5 features of the neighborhood gray-tone differences.

    Not computable, hence NaN: Coarseness and Strength where no voxel differs from
    its neighbors, Busyness where all products of gray level and share are equal.
    PyRadiomics writes 1e6, 0 and 0 there.

    Args:
        voxels: Voxels of each gray level, shape (levels,), two levels or more. In
            mode `ibsi` without the voxels that have no neighbors.
        differences: Sum of |level - mean level of the 26 neighbors|, by level.
        gray: The gray levels, shape (levels,).

    Reference:
        Amadasun and King, IEEE Trans SMC 1989; PyRadiomics 3.1, ngtdm; IBSI 1
        reference manual section 3.10 (IPET), "3D" (KOBO).
    """
    used = voxels > 0
    voxels, differences, gray = voxels[used], differences[used], gray[used]
    levels, total = gray.size, float(voxels.sum())
    if levels < 2:
        return {}
    share = voxels / total
    weighted = share * differences
    activity, apart = float(differences.sum()), gray[:, None] - gray
    either = share[:, None] + share
    tones = float(np.abs((gray * share)[:, None] - gray * share).sum())
    contrast = float((share[:, None] * share * apart**2).sum()) / levels / (levels - 1)
    both = (weighted[:, None] + weighted) / either
    coarse = float(weighted.sum())
    return {
        "Busyness": coarse / tones if tones > 0 else np.nan,
        "Coarseness": 1.0 / coarse if coarse > 0 else np.nan,
        "Complexity": float((np.abs(apart) * both).sum()) / total,
        "Contrast": contrast * activity / total,
        "Strength": (
            float((either * apart**2).sum()) / activity if activity > 0 else np.nan
        ),
    }
