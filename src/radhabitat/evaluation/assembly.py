"""From resamples to results: one per model, and one per pair of neighbors."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from radhabitat.evaluation.calibration import calibrate, decide
from radhabitat.evaluation.discrimination import (
    Areas,
    auc_estimate,
    compare_aucs,
    delong,
    roc_curve,
)
from radhabitat.evaluation.resampling import Resamples
from radhabitat.evaluation.results import Comparison, Evaluation, ModelResult, Roc
from radhabitat.evaluation.unseen import mean_risks, unseen_areas
from radhabitat.types import Cohort, Ladder

Floats = NDArray[np.float64]
ROC_POINTS = 101


def assemble(
    cohort: Cohort, ladder: Ladder, unseen: Resamples, *, confidence: float
) -> Evaluation:
    """Return the evaluation of a ladder.

    Args:
        cohort: What the ladder was learned from.
        ladder: Learned from all patients.
        unseen: The same learning, repeated in resamples.
        confidence: Of the intervals.
    """
    names = list(ladder)
    risks = np.array([model.risk(cohort) for model in ladder.values()])
    seen = delong(cohort.outcome, risks)
    honest = unseen_areas(
        cohort.outcome, [unseen.risks[name] for name in names], unseen.copies
    )
    results = {}
    for index, name in enumerate(names):
        kept = unseen.variables[name]
        results[name] = ModelResult(
            model=ladder[name],
            apparent=auc_estimate(seen, index, confidence=confidence),
            out_of_bag=auc_estimate(honest, index, confidence=confidence),
            risk_apparent=risks[index],
            risk_out_of_bag=mean_risks(unseen.risks[name]),
            roc_apparent=roc_curve(cohort.outcome, risks[index]),
            roc_out_of_bag=_mean_roc(cohort.outcome, unseen.risks[name]),
            calibration=calibrate(
                cohort.outcome, unseen.risks[name], confidence=confidence
            ),
            decision=decide(cohort.outcome, unseen.risks[name]),
            selection_frequency=_frequency(kept),
            empty_share=sum(not variables for variables in kept) / len(kept),
        )
    return Evaluation(
        patients=cohort.patients,
        outcome=cohort.outcome,
        event=cohort.event,
        results=results,
        comparisons=tuple(
            _compare((names[i], names[j]), (i, j), seen, honest, confidence)
            for i, j in pairwise(range(len(names)))
        ),
        resamples=len(unseen.copies) + unseen.failed,
        failed_resamples=unseen.failed,
    )


def _compare(
    names: tuple[str, str],
    places: tuple[int, int],
    seen: Areas,
    honest: Areas,
    confidence: float,
) -> Comparison:
    difference, z, p = compare_aucs(honest, *places, confidence=confidence)
    return Comparison(
        first=names[0],
        second=names[1],
        difference=difference,
        z=z,
        p=p,
        p_apparent=compare_aucs(seen, *places, confidence=confidence)[2],
        method=f"paired z-test on unseen patients ({honest.method})",
    )


def _frequency(kept: tuple[tuple[str, ...], ...]) -> dict[str, float]:
    """Return variable -> share of resamples that kept it, the most frequent first."""
    counts = Counter(name for names in kept for name in names)
    ranked = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return {name: count / len(kept) for name, count in ranked}


def _mean_roc(outcome: NDArray[np.int8], risks: Floats) -> Roc:
    """Return the mean sensitivity of the resamples' curves at each false alarm rate.

    Reference:
        Fawcett, Pattern Recognit Lett 2006;27:861, section 9 (vertical averaging).
    """
    grid = np.linspace(0.0, 1.0, ROC_POINTS)
    total = np.zeros(ROC_POINTS)
    for row in risks:
        known = ~np.isnan(row)
        one = roc_curve(outcome[known], row[known])
        total += np.interp(grid, one.false_positive_rate, one.true_positive_rate)
    mean = total / len(risks)
    mean[0] = 0.0
    return Roc(grid, mean, np.full(ROC_POINTS, np.nan))
