"""How well two images agree, and which of several transforms is best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from radhabitat.preprocessing.crop import Crop, Target
from radhabitat.preprocessing.resample import in_view, resample_image
from radhabitat.types import Transform, Volume

_LEAST_KEPT_IN_VIEW = 0.8
_MOST_BINS = 24
_VALUES_PER_CELL = 4
_BESIDE_MM = 4.0


def count_bins(samples: int) -> int:
    """Return gray levels per image: about 4 samples per joint cell, 4..24 levels.

    Fixed levels would bias mutual information by (levels - 1)^2 / (2 samples), too
    much for small tumors.

    Reference:
        Panzeri and Treves, Network 1996;7:87.
    """
    return int(np.clip(np.sqrt(samples / _VALUES_PER_CELL), 4, _MOST_BINS))


def quantile_codes(
    values: NDArray[np.float32], sample: NDArray[np.float32], bins: int
) -> NDArray[np.intp]:
    """Return which of `bins` equally filled levels of a sample each value falls in."""
    edges = np.quantile(sample, np.linspace(0.0, 1.0, bins + 1)[1:-1])
    codes: NDArray[np.intp] = np.searchsorted(edges, values)
    return codes


def mutual_information(joint: NDArray[np.intp]) -> tuple[float, float]:
    """Return mutual information in nats and its normalized form, 1 (none) to 2 (all).

    Args:
        joint: Counts, shape (levels of one image, levels of the other).

    Reference:
        Studholme, Hill and Hawkes, Pattern Recognit 1999;32:71.
    """
    share = joint / max(int(joint.sum()), 1)
    apart = _entropy(share.sum(axis=1)) + _entropy(share.sum(axis=0))
    together = _entropy(share.ravel())
    return apart - together, apart / together if together > 0.0 else 1.0


def agreement(
    first: NDArray[np.float32], second: NDArray[np.float32]
) -> tuple[float, float]:
    """Return (MI, NMI) of two lists of intensities of the same points."""
    if first.size == 0:
        return 0.0, 1.0
    bins = count_bins(first.size)
    codes = quantile_codes(first, first, bins) * bins
    codes = codes + quantile_codes(second, second, bins)
    joint = np.bincount(codes, minlength=bins * bins).reshape(bins, bins)
    return mutual_information(joint)


def _entropy(share: NDArray[np.float64]) -> float:
    filled = share[share > 0.0]
    return -float((filled * np.log(filled)).sum())


@dataclass(frozen=True, eq=False)
class Judge:
    """Tells which of several transforms shows the same tissue.

    Attributes:
        target: The reference.
        fixed: Its crop.
        moving: The other image around the tumor.
        image: The same as acquired, for what it shows.
    """

    target: Target
    fixed: Crop
    moving: Crop
    image: Volume

    def region_in_view(self, transform: Transform) -> float:
        """Return the share of the region that the sequence shows."""
        seen = in_view(self.image.grid, self.fixed.grid, transform)
        return float(seen[self.target.region].mean())

    def best(self, candidates: Mapping[str, Transform]) -> str:
        """Return the name of the transform with the largest mutual information.

        All are compared at the points that all of them see; one that moves a fifth of
        the region out of view is none.
        """
        least = _LEAST_KEPT_IN_VIEW * self.region_in_view(Transform())
        fit = {n: t for n, t in candidates.items() if self.region_in_view(t) >= least}
        seen = self.seen_by_all(fit.values(), self.target.region)
        scores = {name: self._agreement(t, seen)[0] for name, t in fit.items()}
        return max(scores, key=lambda name: scores[name])

    def compare(self, transform: Transform) -> dict[str, float]:
        """Return the measures of a transform against leaving the image alone.

        `displacement_mm` of the tumor's middle, `region_in_view`, MI and NMI `before`
        and `after` in the region and (ring_nmi) around the tumor, the lowest and the
        highest local `volume_change` in the region, its share that is `folded`, and
        the share of the MI that is lost 4 mm beside (`sharpness`).
        """
        still = Transform()
        region = self.seen_by_all([still, transform], self.target.region)
        ring = self.seen_by_all([still, transform], self.target.ring)
        center = self.target.frame.center_mm
        change = transform.jacobian()
        if change.shape == self.target.region.shape:
            change = change[self.target.region]
        measures = {
            "displacement_mm": float(
                np.linalg.norm(transform.to_sequence(center) - center)
            ),
            "region_in_view": self.region_in_view(transform),
            "volume_change_low": float(change.min()),
            "volume_change_high": float(change.max()),
            "folded": float((change <= 0.0).mean()),
        }
        measures["sharpness"] = self._sharpness(transform, region)
        for when, one in (("before", still), ("after", transform)):
            mi, nmi = self._agreement(one, region)
            measures[f"mi_{when}"], measures[f"nmi_{when}"] = mi, nmi
            measures[f"ring_nmi_{when}"] = self._agreement(one, ring)[1]
        return measures

    def _sharpness(self, transform: Transform, where: NDArray[np.bool_]) -> float:
        """Return the share of mutual information lost 4 mm to each side, mean of 6."""
        best = self._agreement(transform, where)[0]
        if best <= 0.0:
            return 0.0
        beside = []
        for step_mm in np.vstack([np.eye(3), -np.eye(3)]) * _BESIDE_MM:
            matrix = transform.matrix.copy()
            matrix[:3, 3] += step_mm
            there = replace(transform, matrix=matrix)
            beside.append(self._agreement(there, where)[0])
        return 1.0 - float(np.mean(beside)) / best

    def seen_by_all(
        self, transforms: Iterable[Transform], where: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Return where the sequence has voxels under each of the transforms."""
        seen = where.copy()
        for transform in transforms:
            seen &= in_view(self.image.grid, self.fixed.grid, transform)
        return seen

    def moved(self, transform: Transform) -> NDArray[np.float32]:
        """Return the moving crop on the voxels of the reference's."""
        moving = Volume(self.moving.array, self.moving.grid)
        return resample_image(
            moving, self.fixed.grid, transform, interpolation="linear"
        )

    def _agreement(
        self, transform: Transform, where: NDArray[np.bool_]
    ) -> tuple[float, float]:
        moved = self.moved(transform)
        return agreement(self.fixed.array[where], moved[where])
