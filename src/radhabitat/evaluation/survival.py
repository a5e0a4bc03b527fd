"""Time to an event: survival curves, log-rank test, AUC over time.

Everywhere `time` is that to the event or the last visit and `event` 1 = event, 0 =
last visit, both of shape (patients,); a time that is missing, negative or infinite
raises a TableError.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from radhabitat.errors import TableError
from radhabitat.types import Estimate, Significance

Floats = NDArray[np.float64]
Outcome = NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class SurvivalCurve:
    """A Kaplan-Meier curve; arrays have one value per distinct time.

    Attributes:
        times: When somebody had the event or was last seen, rising.
        survival: Share without the event after that time.
        low, high: Limits on the log-log scale; NaN where survival is 0.
        at_risk: Patients under observation just before that time.
        events: Events at that time.
        median: Time by which half had the event; infinite if never reached.
    """

    times: Floats
    survival: Floats
    low: Floats
    high: Floats
    at_risk: NDArray[np.int64]
    events: NDArray[np.int64]
    median: Estimate

    def at(self, when: Floats) -> tuple[Floats, NDArray[np.int64]]:
        """Return survival and patients at risk at some times, both of their shape."""
        survival = np.append(1.0, self.survival)
        at_risk = np.append(self.at_risk, 0)
        return (
            survival[np.searchsorted(self.times, when, side="right")],
            at_risk[np.searchsorted(self.times, when, side="left")],
        )


def kaplan_meier(time: Floats, event: Outcome, *, confidence: float) -> SurvivalCurve:
    """Return the Kaplan-Meier curve with its pointwise limits and median.

    Reference:
        Kaplan and Meier, JASA 1958;53:457; Kalbfleisch and Prentice 2002, Statistical
        Analysis of Failure Time Data, section 1.4 (log-log); Brookmeyer and Crowley,
        Biometrics 1982;38:29 (median), as R's survival has them.
    """
    _check(time)
    times, at_risk, events = _table(time, event)
    survival = np.asarray(np.cumprod(1.0 - events / at_risk), dtype=np.float64)
    inside = (survival > 0.0) & (survival < 1.0)
    left = np.where(inside, at_risk - events, 1)
    variance = np.cumsum(events / (at_risk * left))
    share = np.where(inside, survival, 0.5)
    half = float(norm.ppf(0.5 + confidence / 2.0)) * np.sqrt(variance)
    width = np.exp(half / -np.log(share))
    outside = np.where(survival == 1.0, 1.0, np.nan)
    low: Floats = np.where(inside, share**width, outside)
    high: Floats = np.where(inside, share ** (1.0 / width), outside)
    middle, early, late = (_half(times, curve) for curve in (survival, low, high))
    median = Estimate(middle, early, late, "Kaplan-Meier, log-log interval")
    return SurvivalCurve(times, survival, low, high, at_risk, events, median)


def log_rank(time: Floats, event: Outcome, group: NDArray[np.generic]) -> Significance:
    """Test whether two or more groups survive alike (chi-square).

    Reference:
        Mantel 1966; Peto and Peto, J R Stat Soc A 1972;135:185 (k groups).
    """
    _check(time)
    labels, place = np.unique(group, return_inverse=True)
    times, at_risk, events = _table(time, event)
    leaving = np.zeros((len(times), len(labels)))
    np.add.at(leaving, (np.searchsorted(times, time), place), 1.0)
    share = np.cumsum(leaving[::-1], axis=0)[::-1] / at_risk[:, np.newaxis]
    factor = events * (at_risk - events) / np.maximum(at_risk - 1, 1)
    spread = np.diag(factor @ share) - (share * factor[:, np.newaxis]).T @ share
    excess = np.bincount(place, weights=event == 1) - events @ share
    freedom = len(labels) - 1
    inverse = np.linalg.pinv(spread[:freedom, :freedom], hermitian=True)
    statistic = float(excess[:freedom] @ inverse @ excess[:freedom])
    return Significance(statistic, freedom, float(chi2.sf(statistic, freedom)))


def auc_over_time(
    time: Floats, event: Outcome, scores: Floats, *, horizons: Floats
) -> Floats:
    """Return how well a score tells events by a time from patients still free of it.

    Cumulative cases, dynamic controls; patients lost before are made up for by
    inverse probability of censoring (Kaplan-Meier, the same for all).

    Args:
        time: As everywhere here.
        event: As everywhere here.
        scores: Higher means earlier, shape (patients,).
        horizons: Times, shape (horizons,); NaN where one lacks cases or controls.

    Reference:
        Uno et al., JASA 2007;102:527; Blanche et al., Stat Med 2013;32:5381.
    """
    _check(time)
    # who has the event at a time was not lost at that time
    times, at_risk, events = _table(time, event)
    lost = np.bincount(np.searchsorted(times, time), weights=event != 1)
    kept = np.cumprod(1.0 - lost / np.maximum(at_risk - events, 1))
    before = np.append(1.0, kept)[np.searchsorted(times, time, side="left")]
    found = []
    for horizon in horizons:
        case, control = (time <= horizon) & (event == 1), time > horizon
        order = np.sign(scores[case, np.newaxis] - scores[control])
        weight = 1.0 / before[case]
        pairs = weight.sum() * control.sum()
        right = float((weight @ (0.5 * (order + 1.0))).sum())
        found.append(right / pairs if pairs > 0.0 else np.nan)
    return np.array(found)


def _table(
    time: Floats, event: Outcome
) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Return distinct times, patients at risk and events at each."""
    times, when = np.unique(time, return_inverse=True)
    leaving = np.bincount(when)
    events = np.bincount(when[event == 1], minlength=len(times))
    return times, np.cumsum(leaving[::-1])[::-1], events


def _half(times: Floats, curve: Floats) -> float:
    """Return when a falling curve passes one half; the middle of a step at it."""
    below = np.flatnonzero(curve <= 0.5 + 1e-12)
    if not len(below):
        return np.inf
    first = int(below[0])
    beyond = np.flatnonzero(curve < 0.5 - 1e-12)
    if curve[first] >= 0.5 - 1e-12 and len(beyond):
        return float(0.5 * (times[first] + times[beyond[0]]))
    return float(times[first])


def _check(time: Floats) -> None:
    bad = int((~np.isfinite(time) | (time < 0.0)).sum())
    if bad or not len(time):
        raise TableError(
            f"{bad} of {len(time)} times to an event are missing, negative or infinite",
            "give each patient the time to the event or to the last visit",
        )
