"""Apparent against out-of-bag AUC of every model, with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from radhabitat.report.figures.drawing import draw_svg
from radhabitat.report.palette import FAINT, INK, model_color
from radhabitat.report.wording import estimate, short_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from radhabitat.evaluation.results import ModelResult
    from radhabitat.types import Estimate


def draw_auc_forest(results: Mapping[str, ModelResult]) -> str:
    """Return one row per model and kind of AUC; the dotted line is chance."""
    height = 1.4 + 0.95 * len(results)
    return draw_svg(
        "auc-forest",
        lambda figure: _fill(figure, results),
        size_in=(5.2, max(height, 3.0)),
    )


def _fill(figure: Figure, results: Mapping[str, ModelResult]) -> None:
    axes = figure.add_subplot()
    axes.axvline(0.5, color=FAINT, linestyle=":", linewidth=1.2)
    for position, (name, result) in enumerate(results.items()):
        color, row = model_color(position), 2.6 * position
        axes.text(
            0.0,
            row - 0.62,
            short_title(name),
            transform=axes.get_yaxis_transform(),
            fontweight="bold",
            va="center",
        )
        _draw_row(axes, row, result.apparent, color, filled=False)
        _draw_row(axes, row + 0.85, result.out_of_bag, color, filled=True)
    bottom = 2.6 * len(results) - 0.75
    axes.set(
        xlim=(_lowest(results), 1.02),
        ylim=(bottom, -1.1),
        xlabel="AUC (dotted: chance)",
    )
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=True, axis="x")


def _lowest(results: Mapping[str, ModelResult]) -> float:
    ends = [
        end
        for result in results.values()
        for auc in (result.apparent, result.out_of_bag)
        for end in (auc.value, auc.low)
        if math.isfinite(end)
    ]
    return min([0.3, *(end - 0.03 for end in ends)])


def _draw_row(
    axes: Axes, row: float, auc: Estimate, color: str, *, filled: bool
) -> None:
    kind = "out-of-bag" if filled else "apparent"
    if math.isfinite(auc.value):
        if math.isfinite(auc.low) and math.isfinite(auc.high):
            width = 2.4 if filled else 1.0
            axes.plot([auc.low, auc.high], [row, row], color=color, linewidth=width)
        face = color if filled else "white"
        axes.plot(auc.value, row, "o", color=color, markerfacecolor=face, markersize=7)
    axes.text(
        1.03,
        row,
        f"{kind}\n{estimate(auc)}",
        transform=axes.get_yaxis_transform(),
        va="center",
        fontsize=8.5,
        color=INK,
        fontweight="bold" if filled else "normal",
    )
