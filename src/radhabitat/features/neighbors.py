"""GLCM and NGTDM: which gray levels lie beside each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radhabitat.features.first_order import EPSILON, entropy

_CELLS_AT_ONCE = 4_000_000

_CONVENTION = {"Correlation": 1.0, "Imc1": 0.0}
"""0/0 in a direction that meets one gray level only, as PyRadiomics counts it."""


def cooccurrence(
    pairs: NDArray[np.float64], gray: NDArray[np.float64], highest: int
) -> dict[str, float]:
    """Compute the 24 features of the gray-level co-occurrence matrices.

    Each feature is computed for every direction, then averaged. A region without
    neighboring voxels has none of them (NaN); neither has it a Correlation or Imc1
    if every direction meets one gray level only.

    Args:
        pairs: Symmetric co-occurrences, shape (directions, levels, levels), of the
            directions in which there are any.
        gray: The gray levels of rows and columns, shape (levels,).
        highest: The highest gray level.

    Reference:
        Haralick et al., IEEE Trans SMC 1973; PyRadiomics 3.1, glcm; IBSI 1
        reference manual section 3.6 (LFYI), "3D: averaged" (IAZD).
    """
    if len(pairs) == 0:
        return {}
    owner = np.zeros(len(pairs), dtype=np.int64)
    names, values = cooccurrences(pairs, gray[None], owner, highest)
    return dict(zip(names, values[:, 0].tolist(), strict=True))


def cooccurrences(
    pairs: NDArray[np.float64],
    gray: NDArray[np.float64],
    owner: NDArray[np.int64],
    highest: int,
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Compute the 24 features of many regions with equally many gray levels.

    Args:
        pairs: As for `cooccurrence`, of all regions, shape (matrices, levels, levels).
        gray: Gray levels of each region, shape (regions, levels).
        owner: Region of each matrix, ascending; each has one or more.
        highest: The highest gray level.

    Returns:
        Names, and values of shape (features, regions).
    """
    at_once = max(1, _CELLS_AT_ONCE // pairs[0].size)
    parts = [
        _by_direction(pairs[n : n + at_once], gray[owner[n : n + at_once]], highest)
        for n in range(0, len(pairs), at_once)
    ]
    names = tuple(parts[0])
    values = np.concatenate([[part[name] for name in names] for part in parts], axis=1)
    known = np.isfinite(values)
    used = known | np.isin(names, list(_CONVENTION))[:, None]
    instead = np.array([_CONVENTION.get(name, 0.0) for name in names])[:, None]
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    total = np.add.reduceat(np.where(known, values, instead), starts, axis=1)
    count = np.add.reduceat(used.astype(np.float64), starts, axis=1)
    count[~np.logical_or.reduceat(known, starts, axis=1)] = np.nan
    return names, total / count


def _by_direction(
    pairs: NDArray[np.float64], gray: NDArray[np.float64], highest: int
) -> dict[str, NDArray[np.float64]]:
    """Compute the features of each matrix, whose levels are a row of `gray`."""
    p = pairs / pairs.sum(axis=(1, 2), keepdims=True)
    px = p.sum(axis=2)
    mean = np.einsum("dl,dl->d", px, gray)
    one, other = gray[:, :, None], gray[:, None, :]
    features = _of_sums(_along(p, one + other, 2 * highest + 1), mean)
    features |= _of_differences(_along(p, np.abs(one - other), highest))
    features |= _information(p, px)
    off = gray - mean[:, None]
    variance = np.einsum("dl,dl,dl->d", px, off, off)
    shared = np.einsum("dl,dl->d", (off[:, None] @ p)[:, 0], off)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.where(variance > 0, shared / (variance + EPSILON), np.nan)
    return features | {
        "Autocorrelation": np.einsum("dl,dl->d", (gray[:, None] @ p)[:, 0], gray),
        "Correlation": correlation,
        "JointAverage": mean,
        "JointEnergy": np.einsum("dlm,dlm->d", p, p),
        "MCC": _maximal_correlation(p, px),
        "MaximumProbability": p.max(axis=(1, 2)),
        "SumSquares": variance,
    }


def _along(
    p: NDArray[np.float64], value: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Sum the cells of equal value (a sum or difference), shape (directions, count)."""
    which = value.astype(np.int64) + count * np.arange(len(p))[:, None, None]
    sums = np.bincount(which.ravel(), weights=p.ravel(), minlength=len(p) * count)
    return sums.astype(np.float64, copy=False).reshape(len(p), count)


def _of_sums(
    p: NDArray[np.float64], mean: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    sums = np.arange(p.shape[1], dtype=np.float64)
    off = sums - 2.0 * mean[:, None]
    square = off * off
    return {
        "ClusterProminence": np.einsum("ds,ds,ds->d", p, square, square),
        "ClusterShade": np.einsum("ds,ds,ds->d", p, square, off),
        "ClusterTendency": np.einsum("ds,ds->d", p, square),
        "SumAverage": p @ sums,
        "SumEntropy": entropy(p),
    }


def _of_differences(p: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    levels = p.shape[1]
    steps = np.arange(levels, dtype=np.float64)
    average = p @ steps
    off = steps - average[:, None]
    return {
        "Contrast": p @ steps**2,
        "DifferenceAverage": average,
        "DifferenceEntropy": entropy(p),
        "DifferenceVariance": np.einsum("ds,ds,ds->d", p, off, off),
        "Id": p @ (1.0 / (1.0 + steps)),
        "Idm": p @ (1.0 / (1.0 + steps**2)),
        "Idmn": p @ (1.0 / (1.0 + (steps / levels) ** 2)),
        "Idn": p @ (1.0 / (1.0 + steps / levels)),
        "InverseVariance": p[:, 1:] @ (1.0 / steps[1:] ** 2),
    }


def _information(
    p: NDArray[np.float64], px: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Compare the joint entropy with that of independent neighbors, 2 H(i).

    It is also PyRadiomics' HXY1, because P is symmetric.
    """
    joint, single = entropy(p), entropy(px)
    independent = 2.0 * single
    with np.errstate(invalid="ignore", divide="ignore"):
        first = np.where(np.abs(single) > 1e-12, (joint - independent) / single, np.nan)
        apart = np.maximum(independent - joint, 0.0)
        second = np.sqrt(1.0 - np.exp(-2.0 * apart))
    return {"JointEntropy": joint, "Imc1": first, "Imc2": second}


def _maximal_correlation(
    p: NDArray[np.float64], px: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the second largest singular value of D^-1/2 P D^-1/2.

    Its square is the second largest eigenvalue of Haralick's Q, because P is
    symmetric.
    """
    weight = np.zeros_like(px)
    np.divide(1.0, np.sqrt(px), out=weight, where=px > 0)
    eigenvalues = np.linalg.eigvalsh(p * weight[:, :, None] * weight[:, None, :])
    second: NDArray[np.float64] = np.sort(np.abs(eigenvalues), axis=1)[:, -2]
    return second


def tone_differences(
    voxels: NDArray[np.float64],
    differences: NDArray[np.float64],
    gray: NDArray[np.float64],
) -> dict[str, float]:
    """Compute the 5 features of the neighborhood gray-tone differences.

    Not computable, hence NaN: Coarseness and Strength where no voxel differs from
    its neighbors, Busyness where all products of gray level and share are equal.
    PyRadiomics writes 1e6, 0 and 0 there.

    Args:
        voxels: Voxels of each gray level, shape (levels,), two levels or more. In
            mode `ibsi` without the voxels that have no neighbors.
        differences: Sum of |level - mean level of the 26 neighbors|, by level.
        gray: The gray levels, shape (levels,).

    Reference:
        Amadasun and King, IEEE Trans SMC 1989; PyRadiomics 3.1, ngtdm; IBSI 1
        reference manual section 3.10 (IPET), "3D" (KOBO).
    """
    used = voxels > 0
    voxels, differences, gray = voxels[used], differences[used], gray[used]
    levels, total = gray.size, float(voxels.sum())
    if levels < 2:
        return {}
    share = voxels / total
    weighted = share * differences
    activity, apart = float(differences.sum()), gray[:, None] - gray
    either = share[:, None] + share
    tones = float(np.abs((gray * share)[:, None] - gray * share).sum())
    contrast = float((share[:, None] * share * apart**2).sum()) / levels / (levels - 1)
    both = (weighted[:, None] + weighted) / either
    coarse = float(weighted.sum())
    return {
        "Busyness": coarse / tones if tones > 0 else np.nan,
        "Coarseness": 1.0 / coarse if coarse > 0 else np.nan,
        "Complexity": float((np.abs(apart) * both).sum()) / total,
        "Contrast": contrast * activity / total,
        "Strength": (
            float((either * apart**2).sum()) / activity if activity > 0 else np.nan
        ),
    }
