"""What was done, as boxes from left to right."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from radhabitat.report.figures.drawing import bare
from radhabitat.report.palette import ACCENT, FAINT

ACROSS = 4


def draw_workflow(figure: Figure, steps: Sequence[tuple[str, str]]) -> None:
    """Draw a box per (step, how), four in a row, read like a page."""
    rows = -(-len(steps) // ACROSS)
    figure.set_size_inches(8.6, 1.35 * rows + 0.1)
    axes = figure.add_subplot()
    bare(axes)
    axes.set(xlim=(-0.5, ACROSS - 0.5), ylim=(rows - 0.5, -0.5))
    arrow = {"arrowstyle": "-|>", "color": FAINT, "linewidth": 1.4}
    for place, (title, how) in enumerate(steps):
        row, column = divmod(place, ACROSS)
        axes.add_patch(_box(column - 0.44, row - 0.36))
        top = row - 0.21
        axes.text(column, top, title, ha="center", va="center", fontweight="bold")
        words = textwrap.fill(how, 27)
        axes.text(column, row + 0.1, words, ha="center", va="center", fontsize=8)
        if column and place:
            ends = (column - 0.44, row), (column - 0.56, row)
            axes.annotate("", *ends, arrowprops={**arrow, "shrinkA": 0, "shrinkB": 0})


def _box(x: float, y: float) -> FancyBboxPatch:
    return FancyBboxPatch(
        (x, y),
        0.88,
        0.72,
        boxstyle="round,pad=0,rounding_size=0.06",
        facecolor="#f3f7fb",
        edgecolor=ACCENT,
        linewidth=1.1,
    )
