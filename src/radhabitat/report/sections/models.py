"""The formulas."""

from __future__ import annotations

import math

from radhabitat.evaluation.results import ModelResult
from radhabitat.report.blocks import Block, Callout, Heading, Table, Text
from radhabitat.report.content import ReportContent
from radhabitat.report.wording import (
    RESEARCH_ONLY,
    UNKNOWN,
    compact,
    model_title,
    number,
    percent,
)

HEADERS = (
    "Variable",
    "Coefficient per SD",
    "Odds ratio per SD",
    "Center",
    "Scale (SD)",
    "Kept in",
)
LARGEST_EXPONENT = 700.0
"""exp() of more is no longer a float."""


def models_blocks(content: ReportContent) -> list[Block]:
    """Return one formula table per model."""
    evaluation = content.evaluation
    if evaluation is None or not evaluation.results:
        return []
    blocks: list[Block] = [
        Callout(RESEARCH_ONLY, strong=True),
        Text(
            f"Each model gives the log-odds of \u201c{evaluation.event}\u201d: "
            "intercept + the sum of coefficient \N{MULTIPLICATION SIGN} (value "
            "\N{MINUS SIGN} center) / scale. A missing value counts as the center. The "
            "odds ratio is per standard deviation (scale). No p-values are given: for "
            "variables chosen on the same patients they would say nothing."
        ),
    ]
    for name, result in evaluation.results.items():
        blocks += _formula(name, result)
    return blocks


def _formula(name: str, result: ModelResult) -> list[Block]:
    model = result.model
    intercept = compact(model.intercept)
    blocks: list[Block] = [Heading(model_title(name))]
    if model.variables:
        blocks.append(
            Table(
                f"Intercept {intercept}",
                HEADERS,
                [_row(result, place) for place in range(len(model.variables))],
                note="Kept in: share of the resamples that kept this variable too.",
            )
        )
    else:
        blocks.append(
            Text(
                f"No variable was kept; intercept {intercept}. Everybody gets the same "
                "risk, the share of events in this study."
            )
        )
    if model.notes:
        ended = [n if n.endswith((".", "!", "?")) else f"{n}." for n in model.notes]
        blocks.append(Text(" ".join(ended)))
    return blocks


def _row(result: ModelResult, place: int) -> tuple[str, ...]:
    model = result.model
    name, coefficient = model.variables[place], float(model.coefficients[place])
    return (
        name,
        number(coefficient),
        _odds_ratio(coefficient),
        compact(float(model.centers[place])),
        compact(float(model.scales[place])),
        percent(result.selection_frequency.get(name, 0.0)),
    )


def _odds_ratio(coefficient: float) -> str:
    if not abs(coefficient) < LARGEST_EXPONENT:
        return UNKNOWN
    ratio = math.exp(coefficient)
    return number(ratio, digits=2) if 0.01 <= ratio < 1000 else compact(ratio)
