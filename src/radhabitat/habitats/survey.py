"""What one tumor says about its habitats, before the cohort is asked."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import ComputationError, MaskError
from radhabitat.habitats.choice import (
    Divided,
    choose,
    inertia_of,
    is_homogeneous,
    is_patchy,
)
from radhabitat.habitats.kmeans import START_VOXELS, draw, fit_kmeans, in_order
from radhabitat.habitats.partition import Floats, Partition, Points, of_centers
from radhabitat.habitats.space import channels_of, spread_of
from radhabitat.settings import HabitatSettings
from radhabitat.types import AlignedSubject

DRAWN_VOXELS = 1_000


@dataclass(frozen=True, eq=False)
class Survey:
    """One tumor, or the voxels of a whole cohort, divided in every way.

    Attributes:
        k: Its own number of habitats; 1: nothing supports more.
        homogeneous: Neither its intensities nor where they lie show any structure.
        scores: k -> what the criterion says of it.
        divisions: k -> how the tumor is divided into k, as far as its size allows.
        spread: Standard deviation of its voxels, shape (channels,).
        points: What stands for it where the cohort is divided as a whole: drawn
            voxels or supervoxels, shape (points, channels); else none.
    """

    k: int
    homogeneous: bool
    scores: Mapping[int, float]
    divisions: Mapping[int, Partition]
    spread: Floats
    points: Points

    def to_json(self) -> dict[str, object]:
        """Return what `from_json` reads back, number for number."""
        return {
            "k": self.k,
            "homogeneous": self.homogeneous,
            "scores": {str(k): v for k, v in self.scores.items()},
            "divisions": {str(k): d.to_json() for k, d in self.divisions.items()},
            "spread": self.spread.tolist(),
            "points": self.points.tolist(),
        }

    @staticmethod
    def from_json(value: Mapping[str, object]) -> Survey:
        """Read what `to_json` gave."""
        scores = cast("dict[str, float | None]", value["scores"])
        divisions = cast("dict[str, dict[str, object]]", value["divisions"])
        spread = np.array(value["spread"], dtype=np.float64)
        points = np.array(value["points"], dtype=np.float32)
        return Survey(
            k=cast("int", value["k"]),
            homogeneous=bool(value["homogeneous"]),
            scores={int(k): np.nan if v is None else v for k, v in scores.items()},
            divisions={int(k): Partition.from_json(d) for k, d in divisions.items()},
            spread=spread,
            points=points.reshape(-1, len(spread)),
        )


def survey_tumor(
    subject: AlignedSubject, settings: HabitatSettings, *, seed: int
) -> Survey:
    """Divide a tumor in every way, or choose what stands for it in its cohort.

    Raises:
        MaskError: The tumor is too small for two habitats.
        ComputationError: It has fewer than two distinct intensities.
    """
    least = 2 * settings.min_voxels
    if subject.tumor.voxels < least:
        raise MaskError(
            f"The tumor of patient {subject.patient} has {subject.tumor.voxels} "
            f"voxels on the final grid; 2 habitats need at least 2 x "
            f"{settings.min_voxels}",
            "check the drawn region, or lower habitats.min_voxels in study.toml",
        )
    values = channels_of(subject, settings)
    points = in_order(values)
    if (points[0] == points[-1]).all():
        raise ComputationError(
            f"The tumor of patient {subject.patient} has 1 distinct intensities; no "
            "habitats can be told apart",
            "check that the images hold the tumor",
        )
    if settings.design == "per_tumor":
        survey = survey_points(points, settings, seed=seed)
        if is_homogeneous(points, seed) and not is_patchy(values, subject.tumor):
            return replace(survey, k=1, homogeneous=True)
        return survey
    if settings.design == "pooled":
        chosen = draw(points, DRAWN_VOXELS, seed)
    else:
        chosen = supervoxels(points, settings, seed)
    return Survey(0, False, {}, {}, spread_of(points), chosen)


def survey_points(points: Points, settings: HabitatSettings, *, seed: int) -> Survey:
    """Divide points into 1, 2 ... habitats, and choose a number of them.

    Args:
        points: Shape (points, channels), sorted.
        settings: `method`, `k`, `k_max`, `restarts` and `min_voxels`.
        seed: Of all draws.
    """
    largest = min(settings.k_max + 1, max(2, len(points) // settings.min_voxels))
    fitted = fit_kmeans(points, largest, restarts=settings.restarts, seed=seed)
    divisions = {k: of_centers(centers) for k, centers in fitted.items()}
    inertia = {k: inertia_of(points, d) for k, d in divisions.items()}
    if settings.method == "gmm":
        divisions = {k: mixture(points, c, seed) for k, c in fitted.items()}
    criterion = settings.k if isinstance(settings.k, str) else "elbow"
    divided = Divided(points, divisions, inertia, seed)
    k, scores = choose(criterion, divided, settings.k_max)
    return Survey(
        k=k,
        homogeneous=False,
        scores=scores,
        divisions={j: d for j, d in divisions.items() if j <= settings.k_max},
        spread=spread_of(points),
        points=points[:0],
    )


def mixture(points: Points, centers: Floats, seed: int) -> Partition:
    """Return a Gaussian mixture of full covariances that starts from K-means.

    Reference: Dempster, Laird and Rubin, J R Stat Soc B 1977;39:1.
    """
    from sklearn.mixture import GaussianMixture
    from threadpoolctl import threadpool_limits

    model = GaussianMixture(
        len(centers),
        means_init=centers,
        reg_covar=1e-4 * float(points.var(axis=0, dtype=np.float64).mean()) + 1e-12,
        random_state=seed % 2**32,
    )
    sample = draw(points, START_VOXELS, seed).astype(np.float64)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 100 rounds are enough to draw a border
        model.fit(sample)
    whitening: NDArray[np.float64] = model.precisions_cholesky_
    log_det = np.log(np.diagonal(whitening, axis1=1, axis2=2)).sum(axis=1)
    plain = of_centers(model.means_)
    penalty = -2.0 * (np.log(model.weights_) + log_det)
    return Partition(plain.centers, plain.habitats, plain.count, whitening, penalty)


def supervoxels(points: Points, settings: HabitatSettings, seed: int) -> Points:
    """Return the centers of many small groups of similar voxels."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    sample = draw(points, START_VOXELS, seed)
    most = min(len(np.unique(sample, axis=0)), len(points) // settings.min_voxels)
    model = KMeans(min(settings.supervoxels, most), n_init=1, random_state=seed % 2**32)
    with threadpool_limits(limits=1):
        centers: Points = model.fit(sample).cluster_centers_.astype(np.float32)
    return in_order(centers)
