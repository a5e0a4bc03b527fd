"""What a formula holds: coefficients, and how sure one can be of each variable."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from radhabitat.evaluation.results import ModelResult
from radhabitat.report.palette import FAINT, INK
from radhabitat.report.wording import number, percent, shortened


def draw_coefficients(figure: Figure, result: ModelResult, color: str) -> None:
    """Draw a dot per variable of the formula, on the scale of odds ratios."""
    model = result.model
    rows = np.argsort(-model.coefficients, kind="stable")
    figure.set_size_inches(8.6, 1.0 + 0.33 * len(rows))
    axes = figure.add_subplot()
    axes.axvline(1, color=FAINT, linestyle=":", linewidth=1.2)
    ratios = np.exp(np.clip(model.coefficients[rows], -20, 20))
    for place, (row, ratio) in enumerate(zip(rows, ratios, strict=True)):
        axes.plot([1, ratio], [place, place], color=color, linewidth=1.6)
        kept = result.selection_frequency.get(model.variables[row], 0.0)
        axes.text(
            1.02,
            place,
            f"{number(float(ratio), digits=2)}; kept in {percent(kept)}",
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=8.5,
            color=INK,
        )
    axes.scatter(ratios, range(len(rows)), color=color, s=44, zorder=3)
    axes.set_xscale("log")
    axes.set_yticks(
        range(len(rows)), [shortened(model.variables[row], 46) for row in rows]
    )
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda value, _: f"{value:g}")
    axes.tick_params(axis="x", which="both", labelsize=8)
    axes.margins(x=0.1)
    axes.set_xlabel("Odds ratio per SD (dotted: none)")
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=True, axis="x")
