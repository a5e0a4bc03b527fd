"""Feature maps: first order and GLCM in a small cube around every voxel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from radhabitat.errors import MaskError, SettingsError
from radhabitat.features import discretization
from radhabitat.features.compiled import compiled
from radhabitat.features.first_order import first_order
from radhabitat.features.names import FAMILIES
from radhabitat.features.neighbors import cooccurrences
from radhabitat.features.regions import DIRECTIONS, locate
from radhabitat.settings import FeatureSettings
from radhabitat.types import Mask, Volume

_FIRST_ORDER = FAMILIES["firstorder"]
MAPPED = tuple(
    [f"firstorder_{n}" for n in _FIRST_ORDER] + [f"glcm_{n}" for n in FAMILIES["glcm"]]
)
"""Features of which there are maps."""

_VOXELS_AT_ONCE = 2_000
_CELLS_AT_ONCE = 2_000_000


class MapPart(NamedTuple):
    """Some voxels of all maps.

    Attributes:
        indices: Where the voxels lie in the image, shape (voxels, 3).
        values: NaN where not computable, shape (voxels, features).
    """

    indices: NDArray[np.int64]
    values: NDArray[np.float32]


def feature_maps(
    image: Volume,
    mask: Mask,
    settings: FeatureSettings,
    *,
    radius: int = 1,
    features: Sequence[str] = MAPPED,
) -> Iterator[MapPart]:
    """Compute features of the cube around each voxel, some voxels at a time.

    Only voxels of the mask count. Gray levels are those of the whole region, so that
    neighboring cubes compare. Memory does not grow with the region.

    Args:
        image: The image.
        mask: The region, on the image's grid.
        settings: Discretization and mode.
        radius: Of the cube in voxels: 1, 2 or 3 (27, 125 or 343 voxels).
        features: Names among `MAPPED`.

    Raises:
        SettingsError: A name is unknown, or the radius is not 1, 2 or 3.
        MaskError: The mask is empty or lies on another grid.
        ComputationError: The bin width does not fit the region's intensities.

    Reference:
        PyRadiomics 3.1, voxel-based extraction with a masked kernel.
    """
    unknown = set(features) - set(MAPPED)
    if unknown or radius not in (1, 2, 3):
        raise SettingsError(
            f"There are no maps of {', '.join(sorted(unknown))}"
            if unknown
            else f"The radius of a cube is 1, 2 or 3 voxels, not {radius}",
            f"choose among {', '.join(MAPPED)}" if unknown else "choose one of these",
        )
    if mask.voxels == 0 or not mask.grid.same_as(image.grid):
        raise MaskError(
            "The mask is empty or not on the image's grid",
            "draw the region on this image",
        )
    return _parts(image, mask, settings, radius, tuple(features))


def _parts(
    image: Volume,
    mask: Mask,
    settings: FeatureSettings,
    radius: int,
    features: tuple[str, ...],
) -> Iterator[MapPart]:
    regions = locate(mask.array)
    whole = image.array[regions.box][regions.inside]
    levels = discretization.gray_levels(whole, settings, where="The region")
    discretization.check_levels(levels, whole, settings, where="The region")
    padded = tuple(n + 2 * radius for n in regions.inside.shape)
    cubes = np.zeros(padded, dtype=np.int32)
    intensities = np.zeros(padded, dtype=np.float32)
    corners = np.argwhere(regions.inside)
    center = tuple((corners + radius).T)
    cubes[center], intensities[center] = levels, whole
    side = (2 * radius + 1,) * 3
    views = sliding_window_view(cubes, side), sliding_window_view(intensities, side)
    start = np.array([own.start for own in regions.box])
    volume_mm3, highest = float(image.grid.spacing_mm.prod()), int(levels.max())
    for first in range(0, len(corners), _VOXELS_AT_ONCE):
        some = corners[first : first + _VOXELS_AT_ONCE]
        around, values = (view[tuple(some.T)] for view in views)
        found = np.full((len(some), len(MAPPED)), np.nan)
        with threadpool_limits(limits=1, user_api="blas"):
            if any(name.startswith("firstorder") for name in features):
                _first_orders(around, values, settings, volume_mm3, found)
            if any(name.startswith("glcm") for name in features):
                _cooccurrences(around, highest, found)
        columns = [MAPPED.index(name) for name in features]
        yield MapPart(some + start, found[:, columns].astype(np.float32))


def _first_orders(
    levels: NDArray[np.int32],
    intensities: NDArray[np.float32],
    settings: FeatureSettings,
    volume_mm3: float,
    found: NDArray[np.float64],
) -> None:
    """Fill in the first-order features of each cube."""
    for row, gray, own in zip(found, levels, intensities, strict=True):
        inside = gray > 0
        values = first_order(
            own[inside], gray[inside], settings, voxel_volume_mm3=volume_mm3
        )
        row[: len(_FIRST_ORDER)] = [values[name] for name in _FIRST_ORDER]


def _cooccurrences(
    levels: NDArray[np.int32], highest: int, found: NDArray[np.float64]
) -> None:
    """Fill in the GLCM features; cubes with equally many levels go together."""
    ranks = np.zeros(levels.shape, dtype=np.int64)
    gray = np.zeros((len(levels), levels[0].size))
    counts = _rank(levels, ranks, gray, np.zeros(highest + 1, dtype=np.int64))
    for count in np.unique(counts[counts > 1]):
        chosen = np.flatnonzero(counts == count)
        at_once = max(1, _CELLS_AT_ONCE // (len(DIRECTIONS) * count**2))
        for first in range(0, len(chosen), at_once):
            some = chosen[first : first + at_once]
            pairs = np.zeros((len(some), len(DIRECTIONS), count, count))
            _count_pairs(ranks[some], DIRECTIONS, pairs)
            pairs += pairs.transpose(0, 1, 3, 2)
            cube, direction = np.nonzero(pairs.any(axis=(2, 3)))
            met, owner = np.unique(cube, return_inverse=True)
            if met.size:
                own = gray[some[met], :count]
                names, values = cooccurrences(
                    pairs[cube, direction], own, owner, highest
                )
                columns = [MAPPED.index(f"glcm_{name}") for name in names]
                found[some[met][:, None], columns] = values.T


@compiled
def _rank(
    levels: NDArray[np.int32],
    ranks: NDArray[np.int64],
    gray: NDArray[np.float64],
    place: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Number the levels of each cube 1, 2 ...; return how many there are."""
    counts = np.zeros(levels.shape[0], dtype=np.int64)
    for cube in range(levels.shape[0]):
        own, numbers = levels[cube].ravel(), ranks[cube].ravel()
        place[:] = 0
        for level in own:
            place[level] = 1
        place[0] = 0
        for level in range(1, place.size):
            if place[level] > 0:
                gray[cube, counts[cube]] = level
                counts[cube] += 1
                place[level] = counts[cube]
        for voxel in range(own.size):
            numbers[voxel] = place[own[voxel]]
        ranks[cube] = numbers.reshape(ranks[cube].shape)
    return counts


@compiled
def _count_pairs(
    ranks: NDArray[np.int64],
    directions: NDArray[np.int64],
    pairs: NDArray[np.float64],
) -> None:
    """Count the pairs of each cube, one way; see `Tallies.pairs`."""
    side = ranks.shape[1]
    for cube in range(ranks.shape[0]):
        for number in range(directions.shape[0]):
            a, b, c = directions[number]
            for i in range(side - a):
                for j in range(max(0, -b), side - max(0, b)):
                    for k in range(max(0, -c), side - max(0, c)):
                        one = ranks[cube, i, j, k]
                        other = ranks[cube, i + a, j + b, k + c]
                        if one > 0 and other > 0:
                            pairs[cube, number, one - 1, other - 1] += 1.0
