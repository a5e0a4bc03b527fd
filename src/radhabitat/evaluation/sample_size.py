"""How many patients does a model of a binary outcome need?"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import log_expit, logit, xlogy
from scipy.stats import norm

from radhabitat.errors import SettingsError

SHRINKAGE = 0.9
OPTIMISM = 0.05
MARGIN = 0.05


class SampleSize(NamedTuple):
    """The patients that a binary prediction model needs, for each criterion and all.

    For an expected shrinkage of 0.9, an optimism of R2 of 0.05, an overall risk known
    within 0.05; the largest of these and the events in it; the R2 of Cox and Snell
    that was assumed; all of it in plain words.
    """

    shrinkage: int
    optimism: int
    prevalence: int
    patients: int
    events: int
    cox_snell: float
    sentence: str


def sample_size(
    *,
    prevalence: float,
    parameters: int,
    cox_snell: float | None = None,
    c_statistic: float | None = None,
) -> SampleSize:
    """Return how many patients a model of a binary outcome needs.

    Args:
        prevalence: Share of patients with the event.
        parameters: Candidate coefficients: all that could have been chosen.
        cox_snell: Cox and Snell's R2 expected in new patients; or
        c_statistic: The AUC expected there, above 0.5.

    Raises:
        SettingsError: Not exactly one of R2 and AUC; or a number that cannot be.

    Reference:
        Riley et al., Stat Med 2019;38:1276; BMJ 2020;368:m441, boxes 1-4.
    """
    if (cox_snell is None) == (c_statistic is None):
        raise SettingsError(
            "A sample size needs either Cox and Snell's R2 or the C-statistic",
            "give one of cox_snell and c_statistic",
        )
    largest = -math.expm1(2.0 * _null(prevalence))
    r2 = cox_snell
    if r2 is None:
        r2 = cox_snell_from_c(c_statistic or 0.0, prevalence=prevalence)
    if parameters < 1 or not 0.0 < r2 < largest:
        raise SettingsError(
            f"{parameters} parameters and an R2 of {r2:.3f} cannot be; with a share "
            f"of events of {prevalence:g} R2 lies between 0 and {largest:.3f}",
            "give at least 1 parameter, and a share of events and an R2 inside",
        )
    by_optimism = r2 / (r2 + OPTIMISM * largest)
    needs = (
        _for_shrinkage(SHRINKAGE, r2, parameters),
        _for_shrinkage(by_optimism, r2, parameters),
        math.ceil((1.96 / MARGIN) ** 2 * prevalence * (1.0 - prevalence)),
    )
    patients = max(needs)
    events = math.ceil(patients * prevalence)
    sentence = (
        f"A model of {parameters} candidate parameters needs {patients} patients, "
        f"{events} of them with the event (R2 of Cox and Snell {r2:.3f}): {needs[0]} "
        f"to keep overfitting below 10 %, {needs[1]} for an optimism in R2 of at most "
        f"{OPTIMISM:g}, {needs[2]} to know the overall risk within {MARGIN:g}."
    )
    return SampleSize(*needs, patients, events, r2, sentence)


def cox_snell_from_c(c_statistic: float, *, prevalence: float) -> float:
    """Return Cox and Snell's R2 of a model with this AUC.

    Log-odds are normal with the same spread in events and non-events; what Riley
    simulates with a million patients is integrated here.

    Reference:
        Riley et al., Stat Med 2021;40:859, section 3.
    """
    if not (0.5 < c_statistic < 1.0 and 0.0 < prevalence < 1.0):
        raise SettingsError(
            f"A C-statistic of {c_statistic:g} with a share of events of "
            f"{prevalence:g} has no sample size",
            "give a C-statistic between 0.5 and 1, a share of events between 0 and 1",
        )
    apart = math.sqrt(2.0) * float(norm.ppf(c_statistic))
    points, weights = np.polynomial.hermite_e.hermegauss(120)
    center, moved = logit(prevalence), apart * points
    events = log_expit(center + moved + apart**2 / 2.0)
    others = log_expit(-(center + moved - apart**2 / 2.0))
    risk = np.array([prevalence, 1.0 - prevalence])
    fitted = (risk @ np.array([events, others])) @ (weights / weights.sum())
    return -math.expm1(2.0 * (_null(prevalence) - float(fitted)))


def _null(prevalence: float) -> float:
    """Return the log-likelihood per patient of a model without variables."""
    other = 1.0 - prevalence
    return float(xlogy(prevalence, prevalence) + xlogy(other, other))


def _for_shrinkage(shrinkage: float, r2: float, parameters: int) -> int:
    return math.ceil(parameters / ((shrinkage - 1.0) * math.log1p(-r2 / shrinkage)))
