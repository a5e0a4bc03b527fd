"""A body as implicit functions: which tissue a point of the reference space is.

Points are float32 of shape (3, n), RAS+ mm, relative to a body of standard size;
organs are ellipsoids, vessels are chains of capsules, and a smooth random field
makes the liver's surface uneven.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from radhabitat.phantom.smooth import SmoothNoise
from radhabitat.phantom.tissues import Tissue

Points = NDArray[np.float32]
Inside = NDArray[np.bool_]
Vector = tuple[float, float, float]

HALF_WIDTH: Final = 166.0
HALF_DEPTH: Final = 114.0
SKIN: Final = 13.0
CAVITY: Final = (141.0, 80.0, 11.0)
"""Half width, half depth and forward shift of the abdominal cavity, mm."""
SPINE: Final = (0.0, -50.0)

_PORTAL: Final[tuple[tuple[Vector, Vector, float], ...]] = (
    ((12, -6, -45), (30, 4, -12), 7.0),
    ((30, 4, -12), (58, 2, -4), 6.0),
    ((58, 2, -4), (88, 24, 2), 4.5),
    ((58, 2, -4), (92, -26, -14), 4.5),
    ((88, 24, 2), (110, 38, 18), 3.0),
    ((92, -26, -14), (114, -32, -30), 3.0),
    ((30, 4, -12), (14, 34, 10), 4.5),
    ((14, 34, 10), (-22, 52, 22), 3.5),
)
_HEPATIC: Final[tuple[tuple[Vector, Vector, float], ...]] = (
    ((24, -22, 62), (62, -14, 46), 5.5),
    ((62, -14, 46), (104, -8, 22), 4.0),
    ((24, -20, 62), (42, 26, 44), 5.0),
    ((42, 26, 44), (52, 56, 20), 3.5),
    ((20, -18, 62), (0, 30, 44), 4.5),
    ((0, 30, 44), (-24, 56, 34), 3.0),
)


@dataclass(frozen=True, eq=False)
class Body:
    """One patient's body; the liver reaches around the tumor."""

    scale: float  # relative to the standard body
    surface: SmoothNoise  # unevenness of the liver, asked in standard mm
    tumor_center_mm: Vector
    tumor_radius_mm: float

    def tissue_at(self, points_mm: Points) -> NDArray[np.uint8]:
        """Return the `Tissue` without the tumor, shape (n,), of points (3, n)."""
        p = points_mm / np.float32(self.scale)
        labels = _wall(p)
        cavity = np.flatnonzero(cavity_depth(p) > 0)
        labels[cavity] = self._organs(np.ascontiguousarray(p[:, cavity]))
        _paint_spine(labels, p)
        return labels

    def _organs(self, p: Points) -> NDArray[np.uint8]:
        labels = np.full(p.shape[1], Tissue.VISCERAL_FAT, np.uint8)
        uneven = self.surface.at(p)
        labels[_bowel(p, uneven)] = Tissue.BOWEL
        labels[_ellipsoid(p, (-62, 46, 18), (42, 38, 44)) > 0] = Tissue.BOWEL
        labels[_ellipsoid(p, (-62, 44, 18), (34, 30, 37)) > 0] = Tissue.FLUID
        for x in (66, -64):
            kidney = _ellipsoid(p, (x, -34, -62), (29, 25, 52))
            labels[kidney > 0] = Tissue.KIDNEY
            sinus = _ellipsoid(p, (x * 0.84, -32, -62), (15, 12, 24))
            labels[sinus > 0] = Tissue.VISCERAL_FAT
        spleen = _ellipsoid(p, (-104, -22, 30), (33, 46, 56)) + 0.05 * uneven
        labels[spleen > 0] = Tissue.SPLEEN
        liver = np.flatnonzero(self._liver(p, uneven))
        labels[liver] = _vessels(p[:, liver])
        gallbladder = _ellipsoid(p, (44, 42, -58), (15, 22, 20))
        labels[gallbladder > 0] = Tissue.FLUID
        labels[_lung(p)] = Tissue.LUNG
        heart = _ellipsoid(p, (-22, 46, 112), (56, 42, 40))
        labels[heart > 0] = Tissue.MUSCLE
        labels[_ellipsoid(p, (-22, 46, 112), (40, 28, 28)) > 0] = Tissue.CAVA
        labels[_disk(p, (24.0, -24.0), (12.0, 9.5)) > 0] = Tissue.CAVA
        labels[_disk(p, (-13.0, -23.0), (10.5, 10.5)) > 0] = Tissue.AORTA
        return labels

    def _liver(self, p: Points, uneven: NDArray[np.float32]) -> Inside:
        right = _ellipsoid(p, (66, 6, 2), (76, 92, 96))
        left = _ellipsoid(p, (-6, 50, 32), (72, 36, 44))
        tumor = np.array(self.tumor_center_mm) / self.scale
        radius = (self.tumor_radius_mm + 14.0) / self.scale
        around = _ellipsoid(p, tuple(tumor), (radius, radius, radius))
        lobes = np.maximum(right, left) + np.float32(0.05) * uneven
        hollow = _ellipsoid(p, (-14, -38, -10), (46, 40, 240)) > 0
        inside: Inside = ((lobes > 0) & ~hollow) | (around > 0)
        return inside & (cavity_depth(p) > 2.0)


