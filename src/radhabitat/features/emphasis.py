"""GLRLM, GLSZM, GLDM: how far equal gray levels extend.

The three matrices count different things (runs in a direction, connected zones,
voxels with equal neighbors) by gray level and by size; their features are the same
sums.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from radhabitat.features.first_order import entropy

_WORDS = {
    "gldm": ("Dependence", "Dependence", "", "SmallDependence", "LargeDependence"),
    "glrlm": ("Run", "RunLength", "Run", "ShortRun", "LongRun"),
    "glszm": ("Zone", "SizeZone", "Zone", "SmallArea", "LargeArea"),
}
"""What is counted, its size, what has a gray level, small ones, large ones."""


def emphasis(
    matrices: NDArray[np.float64],
    gray: NDArray[np.float64],
    size: NDArray[np.float64],
    family: Literal["gldm", "glrlm", "glszm"],
) -> dict[str, float]:
    """Compute the 16 features of run lengths or size zones, the 14 of dependences.

    Each is computed for every matrix, then averaged; no matrix, no features. The two
    that PyRadiomics does not report for dependences are given all the same.

    Args:
        matrices: Counts, shape (matrices, levels, sizes): one matrix of zones or
            dependences, one per direction of runs.
        gray: The gray levels, shape (levels,).
        size: Voxels in what each column counts, shape (sizes,); of a dependence 1 +
            the number of neighbors of the same level.
        family: What the matrices count.

    Reference:
        Galloway, CGIP 1975; Thibault et al., PRIP 2009; Sun and Wee, CVGIP 1983;
        PyRadiomics 3.1, glrlm, glszm, gldm; IBSI 1 reference manual sections 3.7
        (TP0I), "3D: averaged" (IAZD), 3.8 (9SAK) and 3.11 (REK0), "3D" (KOBO).
    """
    if len(matrices) == 0:
        return {}
    thing, extent, of, small, large = _WORDS[family]
    total = matrices.sum(axis=(1, 2))
    p = matrices / total[:, None, None]
    by_gray, by_size = p.sum(axis=2), p.sum(axis=1)
    gray_uniformity, size_uniformity = (
        (by_gray**2).sum(axis=1),
        (by_size**2).sum(axis=1),
    )
    low, high = gray**-2.0, gray**2.0
    features = {
        f"LowGrayLevel{of}Emphasis": by_gray @ low,
        f"HighGrayLevel{of}Emphasis": by_gray @ high,
        "GrayLevelNonUniformity": gray_uniformity * total,
        "GrayLevelNonUniformityNormalized": gray_uniformity,
        "GrayLevelVariance": _variance(by_gray, gray),
        f"{extent}NonUniformity": size_uniformity * total,
        f"{extent}NonUniformityNormalized": size_uniformity,
        f"{thing}Variance": _variance(by_size, size),
        f"{thing}Entropy": entropy(p),
        f"{thing}Percentage": total / (total * (by_size @ size)),
    }
    for side, weight in ((small, size**-2.0), (large, size**2.0)):
        features[f"{side}Emphasis"] = by_size @ weight
        features[f"{side}LowGrayLevelEmphasis"] = p @ weight @ low
        features[f"{side}HighGrayLevelEmphasis"] = p @ weight @ high
    means = np.array(list(features.values())).mean(axis=1)
    return dict(zip(features, means.tolist(), strict=True))


def _variance(
    p: NDArray[np.float64], value: NDArray[np.float64]
) -> NDArray[np.float64]:
    off = value - (p @ value)[:, None]
    variance: NDArray[np.float64] = (p * off * off).sum(axis=1)
    return variance
