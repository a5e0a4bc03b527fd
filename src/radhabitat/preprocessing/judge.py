"""Which of several transforms shows the same tissue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radhabitat.preprocessing.crop import Crop, Frame
from radhabitat.preprocessing.quality import agreement
from radhabitat.preprocessing.resample import in_view, resample_image
from radhabitat.types import Volume

_LEAST_KEPT_IN_VIEW = 0.8

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Target:
    """What every other sequence is registered to.

    Attributes:
        frame: Axes of the reference, from the middle of the tumor.
        crop: The reference around the tumor; None where it is too thin to register.
        region: Tumor and neighborhood, shape of `crop.array`.
        ring: The neighborhood without the tumor, same shape.
    """

    frame: Frame
    crop: Crop | None
    region: NDArray[np.bool_]
    ring: NDArray[np.bool_]


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

    def region_in_view(self, transform: Matrix) -> float:
        """Return the share of the region that the sequence shows."""
        seen = in_view(self.image.grid, self.fixed.grid, transform)
        return float(seen[self.target.region].mean())

    def best(self, candidates: Mapping[str, Matrix]) -> str:
        """Return the name of the transform with the largest mutual information.

        All are compared at the points that all of them see; one that moves a fifth of
        the region out of view is none.
        """
        least = _LEAST_KEPT_IN_VIEW * self.region_in_view(np.eye(4))
        fit = {n: t for n, t in candidates.items() if self.region_in_view(t) >= least}
        seen = self._seen_by_all(fit.values(), self.target.region)
        scores = {name: self._agreement(t, seen)[0] for name, t in fit.items()}
        return max(scores, key=lambda name: scores[name])

    def compare(self, transform: Matrix) -> dict[str, float]:
        """Return the measures of a transform against leaving the image alone."""
        still = np.eye(4)
        region = self._seen_by_all([still, transform], self.target.region)
        ring = self._seen_by_all([still, transform], self.target.ring)
        center = np.append(self.target.frame.center_mm, 1.0)
        measures = {
            "displacement_mm": float(np.linalg.norm((transform @ center - center)[:3])),
            "region_in_view": self.region_in_view(transform),
        }
        for when, matrix in (("before", still), ("after", transform)):
            mi, nmi = self._agreement(matrix, region)
            measures[f"mi_{when}"], measures[f"nmi_{when}"] = mi, nmi
            measures[f"ring_nmi_{when}"] = self._agreement(matrix, ring)[1]
        return measures

    def _seen_by_all(
        self, transforms: Iterable[Matrix], where: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        seen = where.copy()
        for transform in transforms:
            seen &= in_view(self.image.grid, self.fixed.grid, transform)
        return seen

    def _agreement(
        self, transform: Matrix, where: NDArray[np.bool_]
    ) -> tuple[float, float]:
        moved = resample_image(
            Volume(self.moving.array, self.moving.grid),
            self.fixed.grid,
            transform,
            interpolation="linear",
        )
        return agreement(self.fixed.array[where], moved[where])
