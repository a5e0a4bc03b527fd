"""K-means on the voxels of one tumor, the same on any number of threads."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import ComputationError

if TYPE_CHECKING:
    from sklearn.cluster import KMeans


def fit_kmeans(
    voxels: NDArray[np.float32], count: int, *, restarts: int, seed: int
) -> KMeans:
    """Fit K-means with one thread, so that sums are added in one order.

    Args:
        voxels: Intensities, shape (voxels, sequences).
        count: Number of habitats.
        restarts: Number of k-means++ starts; the lowest inertia wins.
        seed: Of the starts.

    Reference:
        Lloyd, IEEE Trans Inf Theory 1982; Arthur and Vassilvitskii, SODA 2007.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    model = KMeans(count, n_init=restarts, random_state=seed % 2**32)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        # fewer distinct intensities than habitats: the caller sees absent habitats
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(voxels)


def assign_voxels(
    voxels: NDArray[np.float32], count: int, *, restarts: int, seed: int
) -> NDArray[np.int32]:
    """Return the label 0..count-1 of each voxel, shape (voxels,).

    Raises:
        ComputationError: The tumor has fewer distinct intensities than habitats.
    """
    model = fit_kmeans(voxels, count, restarts=restarts, seed=seed)
    labels: NDArray[np.int32] = model.labels_
    found = len(np.unique(labels))
    if found < count:
        raise ComputationError(
            f"The tumor has only {found} distinct intensities; {count} habitats "
            "cannot be told apart",
            "check that the images hold the tumor, or lower habitats.k",
        )
    return labels
