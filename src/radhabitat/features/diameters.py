"""Longest distances between points, exactly and without comparing all pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radhabitat.features.compiled import compiled


@compiled
def planar_diameter(
    points: NDArray[np.int64],
    scale: NDArray[np.float64],
    on_hull: NDArray[np.bool_],
) -> float:
    """Find the longest distance between points of the same plane.

    Args:
        points: Plane, x, y of each point, sorted in this order, shape (points, 3).
        scale: Length of one unit of x and of y, shape (2,).
        on_hull: Set to True for the corners of the convex hull of each plane.

    Returns:
        The distance, 0 without points.
    """
    longest = 0.0
    chain = np.empty(2 * points.shape[0] + 2, dtype=np.int64)
    first = 0
    while first < points.shape[0]:
        last = first
        while last + 1 < points.shape[0] and points[last + 1, 0] == points[first, 0]:
            last += 1
        size = _hull(points, first, last, chain)
        for corner in chain[:size]:
            on_hull[corner] = True
        longest = max(longest, _longest(points, chain[:size], scale))
        first = last + 1
    return float(np.sqrt(longest))


@compiled
def diameter(points: NDArray[np.float64]) -> float:
    """Return the longest distance between points of shape (points, 3)."""
    longest = 0.0
    for one in range(points.shape[0]):
        for other in range(one):
            x = points[one, 0] - points[other, 0]
            y = points[one, 1] - points[other, 1]
            z = points[one, 2] - points[other, 2]
            longest = max(longest, x * x + y * y + z * z)
    return float(np.sqrt(longest))


@compiled
def _hull(
    points: NDArray[np.int64], first: int, last: int, chain: NDArray[np.int64]
) -> int:
    """Andrew's monotone chain; returns how many corners it wrote into the chain."""
    size = 0
    for point in range(first, last + 1):
        while size >= 2 and _turn(points, chain[size - 2], chain[size - 1], point) <= 0:
            size -= 1
        chain[size] = point
        size += 1
    lower = size + 1
    for point in range(last - 1, first - 1, -1):
        while (
            size >= lower
            and _turn(points, chain[size - 2], chain[size - 1], point) <= 0
        ):
            size -= 1
        chain[size] = point
        size += 1
    return size


@compiled
def _turn(points: NDArray[np.int64], a: int, b: int, c: int) -> int:
    """Positive where a, b, c turn to the left."""
    ahead = (points[b, 1] - points[a, 1]) * (points[c, 2] - points[a, 2])
    return int(ahead - (points[b, 2] - points[a, 2]) * (points[c, 1] - points[a, 1]))


@compiled
def _longest(
    points: NDArray[np.int64], chosen: NDArray[np.int64], scale: NDArray[np.float64]
) -> float:
    """Return the square of the longest distance between the chosen points."""
    longest = 0.0
    for one in chosen:
        for other in chosen:
            x = (points[one, 1] - points[other, 1]) * scale[0]
            y = (points[one, 2] - points[other, 2]) * scale[1]
            longest = max(longest, x * x + y * y)
    return longest
