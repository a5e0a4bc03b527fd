"""Which features can be measured twice: coefficient of variation, ICC."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri

Floats = NDArray[np.float64]
Form = Literal["1,1", "2,1", "3,1", "1,k", "2,k", "3,k"]

_ROUNDING = 1e-13


def coefficient_of_variation(values: Floats) -> Floats:
    """Return standard deviation / |mean| over repeats, in the middle patient.

    Args:
        values: The same tumors measured again, shape (repeats, patients, features);
            at least two repeats.

    Returns:
        Shape (features,); lower means more repeatable. 0 where all repeats agree,
        also at 0; infinite where the mean is 0 but the repeats differ. A missing
        value counts as infinite variation.
    """
    known = np.where(np.isfinite(values), values, np.nan)
    spread = known.std(axis=0, ddof=1)
    size = np.abs(known.mean(axis=0))
    ratio = np.full(spread.shape, np.inf)
    np.divide(spread, size, out=ratio, where=size > 0.0)
    ratio[spread == 0.0] = 0.0
    ratio[np.isnan(ratio)] = np.inf
    middle = np.sort(ratio, axis=0)[[(len(ratio) - 1) // 2, len(ratio) // 2]]
    return np.asarray(middle.mean(axis=0))


class Agreement(NamedTuple):
    """An ICC and its limits, each of shape (features,); 1 = the readers agree."""

    icc: Floats
    low: Floats
    high: Floats


def icc(values: Floats, *, form: Form = "2,1", confidence: float = 0.95) -> Agreement:
    """Return the intraclass correlation of readers, with its limits.

    Args:
        values: Shape (readers, patients, features); at least two readers. A patient
            with a missing value is left out for that feature.
        form: After Shrout and Fleiss. Before the comma: 1 = each patient had other
            readers, 2 = readers stand for all readers (absolute agreement), 3 = only
            these readers (consistency). After it: 1 = one reading, k = their mean.
        confidence: Of the limits.

    Returns:
        NaN for a feature that is constant or known in fewer than two patients.

    Reference:
        Shrout and Fleiss 1979, Psychol Bull 86:420; limits of form 2 with
        Satterthwaite's degrees of freedom: McGraw and Wong 1996, Psychol Methods 1:30,
        table 7.
    """
    k = float(len(values))
    n, between, reader, error = _mean_squares(values)
    tail = 0.5 + confidence / 2.0
    with np.errstate(divide="ignore", invalid="ignore"):
        if form[0] == "2":
            limits = _of_random_readers(k, (n, between, reader, error), tail)
        else:
            freedom = (n - 1.0) * (k - 1.0)
            if form[0] == "1":
                error = ((n - 1.0) * error + reader) / n
                freedom = n * (k - 1.0)
            ratio = between / error
            ratios = np.array(
                [
                    ratio,
                    ratio / fdtri(n - 1.0, freedom, tail),
                    ratio * fdtri(freedom, n - 1.0, tail),
                ]
            )
            limits = (ratios - 1.0) / (ratios + k - 1.0)
            limits[:, error == 0.0] = 1.0
        limits[:, np.isnan(between)] = np.nan
        if form[2] == "k":
            limits = k * limits / (1.0 + (k - 1.0) * limits)
    return Agreement(*limits)


def _of_random_readers(
    k: float, squares: tuple[Floats, Floats, Floats, Floats], tail: float
) -> Floats:
    """Return ICC(2,1) and its limits, shape (3, features)."""
    n, between, reader, error = squares
    icc = (between - error) / (between + (k - 1) * error + k / n * (reader - error))
    a = k * icc / (n * (1.0 - icc))
    b = 1.0 + k * icc * (n - 1.0) / (n * (1.0 - icc))
    freedom = (a * reader + b * error) ** 2 / (
        (a * reader) ** 2 / (k - 1.0) + (b * error) ** 2 / ((n - 1.0) * (k - 1.0))
    )
    upper = fdtri(n - 1.0, freedom, tail)
    lower = fdtri(freedom, n - 1.0, tail)
    noise = k * reader + (k * n - k - n) * error
    low = n * (between - upper * error) / (upper * noise + n * between)
    high = n * (lower * between - error) / (noise + n * lower * between)
    return np.where(icc == 1.0, 1.0, np.array([icc, low, high]))


def _mean_squares(values: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return patients and mean squares between patients, between readers, of error.

    Each of shape (features,); NaN for a feature that is constant or hardly known.
    """
    known = np.isfinite(values).all(axis=0)
    patients = known.sum(axis=0).astype(np.float64)
    k = len(values)
    cells = np.where(known, values, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = cells.sum(axis=(0, 1)) / (k * patients)
        centered = np.where(known, cells - mean, 0.0)
        size = np.abs(cells).max(axis=(0, 1))
        constant = np.abs(centered).max(axis=(0, 1)) <= _ROUNDING * size
        by_patient = centered.mean(axis=0)
        by_reader = centered.sum(axis=1) / patients
        rest = centered - by_patient - np.where(known, by_reader[:, np.newaxis], 0.0)
        between = k * (by_patient**2).sum(axis=0) / (patients - 1.0)
        reader = patients * (by_reader**2).sum(axis=0) / (k - 1.0)
        error = (rest**2).sum(axis=(0, 1)) / ((patients - 1.0) * (k - 1.0))
    between[constant | (patients < 2.0)] = np.nan
    return patients, between, reader, error
