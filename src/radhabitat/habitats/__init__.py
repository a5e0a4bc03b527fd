"""find_habitats: divide a tumor into regions of similar intensities.

Per tumor, K-means on the voxels' intensities in all sequences; habitats are
numbered by their mean intensity in one sequence, lowest first.
"""

from __future__ import annotations

import numpy as np

from radhabitat.errors import MaskError
from radhabitat.habitats.elbow import elbow, inertia_curve
from radhabitat.habitats.kmeans import assign_voxels
from radhabitat.settings import HabitatSettings
from radhabitat.types import AlignedSubject, HabitatMap

__all__ = ["choose_k", "elbow", "find_habitats"]


def choose_k(
    subject: AlignedSubject, settings: HabitatSettings, *, seed: int
) -> tuple[int, dict[int, float]]:
    """Return one tumor's own number of habitats and the curve behind it.

    Args:
        subject: A patient whose sequences share one grid.
        settings: `k_max` ends the curve, `min_voxels` limits it in small tumors.
        seed: Of the K-means starts.

    Returns:
        The k at the elbow, 2..k_max, and k -> within-habitat sum of squares for
        k = 1..k_max + 1 (fewer in small tumors).

    Raises:
        MaskError: The tumor is too small for two habitats.
    """
    _refuse_small(subject, 2, settings.min_voxels)
    voxels = subject.tumor_intensities()
    largest = min(settings.k_max + 1, max(3, len(voxels) // settings.min_voxels))
    curve = inertia_curve(voxels, k_max=largest, seed=seed)
    return elbow(curve), curve


def find_habitats(
    subject: AlignedSubject, settings: HabitatSettings, *, count: int, seed: int
) -> HabitatMap:
    """Divide a tumor into `count` habitats.

    Args:
        subject: A patient whose sequences share one grid.
        settings: `restarts` of K-means, `order_by` for the numbering.
        count: Number of habitats; one number for the whole cohort.
        seed: Of the K-means starts.

    Returns:
        Labels 1..count inside the tumor, ordered by increasing mean intensity of
        `settings.order_by` (default: LAP where there is one, else the reference).

    Raises:
        MaskError: The tumor has fewer than `count` x `settings.min_voxels` voxels.
    """
    _refuse_small(subject, count, settings.min_voxels)
    voxels = subject.tumor_intensities()
    labels = assign_voxels(voxels, count, restarts=settings.restarts, seed=seed)
    centers = np.array(
        [voxels[labels == label].mean(axis=0, dtype=float) for label in range(count)]
    )
    sequences = tuple(subject.images)
    order = np.argsort(
        centers[:, sequences.index(_order_by(subject, settings))], kind="stable"
    )
    rank = np.empty(count, dtype=np.uint8)
    rank[order] = np.arange(1, count + 1)
    array = np.zeros(subject.grid.shape, dtype=np.uint8)
    array[subject.tumor.array] = rank[labels]
    return HabitatMap(
        patient=subject.patient,
        array=array,
        grid=subject.grid,
        count=count,
        centers=centers[order],
        sequences=sequences,
    )


def _order_by(subject: AlignedSubject, settings: HabitatSettings) -> str:
    if settings.order_by is not None:
        return settings.order_by
    return "LAP" if "LAP" in subject.images else subject.reference


def _refuse_small(subject: AlignedSubject, count: int, min_voxels: int) -> None:
    if subject.tumor.voxels < count * min_voxels:
        raise MaskError(
            f"The tumor of patient {subject.patient} has {subject.tumor.voxels} "
            f"voxels on the final grid; {count} habitats need at least {count} x "
            f"{min_voxels}",
            "check the drawn region, or lower habitats.k in study.toml",
        )
