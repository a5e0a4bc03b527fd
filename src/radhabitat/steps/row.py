"""A patient's habitats and everything that is measured of them: one row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from radhabitat.features import extract
from radhabitat.features.spatial import map_features
from radhabitat.habitats import Partition, find_habitats, ring_of
from radhabitat.settings import StudySettings
from radhabitat.types import AlignedSubject, HabitatMap


def measure(
    subject: AlignedSubject, partition: Partition, settings: StudySettings
) -> tuple[HabitatMap, dict[str, float]]:
    """Return the habitats, and the features of tumor, habitats, map and rings.

    A ring's columns are named like a tumor's, as of a sequence `PVP_Ring5mm`; it has
    no shape features.

    Raises:
        RadHabitatError: As `features.extract`.
    """
    how = settings.habitats
    habitats = find_habitats(subject, partition, how)
    row = extract(subject, habitats, settings.features)
    row |= map_features(subject, habitats, how.families)
    for width_mm in how.rings_mm:
        ring = ring_of(subject, width_mm)
        if how.ring_habitats:
            around = find_habitats(subject, partition, how, region=ring)
        else:
            nothing = np.zeros(subject.grid.shape, dtype=np.uint8)
            around = replace(habitats, array=nothing, count=0)
        images = {f"{s}_Ring{width_mm:g}mm": v for s, v in subject.images.items()}
        region = replace(subject, images=images, tumor=ring, second_reader=None)
        found = extract(region, around, settings.features)
        row |= {n: v for n, v in found.items() if "_original_shape_" not in n}
    return habitats, row
