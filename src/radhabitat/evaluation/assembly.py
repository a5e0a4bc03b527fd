"""What the repeats say together, model by model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from radhabitat.evaluation.calibration import calibrate
from radhabitat.evaluation.classification import classify
from radhabitat.evaluation.correlation import holm
from radhabitat.evaluation.decision import decide
from radhabitat.evaluation.discrimination import (
    Areas,
    auc,
    auc_estimate,
    compare_aucs,
    delong,
    roc_curve,
)
from radhabitat.evaluation.draw import shuffle_outcomes, sites_of
from radhabitat.evaluation.measures import inflation, measure_risks
from radhabitat.evaluation.reclassification import (
    discrimination_improvement,
    net_reclassification,
)
from radhabitat.evaluation.resampling import Resamples
from radhabitat.evaluation.results import (
    Comparison,
    Evaluation,
    ModelResult,
    Roc,
    SiteResult,
)
from radhabitat.evaluation.unseen import mean_risks, tested_areas, unseen_areas
from radhabitat.evaluation.validation import Evidence, validate_model
from radhabitat.settings import EvaluationSettings
from radhabitat.types import Block, Cohort, Estimate, Ladder, RiskModel

Floats = NDArray[np.float64]
Refit = Callable[[Cohort, Ladder], Ladder]
Repeats = Mapping[tuple[str, str], Resamples]
"""(kind, sequence of an ablation or "") -> what came of it."""

ROC_POINTS = 101
PUBLISHED_REFITS = 200


def assemble(
    cohort: Cohort,
    ladder: Ladder,
    repeats: Repeats,
    settings: EvaluationSettings,
    *,
    seed: int,
    refit: Refit | None,
) -> Evaluation:
    """Return the evaluation of a ladder.

    Args:
        cohort: What the ladder was learned from.
        ladder: Learned from all patients.
        repeats: The same learning, repeated; at least the bootstrap.
        settings: Headline, confidence, thresholds.
        seed: Of the repeats.
        refit: Fits the variables of a ladder again, without selection.
    """
    boots = repeats["bootstrap", ""]
    folds = _usable(repeats.get(("fold", "")))
    risks = np.array([model.risk(cohort) for model in ladder.values()])
    seen = delong(cohort.outcome, risks)
    unseen = {name: boots.unseen(name) for name in ladder}
    honest = unseen_areas(cohort.outcome, list(unseen.values()), boots.copies)
    tested = None if folds is None else tested_areas(
        cohort.outcome, [folds.unseen(name) for name in ladder])  # fmt: skip
    published = _published(cohort, ladder, boots, refit)
    shuffled = _shuffled(cohort, ladder, repeats, settings, seed)
    results = {}
    for index, (name, model) in enumerate(ladder.items()):
        confidence = settings.confidence
        results[name] = ModelResult(
            model=model,
            validation=validate_model(
                Evidence(
                    cohort.outcome, risks[index], boots.risks[name], boots.copies,
                    honest, tested, index, published.get(name), shuffled.get(name),
                ),
                settings,
            ),
            apparent=auc_estimate(seen, index, confidence=confidence),
            risk_apparent=risks[index],
            risk_out_of_bag=mean_risks(unseen[name]),
            risk_cross_validated=None if folds is None else folds.unseen(name),
            roc_apparent=roc_curve(cohort.outcome, risks[index]),
            roc_out_of_bag=_mean_roc(cohort.outcome, unseen[name]),
            calibration=calibrate(cohort.outcome, unseen[name], confidence=confidence),
            decision=decide(cohort.outcome, unseen[name], confidence=confidence),
            measures=measure_risks(
                cohort.outcome, unseen[name],
                None if folds is None else folds.unseen(name), settings.cv_folds,
            ),
            vif=inflation(model, cohort),
            decisions=classify(
                cohort.outcome, boots.risks[name], boots.copies, settings
            ),
            selection_frequency=_frequency(boots.models[name]),
            sign_consistency=_sign_consistency(boots.models[name]),
            block_shares=_block_shares(boots.models[name], cohort),
            empty_share=_empty_share(boots.models[name]),
            refits=boots.models[name],
        )  # fmt: skip
    return Evaluation(
        patients=cohort.patients,
        outcome=cohort.outcome,
        event=cohort.event,
        results=results,
        comparisons=_compare_all(
            cohort.outcome, results, seen, honest, settings.confidence
        ),
        resamples=len(boots.copies) + boots.failed,
        failed_resamples=boots.failed,
        sites=_by_site(cohort, ladder, repeats, settings),
        ablations=_ablations(cohort, repeats, settings),
    )


def _usable(repeats: Resamples | None) -> Resamples | None:
    """Return cross-validation in which no fold failed."""
    return None if repeats is None or repeats.failed else repeats


def _published(
    cohort: Cohort, ladder: Ladder, boots: Resamples, refit: Refit | None
) -> dict[str, Floats]:
    """Return the AUCs of the published protocol: only the last fit is repeated."""
    found: dict[str, list[float]] = {name: [] for name in ladder}
    if refit is None:
        return {}
    for copies in boots.copies[:PUBLISHED_REFITS]:
        rows = np.repeat(np.arange(len(cohort)), copies)
        sample = cohort.take(rows)
        for name, model in refit(sample, ladder).items():
            found[name].append(auc(sample.outcome, model.log_odds(sample)))
    return {name: np.array(values) for name, values in found.items()}


def _shuffled(
    cohort: Cohort,
    ladder: Ladder,
    repeats: Repeats,
    settings: EvaluationSettings,
    seed: int,
) -> dict[str, Floats]:
    """Return each model's cross-validated AUC per shuffle of the outcomes."""
    done = _usable(repeats.get(("permutation", "")))
    if done is None:
        return {}
    found: dict[str, list[float]] = {name: [] for name in ladder}
    for number in range(settings.permutations):
        rows = done.numbers // settings.cv_folds == number
        outcome = shuffle_outcomes(cohort, seed=seed, number=number).outcome
        unseen = [done.unseen(name)[rows] for name in ladder]
        for name, value in zip(ladder, tested_areas(outcome, unseen).auc, strict=True):
            found[name].append(float(value))
    return {name: np.array(values) for name, values in found.items()}


