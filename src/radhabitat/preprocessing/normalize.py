"""The last step of a sequence: one interpolation, then a common scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import ImageError
from radhabitat.preprocessing.bias import Corrected
from radhabitat.preprocessing.register import Registered
from radhabitat.preprocessing.resample import in_view, resample_image
from radhabitat.settings import PreprocessingSettings
from radhabitat.types import Mask, Volume


@dataclass(frozen=True, eq=False)
class Finished:
    """One sequence on the final grid, and how it got there.

    Attributes:
        image: Normalized.
        transform: (4, 4), RAS+ mm in the reference -> RAS+ mm in the sequence.
        quality: Name of a measure -> value.
        notes: What was decided, in words.
    """

    image: Volume
    transform: NDArray[np.float64]
    quality: dict[str, float]
    notes: tuple[str, ...]


def finish(
    even: Corrected,
    found: Registered,
    tumor: Mask,
    settings: PreprocessingSettings,
    *,
    name: str,
) -> Finished:
    """Return a sequence interpolated once and normalized over its whole image.

    Args:
        even: The native image after bias correction.
        found: Where it shows the tissue of the reference.
        tumor: The tumor on the final grid.
        settings: `interpolation` and `normalization`.
        name: The sequence and its patient, for messages.

    Raises:
        ImageError: No voxel of the tumor was imaged.
    """
    seen = in_view(even.image.grid, tumor.grid, found.transform)
    share = float(seen[tumor.array].mean())
    if share == 0.0:
        fix = (
            "check that it belongs to this patient and visit, or leave the sequence out"
        )
        raise ImageError(f"The {name} shows no voxel of the tumor", fix)
    how = settings.interpolation
    values = resample_image(even.image, tumor.grid, found.transform, interpolation=how)
    scale = find_scale(even.image.array, settings.normalization)
    notes = [note for note in (even.note, *found.notes) if note]
    if share < 1.0:
        notes.append(
            f"{100 * (1 - share):.1f} % of the tumor lies outside the field of view "
            "and was filled with the nearest edge"
        )
    return Finished(
        Volume(scale.apply(values), tumor.grid),
        found.transform,
        {**even.quality, **found.quality, "tumor_in_view": share},
        tuple(notes),
    )


@dataclass(frozen=True)
class Scale:
    """A common scale: `zero` becomes 0, a difference of `unit` becomes 1."""

    zero: float
    unit: float

    def apply(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return values on the common scale, same shape."""
        unit = np.float32(1.0 / self.unit)
        scaled: NDArray[np.float32] = (values - np.float32(self.zero)) * unit
        return scaled


def find_scale(
    voxels: NDArray[np.float32], how: Literal["minmax", "zscore", "none"]
) -> Scale:
    """Return the scale of one whole bias-corrected image.

    Args:
        voxels: Intensities, any shape.
        how: minmax: darkest voxel 0, brightest 1 (as published). zscore: mean 0,
            standard deviation 1. none: as it is.
    """
    if how == "minmax":
        zero, unit = float(voxels.min()), float(np.ptp(voxels))
    elif how == "zscore":
        zero = float(voxels.mean(dtype=np.float64))
        unit = float(voxels.std(dtype=np.float64))
    else:
        zero, unit = 0.0, 1.0
    return Scale(zero, unit if unit > 0.0 else 1.0)
