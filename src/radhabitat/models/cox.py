"""Cox's model of the time to an event, with Efron's ties.

Everywhere `values` has shape (patients, variables), without NaN; `time` is that to the
event or the last visit and `event` 1 = event, 0 = last visit, shape (patients,).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from radhabitat.errors import ComputationError
from radhabitat.types import Estimate, Significance

Floats = NDArray[np.float64]
Outcome = NDArray[np.int8]

_MOST_STEPS = 50
_CONVERGED = 1e-10
_MOST_LOG_HAZARD = 30.0


@dataclass(frozen=True, eq=False)
class CoxModel:
    """A fitted Cox model.

    Attributes:
        coefficients: Log hazard ratios, shape (variables,).
        covariance: Of the coefficients, shape (variables, variables).
        log_likelihood: Partial; without variables, and fitted.
        concordance: Share of comparable pairs in which the higher risk came first.
    """

    coefficients: Floats
    covariance: Floats
    log_likelihood: tuple[float, float]
    concordance: Estimate

    @property
    def standard_errors(self) -> Floats:
        """Shape (variables,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def p(self) -> Floats:
        """Two-sided, of Wald's test, shape (variables,)."""
        p: Floats = 2.0 * norm.sf(np.abs(self.coefficients) / self.standard_errors)
        return p

    def hazard_ratios(self, *, confidence: float) -> tuple[Estimate, ...]:
        """Return the hazard ratio per unit of each variable; above 1: earlier."""
        half = float(norm.ppf(0.5 + confidence / 2.0)) * self.standard_errors
        b = self.coefficients
        with np.errstate(over="ignore"):  # infinite where no computer holds it
            ratios = np.exp([b, b - half, b + half]).T.tolist()
        method = "Cox model, Wald interval"
        return tuple(Estimate(ratio, a, z, method) for ratio, a, z in ratios)


def fit_cox(
    values: Floats, time: Floats, event: Outcome, *, confidence: float
) -> CoxModel:
    """Return the Cox model of some variables.

    Raises:
        ComputationError: No event, a constant or redundant variable, or no finite
            maximum because a variable orders the events perfectly.

    Reference:
        Cox, J R Stat Soc B 1972;34:187; Efron, JASA 1977;72:557.
    """
    scales = values.std(axis=0)
    if not (event == 1).any() or np.any(scales == 0.0):
        raise ComputationError(
            f"Cox's model needs events and variables that vary; found "
            f"{int((event == 1).sum())} events, {int((scales == 0).sum())} constant "
            "variables",
            "leave out the constant variables, or wait for events",
        )
    scaled = (values - values.mean(axis=0)) / scales
    b, information, likelihoods = _maximize(scaled, time, event)
    if np.linalg.cond(information) > 1e12:
        raise ComputationError(
            "A variable of Cox's model can be computed from the others",
            "leave out one of the variables that say the same",
        )
    return CoxModel(
        b / scales,
        np.linalg.inv(information) / np.outer(scales, scales),
        likelihoods,
        concordance(time, event, scaled @ b, confidence=confidence),
    )


def proportional_hazards(
    model: CoxModel, values: Floats, time: Floats, event: Outcome
) -> tuple[Significance, ...]:
    """Test each variable, last all, for a hazard ratio that changes over time.

    The score test of variable x (1 - Kaplan-Meier) added to the model, as `cox.zph`
    of R's survival from version 3 on. Give the patients of `fit_cox`.

    Reference:
        Grambsch and Therneau, Biometrika 1994;81:515.
    """
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    b = model.coefficients * values.std(axis=0)
    score, curvature, _ = _per_event(scaled, time, event, b)
    clock = _clock(time, event)
    count = scaled.shape[1]
    powers = clock ** np.array([[[0], [1]], [[1], [2]]])
    full = np.einsum("abe,eij->aibj", powers, curvature).reshape(2 * count, -1)
    slopes = np.concatenate([np.zeros(count), clock @ score])
    tests = []
    for columns in [*([j] for j in range(count)), list(range(count))]:
        kept = [*range(count), *(count + j for j in columns)]
        inside = np.linalg.solve(full[np.ix_(kept, kept)], slopes[kept])
        statistic, freedom = float(slopes[kept] @ inside), len(columns)
        p = float(chi2.sf(statistic, freedom))
        tests.append(Significance(statistic, freedom, p))
    return tuple(tests)


def concordance(
    time: Floats, event: Outcome, scores: Floats, *, confidence: float
) -> Estimate:
    """Return Harrell's C: how often of two patients the higher score came first.

    Equal scores count one half; the interval is the infinitesimal jackknife's.

    Reference:
        Harrell et al., Stat Med 1996;15:361; Therneau and Watson 2015, Mayo Clinic
        technical report 85.
    """
    later = time > time[:, np.newaxis]
    lost = (time == time[:, np.newaxis]) & (event != 1)
    pairs = ((event == 1)[:, np.newaxis] & (later | lost)).astype(np.float64)
    order = 0.5 * (np.sign(scores[:, np.newaxis] - scores) + 1.0)
    total = pairs.sum()
    if total == 0.0:
        return Estimate(np.nan, np.nan, np.nan, "no comparable pair")
    right = pairs * order
    value = float(right.sum() / total)
    excess = right - value * pairs
    influence = (excess.sum(axis=0) + excess.sum(axis=1)) / total
    half = float(norm.ppf(0.5 + confidence / 2.0) * np.sqrt((influence**2).sum()))
    low, high = max(value - half, 0.0), min(value + half, 1.0)
    return Estimate(value, low, high, "concordance, infinitesimal jackknife")


def _maximize(
    values: Floats, time: Floats, event: Outcome
) -> tuple[Floats, Floats, tuple[float, float]]:
    """Return coefficients, information, and the log-likelihoods, by Newton's steps."""
    b = np.zeros(values.shape[1])
    score, curvature, likelihood = _per_event(values, time, event, b)
    start = likelihood
    for _ in range(_MOST_STEPS):
        information = curvature.sum(axis=0)
        step = np.linalg.lstsq(information, score.sum(axis=0), rcond=1e-13)[0]
        for _ in range(30):
            score, curvature, moved = _per_event(values, time, event, b + step)
            if moved >= likelihood - 1e-12 * abs(likelihood):
                break
            step = 0.5 * step
        b, likelihood = b + step, moved
        if np.abs(values @ b).max() > _MOST_LOG_HAZARD:
            break
        if np.abs(step).max() < _CONVERGED:
            return b, curvature.sum(axis=0), (start, likelihood)
    raise ComputationError(
        f"Cox's model of {values.shape[1]} variables and {int(event.sum())} events "
        "has no finite maximum: the variables order the events perfectly",
        "use fewer variables",
    )


def _per_event(
    values: Floats, time: Floats, event: Outcome, b: Floats
) -> tuple[Floats, Floats, float]:
    """Return each event's score and curvature in order of time, and the likelihood.

    Shapes (events, variables) and (events, variables, variables).
    """
    order = np.lexsort((event != 1, time))
    x, when, died = values[order], time[order], event[order] == 1
    log_hazard = x @ b
    top = float(log_hazard.max())
    hazard = np.exp(log_hazard - top)
    count = x.shape[1]
    squares = (x[:, :, np.newaxis] * x[:, np.newaxis]).reshape(len(x), -1)
    moments = hazard[:, np.newaxis] * np.column_stack([np.ones(len(x)), x, squares])
    at_risk = np.cumsum(moments[::-1], axis=0)[::-1]
    starts = np.searchsorted(when, when[died], side="left")
    _, first, tied = np.unique(starts, return_index=True, return_inverse=True)
    together = np.add.reduceat(moments[died], first, axis=0)[tied]
    passed = (np.arange(len(starts)) - first[tied]) / np.bincount(tied)[tied]
    sums = at_risk[starts] - passed[:, np.newaxis] * together
    mean = sums[:, 1 : count + 1] / sums[:, :1]
    second = (sums[:, count + 1 :] / sums[:, :1]).reshape(-1, count, count)
    curvature = second - mean[:, :, np.newaxis] * mean[:, np.newaxis]
    likelihood = float((log_hazard[died] - top - np.log(sums[:, 0])).sum())
    return x[died] - mean, curvature, likelihood


def _clock(time: Floats, event: Outcome) -> Floats:
    """Return 1 - Kaplan-Meier just before each event, in order of time."""
    times, when = np.unique(time, return_inverse=True)
    at_risk = np.cumsum(np.bincount(when)[::-1])[::-1]
    events = np.bincount(when[event == 1], minlength=len(times))
    before = np.append(1.0, np.cumprod(1.0 - events / at_risk))[:-1]
    clock: Floats = np.repeat(1.0 - before, events)
    return clock
