"""Apparent AUC against that on unseen patients of every model, with intervals."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from radhabitat.evaluation.results import Evaluation
from radhabitat.report.palette import FAINT, INK, model_color
from radhabitat.report.wording import estimate, short_title
from radhabitat.types import Estimate


def draw_auc_forest(figure: Figure, evaluation: Evaluation) -> None:
    """Draw one row per model and kind of AUC; the dotted line is chance."""
    results = evaluation.results
    figure.set_size_inches(5.2, max(1.4 + 0.95 * len(results), 3.0))
    axes = figure.add_subplot()
    axes.axvline(0.5, color=FAINT, linestyle=":", linewidth=1.2)
    beside, bold = axes.get_yaxis_transform(), "bold"
    lowest = 0.3
    for position, (name, result) in enumerate(results.items()):
        color, row = model_color(position), 2.6 * position
        title = short_title(name)
        axes.text(0, row - 0.62, title, transform=beside, fontweight=bold, va="center")
        _draw_row(axes, row, result.apparent, color, filled=False)
        _draw_row(axes, row + 0.85, result.headline, color, filled=True)
        for auc in (result.apparent, result.headline):
            # what is not a number compares false and leaves the limit alone
            lowest = min(lowest, auc.value - 0.03, auc.low - 0.03)
    bottom = 2.6 * len(results) - 0.75
    axes.set(xlim=(lowest, 1.02), ylim=(bottom, -1.1), yticks=[])
    axes.set_xlabel("AUC (dotted: chance)")
    axes.spines["left"].set_visible(False)
    axes.grid(visible=True, axis="x")


def _draw_row(
    axes: Axes, row: float, auc: Estimate, color: str, *, filled: bool
) -> None:
    if math.isfinite(auc.value):
        if math.isfinite(auc.low) and math.isfinite(auc.high):
            width = 2.4 if filled else 1.0
            axes.plot([auc.low, auc.high], [row, row], color=color, linewidth=width)
        face = color if filled else "white"
        axes.plot(auc.value, row, "o", color=color, markerfacecolor=face, markersize=7)
    axes.text(
        1.03,
        row,
        f"{'unseen' if filled else 'apparent'}\n{estimate(auc)}",
        transform=axes.get_yaxis_transform(),
        va="center",
        fontsize=8.5,
        color=INK,
        fontweight="bold" if filled else "normal",
    )
