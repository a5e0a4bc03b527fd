"""Even out the receive coil: N4 on a coarse grid, applied to every native voxel."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from radhabitat.preprocessing.body import find_body
from radhabitat.preprocessing.n4 import LogField, fit_log_field
from radhabitat.settings import PreprocessingSettings
from radhabitat.types import Grid, Volume

FIT_SPACING_MM = 5.0
FINEST_PIECE_MM = 40.0
LARGEST_RANGE = 20.0

_MOST_LEVELS = 4
_LEAST_VOXELS = 64
_FEWEST_PER_AXIS = 8
_NEGATIVE_SHARE = 0.01
_WITHOUT_COIL = frozenset({"CT", "PET"})


@dataclass(frozen=True, eq=False)
class Corrected:
    """An image and what was done about its bias field.

    Attributes:
        image: Corrected, or as it came where a note says so.
        quality: Measures: `bias_range` (largest over smallest gain inside the body;
            1 = no field), `bias_corrected` (1 or 0), `body_share` of all voxels.
        note: Why it was left as it came; empty if it was corrected.
    """

    image: Volume
    quality: dict[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, eq=False)
class _Shrunken:
    """Every n-th voxel of an image, as ITK's ShrinkImageFilter takes them."""

    picture: NDArray[np.float32]
    first: tuple[int, ...]
    step: tuple[int, ...]

    def positions_taken(self) -> list[NDArray[np.float64]]:
        """Return 0..1 per voxel taken."""
        return [np.linspace(0.0, 1.0, n) for n in self.picture.shape]

    def positions(self, shape: tuple[int, ...]) -> list[NDArray[np.float64]]:
        """Return 0..1 per native voxel: from the first to the last one taken."""
        return [
            np.clip((np.arange(n) - first) / step / max(taken - 1, 1), 0.0, 1.0)
            for n, first, step, taken in zip(
                shape, self.first, self.step, self.picture.shape, strict=True
            )
        ]


def correct_bias(
    image: Volume, settings: PreprocessingSettings, *, sequence: str
) -> Corrected:
    """Return an image without the smooth gain of the receive coil.

    The field is fitted inside the body on voxels of about 5 mm; outside it is held to
    the range found inside, so that air is not blown up. A crop gets fewer levels,
    because pieces below 40 mm would follow the anatomy. What has no coil (CT, PET)
    and what cannot be fitted stays as it came, with a note.

    Args:
        image: Native voxels.
        settings: `bias_correction` switches it off.
        sequence: Its name; one that contains CT or PET as a word is left alone.
    """
    if not settings.bias_correction:
        return Corrected(image)
    if _WITHOUT_COIL & set(re.split(r"[^A-Z0-9]+", sequence.upper())):
        return _left(image, "is not MRI and has no coil")
    small = _shrink(image)
    body = find_body(small.picture)
    negative = float((small.picture[body] < 0).mean())
    if negative > _NEGATIVE_SHARE:
        return _left(
            image, f"has {100 * negative:.0f} % negative voxels inside the body"
        )
    used = body & (small.picture > 0)
    if np.count_nonzero(used) < _LEAST_VOXELS:
        return _left(image, "has too few voxels to tell a field from anatomy")
    fitted = fit_log_field(small.picture, body, levels=count_levels(image.grid))
    return _apply(image, fitted, small, used)


def count_levels(grid: Grid) -> int:
    """Return how often the spline may be refined: pieces stay above 40 mm."""
    extent_mm = float((grid.spacing_mm * np.array(grid.shape)).max())
    levels = int(np.log2(max(extent_mm / FINEST_PIECE_MM, 1.0))) + 1
    return min(levels, _MOST_LEVELS)


def _shrink(image: Volume) -> _Shrunken:
    shape, spacing = image.grid.shape, image.grid.spacing_mm
    step = [
        max(min(round(FIT_SPACING_MM / s), n // _FEWEST_PER_AXIS), 1)
        for n, s in zip(shape, spacing, strict=True)
    ]
    taken = [n // k for n, k in zip(shape, step, strict=True)]
    first = [
        (n - m * k) // 2 + k // 2 for n, m, k in zip(shape, taken, step, strict=True)
    ]
    i, j, k = (
        slice(f, f + (m - 1) * s + 1, s)
        for f, m, s in zip(first, taken, step, strict=True)
    )
    return _Shrunken(
        np.ascontiguousarray(image.array[i, j, k]), tuple(first), tuple(step)
    )


def _apply(
    image: Volume, fitted: LogField, small: _Shrunken, used: NDArray[np.bool_]
) -> Corrected:
    if not np.isfinite(fitted.lattice).all():
        return _left(image, "gave a bias field that is not a number")
    inside = fitted.at(small.positions_taken())[used]
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
    gain = fitted.at(small.positions(image.grid.shape))
    np.clip(gain, low, high, out=gain)
    corrected = image.array * np.exp(-gain)
    return Corrected(Volume(corrected, image.grid), {**quality, "bias_corrected": 1.0})


def _left(
    image: Volume, reason: str, quality: dict[str, float] | None = None
) -> Corrected:
    return Corrected(
        image,
        {**(quality or {}), "bias_corrected": 0.0},
        f"{reason}; its bias field was left as it is",
    )
