"""A partition: which habitat each intensity belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Points = NDArray[np.float32]

BLOCK = 65_536
"""Points whose distances are in memory together."""


@dataclass(frozen=True, eq=False)
class Partition:
    """Centers in the space of the channels; a voxel goes with the nearest.

    Attributes:
        centers: Shape (centers, channels).
        habitats: Which habitat 1..count each center stands for, shape (centers,);
            several centers may stand for one, and a habitat may have none.
        count: Number of habitats of the cohort.
        whitening: Of a Gaussian mixture: what a center's differences are multiplied
            by (Cholesky factor of the precision), shape (centers, channels,
            channels); None: distances are Euclidean.
        penalty: Added to the squared distance to each center, shape (centers,).
    """

    centers: Floats
    habitats: NDArray[np.uint8]
    count: int
    whitening: Floats | None = None
    penalty: Floats | None = None

    def nearest(self, points: Points) -> tuple[NDArray[np.intp], Floats]:
        """Return the nearest center of each point, and its squared distance.

        Sums run over the channels one by one, so that a point's answer depends on
        no other point.
        """
        where = np.zeros(len(points), dtype=np.intp)
        least = np.full(len(points), np.inf)
        for start in range(0, len(points), BLOCK):
            rows = slice(start, start + BLOCK)
            for number in range(len(self.centers)):
                distance = self.distance_to(number, points[rows])
                closer = distance < least[rows]
                where[rows][closer] = number
                np.copyto(least[rows], distance, where=closer)
        return where, least

    def assign(self, points: Points) -> NDArray[np.uint8]:
        """Return the habitat 1..count of each point, shape (points,)."""
        found: NDArray[np.uint8] = self.habitats[self.nearest(points)[0]]
        return found

    def distance_to(self, number: int, points: Points) -> Floats:
        """Return the squared distance of each point to one center, shape (points,)."""
        apart = [points[:, s] - c for s, c in enumerate(self.centers[number])]
        if self.whitening is not None:
            factors = self.whitening[number].T
            apart = [
                _sum(f * a for f, a in zip(row, apart, strict=True)) for row in factors
            ]
        total = _sum(a * a for a in apart)
        return total if self.penalty is None else total + self.penalty[number]

    def to_json(self) -> dict[str, object]:
        """Return what `from_json` reads back, number for number."""
        value: dict[str, object] = {
            "centers": self.centers.tolist(),
            "habitats": self.habitats.tolist(),
            "count": self.count,
        }
        if self.whitening is not None and self.penalty is not None:
            value["whitening"] = self.whitening.tolist()
            value["penalty"] = self.penalty.tolist()
        return value

    @staticmethod
    def from_json(value: Mapping[str, object]) -> Partition:
        """Read what `to_json` gave."""
        arrays = {
            name: np.array(value[name], dtype=np.float64)
            for name in ("centers", "whitening", "penalty")
            if name in value
        }
        habitats = np.array(value["habitats"], dtype=np.uint8)
        return Partition(habitats=habitats, count=int(str(value["count"])), **arrays)


def of_centers(centers: Floats) -> Partition:
    """Return the partition whose centers are habitats 1, 2 ... in their order."""
    count = len(centers)
    return Partition(centers, np.arange(1, count + 1, dtype=np.uint8), count)


def _sum(parts: Iterable[Floats]) -> Floats:
    first, *rest = parts
    for part in rest:
        first = first + part
    return first
