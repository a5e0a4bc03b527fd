"""Measure the same tumor again, a little differently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radhabitat.settings import ReliabilitySettings
from radhabitat.types import AlignedSubject, Mask, Volume


def perturb(
    subject: AlignedSubject,
    kinds: Sequence[str],
    settings: ReliabilitySettings,
    *,
    seed: int,
) -> AlignedSubject:
    """Return a patient as another drawing, scan or registration might have given it.

    shift: the contour moved as a whole. size: it grown or shrunk. noise: Gaussian,
    in parts of the tumor's spread. bias: a field that rises along a random direction.
    registration: every sequence but the reference moved on its own.

    Args:
        subject: The patient, all sequences on one grid.
        kinds: Which of these; all at once. Others change nothing here.
        settings: `shift_mm` for what moves, `strength` for noise and bias.
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
        if "registration" in kinds and sequence != subject.reference:
            values = _moved(values, rng.uniform(-largest_mm, largest_mm, 3), tumor)
        if "bias" in kinds:
            values = values * _field(subject, settings.strength, rng)
        if "noise" in kinds:
            spread = values[subject.tumor.array].std(dtype=np.float64)
            draw = rng.standard_normal(values.shape, dtype=np.float32)
            values = values + np.float32(settings.strength * spread) * draw
        images[sequence] = Volume(values.astype(np.float32), image.grid)
    return replace(subject, images=images, tumor=tumor, second_reader=None)


def move_contour(mask: Mask, shift_mm: NDArray[np.float64]) -> Mask:
    """Return the mask moved as a whole, by mm along i, j, k."""
    return Mask(_moved(mask.array.astype(np.float32), shift_mm, mask) >= 0.5, mask.grid)


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


def _moved(
    values: NDArray[np.float32], shift_mm: NDArray[np.float64], mask: Mask
) -> NDArray[np.float32]:
    moved: NDArray[np.float32] = ndimage.shift(
        values, shift_mm / mask.grid.spacing_mm, order=1, mode="nearest"
    )
    return moved


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
