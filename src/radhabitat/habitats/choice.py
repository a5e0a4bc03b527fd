"""How many habitats: six criteria, each with one stated rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radhabitat.habitats.kmeans import draw, fit_kmeans
from radhabitat.habitats.partition import Partition, of_centers
from radhabitat.types import Mask

Points = NDArray[np.float32]
Scores = dict[int, float]

PAIRWISE_VOXELS = 2_000
PATCH_MM = 6.0
PATCH_CORRELATION = 0.2
REFERENCES = 10
GAUSSIAN = {2: (0.3634, 0.35), 3: (0.1902, 0.23), 4: (0.1175, 0.165)}
"""Share of a Gaussian's variance that k levels leave, and the standard deviation of
that share in n draws times the square root of n (from 100 simulations)."""


@dataclass(frozen=True, eq=False)
class Divided:
    """Points divided into 1, 2 ... habitats.

    Attributes:
        points: Shape (points, channels), sorted.
        divisions: k -> how; k = 1 included.
        inertia: k -> within-habitat sum of squares of K-means, the elbow curve.
        seed: Of drawn points.
    """

    points: Points
    divisions: Mapping[int, Partition]
    inertia: Scores
    seed: int


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
        return len(log_inertia)
    gain = -np.diff(log_inertia)
    return 2 + int(np.argmax(gain[:-1] - gain[1:]))


def choose(criterion: str, divided: Divided, k_max: int) -> tuple[int, Scores]:
    """Return the k that a criterion chooses, and its curve.

    elbow: see `elbow`. silhouette, calinski_harabasz: the largest. davies_bouldin,
    bic: the smallest. gap: the first k whose gap is not below the next one's minus
    its standard error. bic and gap may choose 1.

    Args:
        criterion: Its name.
        divided: Divisions into 1..k_max + 1 habitats, fewer in small tumors.
        k_max: The largest k that may be chosen.
    """
    if criterion == "elbow":
        curve = divided.inertia
        return min(elbow(curve), k_max), dict(curve)
    if criterion == "gap":
        return _gap(divided, k_max)
    score, sign = CRITERIA[criterion]
    first = 1 if criterion == "bic" else 2
    ks = [k for k in sorted(divided.divisions) if first <= k <= k_max]
    scores = {k: score(divided, k) for k in ks}
    worst = -np.inf
    rank = {k: float(np.nan_to_num(sign * v, nan=worst)) for k, v in scores.items()}
    return max(ks, key=lambda k: (rank[k], -k), default=1), scores


def is_homogeneous(points: Points, seed: int) -> bool:
    """Tell whether a tumor's intensities show no more structure than one Gaussian.

    Along each principal axis of 2,000 drawn voxels, the share of the sum of squares
    that 2, 3 and 4 habitats leave is compared with what the best 2, 3 and 4 levels
    leave of a Gaussian. Homogeneous: none of them is more than four standard errors
    lower. Long tails alone are no structure.

    Args:
        points: Intensities, shape (voxels, channels), sorted.
        seed: Of the drawn voxels.

    Reference:
        Max, IRE Trans Inf Theory 1960;6:7, table I; after Liu et al., J Am Stat
        Assoc 2008;103:1281 (SigClust).
    """
    sample = draw(points, PAIRWISE_VOXELS, seed).astype(np.float64)
    centered = sample - sample.mean(axis=0)
    along = centered @ np.linalg.svd(centered, full_matrices=False)[2].T
    return not any(
        _share_left(axis, k) < share - 4.0 * error / np.sqrt(len(axis))
        for axis in along.T
        for k, (share, error) in GAUSSIAN.items()
    )


def is_patchy(values: Points, region: Mask) -> bool:
    """Tell whether voxels 6 mm apart resemble each other in any channel.

    They do if their intensities correlate by more than 0.2, the mean over the axes
    of the grid. Noise and fine texture do not reach so far; cores and rims do.

    Args:
        values: Shape (voxels, channels), in the region's C order.
        region: Where they lie.

    Reference:
        Moran, Biometrika 1950;37:17 (autocorrelation).
    """
    steps = np.maximum(np.rint(PATCH_MM / region.grid.spacing_mm).astype(int), 1)
    for channel in values.T.astype(np.float64):
        picture = np.full(region.array.shape, np.nan)
        picture[region.array] = (channel - channel.mean()) / max(channel.std(), 1e-12)
        along = [np.moveaxis(picture, axis, 0) for axis in range(3)]
        products = [p[n:] * p[:-n] for p, n in zip(along, steps, strict=True)]
        known = np.concatenate([p[np.isfinite(p)] for p in products])
        if len(known) and known.mean() > PATCH_CORRELATION:
            return True
    return False


def _share_left(values: NDArray[np.float64], k: int) -> float:
    from sklearn.cluster import KMeans

    start = np.quantile(values, (np.arange(k) + 0.5) / k)
    if len(np.unique(start)) < k:
        return 1.0
    model = KMeans(k, init=start[:, np.newaxis], n_init=1).fit(values[:, np.newaxis])
    return float(model.inertia_ / (values**2).sum())


def _curve(points: Points, k_max: int, seed: int) -> list[float]:
    """Return the inertia of k = 1..k_max, fewer of few distinct points."""
    fitted = fit_kmeans(points, k_max, restarts=2, seed=seed)
    return [inertia_of(points, of_centers(c)) for c in fitted.values()]


def inertia_of(points: Points, division: Partition) -> float:
    """Return the sum of squared distances to the nearest centers."""
    return float(division.nearest(points)[1].sum())


def _silhouette(divided: Divided, k: int) -> float:
    """Rousseeuw, J Comput Appl Math 1987;20:53, on 2,000 drawn points."""
    from sklearn.metrics import silhouette_score

    return _labeled(silhouette_score, divided, k, PAIRWISE_VOXELS)


def _davies_bouldin(divided: Divided, k: int) -> float:
    """Davies and Bouldin, IEEE Trans Pattern Anal Mach Intell 1979;1:224."""
    from sklearn.metrics import davies_bouldin_score

    return _labeled(davies_bouldin_score, divided, k, len(divided.points))


def _calinski_harabasz(divided: Divided, k: int) -> float:
    """Calinski and Harabasz, Commun Stat 1974;3:1."""
    from sklearn.metrics import calinski_harabasz_score

    return _labeled(calinski_harabasz_score, divided, k, len(divided.points))


def _labeled(
    score: Callable[[Points, NDArray[np.uint8]], float],
    divided: Divided,
    k: int,
    count: int,
) -> float:
    sample = draw(divided.points, count, divided.seed)
    labels = divided.divisions[k].assign(sample)
    if len(np.unique(labels)) < 2:
        return float("nan")
    return float(score(sample, labels))


def _bic(divided: Divided, k: int) -> float:
    """Schwarz, Ann Stat 1978;6:461, of the mixture; of K-means, as of a mixture.

    Reference: Pelleg and Moore, ICML 2000 (equal round parts), for K-means.
    """
    points, division = divided.points, divided.divisions[k]
    n, channels = points.shape
    if division.penalty is not None:
        apart = np.stack([division.distance_to(j, points) for j in range(k)])
        likelihood = float(np.logaddexp.reduce(-0.5 * apart, axis=0).sum())
        likelihood -= 0.5 * n * channels * float(np.log(2.0 * np.pi))
        free = k * (1 + channels + channels * (channels + 1) / 2) - 1
    else:
        where, distance = division.nearest(points)
        sizes = np.maximum(np.bincount(where, minlength=k), 1)
        variance = max(float(distance.sum()) / (channels * max(n - k, 1)), 1e-300)
        likelihood = float((sizes * np.log(sizes / n)).sum())
        likelihood -= 0.5 * channels * n * float(np.log(2.0 * np.pi * variance))
        likelihood -= 0.5 * channels * (n - k)
        free = k * (1 + channels)
    return float(free * np.log(n) - 2.0 * likelihood)


def _gap(divided: Divided, k_max: int) -> tuple[int, Scores]:
    """Tibshirani, Walther and Hastie, J R Stat Soc B 2001;63:411.

    Ten samples, uniform in the box along the principal axes of 2,000 drawn points,
    are divided in the same way as these points.
    """
    sample = draw(divided.points, PAIRWISE_VOXELS, divided.seed)
    largest = min(k_max + 1, max(divided.divisions))
    middle = sample.mean(axis=0, dtype=np.float64)
    axes = np.linalg.svd(sample - middle, full_matrices=False)[2]
    along = (sample - middle) @ axes.T
    low, high = along.min(axis=0), along.max(axis=0)
    rng = np.random.default_rng(divided.seed)
    boxes = (rng.uniform(low, high, along.shape) @ axes for _ in range(REFERENCES))
    null = np.array(
        [_log_curve(b.astype(np.float32), largest, divided.seed) for b in boxes]
    )
    found = np.array(_log_curve(sample, largest, divided.seed))
    ks = min(null.shape[1], len(found))
    gap = null[:, :ks].mean(axis=0) - found[:ks]
    error = null[:, :ks].std(axis=0) * np.sqrt(1.0 + 1.0 / REFERENCES)
    enough = np.append(gap[:-1] >= gap[1:] - error[1:], True)
    k = min(1 + int(np.argmax(enough)), k_max)
    return k, {j: float(g) for j, g in enumerate(gap, start=1)}


def _log_curve(points: Points, k_max: int, seed: int) -> list[float]:
    tiny = float(np.finfo(np.float64).tiny)
    return [float(np.log(max(i, tiny))) for i in _curve(points, k_max, seed)]


CRITERIA: Mapping[str, tuple[Callable[[Divided, int], float], float]] = {
    "silhouette": (_silhouette, 1.0),
    "calinski_harabasz": (_calinski_harabasz, 1.0),
    "davies_bouldin": (_davies_bouldin, -1.0),
    "bic": (_bic, -1.0),
}
"""Name -> score of one k, and 1 where a larger one is better."""
