"""Would acting on the risk help?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radhabitat.evaluation.results import DecisionCurve

THRESHOLDS = np.arange(1, 100) / 100


def decision_curve(
    outcome: NDArray[np.int8],
    risk: NDArray[np.float64],
    *,
    thresholds: NDArray[np.float64] = THRESHOLDS,
) -> DecisionCurve:
    """Return the net benefit of treating patients at or above each threshold.

    Args:
        outcome: 0 or 1, shape (patients,).
        risk: Predicted probability, shape (patients,).
        thresholds: Inside (0, 1).

    Reference:
        Vickers and Elkin 2006, Med Decis Making 26:565, eq. 1.
    """
    odds = thresholds / (1.0 - thresholds)
    treated = risk[np.newaxis] >= thresholds[:, np.newaxis]
    true = (treated & (outcome == 1)).mean(axis=1)
    false = (treated & (outcome == 0)).mean(axis=1)
    share = float(outcome.mean())
    return DecisionCurve(
        thresholds=thresholds,
        net_benefit=true - false * odds,
        treat_all=share - (1.0 - share) * odds,
    )
