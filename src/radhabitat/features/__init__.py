"""Radiomic features of the tumor and of its habitats, as one row of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from radhabitat.features.missing import Reason, remarks, why_missing
from radhabitat.features.names import (
    DEFINITIONS,
    HABITAT_NAMES,
    INTENSITY_NAMES,
    SHAPE_NAMES,
    column_names,
)
from radhabitat.settings import FeatureSettings
from radhabitat.types import AlignedSubject, Grid, HabitatMap, Mask, Volume

if TYPE_CHECKING:
    from radhabitat.features.table import Measured

__all__ = [
    "DEFINITIONS",
    "HABITAT_NAMES",
    "INTENSITY_NAMES",
    "SHAPE_NAMES",
    "Reason",
    "column_names",
    "extract",
    "extract_region",
    "gray_levels",
    "measure",
    "remarks",
    "warm_up",
    "why_missing",
]


def extract(
    subject: AlignedSubject, habitats: HabitatMap, settings: FeatureSettings
) -> dict[str, float]:
    """Compute one patient's row of the feature table.

    A feature that cannot be computed is NaN: all 93 of an absent habitat (whose
    volume and proportion are 0), the texture of a region with one gray level, and
    single features as their functions say. Never a 0 or 1 by convention.

    Args:
        subject: The patient, all sequences on one grid.
        habitats: The patient's habitats on the same grid, within the tumor.
        settings: Discretization and mode.

    Returns:
        Column -> value, in the order of `column_names`.

    Raises:
        MaskError: The tumor is empty, or the habitats lie on another grid or
            outside of the tumor.
        ImageError: Voxels of the tumor are not numbers.
        ComputationError: The bin width does not fit a sequence's intensities.
    """
    from radhabitat.features import table  # compiles; only when it is needed

    return table.row(subject, habitats, settings)


def extract_region(
    image: Volume, mask: Mask, settings: FeatureSettings
) -> dict[str, float]:
    """Compute the 107 features of one image and mask under PyRadiomics' names."""
    return measure(image, mask, settings).features


def measure(image: Volume, mask: Mask, settings: FeatureSettings) -> Measured:
    """Measure one region of an image, and tell how many gray levels it has.

    Args:
        image: The image.
        mask: The region, on the image's grid.
        settings: Discretization, mode and filters.

    Raises:
        MaskError: The mask is empty or lies on another grid.
        ImageError: Voxels of the region are not numbers.
        ComputationError: The bin width does not fit the region's intensities.
    """
    from radhabitat.features import table

    return table.region(image, mask, settings)


def warm_up() -> None:
    """Load the compiled loops; on a new machine, compile them first (10 s)."""
    array = np.arange(27, dtype=np.float32).reshape(3, 3, 3)
    grid = Grid(array.shape, np.eye(4))
    settings = FeatureSettings(bin_width=1.0)
    measure(Volume(array, grid), Mask(array >= 0, grid), settings)


def gray_levels(
    subject: AlignedSubject, habitats: HabitatMap, settings: FeatureSettings
) -> dict[str, int]:
    """Count the gray levels that occur in the tumor and in each habitat.

    Fewer than 16 or more than 128 deserve a word in the report.

    Returns:
        `DP_Original_original_gray_levels`, `DP_Habitat_1_original_gray_levels` ...
        -> count; 0 for an absent habitat. Raises as `extract` does.
    """
    from radhabitat.features import table

    return table.gray_levels(subject, habitats, settings)
