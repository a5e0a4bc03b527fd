"""The elbow of the inertia curve, by one stated rule."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from radhabitat.habitats.kmeans import fit_kmeans

CURVE_VOXELS = 10_000
CURVE_RESTARTS = 4


def inertia_curve(
    voxels: NDArray[np.float32], *, k_max: int, seed: int
) -> dict[int, float]:
    """Return k -> within-habitat sum of squares for k = 1..k_max.

    Large tumors are represented by 10,000 voxels drawn at random with `seed`: the
    shape of the curve does not need more.

    Args:
        voxels: Intensities, shape (voxels, sequences).
        k_max: End of the curve.
        seed: Of the drawn voxels and the K-means starts.
    """
    drawn = voxels
    if len(voxels) > CURVE_VOXELS:
        rows = np.random.default_rng(seed).choice(
            len(voxels), CURVE_VOXELS, replace=False
        )
        drawn = voxels[np.sort(rows)]
    k_max = min(k_max, len(np.unique(drawn, axis=0)))
    curve = {1: float(((drawn - drawn.mean(axis=0, dtype=float)) ** 2).sum())}
    for k in range(2, k_max + 1):
        model = fit_kmeans(drawn, k, restarts=CURVE_RESTARTS, seed=seed)
        curve[k] = float(model.inertia_)
    return curve


def elbow(curve: Mapping[int, float]) -> int:
    """Return the k after which the inertia stops falling fast.

    With d(k) = log I(k-1) - log I(k), the relative gain of the k-th habitat, the
    elbow is the k with the largest d(k) - d(k+1). The logarithm makes the rule
    independent of units and lets it return any k from 2 to one less than the end
    of the curve, where a rule on I itself is drawn to 2 or 3.

    Args:
        curve: k -> inertia, for consecutive k starting at 1.

    Example:
        >>> elbow({1: 100.0, 2: 55.0, 3: 10.0, 4: 8.0, 5: 7.0})
        3
    """
    tiny = np.finfo(np.float64).tiny
    log_inertia = np.log(np.maximum([curve[k] for k in sorted(curve)], tiny))
    if len(log_inertia) < 3:
        return 2
    gain = -np.diff(log_inertia)
    return 2 + int(np.argmax(gain[:-1] - gain[1:]))
