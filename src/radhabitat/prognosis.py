"""Do the risk groups of a model live differently long?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from radhabitat.errors import ComputationError
from radhabitat.evaluation.results import Evaluation, ModelResult, Prognosis
from radhabitat.evaluation.survival import auc_over_time, kaplan_meier, log_rank
from radhabitat.models.cox import concordance, fit_cox, proportional_hazards

GROUPS = ("Low predicted risk", "High predicted risk")
FEWEST = 5
"""Patients of a group below which a curve says nothing."""

HORIZONS = (0.25, 0.5, 0.75)
"""Quantiles of the follow-up times at which the AUC is given."""


def survival_by_risk(
    evaluation: Evaluation, survival: pd.DataFrame | None, *, confidence: float
) -> tuple[Prognosis, ...]:
    """Return survival by risk group, for each model where both groups are large enough.

    A patient is of high risk when most of the resamples without the patient say so,
    each at its own Youden threshold: no group is drawn with the patient's own outcome.

    Args:
        evaluation: Of the ladder.
        survival: Columns time and event, one row per patient; None: nothing is known.
        confidence: Of the intervals.
    """
    if survival is None:
        return ()
    known = survival.reindex(list(evaluation.patients))
    found = (
        _of_model(name, result, known, confidence)
        for name, result in evaluation.results.items()
    )
    return tuple(one for one in found if one is not None)


def _of_model(
    name: str, result: ModelResult, survival: pd.DataFrame, confidence: float
) -> Prognosis | None:
    share = result.decisions[0].positive_share
    usable = survival.notna().all(axis=1).to_numpy() & ~np.isnan(share)
    time = survival["time"].to_numpy(dtype=np.float64)[usable]
    event = survival["event"].to_numpy(dtype=np.float64)[usable].astype(np.int8)
    high = share[usable] > 0.5
    risk = result.risk_out_of_bag[usable]
    sizes = int((~high).sum()), int(high.sum())
    if min(sizes) < FEWEST or not event.any():
        return None
    group = high.astype(np.float64)[:, np.newaxis]
    try:
        cox = fit_cox(group, time, event, confidence=confidence)
    except ComputationError:  # all events in one group: there is no finite hazard ratio
        return None
    horizons = np.quantile(time, HORIZONS)
    return Prognosis(
        model=name,
        groups=GROUPS,
        curves=(
            kaplan_meier(time[~high], event[~high], confidence=confidence),
            kaplan_meier(time[high], event[high], confidence=confidence),
        ),
        sizes=sizes,
        log_rank=log_rank(time, event, high),
        hazard_ratio=cox.hazard_ratios(confidence=confidence)[0],
        p=float(cox.p[0]),
        proportional=proportional_hazards(cox, group, time, event)[-1],
        concordance=concordance(time, event, risk, confidence=confidence),
        horizons=tuple(horizons.tolist()),
        auc=tuple(auc_over_time(time, event, risk, horizons=horizons).tolist()),
    )
