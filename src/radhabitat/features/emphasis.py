"""GLRLM, GLSZM, GLDM: how far equal gray levels extend.

The three matrices count different things (runs in a direction, connected zones,
voxels with equal neighbors) by gray level and by size; their features are the same
sums.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radhabitat.features.first_order import EPSILON


class _Sums(NamedTuple):
    """The sums over matrices of shape (matrices, levels, sizes); each (matrices,)."""

    small: NDArray[np.float64]
    large: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    small_low: NDArray[np.float64]
    small_high: NDArray[np.float64]
    large_low: NDArray[np.float64]
    large_high: NDArray[np.float64]
    gray_uniformity: NDArray[np.float64]
    size_uniformity: NDArray[np.float64]
    gray_variance: NDArray[np.float64]
    size_variance: NDArray[np.float64]
    entropy: NDArray[np.float64]
    total: NDArray[np.float64]
    voxels: NDArray[np.float64]


def run_lengths(
    runs: NDArray[np.float64], gray: NDArray[np.float64]
) -> dict[str, float]:
    """Compute the 16 features of the gray-level run lengths.

    Each is computed for every direction, then averaged; no direction, no features.

    Args:
        runs: Runs of 1, 2 ... voxels, shape (directions, levels, lengths).
        gray: The gray levels, shape (levels,).

    Reference:
        Galloway, CGIP 1975; PyRadiomics 3.1, glrlm; IBSI 1 reference manual
        section 3.7 (TP0I), "3D: averaged" (IAZD).
    """
    if len(runs) == 0:
        return {}
    sums = _sums(runs, gray, _counting_from_one(runs.shape[2]))
    features = _named(sums, "Run", "RunLength", ("ShortRun", "LongRun")) | {
        "GrayLevelNonUniformityNormalized": sums.gray_uniformity,
        "RunLengthNonUniformityNormalized": sums.size_uniformity,
        "RunPercentage": sums.total / sums.voxels,
        "LowGrayLevelRunEmphasis": sums.low,
        "HighGrayLevelRunEmphasis": sums.high,
    }
    return {name: float(values.mean()) for name, values in features.items()}


def size_zones(
    zones: NDArray[np.float64],
    zone_sizes: NDArray[np.float64],
    gray: NDArray[np.float64],
) -> dict[str, float]:
    """Compute the 16 features of the gray-level size zones.

    Args:
        zones: Zones of 26-connected voxels of one level, shape (levels, sizes).
        zone_sizes: Voxels of the zones in each column, shape (sizes,).
        gray: The gray levels, shape (levels,).

    Reference:
        Thibault et al., PRIP 2009; PyRadiomics 3.1, glszm; IBSI 1 reference manual
        section 3.8 (9SAK), "3D" (KOBO).
    """
    sums = _sums(zones[None], gray, zone_sizes)
    features = _named(sums, "Zone", "SizeZone", ("SmallArea", "LargeArea")) | {
        "GrayLevelNonUniformityNormalized": sums.gray_uniformity,
        "SizeZoneNonUniformityNormalized": sums.size_uniformity,
        "ZonePercentage": sums.total / sums.voxels,
        "LowGrayLevelZoneEmphasis": sums.low,
        "HighGrayLevelZoneEmphasis": sums.high,
    }
    return {name: float(values[0]) for name, values in features.items()}


def dependences(
    voxels: NDArray[np.float64], gray: NDArray[np.float64]
) -> dict[str, float]:
    """Compute the 14 features of the gray-level dependences.

    The size of a dependence is 1 + the number of neighbors of the same level.

    Args:
        voxels: Voxels with 0, 1 ... 26 such neighbors, shape (levels, 27).
        gray: The gray levels, shape (levels,).

    Reference:
        Sun and Wee, CVGIP 1983; PyRadiomics 3.1, gldm; IBSI 1 reference manual
        section 3.11 (REK0), "3D" (KOBO).
    """
    sums = _sums(voxels[None], gray, _counting_from_one(27))
    sides = ("SmallDependence", "LargeDependence")
    features = _named(sums, "Dependence", "Dependence", sides) | {
        "DependenceNonUniformityNormalized": sums.size_uniformity,
        "LowGrayLevelEmphasis": sums.low,
        "HighGrayLevelEmphasis": sums.high,
    }
    return {name: float(values[0]) for name, values in features.items()}


def _sums(
    matrices: NDArray[np.float64], gray: NDArray[np.float64], size: NDArray[np.float64]
) -> _Sums:
    p = matrices / matrices.sum(axis=(1, 2), keepdims=True)
    total = matrices.sum(axis=(1, 2))
    by_gray, by_size = p.sum(axis=2), p.sum(axis=1)
    low, high, small, large = gray**-2.0, gray**2.0, size**-2.0, size**2.0
    p_small, p_large = p @ small, p @ large
    flat = p.reshape(len(p), -1)
    return _Sums(
        small=by_size @ small,
        large=by_size @ large,
        low=by_gray @ low,
        high=by_gray @ high,
        small_low=p_small @ low,
        small_high=p_small @ high,
        large_low=p_large @ low,
        large_high=p_large @ high,
        gray_uniformity=(by_gray**2).sum(axis=1),
        size_uniformity=(by_size**2).sum(axis=1),
        gray_variance=_variance(by_gray, gray),
        size_variance=_variance(by_size, size),
        entropy=-np.einsum("dn,dn->d", flat, np.log2(flat + EPSILON)),
        total=total,
        voxels=total * (by_size @ size),
    )


def _counting_from_one(last: int) -> NDArray[np.float64]:
    return np.arange(1, last + 1, dtype=np.float64)


def _variance(
    p: NDArray[np.float64], value: NDArray[np.float64]
) -> NDArray[np.float64]:
    off = value - (p @ value)[:, None]
    variance: NDArray[np.float64] = (p * off * off).sum(axis=1)
    return variance


def _named(
    sums: _Sums, thing: str, size: str, sides: tuple[str, str]
) -> dict[str, NDArray[np.float64]]:
    """Give the features that all three matrices share their names."""
    small, large = sides
    return {
        f"{small}Emphasis": sums.small,
        f"{large}Emphasis": sums.large,
        f"{small}LowGrayLevelEmphasis": sums.small_low,
        f"{small}HighGrayLevelEmphasis": sums.small_high,
        f"{large}LowGrayLevelEmphasis": sums.large_low,
        f"{large}HighGrayLevelEmphasis": sums.large_high,
        "GrayLevelNonUniformity": sums.gray_uniformity * sums.total,
        f"{size}NonUniformity": sums.size_uniformity * sums.total,
        "GrayLevelVariance": sums.gray_variance,
        f"{thing}Variance": sums.size_variance,
        f"{thing}Entropy": sums.entropy,
    }
