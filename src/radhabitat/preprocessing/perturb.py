"""Measure the same tumor again, a little differently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radhabitat.preprocessing.register import same_breath
from radhabitat.settings import ReliabilitySettings
from radhabitat.types import AlignedSubject, Grid, Mask, Subject, Volume


def perturb(
    subject: AlignedSubject,
    kinds: Sequence[str],
    settings: ReliabilitySettings,
    *,
    seed: int,
) -> AlignedSubject:
    """Return a patient as another drawing or scan might have given it.

    shift: the contour moved as a whole. size: it grown or shrunk. noise: Gaussian,
    in parts of the tumor's spread. bias: a field that rises along a random direction.

    Args:
        subject: The patient, all sequences on one grid.
        kinds: Which of these; all at once. Others change nothing here.
        settings: `shift_mm` for contours, `strength` for noise and bias.
        seed: Of the draws.

    Reference:
        Zwanenburg et al., Sci Rep 2019;9:614.
    """
    rng = np.random.default_rng(seed)
    largest_mm = settings.shift_mm
    tumor = subject.tumor
    if "shift" in kinds:
        tumor = move_contour(tumor, rng.uniform(-largest_mm, largest_mm, 3))
    if "size" in kinds:
        tumor = grow_contour(tumor, float(rng.uniform(-largest_mm, largest_mm)))
    images = {}
    for sequence, image in subject.images.items():
        values = image.array
        if "bias" in kinds:
            values = values * _field(subject, settings.strength, rng)
        if "noise" in kinds:
            spread = values[subject.tumor.array].std(dtype=np.float64)
            draw = rng.standard_normal(values.shape, dtype=np.float32)
            values = values + np.float32(settings.strength * spread) * draw
        images[sequence] = Volume(values.astype(np.float32), image.grid)
    return replace(subject, images=images, tumor=tumor, second_reader=None)


def misplace(subject: Subject, largest_mm: float, *, seed: int) -> Subject:
    """Return a patient whose headers are wrong: registration starts elsewhere.

    Every sequence but the reference is moved along each axis by at most so much, those
    of one breath-hold together.

    Args:
        subject: The patient as acquired.
        largest_mm: Along each axis of the patient.
        seed: Of the draws.
    """
    rng = np.random.default_rng(seed)
    leaders = {subject.reference: subject.reference}
    shifts = {subject.reference: np.zeros(3)}
    images = {}
    for name, image in subject.images.items():
        leader = leaders.get(name) or same_breath(subject.images, leaders, name) or name
        leaders[name] = leader
        if leader not in shifts:
            shifts[leader] = rng.uniform(-largest_mm, largest_mm, 3)
        affine = image.grid.affine.copy()
        affine[:3, 3] += shifts[leader]
        images[name] = replace(image, grid=Grid(image.grid.shape, affine))
    return replace(subject, images=images)


def move_contour(mask: Mask, shift_mm: NDArray[np.float64]) -> Mask:
    """Return the mask moved as a whole, by mm along i, j, k."""
    moved = ndimage.shift(
        mask.array.astype(np.float32),
        shift_mm / mask.grid.spacing_mm,
        order=1,
        mode="nearest",
    )
    return Mask(moved >= 0.5, mask.grid)


def grow_contour(mask: Mask, by_mm: float) -> Mask:
    """Return the mask with its border moved outward; inward where negative.

    A mask that would vanish stays as it is.
    """
    spacing = mask.grid.spacing_mm
    inner = ndimage.distance_transform_edt(mask.array, sampling=spacing)
    outer = ndimage.distance_transform_edt(~mask.array, sampling=spacing)
    half = 0.5 * float(spacing.mean())  # distances end at centers of voxels
    grown = np.where(mask.array, half - inner, outer - half) <= by_mm
    return Mask(grown, mask.grid) if grown.any() else mask


def _field(
    subject: AlignedSubject, strength: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return a field from 1 - strength to 1 + strength over the tumor's extent."""
    where = subject.tumor.points_mm()
    middle, reach = where.mean(axis=0), np.ptp(where, axis=0).max() / 2.0
    direction = rng.standard_normal(3)
    direction *= strength / (np.linalg.norm(direction) * max(float(reach), 1.0))
    grid = subject.grid
    index = np.moveaxis(np.indices(grid.shape, dtype=np.float64), 0, -1)
    field: NDArray[np.float64] = 1.0 + (grid.to_mm(index) - middle) @ direction
    return field.astype(np.float32)
