"""Does acting on predicted risks help?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from radhabitat.evaluation.results import DecisionCurve

Floats = NDArray[np.float64]

THRESHOLDS = np.arange(1, 100) / 100.0
"""Where a decision curve is asked for nothing else."""


def decide(
    outcome: NDArray[np.int8],
    risks: Floats,
    *,
    confidence: float,
    thresholds: Floats = THRESHOLDS,
) -> DecisionCurve:
    """Return the net benefit of treating at and above each threshold.

    Treating nobody has net benefit 0 at every threshold. At threshold 0 those with a
    risk above 0 are treated, as R's dcurves has it.

    Args:
        outcome: 1 = event, shape (patients,).
        risks: Shape (resamples, patients), NaN where learned from; one row without
            NaN gives the ordinary curve.
        confidence: Of the pointwise limits, from the spread between patients: those
            of a bootstrap of the patients tested, without its noise.
        thresholds: Probabilities from 0 to below 1, shape (thresholds,).

    Reference:
        Vickers and Elkin, Med Decis Making 2006;26:565, eq. 1.
    """
    known = (~np.isnan(risks)).sum(axis=0)
    seen = known > 0
    cuts = np.maximum(thresholds, np.finfo(np.float64).eps)
    # NaN is never at or above a threshold
    above = np.array([(risks[:, seen] >= cut).sum(axis=0) for cut in cuts]).T
    event = (outcome[seen] == 1)[:, np.newaxis]
    # what each patient adds if treated, shape (patients, thresholds)
    treated = np.where(event, 1.0, -cuts / (1.0 - cuts))
    added = above / known[seen, np.newaxis] * treated
    benefit = added.mean(axis=0)
    z = float(norm.ppf(0.5 + confidence / 2.0))
    half = z * added.std(axis=0) / np.sqrt(len(added))
    return DecisionCurve(
        thresholds=thresholds,
        net_benefit=benefit,
        treat_all=treated.mean(axis=0),
        low=benefit - half,
        high=benefit + half,
    )
