"""From tissue to picture: uptake, signal, coil, receiver noise, integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from radhabitat.phantom.anatomy import Body
from radhabitat.phantom.kinetics import (
    RELAXIVITY,
    concentrations,
    spoiled_gradient_echo,
)
from radhabitat.phantom.motion import Motion, build_motion, grid_points, on_grid
from radhabitat.phantom.plan import Acquisition, PatientPlan
from radhabitat.phantom.smooth import draw_noise
from radhabitat.phantom.tissues import PROPERTIES, Tissue
from radhabitat.phantom.tumor import Tumor, build_tumor
from radhabitat.types import Grid

POINT_SPREAD_VOXELS: Final = 0.45
BRIGHTEST: Final = 4095

Labels = NDArray[np.uint8]
Picture = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Scene:
    """What lies in front of the scanner."""

    plan: PatientPlan
    body: Body  # everything but the tumor
    tumor: Tumor

    def tissue_at(self, points_mm: Picture) -> Labels:
        """Return the `Tissue` of reference points, (3, ...) -> (...)."""
        flat = np.ascontiguousarray(points_mm.reshape(3, -1))
        labels = self.body.tissue_at(flat)
        near = self.tumor.near(flat)
        tumor = self.tumor.tissue_at(flat[:, near])
        labels[near] = np.where(tumor > 0, tumor, labels[near])
        return labels.reshape(points_mm.shape[1:])


@dataclass(frozen=True, eq=False)
class Exposure:
    """One acquired sequence and what went into it, on its native grid."""

    grid: Grid
    intensities: NDArray[np.int16]  # what the scanner would store, shape (i, j, k)
    labels: Labels  # the `Tissue` of each voxel
    bias: Picture  # multiplicative coil field
    motion: Motion  # from the reference to this sequence


def build_scene(plan: PatientPlan) -> Scene:
    """Return the body and the tumor of a plan."""
    tumor = build_tumor(plan)
    body = Body(
        scale=plan.body_scale,
        surface=draw_noise(plan.rng(1), 22.0),
        tumor_center_mm=plan.tumor_center_mm,
        tumor_radius_mm=float(tumor.radii_mm.max()),
    )
    return Scene(plan, body, tumor)


def expose(scene: Scene, sequence: str) -> Exposure:
    """Return one sequence of a scene as the scanner would store it."""
    plan = scene.plan
    acquisition = plan.acquisition(sequence)
    grid = acquisition.grid
    motion = build_motion(plan, sequence)
    points = grid_points(grid)
    if acquisition.warp_mm > 0.0:
        points -= on_grid(motion, grid, inverse=True)
    labels = scene.tissue_at(points)
    signal = signal_at(plan, acquisition, points, labels)
    signal = gaussian_filter(signal, POINT_SPREAD_VOXELS, truncate=3.0)
    bias = _coil(acquisition)
    rng = plan.rng(5, plan.acquisitions.index(acquisition))
    stored = _receive(plan.gain * bias * signal, plan.noise, rng)
    return Exposure(grid, stored, labels, bias, motion)


def signal_at(
    plan: PatientPlan, acquisition: Acquisition, points: Picture, labels: Labels
) -> Picture:
    """Return what a scanner without coil, blur and noise sees of reference points.

    Args:
        plan: The patient.
        acquisition: The sequence.
        points: RAS+ mm in the reference, shape (3, ...).
        labels: Their `Tissue`, shape (...).
    """
    contrast = concentrations(
        acquisition.time_s, arrival_s=plan.arrival_s, perfusion=plan.perfusion
    )
    tissues = sorted(Tissue)
    of = [PROPERTIES[t] for t in tissues]
    uptake = np.array([contrast[t] for t in tissues], np.float32)[labels]
    rate = np.array([1000.0 / p.t1_ms for p in of], np.float32)[labels]
    _add_texture(plan, points, labels, (uptake, rate))
    return spoiled_gradient_echo(
        np.array([p.density for p in of], np.float32)[labels],
        rate + np.float32(RELAXIVITY) * uptake,
        np.array([1000.0 / p.t2star_ms for p in of], np.float32)[labels],
    )


def _add_texture(
    plan: PatientPlan,
    points: Picture,
    labels: Labels,
    pictures: tuple[Picture, Picture],
) -> None:
    """Vary uptake, and R1 a quarter as much, by log-normal noise fixed to tissue."""
    flat = points.reshape(3, -1)
    for tissue, of in PROPERTIES.items():
        voxels = np.flatnonzero(labels == tissue)
        if of.texture == 0.0 or voxels.size == 0:
            continue
        for what, (picture, part) in enumerate(zip(pictures, (1.0, 0.25), strict=True)):
            noise = draw_noise(plan.rng(4, what, int(tissue)), of.grain_mm)
            factor = np.exp(np.float32(of.texture * part) * noise.at(flat[:, voxels]))
            picture.reshape(-1)[voxels] *= factor


def _coil(acquisition: Acquisition) -> Picture:
    """Return exp of three low-order terms over the slab, within the planned range."""
    x, y, z = (np.linspace(-1, 1, n, dtype=np.float32) for n in acquisition.shape)
    a, b, c, reach = acquisition.bias
    field = (a * x + 0.5 * b * (x * x - 1 / 3))[:, None, None]
    field = field + (b * y + 0.6 * a * (y * y - 1 / 3))[:, None]
    field = field + 0.5 * c * z
    field = field - field.mean()
    field *= reach / np.abs(field).max()
    coil: Picture = np.exp(field).astype(np.float32)
    return coil


def _receive(
    signal: Picture, noise: float, rng: np.random.Generator
) -> NDArray[np.int16]:
    """Magnitude of a complex signal with Gaussian noise in both channels: Rician.

    Reference: Gudbjartsson and Patz 1995, Magn Reson Med 34:910, equation 1.
    """
    shape = signal.shape
    real = signal + np.float32(noise) * rng.standard_normal(shape, dtype=np.float32)
    imaginary = np.float32(noise) * rng.standard_normal(shape, dtype=np.float32)
    magnitude = np.minimum(np.rint(np.hypot(real, imaginary)), BRIGHTEST)
    stored: NDArray[np.int16] = magnitude.astype(np.int16)
    return stored
