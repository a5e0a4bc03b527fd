"""Who entered the study and who was lost on the way."""

from __future__ import annotations

import textwrap

from matplotlib.figure import Figure

from radhabitat.report.content import Counts
from radhabitat.report.figures.drawing import bare
from radhabitat.report.palette import ACCENT, FAINT, INK


def draw_patient_flow(figure: Figure, flow: Counts) -> None:
    """Draw a box per line of the flow, with the losses between them."""
    figure.set_size_inches(5.2, 0.85 * len(flow) + 0.1)
    axes = figure.add_subplot()
    bare(axes)
    axes.set(xlim=(0, 1), ylim=(len(flow) - 0.5, -0.5))
    frame = {"boxstyle": "round,pad=0.55", "facecolor": "#f3f7fb", "edgecolor": ACCENT}
    arrow = {"arrowstyle": "-|>", "color": FAINT, "shrinkB": 0}
    for row, (label, patients) in enumerate(flow):
        axes.text(
            0.42,
            row,
            f"{textwrap.fill(label, 44)}\nn = {patients:,}",
            ha="center",
            va="center",
            bbox=frame,
            zorder=3,
            linespacing=1.35,
        )
        if row == 0:
            continue
        axes.annotate("", (0.42, row - 0.3), (0.42, row - 0.72), arrowprops=arrow)
        lost = flow[row - 1][1] - patients
        if lost > 0:
            words = f"\N{MINUS SIGN}{lost:,}"
            axes.text(0.46, row - 0.5, words, color=INK, va="center", fontsize=9)
