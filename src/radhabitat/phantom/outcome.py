"""The law that decides who responds, and how long patients live.

log-odds = a + effect * SLOPE * z, with z the weighted sum below: mean about 0 and
standard deviation about 1 in either cohort. More viable and less infiltrative
tissue, a smaller tumor and vascular invasion make a response likelier; the last
two as published (odds ratios 0.27 and 2.4), the tissues by our choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit, logit

from radhabitat.phantom.plan import PatientPlan

SLOPE: Final = 1.33
RESPONDERS: Final = 0.543
MEDIAN_MONTHS: Final = {True: 22.0, False: 9.0}
FOLLOW_UP_MONTHS: Final = (6.0, 36.0)

_VIABLE: Final = (0.57, 0.434, 0.094)
_INFILTRATIVE: Final = (-0.33, 0.350, 0.090)
_DIAMETER_CM: Final = (-0.42, 9.3, 2.2)
_SMALL_DIAMETER_CM: Final = (-0.42, 4.9, 1.0)
_INVASION: Final = (0.38, 0.648, 0.478)
"""Weight, mean and standard deviation of each variable of the law."""


@dataclass(frozen=True)
class Outcome:
    """What happened to a patient, and what the law said."""

    linear_predictor: float  # effect * SLOPE * z; higher = more likely to respond
    probability: float  # of objective response
    responded: bool
    months: float  # to death or to the end of follow-up
    died: bool  # whether the follow-up saw the death


def draw_outcome(
    plan: PatientPlan, fractions: tuple[float, float, float], diameter_cm: float
) -> Outcome:
    """Return a patient's outcome, given what the images truly show.

    The intercept keeps the share of responders at 54 % whatever the effect, by
    MacKay's approximation of the logistic-normal mean (1992, Neural Comput 4:720).
    Survival is exponential given the response, censored at a uniform time.

    Args:
        plan: The patient's plan: clinical variables, effect and luck.
        fractions: Shares of viable, infiltrative and necrotic tissue.
        diameter_cm: Largest axial diameter of the tumor.
    """
    slope = plan.effect * SLOPE
    intercept = logit(RESPONDERS) * np.sqrt(1.0 + np.pi * slope**2 / 8.0)
    predictor = slope * standard_score(plan, fractions, diameter_cm)
    probability = float(expit(intercept + predictor))
    luck, lifetime, censoring = plan.luck
    responded = luck < probability
    death = -np.log(lifetime) * MEDIAN_MONTHS[responded] / np.log(2.0)
    first, last = FOLLOW_UP_MONTHS
    end = first + (last - first) * censoring
    return Outcome(
        linear_predictor=float(predictor),
        probability=probability,
        responded=responded,
        months=max(0.1, round(float(min(death, end)), 1)),
        died=bool(death <= end),
    )


def standard_score(
    plan: PatientPlan, fractions: tuple[float, float, float], diameter_cm: float
) -> float:
    """Return z of the law: mean about 0, standard deviation about 1."""
    size = _SMALL_DIAMETER_CM if plan.small else _DIAMETER_CM
    terms = (
        (_VIABLE, fractions[0]),
        (_INFILTRATIVE, fractions[1]),
        (size, diameter_cm),
        (_INVASION, float(plan.clinical.vascular_invasion)),
    )
    return float(sum(w * (value - mean) / sd for (w, mean, sd), value in terms))
