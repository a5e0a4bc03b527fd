"""From resamples to results: one per model, and one per pair of neighbors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from radhabitat.evaluation.calibration import calibration
from radhabitat.evaluation.decision import decision_curve
from radhabitat.evaluation.discrimination import (
    auc_estimate,
    delong,
    difference_test,
    roc,
)
from radhabitat.evaluation.pairs import PairedAuc, paired_auc
from radhabitat.evaluation.resampling import Resamples, mean_risk
from radhabitat.evaluation.results import Comparison, Evaluation, ModelResult
from radhabitat.settings import EvaluationSettings
from radhabitat.types import Cohort, Estimate, Ladder

Numbers = NDArray[np.float64]


def assemble(
    cohort: Cohort,
    ladder: Ladder,
    resamples: Resamples,
    settings: EvaluationSettings,
    *,
    positions: NDArray[np.intp],
) -> Evaluation:
    """Return the evaluation of a ladder.

    Args:
        cohort: What the ladder was learned from.
        ladder: Learned from all patients.
        resamples: The same learning, repeated.
        settings: Confidence.
        positions: Where each patient of `cohort` stands in the evaluation.
    """
    risks = np.stack([model.risk(cohort) for model in ladder.values()])
    apparent = delong(cohort.outcome, risks)
    unseen = paired_auc(cohort.outcome, resamples)
    back = np.argsort(positions)
    results = {}
    for place, name in enumerate(ladder):
        apparent_auc, unseen_auc = _estimates(
            cohort, apparent, unseen, settings.confidence, place
        )
        unseen_risk = mean_risk(resamples.log_odds[name])
        known = ~np.isnan(unseen_risk)
        outcome = cohort.outcome[known]
        results[name] = ModelResult(
            model=ladder[name],
            apparent=apparent_auc,
            out_of_bag=unseen_auc,
            risk_apparent=risks[place][back],
            risk_out_of_bag=unseen_risk[back],
            roc_apparent=roc(cohort.outcome, risks[place]),
            roc_out_of_bag=roc(outcome, unseen_risk[known]),
            calibration=calibration(
                outcome, unseen_risk[known], confidence=settings.confidence
            ),
            decision=decision_curve(outcome, unseen_risk[known]),
            selection_frequency=_frequency(resamples.kept[name]),
            empty_share=float(np.mean([not kept for kept in resamples.kept[name]])),
        )
    return Evaluation(
        patients=tuple(cohort.patients[i] for i in back),
        outcome=cohort.outcome[back],
        event=cohort.event,
        results=results,
        comparisons=_comparisons(tuple(ladder), apparent, unseen, settings.confidence),
        resamples=len(resamples.copies),
        failed_resamples=resamples.redrawn,
    )


def _estimates(
    cohort: Cohort,
    apparent: tuple[Numbers, Numbers],
    unseen: PairedAuc,
    confidence: float,
    place: int,
) -> tuple[Estimate, Estimate]:
    """Return the apparent and the out-of-bag AUC of the model at a place."""
    fewest = min(cohort.events, len(cohort) - cohort.events)
    only = np.eye(len(unseen.values))[place]
    values, covariance = apparent
    return (
        auc_estimate(
            float(values[place]),
            float(covariance[place, place]),
            fewest=fewest,
            confidence=confidence,
            method=f"apparent, {confidence:.0%} DeLong",
        ),
        auc_estimate(
            float(unseen.values[place]),
            unseen.variance(only),
            fewest=fewest,
            confidence=confidence,
            method="leave-pair-out bootstrap of the whole learning, "
            f"{confidence:.0%} infinitesimal jackknife",
        ),
    )


def _comparisons(
    names: Sequence[str],
    apparent: tuple[Numbers, Numbers],
    unseen: PairedAuc,
    confidence: float,
) -> tuple[Comparison, ...]:
    z_limit = float(norm.isf((1.0 - confidence) / 2.0))
    values, covariance = apparent
    rows = []
    for first, second in pairwise(range(len(names))):
        contrast = np.zeros(len(names))
        contrast[first], contrast[second] = -1.0, 1.0
        difference = float(contrast @ unseen.values)
        variance = unseen.variance(contrast)
        half = z_limit * float(np.sqrt(variance))
        z, p = difference_test(difference, variance)
        _, p_apparent = difference_test(
            float(contrast @ values), float(contrast @ covariance @ contrast)
        )
        rows.append(
            Comparison(
                first=names[first],
                second=names[second],
                difference=Estimate(
                    difference,
                    max(difference - half, -1.0),
                    min(difference + half, 1.0),
                    f"paired, {confidence:.0%} Wald",
                ),
                z=z,
                p=p,
                p_apparent=p_apparent,
                method="Paired z-test of out-of-bag AUCs (leave-pair-out bootstrap, "
                "infinitesimal jackknife, at least DeLong)",
            )
        )
    return tuple(rows)


def _frequency(kept: Sequence[tuple[str, ...]]) -> dict[str, float]:
    """Return variable -> share of resamples that kept it, the most frequent first."""
    counts = Counter(name for names in kept for name in names)
    ranked = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return {name: count / len(kept) for name, count in ranked}
