"""Measures of unseen risks that need one risk per patient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radhabitat.evaluation.calibration import (
    calibration_error,
    hosmer_lemeshow,
    scaled_brier,
    spiegelhalter,
)
from radhabitat.evaluation.correlation import variance_inflation
from radhabitat.evaluation.results import Measures
from radhabitat.evaluation.unseen import mean_risks
from radhabitat.types import Cohort, RiskModel, Significance

Floats = NDArray[np.float64]
_FEWEST = 20
"""Patients below which a smooth curve of what came true says nothing."""


def measure_risks(
    outcome: NDArray[np.int8], out_of_bag: Floats, folds: Floats | None, repeats: int
) -> Measures:
    """Return measures of the first cross-validation, or of mean out-of-bag risks.

    Cross-validation is preferred: the mean of many resamples is calmer than a model.

    Args:
        outcome: 1 = event, shape (patients,).
        out_of_bag: Shape (resamples, patients), NaN where learned from.
        folds: Shape (folds, patients) likewise; the first `repeats` of them cover
            each patient once.
        repeats: Folds of one cross-validation.
    """
    if folds is not None:
        risks, method = mean_risks(folds[:repeats]), "first nested cross-validation"
    else:
        risks, method = mean_risks(out_of_bag), "mean out-of-bag risks"
    known = ~np.isnan(risks)
    outcome, risks = outcome[known], risks[known]
    none = Significance(float("nan"), 0, float("nan"))
    if known.sum() < _FEWEST or np.ptp(risks) < 1e-9:
        scaled = scaled_brier(outcome, risks) if known.any() else float("nan")
        return Measures(scaled, *(float("nan"),) * 4, none, none, method)
    error = calibration_error(outcome, risks)
    return Measures(
        scaled_brier(outcome, risks),
        error.mean,
        error.median,
        error.ninetieth,
        error.largest,
        hosmer_lemeshow(outcome, risks, learned=False),
        spiegelhalter(outcome, risks),
        method,
    )


def inflation(model: RiskModel, cohort: Cohort) -> dict[str, float]:
    """Return the variance inflation factor of each variable of a formula."""
    values = cohort.values[:, cohort.positions(model.variables)]
    filled = np.where(np.isnan(values), model.centers, values)
    if filled.shape[1] < 2:
        return dict.fromkeys(model.variables, 1.0)
    factors = variance_inflation(filled).tolist()
    return dict(zip(model.variables, factors, strict=True))
