"""All features of one image in the whole and in its parts."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from radhabitat.errors import ImageError
from radhabitat.features import (
    cooccurrence,
    discretization,
    emphasis,
    first_order,
    shape,
    texture,
    tone_difference,
)
from radhabitat.features.names import FAMILIES, full_name
from radhabitat.features.regions import Regions
from radhabitat.settings import FeatureSettings
from radhabitat.types import Volume


def intensity_features(
    image: Volume, regions: Regions, settings: FeatureSettings, *, where: str
) -> list[dict[str, float]]:
    """Compute the 93 intensity features of every region of one image.

    Args:
        image: The image that the regions were located in.
        regions: The whole and its parts.
        settings: Discretization and mode.
        where: The whole in words, for messages.

    Returns:
        For each region, name -> value; NaN where it cannot be computed.

    Raises:
        ImageError: Voxels of the whole are not numbers.
        ComputationError: The bin width does not fit the whole's intensities.
    """
    intensities = _intensities(image, regions, where)
    levels = _levels(intensities, settings, where)
    textures = texture.count_textures(regions, levels)
    volume_mm3 = float(image.grid.spacing_mm.prod())
    with _algebra().limit(limits=1, user_api="blas"):
        return [
            _of_region(own, gray, counts, settings, voxel_volume_mm3=volume_mm3)
            for own, gray, counts in zip(intensities, levels, textures, strict=True)
        ]


def shape_features(
    spacing_mm: NDArray[np.float64], regions: Regions, settings: FeatureSettings
) -> dict[str, float]:
    """Compute the 14 shape features of the whole, name -> value."""
    with _algebra().limit(limits=1, user_api="blas"):
        values = shape.shape_features(
            regions.inside, spacing_mm, sample=settings.mode == "ibsi"
        )
    return {full_name("shape", name): float(values[name]) for name in FAMILIES["shape"]}


def level_counts(
    image: Volume, regions: Regions, settings: FeatureSettings, *, where: str
) -> list[int]:
    """Count the gray levels that occur in each region."""
    levels = _levels(_intensities(image, regions, where), settings, where)
    return [int(np.count_nonzero(np.bincount(own))) for own in levels]


def _intensities(
    image: Volume, regions: Regions, where: str
) -> list[NDArray[np.float32]]:
    whole = np.ascontiguousarray(image.array[regions.box])[regions.inside]
    bad = int(whole.size - np.count_nonzero(np.isfinite(whole)))
    if bad:
        raise ImageError(
            f"{where} has {bad} voxels that are not numbers (NaN or infinite)",
            "export the image again, or draw the region without those voxels",
        )
    return [whole[members] for members in regions.members]


def _levels(
    intensities: list[NDArray[np.float32]], settings: FeatureSettings, where: str
) -> list[NDArray[np.int32]]:
    levels = [
        discretization.gray_levels(own, settings, where=where) for own in intensities
    ]
    discretization.check_levels(levels[0], intensities[0], settings, where=where)
    return levels


@cache
def _algebra() -> ThreadpoolController:
    """Threads would change last digits, and cost more than these small matrices."""
    return ThreadpoolController()


def _of_region(
    intensities: NDArray[np.float32],
    levels: NDArray[np.int32],
    counts: texture.Textures | None,
    settings: FeatureSettings,
    *,
    voxel_volume_mm3: float,
) -> dict[str, float]:
    families: dict[str, dict[str, float]] = {}
    if intensities.size:
        families["firstorder"] = first_order.first_order(
            intensities, levels, settings, voxel_volume_mm3=voxel_volume_mm3
        )
    if counts is not None:
        families |= _texture_features(counts, settings)
    return _complete(families)


def _texture_features(
    counts: texture.Textures, settings: FeatureSettings
) -> dict[str, dict[str, float]]:
    gray = counts.gray
    voxels = counts.dependences.sum(axis=1)
    if settings.mode == "ibsi":  # a neighborhood without neighbors has no mean
        voxels = voxels - counts.alone
    return {
        "glcm": cooccurrence.cooccurrence(counts.pairs, gray, counts.highest),
        "gldm": emphasis.dependences(counts.dependences, gray),
        "glrlm": emphasis.run_lengths(counts.runs, gray),
        "glszm": emphasis.size_zones(counts.zones, counts.zone_sizes, gray),
        "ngtdm": tone_difference.tone_differences(voxels, counts.differences, gray),
    }


def _complete(families: dict[str, dict[str, float]]) -> dict[str, float]:
    """Put the features in order, NaN for those that could not be computed."""
    return {
        full_name(family, name): float(families.get(family, {}).get(name, np.nan))
        for family, names in FAMILIES.items()
        if family != "shape"
        for name in names
    }
