"""What several aligned sequences together say about the tissue of each voxel.

Two contrast phases alone mislead mutual information: where infiltrating tissue has
the signal of liver in one and that of tumor in the other, it shifts their edges onto
each other (1.3-2 mm between PRE and PVP). Voxels coded by all other sequences, and
the code painted in the contrast of the one to be moved, have no such shift.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radhabitat.preprocessing.quality import (
    count_bins,
    mutual_information,
    quantile_codes,
)

_MOST_CODES = 16
_EVERY = 3

Codes = NDArray[np.intp]
Picture = NDArray[np.float32]
Where = NDArray[np.bool_]


def code_tissue(pictures: Sequence[Picture], where: Where, *, seed: int) -> Codes:
    """Return which of up to 16 kinds of tissue each voxel is, shape (i, j, k).

    K-means on the intensities of the pictures, learned where `where` is True.

    Args:
        pictures: Aligned sequences, 0..1, each of shape (i, j, k).
        where: The region that matters, same shape.
        seed: Of the first centers.
    """
    from sklearn.cluster import KMeans

    voxels = np.stack([p.ravel() for p in pictures], axis=1)
    learned = voxels[where.ravel()][::_EVERY]
    distinct = len(np.unique(learned, axis=0))
    kinds = max(min(_MOST_CODES, count_bins(len(learned)), distinct), 1)
    model = KMeans(kinds, n_init=1, random_state=seed % 2**32).fit(learned)
    codes: Codes = model.predict(voxels).astype(np.intp)
    return codes.reshape(where.shape)


def paint(codes: Codes, picture: Picture, where: Where) -> Picture:
    """Return the codes in the contrast of a picture: its mean within each code."""
    count = np.bincount(codes[where], minlength=int(codes.max()) + 1)
    total = np.bincount(codes[where], picture[where], len(count))
    painted: Picture = (total / np.maximum(count, 1)).astype(np.float32)[codes]
    return painted


def code_information(codes: Codes, picture: Picture, where: Where) -> float:
    """Return the mutual information of codes and a picture in a region, nats."""
    kinds, bins = int(codes.max()) + 1, count_bins(int(np.count_nonzero(where)))
    levels = quantile_codes(picture[where], picture[where], bins)
    joint = np.bincount(codes[where] * bins + levels, minlength=kinds * bins)
    return mutual_information(joint.reshape(kinds, bins))[0]