def _by_site(
    cohort: Cohort, ladder: Ladder, repeats: Repeats, settings: EvaluationSettings
) -> tuple[SiteResult, ...]:
    """Return how each model ranks the patients of a site it did not learn from."""
    done = repeats.get(("site", ""))
    if done is None:
        return ()
    names = sites_of(cohort)
    found = []
    for place, number in enumerate(done.numbers.tolist()):
        inside = done.copies[place] == 0
        outcome = cohort.outcome[inside]
        events = int(outcome.sum())
        values = {}
        if 2 <= events <= len(outcome) - 2:
            areas = delong(
                outcome, np.array([done.risks[n][place][inside] for n in ladder])
            )
            values = {
                name: auc_estimate(areas, i, confidence=settings.confidence)
                for i, name in enumerate(ladder)
            }
        found.append(SiteResult(names[number], int(inside.sum()), events, values))
    return tuple(found)


def _ablations(
    cohort: Cohort, repeats: Repeats, settings: EvaluationSettings
) -> Mapping[str, Mapping[str, Estimate]]:
    """Return sequence -> model -> cross-validated AUC with its features alone."""
    found: dict[str, Mapping[str, Estimate]] = {}
    for (kind, sequence), done in repeats.items():
        if kind == "ablation" and not done.failed:
            areas = tested_areas(cohort.outcome, [done.unseen(n) for n in done.risks])
            found[sequence] = {
                name: auc_estimate(areas, i, confidence=settings.confidence)
                for i, name in enumerate(done.risks)
            }
    return found


def _compare_all(
    outcome: NDArray[np.int8],
    results: Mapping[str, ModelResult],
    seen: Areas,
    honest: Areas,
    confidence: float,
) -> tuple[Comparison, ...]:
    """Return how each model compares with the one before."""
    names, rows = list(results), []
    for second in range(1, len(names)):
        places = second - 1, second
        difference, z, p = compare_aucs(honest, *places, confidence=confidence)
        risks = np.array([results[names[i]].risk_out_of_bag for i in places])
        known = ~np.isnan(risks).any(axis=0)
        pair = (outcome[known], *risks[:, known])
        gain = net_reclassification(*pair, thresholds=None, confidence=confidence)
        idi = discrimination_improvement(*pair, confidence=confidence)
        rows.append(
            Comparison(
                first=names[second - 1],
                second=names[second],
                difference=difference,
                z=z,
                p=p,
                p_apparent=compare_aucs(seen, *places, confidence=confidence)[2],
                p_holm=p,
                nri=gain.gain,
                idi=idi.gain,
                method=f"paired z-test on unseen patients ({honest.method})",
            )
        )
    corrected = holm(np.array([row.p for row in rows])).tolist() if rows else []
    return tuple(replace(row, p_holm=p) for row, p in zip(rows, corrected, strict=True))


def _frequency(models: Sequence[RiskModel]) -> dict[str, float]:
    """Return variable -> share of resamples that kept it, the most frequent first."""
    counts = Counter(name for model in models for name in model.variables)
    ranked = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return {name: count / len(models) for name, count in ranked}


def _sign_consistency(models: Sequence[RiskModel]) -> dict[str, float]:
    signs: dict[str, list[bool]] = {}
    for model in models:
        for name, coefficient in zip(model.variables, model.coefficients, strict=True):
            signs.setdefault(name, []).append(bool(coefficient > 0.0))
    shares = {name: float(np.mean(values)) for name, values in signs.items()}
    return {name: max(share, 1.0 - share) for name, share in shares.items()}


def _block_shares(models: Sequence[RiskModel], cohort: Cohort) -> dict[str, float]:
    """Return block -> share of resamples with at least one of its variables."""
    block_of = dict(zip(cohort.names, cohort.blocks, strict=True))
    kept = Counter(
        block for model in models for block in {block_of[n] for n in model.variables}
    )
    return {str(block): kept[block] / len(models) for block in Block if kept[block]}


def _empty_share(models: Sequence[RiskModel]) -> float:
    return sum(not model.variables for model in models) / len(models)


def _mean_roc(outcome: NDArray[np.int8], risks: Floats) -> Roc:
    """Return the mean sensitivity of the resamples' curves at each false alarm rate.

    Reference:
        Fawcett, Pattern Recognit Lett 2006;27:861, section 9 (vertical averaging).
    """
    grid = np.linspace(0.0, 1.0, ROC_POINTS)
    curves = np.zeros((len(risks), ROC_POINTS))
    for place, row in enumerate(risks):
        known = ~np.isnan(row)
        one = roc_curve(outcome[known], row[known])
        curves[place] = np.interp(grid, one.false_positive_rate, one.true_positive_rate)
    mean = curves.mean(axis=0)
    mean[0] = 0.0
    return Roc(grid, mean, np.full(ROC_POINTS, np.nan))
