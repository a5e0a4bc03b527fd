"""How good the models are."""

from __future__ import annotations

from functools import partial

from radhabitat.evaluation.results import Evaluation
from radhabitat.report.blocks import Block, Callout, Figure, Heading, Table, Text
from radhabitat.report.content import ReportContent
from radhabitat.report.figures.auc_forest import draw_auc_forest
from radhabitat.report.figures.calibration import draw_calibration
from radhabitat.report.figures.decision_curves import draw_decision_curves
from radhabitat.report.figures.risk_by_outcome import draw_risk_by_outcome
from radhabitat.report.figures.roc import draw_roc
from radhabitat.report.figures.selection_frequency import draw_selection_frequency
from radhabitat.report.palette import model_color
from radhabitat.report.sections.validation import validation_blocks
from radhabitat.report.wording import (
    RESEARCH_ONLY,
    count,
    estimate,
    model_title,
    number,
    p_value,
    short_title,
)


def evaluation_blocks(content: ReportContent) -> list[Block]:
    """Return discrimination, calibration, benefit, comparison and stability."""
    evaluation = content.evaluation
    if evaluation is None or not evaluation.results:
        return []
    learned = evaluation.resamples - evaluation.failed_resamples
    return [
        Callout(RESEARCH_ONLY, strong=True),
        Text(
            f"The whole learning was repeated in {count(learned, 'resample')} of the "
            "patients. Every patient was then judged only by formulas that had not "
            "seen this patient (out-of-bag)."
        ),
        *_discrimination(evaluation),
        *validation_blocks(evaluation, content),
        *_calibration(evaluation),
        *_benefit(evaluation),
        *_comparison(evaluation),
        *_stability(evaluation),
    ]


def _discrimination(evaluation: Evaluation) -> list[Block]:
    methods = dict.fromkeys(
        auc.method
        for result in evaluation.results.values()
        for auc in (result.apparent, result.headline)
    )
    return [
        Heading("Telling patients apart"),
        Figure(
            "roc",
            partial(draw_roc, evaluation=evaluation),
            "ROC curves. Bold: out-of-bag, with pointwise 95 % limits that count the "
            "patients tested, not how the learning varies. Thin and dashed: "
            "apparent, on the patients the formula was learned from.",
        ),
        Figure(
            "auc-forest",
            partial(draw_auc_forest, evaluation=evaluation),
            "AUC with interval. Hollow: apparent; filled: unseen patients. Between the "
            "two lies the optimism.",
        ),
        Table(
            "Area under the ROC curve",
            ("Model", "AUC on unseen patients", "Apparent AUC", "Optimism"),
            [
                (
                    model_title(name),
                    estimate(result.headline),
                    estimate(result.apparent),
                    number(result.optimism),
                )
                for name, result in evaluation.results.items()
            ],
            note="Intervals: " + "; ".join(methods) + ".",
        ),
    ]


def _calibration(evaluation: Evaluation) -> list[Block]:
    return [
        Heading("Do the risks mean what they say?"),
        Figure(
            "calibration",
            partial(draw_calibration, evaluation=evaluation),
            "Calibration of the out-of-bag risks. Points on the dotted line are right; "
            "bars are 95 % intervals. Below: how many patients got which risk, with "
            "the event (up) and without (down).",
            wide=True,
        ),
        Table(
            "Calibration of the out-of-bag risks",
            ("Model", "Intercept (ideal 0)", "Slope (ideal 1)", "Brier score"),
            [
                (
                    model_title(name),
                    estimate(result.calibration.intercept, digits=2),
                    estimate(result.calibration.slope, digits=2),
                    number(result.calibration.brier),
                )
                for name, result in evaluation.results.items()
            ],
            note="A slope below 1 means that high risks are too high and low risks too "
            "low. The Brier score is the mean squared error of the risks; 0 is best.",
        ),
    ]


def _benefit(evaluation: Evaluation) -> list[Block]:
    return [
        Heading("Would acting on the risk help?"),
        Figure(
            "decision-curves",
            partial(draw_decision_curves, evaluation=evaluation),
            "Decision curves of the out-of-bag risks. A model is of use only where its "
            "line lies above both treating everybody and treating nobody.",
        ),
        Figure(
            "risk-by-outcome",
            partial(draw_risk_by_outcome, evaluation=evaluation),
            "Out-of-bag risk of every patient, by whether the event happened. Box: "
            "median and quartiles. p: Mann-Whitney test.",
        ),
    ]


def _comparison(evaluation: Evaluation) -> list[Block]:
    if not evaluation.comparisons:
        return []
    methods = dict.fromkeys(row.method for row in evaluation.comparisons)
    return [
        Heading("Does each block add something?"),
        Table(
            "Each model against the one before",
            (
                "Comparison",
                "AUC difference, out-of-bag",
                "z",
                "p, out-of-bag",
                "p, apparent",
            ),
            [
                (
                    f"{short_title(row.second)} against {short_title(row.first)}",
                    estimate(row.difference),
                    number(row.z, digits=2),
                    p_value(row.p),
                    p_value(row.p_apparent),
                )
                for row in evaluation.comparisons
            ],
            note="; ".join(methods) + ".",
        ),
        Callout(
            "The apparent p-value stands here because papers print it. It says "
            "nothing: the variables were chosen on the same patients, so the larger "
            "model wins even on noise."
        ),
    ]


def _stability(evaluation: Evaluation) -> list[Block]:
    figures = [
        Figure(
            f"selection-{place}",
            partial(draw_selection_frequency, result=result, color=model_color(place)),
            f"{model_title(name)}: how often each variable was kept. Colored: in the "
            "final formula. A variable that is seldom kept was found by luck.",
            wide=True,
        )
        for place, (name, result) in enumerate(evaluation.results.items())
        if result.selection_frequency
    ]
    if not figures:
        return []
    return [Heading("Would other patients give the same formula?"), *figures]
