"""One model's AUC by every rule that people ask for, from the same repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm

from radhabitat.evaluation.discrimination import Areas, auc, auc_estimate
from radhabitat.evaluation.results import Validation
from radhabitat.settings import EvaluationSettings
from radhabitat.types import Estimate

Floats = NDArray[np.float64]
NO_INFORMATION = 0.5
"""AUC of a model that knows nothing."""

WEIGHT = 1.0 - float(np.exp(-1.0))
"""Share of the patients in a bootstrap resample, 0.632."""

STEP = 0.01
"""Of the numerical derivative."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the repeats say about one model.

    Attributes:
        outcome: 1 = event, shape (patients,).
        apparent: Risks by the model learned from all, shape (patients,).
        risks: Of all patients by the model of each resample, shape (resamples,
            patients).
        copies: How often each patient was drawn, same shape.
        areas: Out-of-bag AUCs of all models of the ladder.
        tested: Their cross-validated AUCs, if there are any.
        index: Of this model in both.
        published: AUCs of the published protocol.
        shuffled: Cross-validated AUCs with shuffled outcomes.
    """

    outcome: NDArray[np.int8]
    apparent: Floats
    risks: Floats
    copies: NDArray[np.int16]
    areas: Areas
    tested: Areas | None
    index: int
    published: Floats | None
    shuffled: Floats | None


def validate_model(evidence: Evidence, settings: EvaluationSettings) -> Validation:
    """Return all validated AUCs of one model.

    Args:
        evidence: Of the model.
        settings: Confidence of the intervals, and which AUC is the headline.

    Reference:
        Harrell, Lee and Mark, Stat Med 1996;15:361, section 4 (optimism).
    """
    outcome, areas, index = evidence.outcome, evidence.areas, evidence.index
    tested, shuffled = evidence.tested, evidence.shuffled
    seen = auc(outcome, evidence.apparent)
    unseen = auc_estimate(areas, index, confidence=settings.confidence)
    plus = _plus(seen, unseen, areas, index, settings.confidence)
    drawn = zip(evidence.risks, evidence.copies, strict=True)
    optimism = np.mean([_optimism(outcome, *row) for row in drawn])
    crossed = None
    if tested is not None:
        crossed = auc_estimate(tested, index, confidence=settings.confidence)
    return Validation(
        headline=plus if settings.headline == "632+" else unseen,
        out_of_bag=unseen,
        plus632=plus,
        point632=(1.0 - WEIGHT) * seen + WEIGHT * unseen.value,
        harrell=seen - float(optimism),
        cross_validated=crossed,
        published=_published(evidence.published),
        permutation_p=_permutation_p(crossed, shuffled),
        shuffled=() if shuffled is None else tuple(shuffled.tolist()),
    )


def plus632(apparent: float, unseen: float) -> float:
    """Return the .632+ estimate of an AUC.

    Between the out-of-bag AUC and the apparent one, nearer to the first the more the
    learning overfits; a useless model gets 0.5, or less if it ranks backwards.

    Reference:
        Efron and Tibshirani, JASA 1997;92:548, eq. 28-32, with 1 - AUC as the error
        and 0.5 as its no-information rate.
    """
    if unseen <= NO_INFORMATION or apparent <= unseen:
        return min(unseen, apparent)
    overfitting = (apparent - unseen) / (apparent - NO_INFORMATION)
    weight = WEIGHT / (1.0 - (1.0 - WEIGHT) * overfitting)
    return (1.0 - weight) * apparent + weight * unseen


def _plus(
    seen: float, unseen: Estimate, areas: Areas, index: int, confidence: float
) -> Estimate:
    """Return .632+; its error is the out-of-bag AUC's times how fast it follows."""
    value = plus632(seen, unseen.value)
    method = f".632+, delta method from: {areas.method}"
    near = (plus632(seen, unseen.value + step) for step in (STEP, -STEP))
    pace = max((next(near) - next(near)) / (2.0 * STEP), 1.0)
    if not 0.0 < value < 1.0:
        return Estimate(value, min(unseen.low, value), max(unseen.high, value), method)
    spread = pace * areas.variance(np.eye(len(areas.auc))[index]) ** 0.5
    width = float(norm.isf((1.0 - confidence) / 2.0)) * spread / (value * (1.0 - value))
    center = float(logit(value))
    return Estimate(
        value, float(expit(center - width)), float(expit(center + width)), method
    )


def _optimism(
    outcome: NDArray[np.int8], risks: Floats, copies: NDArray[np.int16]
) -> float:
    """Return AUC on the resample minus AUC on all, by the resample's model."""
    return auc(np.repeat(outcome, copies), np.repeat(risks, copies)) - auc(
        outcome, risks
    )


def _published(values: Floats | None) -> Estimate | None:
    """Return mean +- 1.96 SD: what papers print, and what it is worth."""
    if values is None:
        return None
    mean, half = float(values.mean()), 1.959964 * float(values.std(ddof=1))
    method = (
        "apparent: selection on all patients, bootstrap of the last fit (the "
        "published protocol)"
    )
    return Estimate(mean, max(mean - half, 0.0), min(mean + half, 1.0), method)


def _permutation_p(
    crossed: Estimate | None, shuffled: Sequence[float] | Floats | None
) -> float | None:
    """Return the share of shuffles at least as good (Phipson and Smyth 2010)."""
    if crossed is None or shuffled is None or not len(shuffled):
        return None
    better = int(np.sum(np.asarray(shuffled) >= crossed.value - 1e-12))
    return (1 + better) / (1 + len(shuffled))
