"""What an evaluation gives: numbers with intervals, curves, comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from radhabitat.evaluation.survival import SurvivalCurve
from radhabitat.types import Estimate, RiskModel, Significance


@dataclass(frozen=True, eq=False)
class Roc:
    """A receiver operating characteristic.

    Attributes:
        false_positive_rate: 1 - specificity, shape (points,), rising from 0 to 1.
        true_positive_rate: Sensitivity, same shape.
        thresholds: Risk from which on a patient is positive, the first infinite; NaN
            for a mean of curves.
    """

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    thresholds: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Calibration:
    """Predicted against observed risk.

    Attributes:
        intercept: Calibration-in-the-large, log-odds; 0 is ideal.
        slope: Calibration slope; 1 is ideal, below 1 means too extreme risks.
        brier: Brier score; 0 is ideal.
        predicted: Mean predicted risk per group, shape (groups,).
        observed: Share of events per group, shape (groups,).
        low, high: 95 % limits of `observed` (Wilson).
        sizes: Patients per group.
    """

    intercept: Estimate
    slope: Estimate
    brier: float
    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    sizes: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Net benefit over threshold probabilities (Vickers and Elkin 2006, eq. 1).

    Attributes:
        thresholds: Threshold probabilities, shape (thresholds,).
        net_benefit: Of the model, per patient.
        treat_all: Of treating everybody.
        low, high: Limits of `net_benefit`, threshold by threshold.
    """

    thresholds: NDArray[np.float64]
    net_benefit: NDArray[np.float64]
    treat_all: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Decision:
    """Unseen patients at one threshold; counts are sums of shares, not integers.

    Attributes:
        name: "Youden", or the threshold.
        threshold: Risk from which on a patient is positive; Youden's: the median of
            the resamples'.
        positive_share: Share of the resamples without the patient that called the
            patient positive, shape (patients,); NaN if there was none.
    """

    name: str
    threshold: float
    true_positives: float
    false_positives: float
    true_negatives: float
    false_negatives: float
    sensitivity: Estimate
    specificity: Estimate
    positive_predictive_value: Estimate
    negative_predictive_value: Estimate
    accuracy: Estimate
    positive_share: NDArray[np.float64]


@dataclass(frozen=True)
class Validation:
    """One model's AUC by every rule, from the same repeats of the whole learning.

    Attributes:
        headline: The one to quote.
        out_of_bag: Of patients left out of a bootstrap resample.
        plus632: .632+ of Efron and Tibshirani.
        point632: .632; too good where there are many candidates.
        harrell: Apparent minus Harrell's optimism; too good likewise.
        cross_validated: Repeated nested cross-validation; None without it.
        published: Mean of the bootstrap of the last fit alone: apparent.
        permutation_p: Of the cross-validated AUC under shuffled outcomes.
        shuffled: Cross-validated AUC of each shuffle.
    """

    headline: Estimate
    out_of_bag: Estimate
    plus632: Estimate
    point632: float
    harrell: float
    cross_validated: Estimate | None
    published: Estimate | None
    permutation_p: float | None
    shuffled: tuple[float, ...]


@dataclass(frozen=True)
class SiteResult:
    """How models learned elsewhere do at one site.

    Attributes:
        site: Its name.
        patients: Of it.
        events: How many of them have the event.
        auc: Model -> AUC; empty with fewer than two patients of a class.
    """

    site: str
    patients: int
    events: int
    auc: Mapping[str, Estimate]


@dataclass(frozen=True)
class Measures:
    """How right the risks of unseen patients are; one risk per patient.

    Attributes:
        scaled_brier: 1 is perfect, 0 as good as the prevalence.
        ici: Mean distance of the risk from a smooth curve of what came true.
        e50, e90, largest: Median, 90th percentile and largest of that distance.
        hosmer_lemeshow: A small p: the risks are not right.
        spiegelhalter: Likewise, from the Brier score.
        method: Which risks these are.
    """

    scaled_brier: float
    ici: float
    e50: float
    e90: float
    largest: float
    hosmer_lemeshow: Significance
    spiegelhalter: Significance
    method: str


