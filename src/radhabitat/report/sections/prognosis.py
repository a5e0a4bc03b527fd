"""Do the risk groups live differently long?"""

from __future__ import annotations

from functools import partial

from radhabitat.report.blocks import Block, Callout, Figure, Table, Text
from radhabitat.report.content import ReportContent
from radhabitat.report.figures.kaplan_meier import draw_kaplan_meier
from radhabitat.report.wording import (
    RESEARCH_ONLY,
    compact,
    estimate,
    model_title,
    number,
    p_value,
    slug,
)


def prognosis_blocks(content: ReportContent) -> list[Block]:
    """Return curves and tests of the risk groups, one figure per model."""
    if not content.prognosis:
        return []
    figures: list[Block] = [
        Figure(
            f"survival-{slug(one.model)}",
            partial(draw_kaplan_meier, prognosis=one),
            f"{model_title(one.model)}: survival by predicted risk group, with 95 % "
            "limits. Ticks: last seen without the event.",
        )
        for one in content.prognosis
    ]
    tests = [
        (
            model_title(one.model),
            p_value(one.log_rank.p),
            estimate(one.hazard_ratio, digits=2),
            p_value(one.p),
            p_value(one.proportional.p),
            estimate(one.concordance, digits=2),
        )
        for one in content.prognosis
    ]
    headers = (
        "Model",
        "Log-rank p",
        "Hazard ratio, high against low",
        "p",
        "Proportional hazards, p",
        "Concordance",
    )
    over_time = [
        (model_title(one.model), compact(when), number(auc))
        for one in content.prognosis
        for when, auc in zip(one.horizons, one.auc, strict=True)
    ]
    return [
        Callout(RESEARCH_ONLY, strong=True),
        Text(
            "A patient is of high predicted risk when most of the resamples without "
            "the patient say so, each at its own threshold: no group was drawn with "
            "the patient's own outcome."
        ),
        *figures,
        Table("Survival by risk group", headers, tests),
        Table("AUC over time", ("Model", "Horizon", "AUC"), over_time),
    ]