def cavity_depth(p: Points) -> NDArray[np.float32]:
    """Return about how deep points lie in the abdominal cavity, mm; < 0 outside."""
    width, depth, shift = CAVITY
    radius = np.hypot(p[0] / np.float32(width), (p[1] - np.float32(shift)) / depth)
    result: NDArray[np.float32] = (1 - radius) * np.float32(depth)
    return result.astype(np.float32)


def _wall(p: Points) -> NDArray[np.uint8]:
    labels = np.full(p.shape[1], Tissue.AIR, np.uint8)
    labels[_disk(p, (0.0, 0.0), (HALF_WIDTH, HALF_DEPTH)) > 0] = Tissue.SKIN_FAT
    inner = (HALF_WIDTH - SKIN, HALF_DEPTH - SKIN)
    muscle = _disk(p, (0.0, 0.0), inner) > 0
    labels[muscle] = Tissue.MUSCLE
    ribs = muscle & (cavity_depth(p) > -7.0) & (p[1] > -70)
    slant = p[2] + np.float32(0.35) * p[1]
    ribs &= np.mod(slant, np.float32(27.0)) < 9.0
    labels[ribs & (p[2] > -70)] = Tissue.MARROW
    return labels


def _paint_spine(labels: NDArray[np.uint8], p: Points) -> None:
    near = np.flatnonzero((np.abs(p[0]) < 60) & (p[1] < -20) & (labels != Tissue.AIR))
    q = p[:, near]
    part = labels[near]
    for x in (36.0, -36.0):
        part[_disk(q, (x, -80.0), (27.0, 17.0)) > 0] = Tissue.MUSCLE
    part[_disk(q, (0.0, -88.0), (6.0, 15.0)) > 0] = Tissue.MARROW
    body = _disk(q, SPINE, (21.0, 17.0)) > 0
    part[body] = Tissue.MARROW
    part[body & (np.mod(q[2], np.float32(34.0)) < 8.0)] = Tissue.DISC
    part[_disk(q, (0.0, -75.0), (10.0, 8.0)) > 0] = Tissue.CANAL
    labels[near] = part


def _bowel(p: Points, uneven: NDArray[np.float32]) -> Inside:
    top = np.float32(-18) + 14 * uneven
    inside: Inside = (p[2] < top) & (uneven + 0.012 * (-15 - p[2]) > -0.4)
    return inside & (cavity_depth(p) > 8.0)


def _lung(p: Points) -> Inside:
    right = 98 - 62 * (((p[0] - 62) / 108) ** 2 + ((p[1] - 6) / 96) ** 2)
    left = 84 - 55 * (((p[0] + 72) / 84) ** 2 + ((p[1] - 2) / 92) ** 2)
    inside: Inside = p[2] > np.maximum(right, left)
    return inside


def _vessels(p: Points) -> NDArray[np.uint8]:
    labels = np.full(p.shape[1], Tissue.LIVER, np.uint8)
    for tree, tissue in (
        (_HEPATIC, Tissue.HEPATIC_VEIN),
        (_PORTAL, Tissue.PORTAL_VEIN),
    ):
        for start, end, radius in tree:
            box = np.flatnonzero(_near(p, start, end, radius))
            inside = _segment_distance(p[:, box], start, end) < radius
            labels[box[inside]] = tissue
    return labels


def _near(p: Points, start: Vector, end: Vector, radius: float) -> Inside:
    low = np.minimum(start, end) - radius
    high = np.maximum(start, end) + radius
    inside = np.ones(p.shape[1], np.bool_)
    for axis in range(3):
        inside &= (p[axis] > low[axis]) & (p[axis] < high[axis])
    return inside


def _segment_distance(p: Points, start: Vector, end: Vector) -> NDArray[np.float32]:
    a = np.array(start, np.float32)[:, None]
    along = np.array(end, np.float32)[:, None] - a
    share = np.clip(((p - a) * along).sum(axis=0) / (along**2).sum(), 0, 1)
    distance: NDArray[np.float32] = np.linalg.norm(p - a - share * along, axis=0)
    return distance


def _ellipsoid(p: Points, center: Vector, half: Vector) -> NDArray[np.float32]:
    """1 in the center, 0 on the surface, negative outside."""
    total = np.zeros(p.shape[1], np.float32)
    for axis in range(3):
        offset = p[axis] - np.float32(center[axis])
        total += (offset / np.float32(half[axis])) ** 2
    result: NDArray[np.float32] = np.float32(1) - total
    return result


def _disk(
    p: Points, center: tuple[float, float], half: tuple[float, float]
) -> NDArray[np.float32]:
    """The same in the axial plane, whatever z."""
    x = (p[0] - np.float32(center[0])) / np.float32(half[0])
    y = (p[1] - np.float32(center[1])) / np.float32(half[1])
    result: NDArray[np.float32] = np.float32(1) - x * x - y * y
    return result
