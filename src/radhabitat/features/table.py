"""The row of a patient: all features of every sequence in the whole and its parts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from radhabitat.errors import ImageError, MaskError
from radhabitat.features import discretization, neighbors, shape, texture
from radhabitat.features.emphasis import emphasis
from radhabitat.features.first_order import first_order
from radhabitat.features.names import FAMILIES, HABITAT_NAMES, full_name
from radhabitat.features.regions import Regions, locate
from radhabitat.settings import FeatureSettings
from radhabitat.types import AlignedSubject, FeatureName, HabitatMap, Mask, Volume

_Levels = tuple[list[NDArray[np.float32]], list[NDArray[np.int32]]]
"""Intensities and gray levels of the voxels of each region."""


def row(
    subject: AlignedSubject, habitats: HabitatMap, settings: FeatureSettings
) -> dict[str, float]:
    """Compute a patient's row; see `features.extract`."""
    regions = _locate(subject, habitats)
    outline = _shape_features(subject.grid.spacing_mm, regions, settings)
    whole, voxel_volume_mm3 = regions.members[0].size, subject.grid.voxel_volume_mm3
    values: dict[str, float] = {}
    for sequence, image, where in _images(subject):
        found = _intensity_features(image, regions, settings, where)
        for number, intensity in enumerate(found):
            voxels = regions.members[number].size
            size = (voxels * voxel_volume_mm3, voxels / whole)
            own = intensity | dict(zip(HABITAT_NAMES, size, strict=True))
            for feature, value in (own if number else outline | intensity).items():
                values[str(FeatureName(sequence, number, feature))] = value
    return values


def region(image: Volume, mask: Mask, settings: FeatureSettings) -> dict[str, float]:
    """Compute the features of one mask; see `features.extract_region`."""
    if not mask.grid.same_as(image.grid):
        raise MaskError(
            f"The mask has shape {mask.grid.shape} and voxels of "
            f"{_millimeters(mask)} mm, the image {image.grid.shape} and "
            f"{_millimeters(image)} mm, or they lie elsewhere",
            "draw the mask on this image, or resample it to the image's grid",
        )
    _check_not_empty(mask, "The mask")
    regions = locate(mask.array)
    outline = _shape_features(image.grid.spacing_mm, regions, settings)
    return outline | _intensity_features(image, regions, settings, "The region")[0]


def gray_levels(
    subject: AlignedSubject, habitats: HabitatMap, settings: FeatureSettings
) -> dict[str, int]:
    """Count the gray levels that occur; see `features.gray_levels`."""
    regions = _locate(subject, habitats)
    return {
        str(FeatureName(sequence, number, "gray_levels")): np.unique(levels).size
        for sequence, image, where in _images(subject)
        for number, levels in enumerate(_discretize(image, regions, settings, where)[1])
    }


def _images(subject: AlignedSubject) -> Iterator[tuple[str, Volume, str]]:
    """Give each sequence, its image, and the tumor in it in words."""
    for sequence, image in subject.images.items():
        yield sequence, image, f"The tumor of patient {subject.patient} in {sequence}"


def _locate(subject: AlignedSubject, habitats: HabitatMap) -> Regions:
    name = f"patient {subject.patient}"
    _check_not_empty(subject.tumor, f"The tumor mask of {name}")
    if not habitats.grid.same_as(subject.grid):
        raise MaskError(
            f"The habitats of {name} are not on the grid of the tumor mask",
            "find the habitats of this aligned subject again",
        )
    outside = np.count_nonzero(habitats.array.astype(np.bool_) & ~subject.tumor.array)
    if outside:
        raise MaskError(
            f"{outside} voxels of the habitats of {name} lie outside of the tumor",
            "find the habitats of this tumor mask again",
        )
    return locate(subject.tumor.array, habitats.array, count=habitats.count)


def _check_not_empty(mask: Mask, name: str) -> None:
    if mask.voxels == 0:
        raise MaskError(f"{name} is empty", "draw the region, or choose another label")


def _millimeters(volume: Volume | Mask) -> str:
    return " x ".join(f"{size:.4g}" for size in volume.grid.spacing_mm)


@cache
def _algebra() -> ThreadpoolController:
    """Threads would change last digits, and cost more than these small matrices."""
    return ThreadpoolController()


def _shape_features(
    spacing_mm: NDArray[np.float64], regions: Regions, settings: FeatureSettings
) -> dict[str, float]:
    sample = settings.mode == "ibsi"
    with _algebra().limit(limits=1, user_api="blas"):
        values = shape.shape_features(regions.inside, spacing_mm, sample=sample)
    return {full_name("shape", name): float(values[name]) for name in FAMILIES["shape"]}


def _intensity_features(
    image: Volume, regions: Regions, settings: FeatureSettings, where: str
) -> list[dict[str, float]]:
    """Compute the 93 features of every region; NaN where one cannot be computed."""
    intensities, levels = _discretize(image, regions, settings, where)
    textures = texture.count_textures(regions, levels)
    volume_mm3 = float(image.grid.spacing_mm.prod())
    features = []
    with _algebra().limit(limits=1, user_api="blas"):
        for own, gray, counts in zip(intensities, levels, textures, strict=True):
            families = {} if counts is None else _texture_features(counts, settings)
            if own.size:
                families["firstorder"] = first_order(
                    own, gray, settings, voxel_volume_mm3=volume_mm3
                )
            features.append(_complete(families))
    return features


def _discretize(
    image: Volume, regions: Regions, settings: FeatureSettings, where: str
) -> _Levels:
    whole = np.ascontiguousarray(image.array[regions.box])[regions.inside]
    bad = whole.size - np.count_nonzero(np.isfinite(whole))
    if bad:
        raise ImageError(
            f"{where} has {bad} voxels that are not numbers (NaN or infinite)",
            "export the image again, or draw the region without those voxels",
        )
    parts = [whole[members] for members in regions.members]
    levels = [discretization.gray_levels(own, settings, where=where) for own in parts]
    discretization.check_levels(levels[0], whole, settings, where=where)
    return parts, levels


def _texture_features(
    counts: texture.Textures, settings: FeatureSettings
) -> dict[str, dict[str, float]]:
    gray = counts.gray
    voxels = counts.dependences.sum(axis=1)
    if settings.mode == "ibsi":  # a neighborhood without neighbors has no mean
        voxels = voxels - counts.alone
    lengths = np.arange(1, counts.runs.shape[2] + 1, dtype=np.float64)
    same = np.arange(1, 28, dtype=np.float64)
    return {
        "glcm": neighbors.cooccurrence(counts.pairs, gray, counts.highest),
        "gldm": emphasis(counts.dependences[None], gray, same, "gldm"),
        "glrlm": emphasis(counts.runs, gray, lengths, "glrlm"),
        "glszm": emphasis(counts.zones[None], gray, counts.zone_sizes, "glszm"),
        "ngtdm": neighbors.tone_differences(voxels, counts.differences, gray),
    }


def _complete(families: dict[str, dict[str, float]]) -> dict[str, float]:
    """Put the features in order, NaN for those that could not be computed."""
    return {
        full_name(family, name): float(families.get(family, {}).get(name, np.nan))
        for family, names in FAMILIES.items()
        if family != "shape"
        for name in names
    }
