"""Where the patients of each predicted group went."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from radhabitat.evaluation.results import Evaluation, ModelResult
from radhabitat.report.figures.drawing import bare
from radhabitat.report.wording import percent

GROUPS = ("High predicted risk", "Low predicted risk")
ENDS = ("Event", "No event")
COLORS = ("#D55E00", "#0072B2")
GAP = 0.06


def draw_sankey(figure: Figure, evaluation: Evaluation, result: ModelResult) -> None:
    """Draw a band per risk group and outcome; widths are numbers of patients."""
    figure.set_size_inches(5.6, 3.8)
    axes = figure.add_subplot()
    bare(axes)
    axes.set(xlim=(-0.62, 1.5), ylim=(-1.16, 0.08))
    share = result.decisions[0].positive_share
    known = np.isfinite(share)
    high, event = share[known] > 0.5, evaluation.outcome[known] == 1
    flows = np.array(
        [[(g & e).sum() for e in (event, ~event)] for g in (high, ~high)], dtype=float
    )
    total = flows.sum() or 1.0
    start = _starts(flows.sum(axis=1) / total)
    end = _starts(flows.sum(axis=0) / total)
    for side, places, words in ((0, start, GROUPS), (1, end, ENDS)):
        _ends(axes, side, places, flows.sum(axis=1 - side), words, total)
    for i in range(2):
        for j in range(2):
            width = flows[i, j] / total
            _band(axes, start[i], end[j], width, COLORS[i])
            if flows[i, j]:
                number = f"{flows[i, j]:.0f}"
                axes.text(0.06, start[i] - width / 2, number, va="center", fontsize=9)
            start[i] -= width
            end[j] -= width


def _starts(sizes: np.ndarray) -> list[float]:
    return [0.0, -float(sizes[0]) - GAP]


def _ends(
    axes: Axes,
    side: int,
    places: list[float],
    sizes: np.ndarray,
    words: tuple[str, str],
    total: float,
) -> None:
    x = side + (0.02 if side else -0.02)
    for top, size, text in zip(places, sizes, words, strict=True):
        axes.plot([side, side], [top, top - size / total], color="#1d2733", lw=5)
        axes.text(
            x + (0.03 if side else -0.03),
            top - size / total / 2,
            f"{text}\nn = {size:.0f} ({percent(size / total)})",
            ha="left" if side else "right",
            va="center",
        )


def _band(axes: Axes, left: float, right: float, width: float, color: str) -> None:
    t = np.linspace(0, 1, 60)
    top = left + (right - left) * (3 * t**2 - 2 * t**3)
    axes.fill_between(t, top - width, top, color=color, alpha=0.45, linewidth=0)
