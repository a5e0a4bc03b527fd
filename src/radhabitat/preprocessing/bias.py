"""Even out the receive coil: N4 on a coarse grid, applied to every native voxel."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from radhabitat.preprocessing.body import coarse_parts, find_body
from radhabitat.preprocessing.n4 import LogField, fit_log_field
from radhabitat.settings import PreprocessingSettings
from radhabitat.types import Grid, Volume

FINEST_PIECE_MM = 40.0
LARGEST_RANGE = 20.0

_MOST_LEVELS = 4
_LEAST_VOXELS = 64
_NEGATIVE_SHARE = 0.01
_WITHOUT_COIL = frozenset({"CT", "PET"})


@dataclass(frozen=True, eq=False)
class Corrected:
    """An image and what was done about its bias field.

    Attributes:
        image: Corrected, or as it came where a note says so.
        quality: `bias_range` (largest over smallest gain in the body; 1 = no field),
            `bias_corrected` (1 or 0), `body_share` of all voxels.
        note: Why it was left as it came; empty if it was corrected.
    """

    image: Volume
    quality: dict[str, float] = field(default_factory=dict)
    note: str = ""


def correct_bias(
    image: Volume, settings: PreprocessingSettings, *, sequence: str
) -> Corrected:
    """Return an image without the smooth gain of the receive coil.

    The field is fitted inside the body on voxels of about 5 mm and held to the range
    found there, so that air is not blown up. What has no coil (CT, PET) and what
    cannot be fitted stays as it came, with a note.

    Args:
        image: Native voxels.
        settings: `bias_correction` switches it off.
        sequence: Its name; one that contains CT or PET as a word is left alone.
    """
    if not settings.bias_correction:
        return Corrected(image)
    if _WITHOUT_COIL & set(re.split(r"[^A-Z0-9]+", sequence.upper())):
        return _left(image, "is not MRI and has no coil")
    parts = coarse_parts(image.grid)
    picture = np.ascontiguousarray(image.array[parts])
    body = find_body(picture)
    negative = float((picture[body] < 0).mean())
    if negative > _NEGATIVE_SHARE:
        reason = f"has {100 * negative:.0f} % negative voxels inside the body"
        return _left(image, reason)
    used = body & (picture > 0)
    if np.count_nonzero(used) < _LEAST_VOXELS:
        return _left(image, "has too few voxels to tell a field from anatomy")
    fitted = fit_log_field(picture, body, levels=count_levels(image.grid))
    return _apply(image, fitted, parts, used)


def count_levels(grid: Grid) -> int:
    """Return how often the spline may be refined: below 40 mm it follows anatomy."""
    extent_mm = float((grid.spacing_mm * np.array(grid.shape)).max())
    levels = int(np.log2(max(extent_mm / FINEST_PIECE_MM, 1.0))) + 1
    return min(levels, _MOST_LEVELS)


def _apply(
    image: Volume, fitted: LogField, parts: tuple[slice, ...], used: NDArray[np.bool_]
) -> Corrected:
    if not np.isfinite(fitted.lattice).all():
        return _left(image, "gave a bias field that is not a number")
    inside = fitted.at([np.linspace(0.0, 1.0, n) for n in used.shape])[used]
    low, high = float(inside.min()), float(inside.max())
    quality = {
        "bias_range": float(np.exp(min(high - low, 80.0))),
        "body_share": float(used.mean()),
    }
    if high - low > np.log(LARGEST_RANGE):
        reason = (
            f"gave a bias field of range {quality['bias_range']:.3g}, more than "
            f"{LARGEST_RANGE:.0f}"
        )
        return _left(image, reason, quality)
    # 0..1 from the first to the last voxel that the field was fitted on
    positions = [
        np.clip((np.arange(n) - p.start) / p.step / max(taken - 1, 1), 0.0, 1.0)
        for n, p, taken in zip(image.grid.shape, parts, used.shape, strict=True)
    ]
    gain = np.clip(fitted.at(positions), low, high)
    corrected = image.array * np.exp(-gain)
    return Corrected(
        replace(image, array=corrected), {**quality, "bias_corrected": 1.0}
    )


def _left(
    image: Volume, reason: str, quality: dict[str, float] | None = None
) -> Corrected:
    note = f"{reason}; its bias field was left as it is"
    return Corrected(image, {**(quality or {}), "bias_corrected": 0.0}, note)
