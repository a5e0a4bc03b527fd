"""Breathing and deformation with a known answer.

A point of the reference lies at p + u(p) in a sequence's own space. Breathing
moves the organs of the cavity and leaves spine and wall; a few long waves deform
what moves. In the smooth family the motion falls smoothly toward the wall; in the
sliding family organs slide along it, and are squeezed and bent besides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from radhabitat.phantom.anatomy import SPINE, cavity_depth
from radhabitat.phantom.plan import Acquisition, PatientPlan
from radhabitat.types import Grid

Points = NDArray[np.float64]

NODES_MM: Final = (5.0, 5.0, 14.0)
_WAVES: Final = 4
_FADE_MM: Final = 32.0


@dataclass(frozen=True, eq=False)
class Squeeze:
    """Compression and bending, as displacement toward the head."""

    center_mm: Points  # where there is none, shape (3, 1)
    strain: float  # the largest; it varies between 0 and this; > 0 stretches
    wave: NDArray[np.float64]  # 1/mm, along which strain varies, shape (3,)
    phase: float  # of that wave in the center
    bend_mm: float  # between crest and trough
    bend_wave: NDArray[np.float64]  # 1/mm, horizontal, shape (3,)

    def at(self, points_mm: Points) -> NDArray[np.float64]:
        """Return the displacement along z of points (3, n), shape (n,)."""
        q = points_mm - self.center_mm
        ripple = np.sin(self.wave @ q + self.phase) - np.sin(self.phase)
        squeezed = self.strain / 2 * (q[2] + ripple / self.wave[2])
        bent = self.bend_mm / 2 * (1.0 - np.cos(self.bend_wave @ q))
        result: NDArray[np.float64] = squeezed + bent
        return result


@dataclass(frozen=True, eq=False)
class Motion:
    """Where the tissue of the reference is in one sequence."""

    scale: float  # of the body, relative to the standard one
    breathing_mm: Points  # displacement of the moving organs, shape (3, 1)
    warp_mm: float  # about the largest deformation besides
    waves: NDArray[np.float64]  # 1/mm, shape (3 components, waves, 3)
    phases: NDArray[np.float64]  # shape (3 components, waves)
    squeeze: Squeeze | None = None  # of organs that slide; None: the smooth family

    def at(self, points_mm: Points) -> Points:
        """Return the displacement u of reference points, both (3, ...), mm."""
        return np.where(self.inside(points_mm), self.unbounded(points_mm), 0.0)

    def back(self, points_mm: Points) -> Points:
        """Return v with u(x - v) = v: tissue seen at x belongs to x - v; mm."""
        return np.where(self.inside(points_mm), self.unbounded_back(points_mm), 0.0)

    def inside(self, points_mm: Points | NDArray[np.float32]) -> NDArray[np.bool_]:
        """Tell which points (3, ...) do not lie beyond a wall that organs slide on.

        Nothing crosses the wall: what is inside stays inside, in both directions.
        """
        if self.squeeze is None:
            return np.ones(points_mm.shape[1:], np.bool_)
        return self._depth(points_mm) > 0.0

    def unbounded(self, points_mm: Points) -> Points:
        """Return u as if it went on beyond the wall: without the jump."""
        if self.warp_mm == 0.0 and not self.breathing_mm.any():
            return np.zeros_like(points_mm)
        flat = points_mm.reshape(3, -1)
        angles = np.einsum("cwd,dn->cwn", self.waves, flat) + self.phases[..., None]
        local = np.sin(angles).mean(axis=1) * (1.2 * self.warp_mm / np.sqrt(3))
        field = self.breathing_mm * (1.0 + flat[2] / 1500.0) + local
        depth = self._depth(flat)
        if self.squeeze is None:
            share = _smoothstep((depth + 10.0) / 16.0) * self._off_spine(flat)
        else:
            share = self._off_spine(flat)
            field[:2] *= _smoothstep(depth / _FADE_MM)
            field[2] += self.squeeze.at(flat)
        moved: Points = share * field
        return moved.reshape(points_mm.shape)

    def unbounded_back(self, points_mm: Points) -> Points:
        """Return the inverse of `unbounded`.

        Fixed-point iteration; it converges because the fall across the wall is
        shear, which nothing feeds back.
        """
        v = self.unbounded(points_mm)
        if v.any():
            for _ in range(8):
                v = self.unbounded(points_mm - v)
        return v

    def _depth(self, p: Points | NDArray[np.float32]) -> NDArray[np.float64]:
        """About how deep points lie in the cavity, mm."""
        return cavity_depth((p / self.scale).astype(np.float32)).astype(np.float64)

    def _off_spine(self, p: Points) -> NDArray[np.float64]:
        """0 in the spine, 1 from 20 mm away."""
        q = p / self.scale
        spine: Points = np.hypot(q[0] - SPINE[0], 0.9 * (q[1] - SPINE[1]) + 6.0) - 24.0
        return _smoothstep(spine / 20.0)


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
        squeeze=_squeeze(plan, acquisition, rng) if plan.motion == "sliding" else None,
    )


def _squeeze(
    plan: PatientPlan, acquisition: Acquisition, rng: np.random.Generator
) -> Squeeze:
    """Toward the feet the diaphragm compresses the liver; toward the head it pulls."""
    lean = np.append(rng.uniform(-0.4, 0.4, 2), 1.0)
    angle = rng.uniform(0.0, 2 * np.pi)
    side = np.array([np.cos(angle), np.sin(angle), 0.0])
    return Squeeze(
        center_mm=np.array(plan.tumor_center_mm)[:, None],
        strain=float(np.sign(acquisition.breathing_mm[2]) * rng.uniform(0.05, 0.08)),
        wave=2 * np.pi * lean / rng.uniform(80.0, 120.0),
        phase=float(rng.uniform(0.0, 2 * np.pi)),
        bend_mm=float(rng.choice([-1.0, 1.0]) * rng.uniform(4.0, 6.0)),
        bend_wave=2 * np.pi * side / rng.uniform(100.0, 140.0),
    )


def on_grid(motion: Motion, grid: Grid, *, inverse: bool) -> NDArray[np.float32]:
    """Return u, or v if `inverse`, at every voxel: float32, (3, i, j, k), mm.

    Computed on nodes about 5 mm apart within slices and 14 mm across, and
    interpolated by cubic splines; the field is smoother than that, but for the jump
    at a wall that organs slide along, which every voxel is asked for.
    """
    nodes = [
        np.linspace(0.0, n - 1.0, max(4, round((n - 1) / stride) + 1))
        for n, stride in zip(grid.shape, NODES_MM / grid.spacing_mm, strict=True)
    ]
    mesh = np.stack(np.meshgrid(*nodes, indexing="ij"), axis=-1)
    points = np.moveaxis(grid.to_mm(mesh), -1, 0)
    field = motion.unbounded_back(points) if inverse else motion.unbounded(points)
    result = field.astype(np.float32)
    for axis, known in reversed(list(enumerate(nodes))):
        spline = make_interp_spline(known, np.eye(len(known)), k=3)
        matrix = spline(np.arange(grid.shape[axis])).astype(np.float32)
        finer = np.moveaxis(result, axis + 1, -1) @ matrix.T
        result = np.moveaxis(finer, -1, axis + 1)
    result[:, ~motion.inside(grid_points(grid))] = 0.0
    return np.ascontiguousarray(result)


def grid_points(grid: Grid) -> NDArray[np.float32]:
    """Return the RAS+ mm of every voxel, float32, shape (3, i, j, k)."""
    i, j, k = (np.arange(n, dtype=np.float64) for n in grid.shape)
    points = np.empty((3, *grid.shape), np.float32)
    for axis in range(3):
        a, b, c, start = grid.affine[axis]
        points[axis] = (a * i + start)[:, None, None] + (b * j)[:, None] + c * k
    return points


def _smoothstep(x: NDArray[np.float64]) -> NDArray[np.float64]:
    t = np.clip(x, 0.0, 1.0)
    result: NDArray[np.float64] = t * t * (3.0 - 2.0 * t)
    return result
