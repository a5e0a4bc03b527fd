"""Which habitat is which: tumors are matched to prototypes of the cohort.

A tumor's centers, in units of its own spread, are those of the prototypes plus an
offset of the tumor (its scanner's gain, its bias field) plus noise:

    center of habitat j in tumor p = prototype j + offset p + noise

The assignment of centers to prototypes is the most likely one; the offset is
integrated out. With all habitats present this is the optimal assignment of centers
about their mean, whatever the offset; with some absent, the offsets of the other
tumors tell which are missing. Nothing looks at the outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Floats = NDArray[np.float64]

STARTS = 15
ROUNDS = 50
LEAST_VARIANCE = 1e-4


@dataclass(frozen=True, eq=False)
class Prototypes:
    """The habitats of a cohort.

    Attributes:
        centers: In units of a tumor's spread, shape (habitats, channels).
        noise: Variance of a tumor's centers about them, shape (channels,).
        offset: Variance of the tumors' offsets, shape (channels,).
    """

    centers: Floats
    noise: Floats
    offset: Floats


@dataclass(frozen=True, eq=False)
class Match:
    """How one tumor's centers were matched.

    Attributes:
        habitats: Prototype 0.. of each center, shape (centers,).
        cost: Squared distance to the prototypes in units of the noise, per center
            and channel; about 1 when the tumor is like the others.
        ambiguity: Probability that the second best assignment is the right one of
            the two: 0 = no doubt, 0.5 = a coin toss.
    """

    habitats: NDArray[np.intp]
    cost: float
    ambiguity: float


def match_centers(centers: Floats, prototypes: Prototypes) -> Match:
    """Assign each center of a tumor to another prototype.

    Args:
        centers: In units of the tumor's spread, shape (centers, channels), at most
            as many as there are prototypes.
        prototypes: Of the cohort.

    Reference:
        Kuhn, Nav Res Logist Q 1955;2:83 (optimal assignment).
    """
    found = [
        (cost + _offset_cost(centers, subset, prototypes), subset[columns])
        for subset in _subsets(len(prototypes.centers), len(centers))
        for cost, columns in _best_two(_distances(centers, subset, prototypes))
    ]
    found.sort(key=lambda pair: pair[0])
    best = found[0]
    gap = found[1][0] - best[0] if len(found) > 1 else np.inf
    return Match(
        habitats=best[1],
        cost=float(best[0] / centers.size),
        ambiguity=float(1.0 / (1.0 + np.exp(min(gap / 2.0, 700.0)))),
    )


def learn_prototypes(tumors: Sequence[Floats]) -> Prototypes:
    """Learn the prototypes of a cohort by matching and averaging in turn.

    The search starts from several tumors' own centers; of the ends reached, the most
    likely one is kept. Neither the order of the centers nor that of the tumors
    matters.

    Args:
        tumors: Each tumor's centers in units of its spread, all of one shape
            (habitats, channels).

    Reference:
        Stephens, J R Stat Soc B 2000;62:795 (relabeling).
    """
    rows = [sorted(map(tuple, centers.tolist())) for centers in tumors]
    stack = np.array(sorted(rows))
    starts = np.unique(np.linspace(0, len(stack) - 1, STARTS).round().astype(int))
    ends = [_alternate(stack, stack[start]) for start in starts]
    return min(ends, key=lambda end: end[0])[1]


def _alternate(stack: Floats, start: Floats) -> tuple[float, Prototypes]:
    """Match and average until nothing changes; return -2 log likelihood and the end."""
    ones = np.ones(stack.shape[2])
    now = Prototypes(start, ones, ones)
    order: NDArray[np.intp] | None = None
    for _ in range(ROUNDS):
        before, order = order, np.stack([_full_match(c, now) for c in stack])
        now = _average(stack, order)
        if before is not None and np.array_equal(before, order):
            break
    costs = [match_centers(c, now).cost * c.size for c in stack]
    return sum(costs) + stack[:, :, 0].size * float(np.log(now.noise).sum()), now


def _full_match(centers: Floats, prototypes: Prototypes) -> NDArray[np.intp]:
    everyone = np.arange(len(centers))
    distances = _distances(centers, everyone, prototypes)
    return np.asarray(linear_sum_assignment(distances.T)[1])


def _average(stack: Floats, order: NDArray[np.intp]) -> Prototypes:
    """Return prototypes of centers put in order; order[p, j]: center of prototype j."""
    matched = np.take_along_axis(stack, order[:, :, np.newaxis], axis=1)
    offsets = matched.mean(axis=1)
    within = matched - offsets[:, np.newaxis]
    shape = within.mean(axis=0)
    noise = ((within - shape) ** 2).mean(axis=(0, 1))
    noise *= within.shape[1] / (within.shape[1] - 1)
    return Prototypes(
        centers=shape + offsets.mean(axis=0),
        noise=np.maximum(noise, LEAST_VARIANCE),
        offset=np.maximum(offsets.var(axis=0), LEAST_VARIANCE),
    )


def _subsets(habitats: int, found: int) -> list[NDArray[np.intp]]:
    return [np.array(c, dtype=np.intp) for c in combinations(range(habitats), found)]


def _distances(
    centers: Floats, subset: NDArray[np.intp], prototypes: Prototypes
) -> Floats:
    """Return squared distances about the means, in units of the noise."""
    wanted = prototypes.centers[subset]
    own, other = centers - centers.mean(axis=0), wanted - wanted.mean(axis=0)
    apart = own[:, np.newaxis] - other
    distances: Floats = (apart**2 / prototypes.noise).sum(axis=2)
    return distances


def _offset_cost(
    centers: Floats, subset: NDArray[np.intp], prototypes: Prototypes
) -> float:
    """Return how unlikely the offset is that an assignment to these habitats means."""
    apart = centers.mean(axis=0) - prototypes.centers[subset].mean(axis=0)
    count = len(centers)
    variance = prototypes.noise + count * prototypes.offset
    return float((count * apart**2 / variance).sum())


def _best_two(distances: Floats) -> list[tuple[float, NDArray[np.intp]]]:
    """Return the cheapest assignment and the second cheapest: (cost, columns)."""
    rows, columns = linear_sum_assignment(distances)
    best = (float(distances[rows, columns].sum()), columns)
    others = []
    for row in rows if len(rows) > 1 else ():
        forbidden = distances.copy()
        forbidden[row, columns[row]] = 1e12
        _, other = linear_sum_assignment(forbidden)
        others.append((float(distances[rows, other].sum()), other))
    return [best, *([min(others, key=lambda pair: pair[0])] if others else [])]
