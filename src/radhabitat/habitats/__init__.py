"""find_habitats: divide tumors into regions of similar intensities.

    survey_tumor    one tumor: its divisions into 2, 3 ... habitats and its own k
    divide_cohort   all tumors: one k, prototypes, and which habitat is which
    find_habitats   one tumor: the map

Nothing in here looks at an outcome.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from radhabitat.habitats.cohort import (
    Division,
    divide_again,
    divide_cohort,
    divide_tumor,
)
from radhabitat.habitats.identity import Match
from radhabitat.habitats.partition import Partition
from radhabitat.habitats.space import channels_of, ring_of
from radhabitat.habitats.survey import Survey, survey_tumor
from radhabitat.settings import HabitatSettings
from radhabitat.types import AlignedSubject, HabitatMap, Mask

__all__ = [
    "Division",
    "Match",
    "Partition",
    "Survey",
    "divide_again",
    "divide_cohort",
    "divide_tumor",
    "find_habitats",
    "ring_of",
    "survey_tumor",
]


def find_habitats(
    subject: AlignedSubject,
    partition: Partition,
    settings: HabitatSettings,
    *,
    region: Mask | None = None,
) -> HabitatMap:
    """Give each voxel of a tumor its habitat.

    Args:
        subject: A patient whose sequences share one grid.
        partition: The patient's, from `divide_cohort` or `divide_tumor`.
        settings: `maps`, `sequences` and `scaling`: the channels.
        region: Where to look instead of the tumor, such as a ring around it.

    Returns:
        Habitats 1..count; an absent one has no voxel and no center (NaN).
    """
    where = subject.tumor if region is None else region
    labels = partition.assign(channels_of(subject, settings, where.array))
    array = np.zeros(subject.grid.shape, dtype=np.uint8)
    array[where.array] = labels
    voxels = replace(subject, tumor=where).tumor_intensities()
    centers = [
        voxels[labels == h].mean(axis=0, dtype=np.float64)
        if (labels == h).any()
        else np.full(voxels.shape[1], np.nan)
        for h in range(1, partition.count + 1)
    ]
    return HabitatMap(
        patient=subject.patient,
        array=array,
        grid=subject.grid,
        count=partition.count,
        centers=np.array(centers),
        sequences=tuple(subject.images),
    )
