"""Breathing and deformation with a known answer.

A point of the reference lies at p + u(p) in a sequence's own space. Breathing
moves the organs of the cavity and leaves spine and wall, with a smooth fall
between them that resembles sliding; a few long waves deform what moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from radhabitat.phantom.anatomy import SPINE, cavity_depth
from radhabitat.phantom.plan import PatientPlan
from radhabitat.types import Grid

Points = NDArray[np.float64]

NODES_MM: Final = (5.0, 5.0, 14.0)
_WAVES: Final = 4


@dataclass(frozen=True, eq=False)
class Motion:
    """Where the tissue of the reference is in one sequence."""

    scale: float  # of the body, relative to the standard one
    breathing_mm: Points  # displacement of the moving organs, shape (3, 1)
    warp_mm: float  # about the largest deformation besides
    waves: NDArray[np.float64]  # 1/mm, shape (3 components, waves, 3)
    phases: NDArray[np.float64]  # shape (3 components, waves)

    def at(self, points_mm: Points) -> Points:
        """Return the displacement u of reference points, both (3, ...), mm."""
        if self.warp_mm == 0.0 and not self.breathing_mm.any():
            return np.zeros_like(points_mm)
        flat = points_mm.reshape(3, -1)
        angles = np.einsum("cwd,dn->cwn", self.waves, flat) + self.phases[..., None]
        local = np.sin(angles).mean(axis=1) * (1.2 * self.warp_mm / np.sqrt(3))
        taper = 1.0 + flat[2] / 1500.0
        moved: Points = self._share(flat) * (self.breathing_mm * taper + local)
        return moved.reshape(points_mm.shape)

    def back(self, points_mm: Points) -> Points:
        """Return v with u(x - v) = v: tissue seen at x belongs to x - v; mm.

        Fixed-point iteration; it converges because the fall across the wall is
        shear, which nothing feeds back.
        """
        v = self.at(points_mm)
        if v.any():
            for _ in range(8):
                v = self.at(points_mm - v)
        return v

    def _share(self, p: Points) -> NDArray[np.float64]:
        """1 where organs move with the diaphragm, 0 in spine and wall."""
        q = p / self.scale
        depth = cavity_depth(q.astype(np.float32)).astype(np.float64)
        wall = _smoothstep((depth + 10.0) / 16.0)
        spine: Points = np.hypot(q[0] - SPINE[0], 0.9 * (q[1] - SPINE[1]) + 6.0) - 24.0
        return wall * _smoothstep(spine / 20.0)


def build_motion(plan: PatientPlan, sequence: str) -> Motion:
    """Return the motion between the reference and a sequence."""
    acquisition = plan.acquisition(sequence)
    rng = plan.rng(3, plan.acquisitions.index(acquisition))
    direction = rng.standard_normal((3, _WAVES, 3))
    direction /= np.linalg.norm(direction, axis=2, keepdims=True)
    length_mm = rng.uniform(90.0, 160.0, (3, _WAVES, 1))
    return Motion(
        scale=plan.body_scale,
        breathing_mm=np.array(acquisition.breathing_mm)[:, None],
        warp_mm=acquisition.warp_mm,
        waves=2 * np.pi * direction / length_mm,
        phases=rng.uniform(0, 2 * np.pi, (3, _WAVES)),
    )


def on_grid(motion: Motion, grid: Grid, *, inverse: bool) -> NDArray[np.float32]:
    """Return u, or v if `inverse`, at every voxel: float32, (3, i, j, k), mm.

    Computed on nodes about 5 mm apart within slices and 14 mm across, and
    interpolated by cubic splines; the field is smoother than that.
    """
    nodes = [
        np.linspace(0.0, n - 1.0, max(4, round((n - 1) / stride) + 1))
        for n, stride in zip(grid.shape, NODES_MM / grid.spacing_mm, strict=True)
    ]
    mesh = np.stack(np.meshgrid(*nodes, indexing="ij"), axis=-1)
    points = np.moveaxis(grid.to_mm(mesh), -1, 0)
    field = motion.back(points) if inverse else motion.at(points)
    result = field.astype(np.float32)
    for axis, known in reversed(list(enumerate(nodes))):
        spline = make_interp_spline(known, np.eye(len(known)), k=3)
        matrix = spline(np.arange(grid.shape[axis])).astype(np.float32)
        finer = np.moveaxis(result, axis + 1, -1) @ matrix.T
        result = np.moveaxis(finer, -1, axis + 1)
    return np.ascontiguousarray(result)


def _smoothstep(x: NDArray[np.float64]) -> NDArray[np.float64]:
    t = np.clip(x, 0.0, 1.0)
    result: NDArray[np.float64] = t * t * (3.0 - 2.0 * t)
    return result
