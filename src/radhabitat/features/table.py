"""The row of a patient: which features stand for which sequence and region."""

from __future__ import annotations

import numpy as np

from radhabitat.errors import MaskError
from radhabitat.features import engine
from radhabitat.features.names import HABITAT_NAMES
from radhabitat.features.regions import Regions, locate
from radhabitat.settings import FeatureSettings
from radhabitat.types import AlignedSubject, FeatureName, HabitatMap, Mask, Volume


def row(
    subject: AlignedSubject, habitats: HabitatMap, settings: FeatureSettings
) -> dict[str, float]:
    """Compute a patient's row; see `features.extract`."""
    regions = _locate(subject, habitats)
    spacing_mm = subject.grid.spacing_mm
    shape = engine.shape_features(spacing_mm, regions, settings)
    sizes = _sizes(regions, subject.grid.voxel_volume_mm3)
    values: dict[str, float] = {}
    for sequence, image in subject.images.items():
        where = f"The tumor of patient {subject.patient} in {sequence}"
        found = engine.intensity_features(image, regions, settings, where=where)
        for number, intensity in enumerate(found):
            own = shape | intensity if number == 0 else intensity | sizes[number]
            for feature, value in own.items():
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
    shape = engine.shape_features(image.grid.spacing_mm, regions, settings)
    where = "The region"
    return shape | engine.intensity_features(image, regions, settings, where=where)[0]


def gray_levels(
    subject: AlignedSubject, habitats: HabitatMap, settings: FeatureSettings
) -> dict[str, int]:
    """Count the gray levels that occur; see `features.gray_levels`."""
    regions = _locate(subject, habitats)
    counts: dict[str, int] = {}
    for sequence, image in subject.images.items():
        where = f"The tumor of patient {subject.patient} in {sequence}"
        found = engine.level_counts(image, regions, settings, where=where)
        for number, levels in enumerate(found):
            counts[str(FeatureName(sequence, number, "gray_levels"))] = levels
    return counts


def _locate(subject: AlignedSubject, habitats: HabitatMap) -> Regions:
    name = f"patient {subject.patient}"
    _check_not_empty(subject.tumor, f"The tumor mask of {name}")
    if not habitats.grid.same_as(subject.grid):
        raise MaskError(
            f"The habitats of {name} are not on the grid of the tumor mask",
            "find the habitats of this aligned subject again",
        )
    labeled = habitats.array.astype(np.bool_)
    outside = int(np.count_nonzero(labeled & ~subject.tumor.array))
    if outside:
        raise MaskError(
            f"{outside} voxels of the habitats of {name} lie outside of the tumor",
            "find the habitats of this tumor mask again",
        )
    return locate(subject.tumor.array, habitats.array, count=habitats.count)


def _sizes(regions: Regions, voxel_volume_mm3: float) -> list[dict[str, float]]:
    """Return volume (mm3) and proportion (of the whole) of every region."""
    whole = regions.members[0].size
    return [
        dict(
            zip(
                HABITAT_NAMES,
                (own.size * voxel_volume_mm3, own.size / whole),
                strict=True,
            )
        )
        for own in regions.members
    ]


def _check_not_empty(mask: Mask, name: str) -> None:
    if mask.voxels == 0:
        raise MaskError(f"{name} is empty", "draw the region, or choose another label")


def _millimeters(volume: Volume | Mask) -> str:
    return " x ".join(f"{size:.4g}" for size in volume.grid.spacing_mm)
