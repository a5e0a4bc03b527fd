"""First-order statistics: what the intensities are, not where they lie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radhabitat.settings import FeatureSettings

EPSILON = float(np.finfo(np.float64).eps)
"""Added inside of logarithms, as PyRadiomics does."""


def entropy(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the entropy (bits) of each of the shares p, shape (matrices, ...)."""
    flat = p.reshape(len(p), -1)
    bits: NDArray[np.float64] = -np.einsum("dn,dn->d", flat, np.log2(flat + EPSILON))
    return bits


def first_order(
    intensities: NDArray[np.float32] | NDArray[np.float64],
    levels: NDArray[np.int32],
    settings: FeatureSettings,
    *,
    voxel_volume_mm3: float,
) -> dict[str, float]:
    """Compute the 18 first-order features of one region.

    Not computable, hence NaN: Skewness and Kurtosis of equal intensities (0/0),
    Entropy and Uniformity of a region with one gray level. PyRadiomics writes 0
    (Uniformity: 1) there.

    Args:
        intensities: Of the region's voxels, shape (voxels,), at least one.
        levels: Their gray levels, shape (voxels,).
        settings: In mode `ibsi`, Kurtosis is the excess over a normal
            distribution's (minus 3).
        voxel_volume_mm3: Volume of one voxel, for TotalEnergy.

    Reference:
        PyRadiomics 3.1, firstorder; IBSI 1 reference manual sections 3.3
        (UHIW) and 3.4 (ZVCW).
    """
    values = intensities.astype(np.float64)
    mean = float(values.mean())
    off = values - mean
    shifted = values + settings.intensity_shift
    energy = float(shifted @ shifted)
    low, high = float(values.min()), float(values.max())
    p10, p25, p50, p75, p90 = _percentiles(intensities, levels)
    middle = values[(values >= p10) & (values <= p90)]
    # two voxels have none between their percentiles
    robust = np.abs(middle - middle.mean()).mean() if middle.size else np.nan
    features = {
        "10Percentile": p10,
        "90Percentile": p90,
        "Energy": energy,
        "InterquartileRange": p75 - p25,
        "Maximum": high,
        "MeanAbsoluteDeviation": np.abs(off).mean(),
        "Mean": mean,
        "Median": p50,
        "Minimum": low,
        "Range": high - low,
        "RobustMeanAbsoluteDeviation": robust,
        "RootMeanSquared": np.sqrt(energy / values.size),
        "TotalEnergy": energy * voxel_volume_mm3,
    }
    features |= _moments(off, excess=settings.mode == "ibsi") | _histogram(levels)
    return {name: float(value) for name, value in features.items()}


def _percentiles(
    intensities: NDArray[np.float32] | NDArray[np.float64], levels: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Return percentiles 10, 25, 50, 75, 90, linear between two ranks.

    A gray level holds consecutive ranks, so only few levels are sorted.
    """
    rank = np.array([0.1, 0.25, 0.5, 0.75, 0.9]) * (intensities.size - 1)
    below = rank.astype(np.int64)
    above = np.minimum(below + 1, intensities.size - 1)
    ends = np.cumsum(np.bincount(levels))
    sorted_levels: dict[int, NDArray[np.float64]] = {}

    def ranked(wanted: int) -> float:
        level = int(np.searchsorted(ends, wanted, side="right"))
        if level not in sorted_levels:
            inside = intensities[levels == level].astype(np.float64)
            sorted_levels[level] = np.sort(inside)
        return float(sorted_levels[level][wanted - ends[level]])  # from the end

    low = np.array([ranked(r) for r in below.tolist()])
    high = np.array([ranked(r) for r in above.tolist()])
    between: NDArray[np.float64] = low + (rank - below) * (high - low)
    return between


def _moments(off: NDArray[np.float64], *, excess: bool) -> dict[str, float]:
    square = off * off
    variance = float(square.mean())
    if variance == 0.0 or off.min() == off.max():
        return {"Variance": 0.0, "Skewness": np.nan, "Kurtosis": np.nan}
    return {
        "Variance": variance,
        "Skewness": float((square * off).mean()) / variance**1.5,
        "Kurtosis": float((square * square).mean()) / variance**2 - 3.0 * excess,
    }


def _histogram(levels: NDArray[np.int32]) -> dict[str, float]:
    counts = np.bincount(levels)
    share = counts[counts > 0] / levels.size
    if share.size < 2:
        return {"Entropy": np.nan, "Uniformity": np.nan}
    return {
        "Entropy": -float(share @ np.log2(share + EPSILON)),
        "Uniformity": float(share @ share),
    }
