"""evaluate: how good is what this learning makes, on patients that it did not see?

It receives the learning itself, never a learned model, and repeats all of it in each
bootstrap resample. The headline is the out-of-bag AUC; the apparent one stands beside
it to show the optimism.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import ComputationError
from radhabitat.evaluation.calibration import calibrate, decide
from radhabitat.evaluation.discrimination import (
    Areas,
    auc_estimate,
    compare_aucs,
    delong,
    roc_curve,
)
from radhabitat.evaluation.resampling import (
    ResampleBlock,
    ResampleTask,
    join_blocks,
    resample_block,
    split_resamples,
    unseen_areas,
)
from radhabitat.evaluation.results import Comparison, Evaluation, ModelResult, Roc
from radhabitat.evaluation.words import to_json, verdict
from radhabitat.settings import EvaluationSettings
from radhabitat.types import Cohort, Estimate, Fit, Ladder

__all__ = ["evaluate", "to_json", "verdict"]

Mapper = Callable[
    [Callable[[ResampleTask], ResampleBlock], Sequence[ResampleTask]],
    Iterable[ResampleBlock],
]
Floats = NDArray[np.float64]
ROC_POINTS = 101


def evaluate(
    fit: Fit,
    cohort: Cohort,
    settings: EvaluationSettings,
    *,
    seed: int,
    run: Mapper = map,
) -> Evaluation:
    """Learn from all patients, then ask how good that learning is.

    Args:
        fit: The whole learning, as one function of a cohort.
        cohort: Patients with outcomes.
        settings: Number of resamples, confidence of the intervals.
        seed: Of the resamples; the order of the patients does not matter.
        run: Applies a function to tasks, like `map`; may use other processes.

    Raises:
        ComputationError: Nothing could be learned in any resample.
    """
    cohort = cohort.take(np.argsort(cohort.patients, kind="stable"))
    ladder = fit(cohort)
    blocks = split_resamples(settings.bootstraps)
    tasks = [ResampleTask(fit, cohort, seed, numbers) for numbers in blocks]
    unseen = join_blocks(run(resample_block, tasks))
    if not unseen.risks:
        raise ComputationError(
            f"Nothing could be learned in any of {settings.bootstraps} resamples of "
            f"{len(cohort)} patients with {cohort.events} events",
            "a cohort needs more patients of each class",
        )
    names = list(ladder)
    seen = delong(cohort.outcome, np.array([ladder[n].log_odds(cohort) for n in names]))
    honest = unseen_areas(cohort.outcome, [unseen.risks[n] for n in names])
    results = {
        name: _result(cohort, ladder, unseen, seen, honest, settings, name)
        for name in names
    }
    return Evaluation(
        patients=cohort.patients,
        outcome=cohort.outcome,
        event=cohort.event,
        results=results,
        comparisons=tuple(
            _compare(names, first, second, seen, honest, settings.confidence)
            for first, second in pairwise(range(len(names)))
        ),
        resamples=settings.bootstraps,
        failed_resamples=unseen.failed,
    )


def _result(  # noqa: PLR0913 (joins what was computed for all models together)
    cohort: Cohort,
    ladder: Ladder,
    unseen: ResampleBlock,
    seen: Areas,
    honest: Areas,
    settings: EvaluationSettings,
    name: str,
) -> ModelResult:
    index = list(ladder).index(name)
    risks, kept = unseen.risks[name], unseen.variables[name]
    apparent_risk = ladder[name].risk(cohort)
    frequency = Counter(variable for variables in kept for variable in variables)
    return ModelResult(
        model=ladder[name],
        apparent=auc_estimate(seen, index, confidence=settings.confidence),
        out_of_bag=_named(
            auc_estimate(honest, index, confidence=settings.confidence),
            f"leave-pair-out bootstrap, {len(risks)} repeats of the whole learning",
        ),
        risk_apparent=apparent_risk,
        risk_out_of_bag=_mean_known(risks),
        roc_apparent=roc_curve(cohort.outcome, apparent_risk),
        roc_out_of_bag=_mean_roc(cohort.outcome, risks),
        calibration=calibrate(cohort.outcome, risks, confidence=settings.confidence),
        decision=decide(cohort.outcome, risks),
        selection_frequency={v: c / len(kept) for v, c in frequency.most_common()},
        empty_share=sum(not variables for variables in kept) / len(kept),
    )


def _compare(
    names: list[str],
    first: int,
    second: int,
    seen: Areas,
    honest: Areas,
    confidence: float,
) -> Comparison:
    difference, z, p = compare_aucs(honest, first, second, confidence=confidence)
    return Comparison(
        first=names[first],
        second=names[second],
        difference=_named(difference, "on out-of-bag predictions"),
        z=z,
        p=p,
        p_apparent=compare_aucs(seen, first, second, confidence=confidence)[2],
        method="paired DeLong test on the components of the out-of-bag AUC",
    )


def _named(estimate: Estimate, how: str) -> Estimate:
    return Estimate(
        estimate.value, estimate.low, estimate.high, f"{how}; {estimate.method}"
    )


def _mean_known(risks: Floats) -> Floats:
    known = ~np.isnan(risks)
    count = known.sum(axis=0)
    total = np.where(known, risks, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _mean_roc(outcome: NDArray[np.int8], risks: Floats) -> Roc:
    """Average the curves of the resamples over sensitivity (Fawcett 2006, sec. 9)."""
    grid = np.linspace(0.0, 1.0, ROC_POINTS)
    total = np.zeros(ROC_POINTS)
    for row in risks:
        known = ~np.isnan(row)
        one = roc_curve(outcome[known], row[known])
        total += np.interp(grid, one.false_positive_rate, one.true_positive_rate)
    mean = total / len(risks)
    mean[0] = 0.0
    return Roc(grid, mean, np.full(ROC_POINTS, np.nan))