@dataclass(frozen=True, eq=False)
class Prognosis:
    """Survival of patients by the risk group that a model put them in unseen.

    Attributes:
        model: Name of the model.
        groups: Names of the groups, the lower risk first.
        curves: Kaplan-Meier curve of each.
        sizes: Patients of each.
        log_rank: Test of equal survival.
        hazard_ratio: Of the second group against the first, by Cox.
        p: Of the hazard ratio.
        proportional: Test of proportional hazards.
        concordance: Share of pairs in which the higher predicted risk had the event
            of survival first; below 0.5 where the predicted outcome is a good one.
        horizons: Times of `auc`.
        auc: Of an event before each horizon, by a high predicted risk.
    """

    model: str
    groups: tuple[str, str]
    curves: tuple[SurvivalCurve, SurvivalCurve]
    sizes: tuple[int, int]
    log_rank: Significance
    hazard_ratio: Estimate
    p: float
    proportional: Significance
    concordance: Estimate
    horizons: tuple[float, ...]
    auc: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class ModelResult:
    """How good one model of the ladder is.

    Attributes:
        model: The formula learned from all patients.
        validation: AUC on patients that the learning did not see, by several rules.
        apparent: AUC on the patients it was learned from: too good to be true.
        risk_apparent: Risk of each patient by `model`, shape (patients,).
        risk_out_of_bag: Mean over the resamples without the patient, shape
            (patients,); NaN if there was none.
        risk_cross_validated: Shape (folds, patients), NaN where learned from.
        roc_apparent: Curve behind `apparent`.
        roc_out_of_bag: Mean of the resamples' curves on the patients left out.
        calibration: Of the resamples' risks of the patients left out.
        decision: Decision curve of the same risks.
        measures: Of one risk per patient.
        vif: Variance inflation factor of each variable of the formula.
        decisions: Of the same patients at Youden's and the chosen thresholds.
        selection_frequency: Variable -> share of resamples that kept it.
        sign_consistency: Variable -> share of those with the more frequent sign.
        block_shares: Block -> share of resamples that kept a variable of it.
        empty_share: Share of resamples in which no variable was kept.
        refits: The formula of each resample.
    """

    model: RiskModel
    validation: Validation
    apparent: Estimate
    risk_apparent: NDArray[np.float64]
    risk_out_of_bag: NDArray[np.float64]
    risk_cross_validated: NDArray[np.float64] | None
    roc_apparent: Roc
    roc_out_of_bag: Roc
    calibration: Calibration
    decision: DecisionCurve
    measures: Measures
    vif: Mapping[str, float]
    decisions: tuple[Decision, ...]
    selection_frequency: Mapping[str, float]
    sign_consistency: Mapping[str, float]
    block_shares: Mapping[str, float]
    empty_share: float
    refits: tuple[RiskModel, ...] = ()

    @property
    def headline(self) -> Estimate:
        """The AUC to quote: of patients that the learning did not see."""
        return self.validation.headline

    @property
    def optimism(self) -> float:
        """Apparent minus headline AUC."""
        return self.apparent.value - self.headline.value


@dataclass(frozen=True)
class Comparison:
    """Two models of the ladder on the same patients.

    Attributes:
        first: Name of a model.
        second: Name of the next model.
        difference: AUC of second minus first, on out-of-bag predictions.
        z: DeLong's statistic.
        p: Two-sided p-value.
        p_apparent: The same test on apparent predictions, as published; it says
            nothing when variables were selected on the same patients.
        p_holm: `p` corrected for the number of comparisons.
        nri: Continuous net reclassification improvement on mean out-of-bag risks.
        idi: Integrated discrimination improvement on the same.
        method: How, in words.
    """

    first: str
    second: str
    difference: Estimate
    z: float
    p: float
    p_apparent: float
    p_holm: float
    nri: Estimate
    idi: Estimate
    method: str


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Everything known about a ladder of models.

    Attributes:
        patients: Identifiers, in the order of every per-patient array.
        outcome: int8, shape (patients,); 1 = the event.
        event: What 1 means, in words.
        results: Model name -> result, in ladder order.
        comparisons: Each model against the one before.
        resamples: Number of bootstrap repeats of the whole learning.
        failed_resamples: How many of them could not be learned (one class only).
        sites: Each site, judged by models learned from the others.
        ablations: Sequence -> model -> cross-validated AUC with its features alone.
    """

    patients: tuple[str, ...]
    outcome: NDArray[np.int8]
    event: str
    results: Mapping[str, ModelResult]
    comparisons: tuple[Comparison, ...]
    resamples: int
    failed_resamples: int
    sites: tuple[SiteResult, ...] = ()
    ablations: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
