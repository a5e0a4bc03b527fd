"""Where the tumor went: every translation within reach, by mutual information."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from radhabitat.preprocessing.crop import CROP_SPACING_MM, Crop
from radhabitat.preprocessing.quality import (
    count_bins,
    mutual_information,
    quantile_codes,
)

REACH_MM = 24.0
STEP_MM = 4.0
FAR_MM = 12.0

_POINTS = 2000
_STARTS = 5
_LEAST_IN_VIEW = 0.8

Shift = tuple[int, int, int]


@dataclass(frozen=True)
class Found:
    """The best translation and how much better it is than the others.

    Attributes:
        shift_mm: From a point of the reference to the same tissue in the moving
            image, along the axes of the frame.
        peak_ratio: Best mutual information over the best more than 12 mm away; above
            2.5 in clear cases, 1..2 where nothing fits, None where nothing that far
            kept 80 % of the points in view.
        at_border: The best translation is at the end of the reach.
    """

    shift_mm: tuple[float, float, float]
    peak_ratio: float | None
    at_border: bool


@dataclass(frozen=True, eq=False)
class _Points:
    """Sampled points and the coded moving image that they look into."""

    index: NDArray[np.intp]
    codes: NDArray[np.intp]
    moving: NDArray[np.intp]
    bins: int

    def score(self, shift: Shift) -> float:
        """Return the mutual information after a shift by voxels; -1: out of view."""
        at = self.index + np.array(shift)
        shape = np.array(self.moving.shape)
        kept = ((at >= 0) & (at < shape)).all(axis=1)
        where = np.ravel_multi_index(tuple(at[kept].T), self.moving.shape)
        seen = self.moving.ravel()[where]
        pairs = (self.codes[kept] * (self.bins + 1) + seen)[seen < self.bins]
        if pairs.size < _LEAST_IN_VIEW * len(self.index):
            return -1.0
        joint = np.bincount(pairs, minlength=self.bins * (self.bins + 1))
        return mutual_information(joint.reshape(self.bins, -1)[:, : self.bins])[0]


def search_translation(
    fixed: Crop, moving: Crop, *, region: NDArray[np.bool_], seed: int
) -> Found | None:
    """Return the best translation; None where too little of the region was imaged.

    All translations up to 24 mm on a 4-mm raster, then the neighbors of the five best.
    Affine registration without it once lost the tumor by 59 mm.

    Args:
        fixed: The reference around the tumor.
        moving: The other image, on the same raster.
        region: Where to look, shape of `fixed.array`.
        seed: Of the 2,000 points drawn in the region.
    """
    points = _sample(fixed, moving, region, seed)
    step = round(STEP_MM / CROP_SPACING_MM)
    reach = step * int(REACH_MM / STEP_MM)
    raster = range(-reach, reach + 1, step)
    scores = {s: points.score(s) for s in product(raster, raster, raster)}
    best = _refine(points, scores, step)
    if best is None:
        return None
    a, b, c = (CROP_SPACING_MM * v for v in best)
    at_border = max(map(abs, best)) >= reach
    return Found((a, b, c), _peak_ratio(scores, best), at_border)


def _sample(fixed: Crop, moving: Crop, region: NDArray[np.bool_], seed: int) -> _Points:
    index = np.argwhere(region)
    if len(index) > _POINTS:
        drawn = np.random.default_rng(seed).choice(len(index), _POINTS, replace=False)
        index = index[np.sort(drawn)]
    bins = count_bins(len(index))
    values = fixed.array[tuple(index.T)]
    there = index + np.subtract(fixed.first, moving.first)
    codes = quantile_codes(moving.array, _unmoved(moving, there), bins)
    codes[~moving.imaged] = bins
    return _Points(there, quantile_codes(values, values, bins), codes, bins)


def _unmoved(moving: Crop, there: NDArray[np.intp]) -> NDArray[np.float32]:
    """The moving image at the region: its gray levels, not those of air and skin."""
    inside = ((there >= 0) & (there < np.array(moving.array.shape))).all(axis=1)
    at = tuple(there[inside].T)
    seen = moving.array[at][moving.imaged[at]]
    return seen if seen.size else moving.array[moving.imaged]


def _refine(points: _Points, scores: dict[Shift, float], step: int) -> Shift | None:
    ranked = sorted(scores, key=lambda shift: -scores[shift])[:_STARTS]
    near = range(1 - step, step)
    around = dict.fromkeys(
        (a + x, b + y, c + z)
        for a, b, c in ranked
        if scores[a, b, c] > 0.0
        for x, y, z in product(near, near, near)
    )
    return max(around, key=points.score, default=None)


def _peak_ratio(scores: dict[Shift, float], best: Shift) -> float | None:
    far_voxels = FAR_MM / CROP_SPACING_MM
    far = [
        score
        for shift, score in scores.items()
        if np.hypot.reduce(np.subtract(shift, best)) > far_voxels and score > 0.0
    ]
    return max(scores.values()) / max(far) if far else None
