"""K-means for every k on the voxels of one tumor: fast, and the same bytes always."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.cluster import KMeans

Points = NDArray[np.float32]

START_VOXELS = 10_000
START_SHARE = 25
END_TOLERANCE = 2e-5


def in_order(points: Points) -> Points:
    """Return rows sorted by their values: no order of the voxels changes a result."""
    ordered: Points = points[np.lexsort(points.T[::-1])]
    return ordered


def draw(points: Points, count: int, seed: int) -> Points:
    """Return at most `count` rows drawn without replacement, in their order."""
    if len(points) <= count:
        return points
    rows = np.random.default_rng(seed).choice(len(points), count, replace=False)
    return points[np.sort(rows)]


def fit_kmeans(
    points: Points, k_max: int, *, restarts: int, seed: int
) -> dict[int, NDArray[np.float64]]:
    """Return k -> centers, shape (k, channels), for k = 1..k_max.

    Starts compete on 10,000 drawn voxels (4 % of more than 250,000): `restarts` of
    k-means++, and the solution for k - 1 with each of its habitats split in two. The
    best then converges on all voxels. Fewer distinct intensities than k end the series.

    Args:
        points: Intensities, shape (voxels, channels), sorted by `in_order`.
        k_max: The last k.
        restarts: Number of k-means++ starts.
        seed: Of the drawn voxels and the starts.

    Reference:
        Lloyd, IEEE Trans Inf Theory 1982; Arthur and Vassilvitskii, SODA 2007.
    """
    from threadpoolctl import threadpool_limits

    sample = draw(points, max(START_VOXELS, len(points) // START_SHARE), seed)
    largest = min(k_max, len(np.unique(sample, axis=0)))
    centers = {1: points.mean(axis=0, dtype=np.float64)[np.newaxis]}
    before: KMeans | None = None
    # one thread adds in one order
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a start whose habitat became empty
        for k in range(2, largest + 1):
            tries = [_lloyd(sample, k, restarts=restarts, seed=seed)]
            tries += [_lloyd(sample, s) for s in _splits(before, sample)]
            before = min(tries, key=lambda model: float(model.inertia_))
            last = _lloyd(points, before.cluster_centers_, tolerance=END_TOLERANCE)
            centers[k] = _means(points, last.labels_)
            if len(centers[k]) < k:
                del centers[k]
                break
    return centers


def _lloyd(
    points: Points,
    start: int | NDArray[np.float64],
    *,
    restarts: int = 1,
    seed: int = 0,
    tolerance: float = 1e-4,
) -> KMeans:
    """Run K-means from k drawn centers, or from given ones."""
    from sklearn.cluster import KMeans

    if isinstance(start, int):
        return KMeans(start, n_init=restarts, random_state=seed % 2**32).fit(points)
    return KMeans(len(start), init=start, n_init=1, tol=tolerance).fit(points)


def _splits(model: KMeans | None, points: Points) -> list[NDArray[np.float64]]:
    """Return starts with one habitat more: each split along its longest axis."""
    if model is None:
        return []
    starts = []
    centers = model.cluster_centers_
    for habitat, center in enumerate(centers):
        own = points[model.labels_ == habitat]
        if len(own) > 1:
            variances, axes = np.linalg.eigh(np.atleast_2d(np.cov(own.T)))
            half = (np.sqrt(max(variances[-1], 0.0)) * axes[:, -1]).astype(
                centers.dtype
            )
            rest = np.delete(centers, habitat, axis=0)
            starts.append(np.vstack([rest, center - half, center + half]))
    return starts


def _means(points: Points, labels: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the mean of each habitat that has voxels, sorted by its values."""
    means = np.array(
        [points[labels == h].mean(axis=0, dtype=np.float64) for h in np.unique(labels)]
    )
    return np.array(sorted(map(tuple, means.tolist())))
