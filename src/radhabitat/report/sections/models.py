"""The formulas."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from radhabitat.evaluation.results import ModelResult
from radhabitat.report.blocks import Block, Callout, Figure, Heading, Table, Text
from radhabitat.report.content import ReportContent
from radhabitat.report.figures.coefficients import draw_coefficients
from radhabitat.report.figures.heat_map import draw_heat_map
from radhabitat.report.figures.importance import draw_importance
from radhabitat.report.figures.nomogram import draw_nomogram
from radhabitat.report.nomogram import make_nomogram
from radhabitat.report.palette import model_color
from radhabitat.report.wording import (
    RESEARCH_ONLY,
    UNKNOWN,
    compact,
    model_title,
    number,
    percent,
    slug,
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
    for place, (name, result) in enumerate(evaluation.results.items()):
        blocks += _formula(name, result)
        blocks += _drawn(content, result, model_color(place))
    return blocks


def _drawn(content: ReportContent, result: ModelResult, color: str) -> list[Block]:
    """Return the pictures of one formula; those of its values where they are known."""
    model, title = result.model, model_title(result.model.name)
    if not model.variables or not np.any(model.coefficients):
        return []
    name = slug(model.name)
    blocks: list[Block] = [
        Figure(
            f"coefficients-{name}",
            partial(draw_coefficients, result=result, color=color),
            f"{title}: odds ratio per SD of each variable, and the share of resamples "
            "that kept it. No intervals: for variables chosen on the same patients "
            "they would be too narrow.",
            wide=True,
        ),
        Figure(
            f"importance-{name}",
            partial(draw_importance, result=result),
            f"{title}: importance. To the right: kept more often; larger: a larger "
            "coefficient; brighter: the same sign in more of the resamples.",
            wide=True,
        ),
    ]
    if any(n not in content.chosen for n in model.variables):
        return blocks
    values = {n: content.chosen[n] for n in model.variables}
    if len(values) > 1:
        draw = partial(draw_heat_map, values=values, vif=result.vif)
        words = f"{title}: rank correlations and variance inflation factors (VIF)."
        blocks.append(Figure(f"correlation-{name}", draw, words, wide=True))
    if not model.sites:
        ruler = make_nomogram(model, np.column_stack(list(values.values())))
        blocks.append(
            Figure(
                f"nomogram-{name}",
                partial(draw_nomogram, nomogram=ruler),
                f"{title}: nomogram. Points of all variables are added; the risk "
                f"stands below the total. {RESEARCH_ONLY}",
                wide=True,
            )
        )
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
