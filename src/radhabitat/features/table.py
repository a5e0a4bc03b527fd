"""The row of a patient: all features of every sequence in the whole and its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
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

Intensities = NDArray[np.float32] | NDArray[np.float64]
_Levels = tuple[list[Intensities], list[NDArray[np.int32]]]
"""Intensities and gray levels of the voxels of each region."""


@dataclass(frozen=True)
class Measured:
    """What was measured in one region.

    Attributes:
        features: Name -> value; NaN where not computable.
        gray_levels: `original_gray_levels` and those of the filtered images -> how
            many occur.
        voxels: Voxels with intensity, after resegmentation.
    """

    features: dict[str, float]
    gray_levels: dict[str, int]
    voxels: int


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
            own = intensity.features | dict(zip(HABITAT_NAMES, size, strict=True))
            whole_row = outline | intensity.features
            place = str(FeatureName(sequence, number, ""))
            for feature, value in (own if number else whole_row).items():
                values[place + feature] = value
    return values


def region(image: Volume, mask: Mask, settings: FeatureSettings) -> Measured:
    """Measure one mask; see `features.measure`."""
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
    found = _intensity_features(image, regions, settings, "The region")[0]
    return replace(found, features=outline | found.features)


def gray_levels(
    subject: AlignedSubject, habitats: HabitatMap, settings: FeatureSettings
) -> dict[str, int]:
    """Count the gray levels that occur; see `features.gray_levels`."""
    regions = _locate(subject, habitats)
    counts: dict[str, int] = {}
    for sequence, image, where in _images(subject):
        whole, kept = _voxels(image, regions, settings, where)
        for number, levels in enumerate(_discretize(whole, kept, settings, where)[1]):
            name = FeatureName(sequence, number, "original_gray_levels")
            counts[str(name)] = np.unique(levels).size
    return counts


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
    regions = locate(subject.tumor.array, habitats.array, count=habitats.count)
    outside = np.count_nonzero(habitats.array) - regions.parts.size
    if outside:
        raise MaskError(
            f"{outside} voxels of the habitats of {name} lie outside of the tumor",
            "find the habitats of this tumor mask again",
        )
    return regions


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
) -> list[Measured]:
    """Compute the 93 features of every region; NaN where one cannot be computed."""
    whole, regions = _voxels(image, regions, settings, where)
    intensities, levels = _discretize(whole, regions, settings, where)
    discretization.check_levels(levels[0], whole, settings, where=where)
    volume_mm3 = float(image.grid.spacing_mm.prod())
    found = [Measured({}, {}, own.size) for own in regions.members]
    _add("original", (intensities, levels), found, regions, settings, volume_mm3)
    if settings.filters:
        from radhabitat.features.filters import filtered  # loads further libraries

        for name, values, own in filtered(image, regions, settings):
            both = _discretize(values, regions, own, f"{where}, after {name},")
            _add(name, both, found, regions, own, volume_mm3)
    return found


def _add(
    name: str,
    voxels: _Levels,
    found: list[Measured],
    regions: Regions,
    settings: FeatureSettings,
    volume_mm3: float,
) -> None:
    """Add the features of one image, with or without filter, to every region's."""
    textures = texture.count_textures(regions, voxels[1])
    with _algebra().limit(limits=1, user_api="blas"):
        for region, own, gray, counts in zip(found, *voxels, textures, strict=True):
            families = {} if counts is None else _texture_features(counts, settings)
            if own.size:
                families["firstorder"] = first_order(
                    own, gray, settings, voxel_volume_mm3=volume_mm3
                )
            region.features.update(_complete(families, name))
            region.gray_levels[f"{name}_gray_levels"] = np.unique(gray).size


def _voxels(
    image: Volume, regions: Regions, settings: FeatureSettings, where: str
) -> tuple[NDArray[np.float32], Regions]:
    """Return the intensities of the whole, and the regions that they fill."""
    whole = np.ascontiguousarray(image.array[regions.box])[regions.inside]
    bad = whole.size - np.count_nonzero(np.isfinite(whole))
    if bad:
        raise ImageError(
            f"{where} has {bad} voxels that are not numbers (NaN or infinite)",
            "export the image again, or draw the region without those voxels",
        )
    if not settings.resegment:
        return whole, regions
    chosen = discretization.in_range(whole, settings)
    if not chosen.any():
        raise MaskError(
            f"{where} has no voxel within features.resegment = "
            f"{list(settings.resegment)} ({settings.resegment_unit}); its intensities "
            f"are {whole.min():.6g} to {whole.max():.6g}",
            "widen that range, or correct its unit",
        )
    return whole[chosen], regions.keep(chosen)


def _discretize(
    whole: Intensities, regions: Regions, settings: FeatureSettings, where: str
) -> _Levels:
    parts = [whole[members] for members in regions.members]
    levels = [discretization.gray_levels(own, settings, where=where) for own in parts]
    return parts, levels


def _texture_features(
    counts: texture.Textures, settings: FeatureSettings
) -> dict[str, dict[str, float]]:
    return {family: compute(counts, settings) for family, compute in FORMULAS.items()}


def _sizes(count: int) -> NDArray[np.float64]:
    return np.arange(1, count + 1, dtype=np.float64)


def _tone_differences(
    counts: texture.Textures, settings: FeatureSettings
) -> dict[str, float]:
    voxels = counts.dependences.sum(axis=1)
    if settings.mode == "ibsi":  # a neighborhood without neighbors has no mean
        voxels = voxels - counts.alone
    return neighbors.tone_differences(voxels, counts.differences, counts.gray)


FORMULAS: dict[str, Callable[[texture.Textures, FeatureSettings], dict[str, float]]] = {
    "glcm": lambda c, _: neighbors.cooccurrence(c.pairs, c.gray, c.highest),
    "gldm": lambda c, _: emphasis(c.dependences[None], c.gray, _sizes(27), "gldm"),
    "glrlm": lambda c, _: emphasis(c.runs, c.gray, _sizes(c.runs.shape[2]), "glrlm"),
    "glszm": lambda c, _: emphasis(c.zones[None], c.gray, c.zone_sizes, "glszm"),
    "ngtdm": _tone_differences,
}
"""Texture family -> its features."""


def _complete(families: dict[str, dict[str, float]], image: str) -> dict[str, float]:
    """Put the features in order, NaN for those that could not be computed."""
    found: dict[str, float] = {}
    for family, names in FAMILIES.items():
        if family != "shape":
            own = families.get(family, {})
            for name in names:
                found[full_name(family, name, image)] = own.get(name, np.nan)
    return found
