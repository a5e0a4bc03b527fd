"""Local regression of one variable on another, as R's loess does it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_CELL = 0.2
_MARGIN = 0.005


def loess(x: Floats, y: Floats, *, span: float = 0.75) -> Floats:
    """Return y smoothed over x by local quadratic regression, shape (patients,).

    The regression is solved at the corners of cells and interpolated between them by
    cubics that meet its values and slopes, like R's loess with its defaults
    (degree 2, tricube weights, surface = "interpolate", cell = 0.2).

    Args:
        x: Shape (patients,), finite.
        y: Same shape.
        span: Share of the patients that each local regression sees.

    Reference:
        Cleveland and Grosse, Stat Comput 1991;1:47.
    """
    if np.ptp(x) == 0.0:
        return np.full(len(y), y.mean())
    corners = _corners(np.sort(x), max(1, int(len(x) * span * _CELL)))
    near = min(len(x), max(3, int(len(x) * span + 1e-5)))
    value, slope = np.array([_local(x, y, corner, near) for corner in corners]).T
    cell = np.clip(np.searchsorted(corners, x, side="right") - 1, 0, len(corners) - 2)
    width = np.diff(corners)[cell]
    u = (x - corners[cell]) / width
    start = (1.0 + 2.0 * u) * value[cell] + u * width * slope[cell]
    end = (3.0 - 2.0 * u) * value[cell + 1] - (1.0 - u) * width * slope[cell + 1]
    smooth: Floats = (1.0 - u) ** 2 * start + u**2 * end
    return smooth


def _corners(ordered: Floats, most: int) -> Floats:
    """Return the corners of cells that are halved until they hold few patients."""
    margin = _MARGIN * np.ptp(ordered)
    ends = [ordered[0] - margin, ordered[-1] + margin]
    corners, cells = set(ends), [(0, len(ordered) - 1)]
    while cells:
        first, last = cells.pop()
        if last - first + 1 <= most:
            continue
        # the last of equal values that is nearest to the middle; of two the upper
        steps = first + np.flatnonzero(np.diff(ordered[first : last + 1]))[::-1]
        if not len(steps):
            continue
        left = int(steps[np.argmin(np.abs(steps - (first + last) // 2))])
        corners.add(ordered[left])
        cells += [(first, left), (left + 1, last)]
    return np.array(sorted(corners))


def _local(x: Floats, y: Floats, at: float, near: int) -> Floats:
    """Return value and slope at a point of the quadratic of its neighborhood."""
    distance = np.abs(x - at)
    reach = np.partition(distance, near - 1)[near - 1]
    if reach == 0.0:  # so many equal values that the slope is anybody's guess
        reach = distance[distance > 0.0].min()
    root = np.sqrt(np.maximum(1.0 - (distance / reach) ** 3, 0.0) ** 3)
    seen = root > 0.0
    powers = ((x[seen] - at) / reach)[:, np.newaxis] ** np.arange(3)
    weighted = powers * root[seen, np.newaxis]
    formula = np.linalg.lstsq(weighted, y[seen] * root[seen], rcond=1e-10)[0]
    found: Floats = formula[:2] / np.array([1.0, reach])
    return found
