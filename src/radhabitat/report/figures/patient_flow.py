"""Who entered the study and who was lost on the way."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from radhabitat.report.figures.drawing import bare, draw_svg
from radhabitat.report.palette import ACCENT, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_patient_flow(flow: Sequence[tuple[str, int]]) -> str:
    """Return a box per line of the flow, with the losses between them."""
    size = (5.2, 0.85 * len(flow) + 0.1)
    return draw_svg("patient-flow", lambda figure: _fill(figure, flow), size_in=size)


def _fill(figure: Figure, flow: Sequence[tuple[str, int]]) -> None:
    axes = figure.add_subplot()
    bare(axes)
    axes.set(xlim=(0, 1), ylim=(len(flow) - 0.5, -0.5))
    frame = {"boxstyle": "round,pad=0.55", "facecolor": "#f3f7fb", "edgecolor": ACCENT}
    for row, (label, patients) in enumerate(flow):
        words = textwrap.fill(label, 44)
        axes.text(
            0.42,
            row,
            f"{words}\nn = {patients:,}",
            ha="center",
            va="center",
            bbox=frame,
            zorder=3,
            linespacing=1.35,
        )
        if row:
            axes.annotate(
                "",
                (0.42, row - 0.3),
                (0.42, row - 0.72),
                arrowprops={"arrowstyle": "-|>", "color": FAINT, "shrinkB": 0},
            )
            _draw_loss(figure, row, flow[row - 1][1] - patients)


def _draw_loss(figure: Figure, row: int, lost: int) -> None:
    if lost > 0:
        axes = figure.axes[0]
        axes.text(
            0.46,
            row - 0.5,
            f"\N{MINUS SIGN}{lost:,}",
            color=INK,
            va="center",
            fontsize=9,
        )
