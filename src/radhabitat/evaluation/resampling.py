"""Repeat the whole learning on bootstrap resamples; put together what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from threadpoolctl import threadpool_limits

from radhabitat.errors import RadHabitatError
from radhabitat.evaluation.calibration import calibrate
from radhabitat.evaluation.decision import decide
from radhabitat.evaluation.discrimination import (
    Areas,
    auc_estimate,
    compare_aucs,
    delong,
    roc_curve,
)
from radhabitat.evaluation.results import Comparison, Evaluation, ModelResult, Roc
from radhabitat.evaluation.unseen import mean_risks, unseen_areas
from radhabitat.types import Cohort, Fit, Ladder, RiskModel

Floats = NDArray[np.float64]
MAX_DRAWS = 100
ROC_POINTS = 101


@dataclass(frozen=True, eq=False)
class Resamples:
    """What came of some resamples.

    Attributes:
        copies: How often each patient was drawn, int16, shape (resamples, patients).
        risks: Model -> risks, shape (resamples, patients); NaN where learned from.
        variables: Model -> the variables kept, one tuple per resample.
        failed: Resamples that could not be drawn or learned, not in the others.
    """

    copies: NDArray[np.int16]
    risks: Mapping[str, Floats]
    variables: Mapping[str, tuple[tuple[str, ...], ...]]
    failed: int


def resample_block(
    fit: Fit, cohort: Cohort, numbers: Sequence[int], *, seed: int
) -> Resamples:
    """Learn anew in some resamples and predict the patients left out.

    Args:
        fit: The whole learning.
        cohort: All patients.
        numbers: Which resamples.
        seed: Of all resamples; with its number, it decides what comes of one.
    """
    copies, risks, variables = [], [], []
    with threadpool_limits(limits=1):
        for number in numbers:
            rows = draw_resample(cohort.outcome, seed=seed, number=number)
            if rows is None:
                continue
            try:
                ladder = fit(cohort.take(rows))
            except RadHabitatError:
                continue
            copies.append(np.bincount(rows, minlength=len(cohort)).astype(np.int16))
            risks.append({n: _risk(m, cohort, copies[-1]) for n, m in ladder.items()})
            variables.append({n: m.variables for n, m in ladder.items()})
    names = list(risks[0]) if risks else []
    return Resamples(
        copies=np.array(copies, dtype=np.int16).reshape(-1, len(cohort)),
        risks={name: np.array([row[name] for row in risks]) for name in names},
        variables={name: tuple(row[name] for row in variables) for name in names},
        failed=len(numbers) - len(copies),
    )


def draw_resample(
    outcome: NDArray[np.int8], *, seed: int, number: int
) -> NDArray[np.intp] | None:
    """Return the rows of a bootstrap resample with two patients of each class in it.

    One of each class is left out. None where chance gives no such resample.
    """
    random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
    count = len(outcome)
    for _ in range(MAX_DRAWS):
        rows = random.integers(0, count, count)
        inside = np.zeros(count, dtype=bool)
        inside[rows] = True
        enough = min(np.bincount(outcome[inside], minlength=2)) >= 2
        if enough and len(np.unique(outcome[~inside])) == 2:
            return np.sort(rows)
    return None


def split_resamples(count: int) -> list[range]:
    """Return the numbers of the resamples in blocks, about fifty of them."""
    size = max(1, min(25, -(-count // 50)))
    return [range(i, min(i + size, count)) for i in range(0, count, size)]


def join_blocks(blocks: Iterable[Resamples]) -> Resamples:
    """Return all resamples as one block, in their order."""
    every = list(blocks)
    parts = [b for b in every if b.risks]
    names = parts[0].risks if parts else {}
    return Resamples(
        copies=np.concatenate([b.copies for b in every]),
        risks={n: np.concatenate([b.risks[n] for b in parts]) for n in names},
        variables={n: tuple(v for b in parts for v in b.variables[n]) for n in names},
        failed=sum(b.failed for b in every),
    )


def assemble(
    cohort: Cohort, ladder: Ladder, unseen: Resamples, *, confidence: float
) -> Evaluation:
    """Return the evaluation of a ladder.

    Args:
        cohort: What the ladder was learned from.
        ladder: Learned from all patients.
        unseen: The same learning in resamples.
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
        kept, left_out = unseen.variables[name], unseen.risks[name]
        results[name] = ModelResult(
            model=ladder[name],
            apparent=auc_estimate(seen, index, confidence=confidence),
            out_of_bag=auc_estimate(honest, index, confidence=confidence),
            risk_apparent=risks[index],
            risk_out_of_bag=mean_risks(left_out),
            roc_apparent=roc_curve(cohort.outcome, risks[index]),
            roc_out_of_bag=_mean_roc(cohort.outcome, left_out),
            calibration=calibrate(cohort.outcome, left_out, confidence=confidence),
            decision=decide(cohort.outcome, left_out),
            selection_frequency=_frequency(kept),
            empty_share=kept.count(()) / len(kept),
        )
    return Evaluation(
        patients=cohort.patients,
        outcome=cohort.outcome,
        event=cohort.event,
        results=results,
        comparisons=tuple(
            _compare(names, second, seen, honest, confidence)
            for second in range(1, len(names))
        ),
        resamples=len(unseen.copies) + unseen.failed,
        failed_resamples=unseen.failed,
    )


def _risk(model: RiskModel, cohort: Cohort, copies: NDArray[np.int16]) -> Floats:
    """Return risks of the patients left out, as if the prevalence were that of all.

    Without it, a formula without variables would rank each event below each
    non-event: who is left out takes one of his class out of the resample.
    """
    drawn = float(copies @ cohort.outcome) / float(copies.sum())
    shift = float(logit(cohort.outcome.mean()) - logit(drawn))
    risk = np.round(expit(model.log_odds(cohort) + shift), 14)
    return np.where(copies == 0, risk, np.nan)


def _compare(
    names: list[str], second: int, seen: Areas, honest: Areas, confidence: float
) -> Comparison:
    """Return how a model compares with the one before."""
    places = second - 1, second
    difference, z, p = compare_aucs(honest, *places, confidence=confidence)
    return Comparison(
        first=names[second - 1],
        second=names[second],
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
