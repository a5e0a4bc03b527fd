"""How well two images agree, and how much of a region was imaged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_MOST_BINS = 24
_VALUES_PER_CELL = 4


def count_bins(samples: int) -> int:
    """Return gray levels per image: about 4 samples per joint cell, 4..24 levels.

    With fixed levels, the bias of mutual information, (levels - 1)^2 / (2 samples),
    would swamp small tumors.

    Reference:
        Panzeri and Treves, Network 1996;7:87.
    """
    return int(np.clip(np.sqrt(samples / _VALUES_PER_CELL), 4, _MOST_BINS))


def quantile_codes(
    values: NDArray[np.float32], sample: NDArray[np.float32], bins: int
) -> NDArray[np.intp]:
    """Return which of `bins` equally filled levels of a sample each value falls in."""
    edges = np.quantile(sample, np.linspace(0.0, 1.0, bins + 1)[1:-1])
    codes: NDArray[np.intp] = np.searchsorted(edges, values)
    return codes


def mutual_information(joint: NDArray[np.intp]) -> tuple[float, float]:
    """Return mutual information in nats and its normalized form.

    Args:
        joint: Counts, shape (levels of one image, levels of the other).

    Returns:
        MI = H(a) + H(b) - H(a, b), and NMI = (H(a) + H(b)) / H(a, b): 1 when the
        images tell nothing about each other, 2 when each tells all about the other.

    Reference:
        Studholme, Hill and Hawkes, Pattern Recognit 1999;32:71.
    """
    share = joint / max(int(joint.sum()), 1)
    apart = _entropy(share.sum(axis=1)) + _entropy(share.sum(axis=0))
    together = _entropy(share.ravel())
    return apart - together, apart / together if together > 0.0 else 1.0


def agreement(
    first: NDArray[np.float32], second: NDArray[np.float32]
) -> tuple[float, float]:
    """Return (MI, NMI) of two lists of intensities of the same points."""
    if first.size == 0:
        return 0.0, 1.0
    bins = count_bins(first.size)
    codes = quantile_codes(first, first, bins) * bins
    codes = codes + quantile_codes(second, second, bins)
    joint = np.bincount(codes, minlength=bins * bins).reshape(bins, bins)
    return mutual_information(joint)


def _entropy(share: NDArray[np.float64]) -> float:
    filled = share[share > 0.0]
    return -float((filled * np.log(filled)).sum())
