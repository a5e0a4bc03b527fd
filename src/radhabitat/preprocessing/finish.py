"""The last step of a sequence: one interpolation, one scale, and what was seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import ImageError
from radhabitat.preprocessing.bias import Corrected
from radhabitat.preprocessing.normalize import find_scale
from radhabitat.preprocessing.register import Registered
from radhabitat.preprocessing.resample import in_view, resample_image
from radhabitat.settings import PreprocessingSettings
from radhabitat.types import Mask, Volume


@dataclass(frozen=True, eq=False)
class Finished:
    """One sequence on the final grid, and how it got there.

    Attributes:
        image: Normalized, on the final grid.
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
        raise ImageError(
            f"The {name} shows no voxel of the tumor",
            "check that it belongs to this patient and visit, or leave the sequence "
            "out",
        )
    values = resample_image(
        even.image,
        tumor.grid,
        found.transform,
        interpolation=settings.interpolation,
    )
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
