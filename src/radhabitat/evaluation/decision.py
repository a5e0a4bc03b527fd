"""Does acting on predicted risks help?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radhabitat.evaluation.results import DecisionCurve

Floats = NDArray[np.float64]

THRESHOLDS = np.arange(1, 100) / 100.0
"""Where a decision curve is asked for nothing else."""


class NetBenefitInterval(NamedTuple):
    """Pointwise limits over thresholds, each of shape (thresholds,).

    Attributes:
        low, high: Of the model's net benefit.
        gain_low, gain_high: Of that minus the better of treating all and none.
    """

    low: Floats
    high: Floats
    gain_low: Floats
    gain_high: Floats


def decide(
    outcome: NDArray[np.int8], risks: Floats, *, thresholds: Floats = THRESHOLDS
) -> DecisionCurve:
    """Return the net benefit of treating at and above each threshold.

    Treating nobody has net benefit 0 at every threshold. At threshold 0 those with a
    risk above 0 are treated, as R's dcurves has it.

    Args:
        outcome: 1 = event, shape (patients,).
        risks: Shape (resamples, patients), NaN where learned from; one row without
            NaN gives the ordinary curve.
        thresholds: Probabilities from 0 to below 1, shape (thresholds,).

    Reference:
        Vickers and Elkin, Med Decis Making 2006;26:565, eq. 1.
    """
    model, everybody = _shares(outcome, risks, thresholds)
    return DecisionCurve(
        thresholds=thresholds,
        net_benefit=model.mean(axis=0),
        treat_all=everybody.mean(axis=0),
    )


def net_benefit_interval(
    outcome: NDArray[np.int8],
    risks: Floats,
    *,
    seed: int,
    thresholds: Floats = THRESHOLDS,
    confidence: float,
    resamples: int = 2000,
) -> NetBenefitInterval:
    """Return pointwise limits of `decide`, by bootstrap of the patients tested.

    They say how sure the curve of these risks is, not how much the learning varies.

    Reference:
        Vickers et al., BMC Med Inform Decis Mak 2008;8:53 (bootstrap of patients).
    """
    model, everybody = _shares(outcome, risks, thresholds)
    count = len(model)
    random = np.random.default_rng(seed)
    weights = random.multinomial(count, np.full(count, 1.0 / count), size=resamples)
    drawn = (weights / count) @ np.concatenate([model, everybody], axis=1)
    benefit, treat_all = np.split(drawn, 2, axis=1)
    gain = benefit - np.maximum(treat_all, 0.0)
    tails = 0.5 - confidence / 2.0, 0.5 + confidence / 2.0
    return NetBenefitInterval(
        *np.quantile(benefit, tails, axis=0), *np.quantile(gain, tails, axis=0)
    )


def _shares(
    outcome: NDArray[np.int8], risks: Floats, thresholds: Floats
) -> tuple[Floats, Floats]:
    """Return what each known patient adds, by the model and if all are treated.

    Both of shape (patients, thresholds).
    """
    known = (~np.isnan(risks)).sum(axis=0)
    seen = known > 0
    cuts = np.maximum(thresholds, np.finfo(np.float64).eps)
    # NaN is never at or above a threshold
    above = np.array([(risks[:, seen] >= cut).sum(axis=0) for cut in cuts]).T
    event = (outcome[seen] == 1)[:, np.newaxis]
    everybody = np.where(event, 1.0, -cuts / (1.0 - cuts))
    return above / known[seen, np.newaxis] * everybody, everybody
