"""Which features can be measured twice: coefficient of variation, ICC(2,1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import f as f_distribution


@dataclass(frozen=True, eq=False)
class Agreement:
    """ICC of many features.

    Attributes:
        value: ICC(2,1), shape (features,); NaN when a feature is constant.
        low: Lower limit.
        high: Upper limit.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def coefficient_of_variation(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return standard deviation / |mean| over repeats, in the middle patient.

    Args:
        values: The same tumors measured again, shape (repeats, patients, features);
            at least two repeats.

    Returns:
        Shape (features,); the median over patients. Infinite when the mean is zero
        but the repeats differ, NaN when a value is missing in most patients.
    """
    spread = values.std(axis=0, ddof=1)
    size = np.abs(values.mean(axis=0))
    ratio = np.full(spread.shape, np.inf)
    np.divide(spread, size, out=ratio, where=size > 0)
    ratio[spread == 0.0] = 0.0
    ratio[np.isnan(spread)] = np.nan
    known = ~np.isnan(ratio)
    enough = 2 * known.sum(axis=0) > len(ratio)
    middle = np.full(ratio.shape[1], np.nan)
    for feature in np.flatnonzero(enough):
        middle[feature] = np.median(ratio[known[:, feature], feature])
    return middle


def icc_2_1(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ICC(2,1): two-way random, absolute agreement, single measurement.

    Args:
        values: Shape (raters, patients, features); at least two of each rater and
            patient. A feature with a missing value gives NaN.

    Returns:
        Shape (features,).

    Reference:
        Shrout and Fleiss 1979, Psychol Bull 86:420, table 4, ICC(2,1).
    """
    return agreement(values).value


def agreement(values: NDArray[np.float64], *, confidence: float = 0.95) -> Agreement:
    """Return ICC(2,1) with its interval.

    Args:
        values: Shape (raters, patients, features).
        confidence: Of the interval.

    Reference:
        McGraw and Wong 1996, Psychol Methods 1:30, table 7, case 2A, ICC(A,1).
    """
    raters, patients, _ = values.shape
    between, rater, error = _mean_squares(values)
    share = raters / patients
    total = between + (raters - 1) * error + share * (rater - error)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = (between - error) / total
        low, high = _limits(value, (between, rater, error), values.shape, confidence)
    return Agreement(value, low, high)


def _mean_squares(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean squares between patients, between raters, and of the error."""
    raters, patients, _ = values.shape
    mean = values.mean(axis=(0, 1))
    by_patient = values.mean(axis=0) - mean
    by_rater = values.mean(axis=1) - mean
    rest = values - mean - by_patient[np.newaxis] - by_rater[:, np.newaxis]
    return (
        raters * (by_patient**2).sum(axis=0) / (patients - 1),
        patients * (by_rater**2).sum(axis=0) / (raters - 1),
        (rest**2).sum(axis=(0, 1)) / ((patients - 1) * (raters - 1)),
    )


def _limits(
    icc: NDArray[np.float64],
    squares: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    shape: tuple[int, ...],
    confidence: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    between, rater, error = squares
    k, n = shape[0], shape[1]
    a = k * icc / (n * (1.0 - icc))
    b = 1.0 + k * icc * (n - 1) / (n * (1.0 - icc))
    freedom = (a * rater + b * error) ** 2 / (
        (a * rater) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    )
    tail = 1.0 - (1.0 - confidence) / 2.0
    upper = f_distribution.ppf(tail, n - 1, freedom)
    lower = f_distribution.ppf(tail, freedom, n - 1)
    noise = k * rater + (k * n - k - n) * error
    low = n * (between - upper * error) / (upper * noise + n * between)
    high = n * (lower * between - error) / (noise + n * lower * between)
    return low, high
