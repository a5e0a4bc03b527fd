"""The channels in which a tumor is divided: intensities, or kinetic maps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radhabitat.settings import HabitatSettings
from radhabitat.types import AlignedSubject, Mask

Points = NDArray[np.float32]

LEAST_SHARE = 0.05


def channels_of(
    subject: AlignedSubject,
    settings: HabitatSettings,
    region: NDArray[np.bool_] | None = None,
) -> Points:
    """Return the channels of a region's voxels, shape (voxels, channels), in C order.

    Kinetic maps are relative: wash-in (early - before) / before, wash-out
    (early - late) / early, relative enhancement (peak - before) / before, where
    before, early and late are the first, second and last sequence; a denominator is
    at least 5 % of its median in the tumor. They want images on one scale:
    `preprocessing.normalization = "none"`.

    Args:
        subject: A patient whose sequences share one grid.
        settings: `maps`, `sequences` and `scaling`.
        region: Which voxels; None: the tumor. Scaling is always the tumor's.

    Reference:
        Mahrooghy et al., IEEE Trans Biomed Eng 2015;62:1585 (kinetic maps).
    """
    inside = subject.tumor.array
    tumor = _maps(subject, settings, inside, inside)
    wanted = tumor if region is None else _maps(subject, settings, region, inside)
    if settings.scaling == "zscore":
        zero, unit = tumor.mean(axis=0, dtype=np.float64), spread_of(tumor)
    elif settings.scaling == "minmax":
        low = tumor.min(axis=0).astype(np.float64)
        zero, unit = low, tumor.max(axis=0) - low
    else:
        return wanted
    scaled: Points = ((wanted - zero) / np.where(unit > 0.0, unit, 1.0)).astype(
        np.float32
    )
    return scaled


def spread_of(points: Points) -> NDArray[np.float64]:
    """Return the standard deviation of each channel, shape (channels,)."""
    spread: NDArray[np.float64] = points.std(axis=0, dtype=np.float64)
    return spread


def _maps(
    subject: AlignedSubject,
    settings: HabitatSettings,
    region: NDArray[np.bool_],
    like: NDArray[np.bool_],
) -> Points:
    names = settings.sequences or tuple(subject.images)
    images = [subject.images[n].array for n in names]
    values = np.stack([image[region] for image in images], axis=1)
    if settings.maps == "intensity":
        return values
    floors = [
        LEAST_SHARE * abs(float(np.median(image[like]))) + 1e-12 for image in images
    ]
    before, early, late = values[:, 0], values[:, 1], values[:, -1]
    at_start, at_early = np.maximum(before, floors[0]), np.maximum(early, floors[1])
    peak = values[:, 1:].max(axis=1)
    maps = [
        (early - before) / at_start,
        (early - late) / at_early,
        (peak - before) / at_start,
    ]
    return np.stack(maps, axis=1).astype(np.float32)


def ring_of(subject: AlignedSubject, width_mm: float) -> Mask:
    """Return what lies outside the tumor, at most so far from it, in the body.

    Where the body is not known, everything on the grid is.

    Reference:
        Braman et al., Breast Cancer Res 2017;19:57 (peritumoral rings).
    """
    grid = subject.grid
    tumor = subject.tumor.array
    away_mm = ndimage.distance_transform_edt(~tumor, sampling=grid.spacing_mm)
    ring = (away_mm > 0.0) & (away_mm <= width_mm)
    return Mask(ring if subject.body is None else ring & subject.body.array, grid)
