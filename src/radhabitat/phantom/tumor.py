"""One tumor of three tissues with irregular borders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from radhabitat.phantom.plan import PatientPlan
from radhabitat.phantom.smooth import SmoothNoise, draw_noise
from radhabitat.phantom.tissues import Tissue

Points = NDArray[np.float32]
Values = NDArray[np.float32]

_EDGE: Final = 0.13
_REACH: Final = 1.45
_RIM: Final = 0.10
_GRAIN_MM: Final = 11.0


@dataclass(frozen=True, eq=False)
class Tumor:
    """Where each tissue of the tumor is, in the space of the reference.

    Inside, the score of a core is its depth plus a random field, and the deepest
    share is necrotic; of the rest, a gradient across the tumor plus patches
    decides what is infiltrative. The thresholds give the planned shares.
    """

    center_mm: Points  # RAS+, shape (3, 1)
    radii_mm: Points  # along x, y, z, shape (3, 1)
    side: Points  # where infiltration prevails, unit vector, shape (3, 1)
    edge: SmoothNoise  # of the border, asked in radii like the next two
    core: SmoothNoise  # of the necrosis
    patches: SmoothNoise  # of the infiltration
    core_level: float = np.inf  # necrotic where the core's score is higher
    patch_level: float = np.inf  # infiltrative where the patches' score is higher

    def near(self, points_mm: Points) -> NDArray[np.intp]:
        """Return which of points (3, n) may lie in the tumor, or just around it."""
        offset = np.abs(points_mm - self.center_mm) < _REACH * self.radii_mm
        return np.flatnonzero(offset.all(axis=0))

    def depth(self, points_mm: Points) -> Values:
        """Return how deep points lie, in radii: 0 on the border, 1 in the center."""
        q = (points_mm - self.center_mm) / self.radii_mm
        result: Values = 1 - np.sqrt((q**2).sum(axis=0)) + _EDGE * self.edge.at(q)
        return result

    def tissue_at(self, points_mm: Points) -> NDArray[np.uint8]:
        """Return 0 or a tumor `Tissue`, shape (n,), of points (3, n)."""
        depth = self.depth(points_mm)
        core, patch = self._scores(points_mm, depth)
        labels = np.where(patch > self.patch_level, Tissue.INFILTRATIVE, Tissue.VIABLE)
        labels[core > self.core_level] = Tissue.NECROTIC
        labels[depth <= 0] = Tissue.AIR
        return labels.astype(np.uint8)

    def _scores(self, points_mm: Points, depth: Values) -> tuple[Values, Values]:
        q = (points_mm - self.center_mm) / self.radii_mm
        core: Values = depth + 0.30 * self.core.at(q)
        core[depth < _RIM] = -np.inf
        patch: Values = (q * self.side).sum(axis=0) + 0.45 * self.patches.at(q)
        return core, patch


def build_tumor(plan: PatientPlan) -> Tumor:
    """Return the tumor that a plan asks for."""
    rng = plan.rng(2)
    side = rng.standard_normal((3, 1))
    grain = float(np.clip(_GRAIN_MM / (plan.diameter_mm / 2), 0.30, 0.60))
    raw = Tumor(
        center_mm=np.array(plan.tumor_center_mm, np.float32)[:, None],
        radii_mm=np.array(plan.tumor_ratio, np.float32)[:, None],
        side=(side / np.linalg.norm(side)).astype(np.float32),
        edge=draw_noise(rng, 0.42),
        core=draw_noise(rng, grain),
        patches=draw_noise(rng, grain),
    )
    line = np.linspace(-_REACH, _REACH, 48, dtype=np.float32)
    cube = np.stack(np.meshgrid(line, line, line, indexing="ij")).reshape(3, -1)
    samples = (raw.center_mm + cube * raw.radii_mm).astype(np.float32)
    depth = raw.depth(samples)
    inside = depth > 0
    core, patch = raw._scores(samples[:, inside], depth[inside])
    _, infiltrative, necrotic = plan.fractions
    core_level = float(np.quantile(core, 1 - necrotic, method="lower"))
    rest = patch[core <= core_level]
    patch_level = float(np.quantile(rest, 1 - infiltrative / (1 - necrotic)))
    offsets = samples[:, inside] - raw.center_mm
    size = plan.diameter_mm / widest_axial_mm(offsets.T.astype(np.float64))
    return replace(
        raw,
        radii_mm=(raw.radii_mm * size).astype(np.float32),
        core_level=core_level,
        patch_level=patch_level,
    )


def second_reader(
    tumor: Tumor, points_mm: Points, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return the tumor as another reader draws it, shape (n,), of points (3, n).

    The contour wanders smoothly by 1.3 mm (standard deviation) and lies up to
    0.6 mm inside or outside as a whole.
    """
    radius = np.float32(tumor.radii_mm.mean())
    wander = draw_noise(rng, 9.0).at(points_mm - tumor.center_mm)
    habit = float(rng.uniform(-0.6, 0.6))
    shift: Values = (1.3 * wander + habit) / radius
    return tumor.depth(points_mm) + shift > 0


def widest_axial_mm(points_mm: NDArray[np.float64]) -> float:
    """Return the largest in-slice diameter of voxel centers, shape (n, 3).

    Slices are taken where the third coordinate, rounded to 0.1 mm, is the same.
    """
    levels = np.round(points_mm[:, 2], 1)
    slices = (points_mm[levels == level, :2] for level in np.unique(levels))
    return max(map(_width, slices), default=0.0)


def _width(points: NDArray[np.float64]) -> float:
    """Largest distance between two points of a plane, over 60 directions."""
    angles = np.arange(60) * np.pi / 60
    along = points @ np.stack([np.cos(angles), np.sin(angles)])
    return float(np.ptp(along, axis=0).max())
