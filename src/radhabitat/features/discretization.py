"""Gray levels: which bin each intensity falls into.

Decision: docs/decisions/0003-bin-width.md.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import ComputationError
from radhabitat.features import counting
from radhabitat.settings import FeatureSettings

MAX_LEVELS = 1024
"""Co-occurrence matrices grow with the square of the levels; 16-128 are sensible."""


def bin_edges(
    low: float, high: float, settings: FeatureSettings
) -> NDArray[np.float64]:
    """Give the lower edges of the bins, and one edge above the highest intensity.

    A level l holds the intensities with edges[l - 1] <= x < edges[l]. Bins of fixed
    width begin at a multiple of the width in mode `pyradiomics`, so that levels of
    different regions compare, and at the lowest intensity in mode `ibsi`, or the
    lowest that `resegment` allows. All edges are computed in float64, whatever the
    type of the image.

    Args:
        low: Lowest intensity in the region.
        high: Highest intensity in the region, > low.
        settings: Bin width or bin count, and mode.

    Returns:
        Edges, ascending, shape (levels + 1,) or, for fixed width, one more.

    Reference:
        PyRadiomics 3.1, imageoperations.getBinEdges; Zwanenburg et al., Radiology
        2020 (IBSI 1), reference manual section 2.7, "fixed bin number" (K15C) and
        "fixed bin size" (Q3RU).
    """
    if settings.bin_count is not None:
        edges: NDArray[np.float64] = np.linspace(low, high, settings.bin_count + 1)
        edges[-1] += 1.0  # the highest intensity belongs to the last bin
        return edges
    width = _width(settings)
    start = low - low % width if settings.mode == "pyradiomics" else low
    if settings.mode == "ibsi" and settings.resegment_unit == "intensity":
        start = min((start, *settings.resegment))
    return np.arange(start, high + 2.0 * width, width, dtype=np.float64)


def in_range(
    intensities: NDArray[np.float32], settings: FeatureSettings
) -> NDArray[np.bool_]:
    """Tell which voxels of the whole have an intensity that counts.

    Reference:
        PyRadiomics 3.1, imageoperations.resegmentMask; IBSI 1 reference manual,
        section 2.5 (IF1B).
    """
    values = intensities.astype(np.float64)
    limits = np.sort(settings.resegment)
    if settings.resegment_unit == "share of maximum":
        limits = values.max() * limits
    elif settings.resegment_unit == "sigma":
        limits = values.mean() + values.std() * limits
    highest = limits[1] if limits.size > 1 else np.inf
    chosen: NDArray[np.bool_] = (values >= limits[0]) & (values <= highest)
    return chosen


def gray_levels(
    intensities: NDArray[np.float32] | NDArray[np.float64],
    settings: FeatureSettings,
    *,
    where: str,
) -> NDArray[np.int32]:
    """Replace the intensities of one region by gray levels 1, 2, 3 ...

    Args:
        intensities: Of the region's voxels, shape (voxels,), no NaN.
        settings: Bin width or bin count, and mode.
        where: The region in words, for messages.

    Returns:
        Levels, shape (voxels,). A region of one intensity has one level.

    Raises:
        ComputationError: More than 1024 levels.
    """
    levels = np.ones(intensities.size, dtype=np.int32)
    if intensities.size == 0 or intensities.min() == intensities.max():
        return levels
    low, high = float(intensities.min()), float(intensities.max())
    width = _width(settings)
    if settings.bin_count is None and (high - low) / width > MAX_LEVELS:
        raise ComputationError(
            f"{where} has intensities from {low:.6g} to {high:.6g}: bins of "
            f"{width:.6g} give {(high - low) / width:.0f} gray levels, at most "
            f"{MAX_LEVELS} are possible",
            f"{_better(low, high)}, or normalize the images",
        )
    counting.assign_levels(intensities, bin_edges(low, high, settings), levels)
    return levels


def check_levels(
    levels: NDArray[np.int32],
    intensities: NDArray[np.float32],
    settings: FeatureSettings,
    *,
    where: str,
) -> None:
    """Refuse one bin over different intensities: no texture would be measured.

    Raises:
        ComputationError: All of a region's intensities fall into the same bin,
            although they differ.
    """
    low, high = float(intensities.min()), float(intensities.max())
    if low < high and levels.min() == levels.max():
        raise ComputationError(
            f"{where} has intensities from {low:.6g} to {high:.6g}, all in one bin "
            f"of {_width(settings):.6g}: its texture features would not depend on the "
            "image",
            _better(low, high),
        )


def _better(low: float, high: float) -> str:
    return (
        f"set bin_width near {(high - low) / 32:.2g} (32 levels), or bin_count = 32 "
        "([features] in study.toml; --bin-width or --bin-count)"
    )


def _width(settings: FeatureSettings) -> float:
    return 1.0 if settings.bin_width is None else settings.bin_width
