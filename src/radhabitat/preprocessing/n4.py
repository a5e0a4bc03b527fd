"""N4: a smooth multiplicative field, found by sharpening the histogram.

The mathematics of ITK's N4BiasFieldCorrectionImageFilter. Voxels lie on a regular
grid, so the scattered-data fit of a cubic B-spline and its evaluation are separable:
each is three small matrix products instead of a loop over voxels.

Reference:
    Tustison et al., IEEE Trans Med Imaging 2010;29:1310 (N4).
    Sled, Zijdenbos and Evans, IEEE Trans Med Imaging 1998;17:87 (sharpening).
    Lee, Wolberg and Shin, IEEE Trans Vis Comput Graph 1997;3:228, equations 4-5 (fit).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Picture = NDArray[np.float32]

_BINS = 200
_PADDED = 512
_BLUR_FWHM = 0.15
_WIENER_NOISE = 0.01
_NO_DATA = 1e-12


@dataclass(frozen=True, eq=False)
class LogField:
    """The logarithm of a bias field as a cubic B-spline over a box.

    Attributes:
        lattice: Control points, spans + 3 per axis; 1 where the box has one voxel.
        spans: B-spline pieces per axis.
    """

    lattice: Array
    spans: int

    def at(self, positions: Sequence[Array]) -> Picture:
        """Return the field on a grid of positions, 0..1 per axis, (i, j, k)."""
        bases = [
            _basis(p * self.spans, self.spans, flat=n == 1)
            for p, n in zip(positions, self.lattice.shape, strict=True)
        ]
        return _contract([b.astype(np.float32) for b in bases], self.lattice)


def fit_log_field(
    picture: Picture,
    mask: NDArray[np.bool_],
    *,
    levels: int = 4,
    iterations: int = 50,
    tolerance: float = 1e-3,
) -> LogField:
    """Return the logarithm of the field that, taken out, sharpens the histogram.

    Args:
        picture: Intensities, shape (i, j, k).
        mask: Voxels to look at; those that are not positive are left out.
        levels: The spline has 1, 2, 4 ... pieces per axis, one step per level.
        iterations: At most this many per level.
        tolerance: A level ends when the field's ratio to the last one varies by less.
    """
    used = mask & (picture > 0)
    where = np.flatnonzero(used)
    logs = np.log(picture.ravel()[where])
    shape, spans = picture.shape, 1
    lattice = np.zeros([1 if n == 1 else spans + 3 for n in shape])
    log_bias = np.zeros_like(logs)
    residual = np.zeros(shape, np.float32)
    for level in range(levels):
        if level:
            lattice, spans = _refine(lattice), 2 * spans
        bases, shares, weight = _fit_matrices(used, spans)
        known = weight > _NO_DATA
        for _ in range(iterations):
            residual.ravel()[where] = _sharpening_step(logs - log_bias)
            step = np.zeros_like(weight)
            np.divide(_contract(shares, residual), weight, out=step, where=known)
            lattice = lattice + step
            latest = _contract(bases, lattice).ravel()[where]
            change = _variation(log_bias - latest)
            log_bias = latest
            if not change >= tolerance:
                break
    return LogField(lattice, spans)


def _fit_matrices(
    used: NDArray[np.bool_], spans: int
) -> tuple[list[Picture], list[Picture], Picture]:
    """Return bases, shares and weight: a fit is shares(values) / weight."""
    bases = [_basis(np.linspace(0.0, spans, n), spans, flat=n == 1) for n in used.shape]
    squares = [(b**2).T.astype(np.float32) for b in bases]
    shares = [
        (b**3 / (b**2).sum(axis=1, keepdims=True)).T.astype(np.float32) for b in bases
    ]
    weight = _contract(squares, used.astype(np.float32))
    return [b.astype(np.float32) for b in bases], shares, weight


def _contract(matrices: Sequence[Picture], values: NDArray[np.floating]) -> Picture:
    """Apply one (out, in) matrix per axis of (i, j, k)."""
    first, second, third = matrices
    part = np.matmul(values.astype(np.float32, copy=False), third.T)
    part = np.matmul(second, part)
    result: Picture = np.tensordot(first, part, axes=(1, 0))
    return result


def _basis(positions: Array, spans: int, *, flat: bool) -> Array:
    """Uniform cubic B-splines at positions in 0..spans, (positions, spans + 3)."""
    if flat:
        return np.ones((len(positions), 1))
    inside = np.clip(positions, 0.0, spans * (1.0 - 1e-9))
    piece = np.minimum(inside.astype(int), spans - 1)
    u = inside - piece
    second, third = 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1
    weights = np.stack([(1 - u) ** 3, second, third, u**3], axis=1)
    rows = np.arange(len(positions))[:, None]
    basis = np.zeros((len(positions), spans + 3))
    basis[rows, piece[:, None] + np.arange(4)] = weights / 6
    return basis


def _refine(lattice: Array) -> Array:
    """The same spline with twice the pieces per axis (two-scale relation)."""
    for axis in range(3):
        if lattice.shape[axis] == 1:
            continue
        c = np.moveaxis(lattice, axis, 0)
        fine = np.empty((2 * len(c) - 3, *c.shape[1:]))
        fine[0::2] = (c[:-1] + c[1:]) / 2
        fine[1::2] = (c[:-2] + 6 * c[1:-1] + c[2:]) / 8
        lattice = np.moveaxis(fine, 0, axis)
    return lattice


def _sharpening_step(logs: Picture) -> Picture:
    """Return how far each log intensity is from its sharpened expectation."""
    low, high = float(logs.min()), float(logs.max())
    if not high - low > 1e-6:
        return np.zeros_like(logs)
    slope = (high - low) / (_BINS - 1)
    share = (logs - np.float32(low)) * np.float32(1.0 / slope)
    below = share.astype(np.int32)
    share -= below
    upper = np.bincount(below, share, _BINS + 1).astype(np.float64)
    lower: Array = np.bincount(below, minlength=_BINS + 1).astype(np.float64) - upper
    histogram = lower[:_BINS]
    histogram[1:] += upper[: _BINS - 1]
    expected = np.append(_expectation(histogram, low, slope), 0.0)
    expected[-1] = expected[-2]
    step = np.append(np.diff(expected), 0.0).astype(np.float32)
    sharp: Picture = expected.astype(np.float32)[below] + step[below] * share
    return logs - sharp


def _expectation(histogram: Array, low: float, slope: float) -> Array:
    """E(sharp | seen) per bin: Wiener deconvolution by a Gaussian (Sled, eq. 8-12)."""
    offset = (_PADDED - _BINS) // 2
    padded = np.zeros(_PADDED)
    padded[offset : offset + _BINS] = histogram
    width = _BLUR_FWHM / slope
    distance = np.minimum(np.arange(_PADDED), _PADDED - np.arange(_PADDED))
    blur = np.exp(-(distance**2) * 4 * np.log(2) / width**2)
    blur *= 2 * np.sqrt(np.log(2) / np.pi) / width
    transfer = np.fft.fft(blur)
    wiener = np.conj(transfer) / (np.abs(transfer) ** 2 + _WIENER_NOISE)
    sharp = np.maximum(np.fft.ifft(np.fft.fft(padded) * wiener.real).real, 0.0)
    x = low + (np.arange(_PADDED) - offset) * slope
    numerator = np.fft.ifft(np.fft.fft(x * sharp) * transfer).real
    denominator = np.fft.ifft(np.fft.fft(sharp) * transfer).real
    usable = np.abs(denominator) > _NO_DATA
    expected = np.divide(numerator, denominator, out=np.zeros(_PADDED), where=usable)
    return expected[offset : offset + _BINS]


def _variation(log_ratio: Picture) -> float:
    """Coefficient of variation of exp(log_ratio); not a number if that overflows."""
    if not np.abs(log_ratio).max() < 80.0:
        return float("nan")
    ratio = np.exp(log_ratio)
    return float(ratio.std() / ratio.mean())
