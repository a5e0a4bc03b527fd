"""The formula as a ruler: points per variable, their sum, the risk."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import logit

from radhabitat.report.nomogram import Nomogram
from radhabitat.report.palette import INK
from radhabitat.report.wording import compact, shortened

RISKS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
CLOSEST = 4.0
"""Points between two labels of a ruler."""


def draw_nomogram(figure: Figure, nomogram: Nomogram) -> None:
    """Draw the rulers; a straight line down from the total gives the risk."""
    count = len(nomogram.names)
    figure.set_size_inches(8.6, 1.5 + 0.52 * (count + 2))
    axes = figure.add_subplot()
    axes.set(xlim=(-1, 101), ylim=(count + 2.6, -0.7), xticks=[])
    axes.spines[:].set_visible(False)
    marks = np.linspace(0, 100, 11)
    _ruler(axes, 0, marks, [f"{m:.0f}" for m in marks])
    for row in range(count):
        low, high = nomogram.low[row], nomogram.high[row]
        ticks = _round_values(float(low), float(high))
        points = (ticks - nomogram.zero[row]) * nomogram.slope[row]
        _ruler(axes, row + 1, points, [compact(v) for v in ticks])
    most = float(
        np.abs((nomogram.high - nomogram.low) * nomogram.slope).sum()
    )  # of the worst possible patient
    totals = np.linspace(0, most, 11)
    stretch = 100 / most
    _ruler(axes, count + 1, totals * stretch, [f"{t:.0f}" for t in totals])
    at = (logit(np.array(RISKS)) - nomogram.base) / nomogram.unit
    inside = (at >= 0) & (at <= most)
    words = [f"{r:g}" for r, keep in zip(RISKS, inside, strict=True) if keep]
    _ruler(axes, count + 2, at[inside] * stretch, words)
    titles = [shortened(name, 46) for name in nomogram.names]
    axes.set_yticks(range(count + 3), ["Points", *titles, "Total points", "Risk"])
    axes.tick_params(axis="y", length=0)


def _round_values(low: float, high: float) -> NDArray[np.float64]:
    if low == 0.0 and high == 1.0:
        return np.array([0.0, 1.0])
    from matplotlib.ticker import MaxNLocator

    inner = np.asarray(MaxNLocator(6).tick_values(low, high), dtype=np.float64)
    return inner[(inner >= low) & (inner <= high)]


def _ruler(axes: Axes, row: int, places: NDArray[np.float64], words: list[str]) -> None:
    if not len(places):
        return
    axes.plot([places.min(), places.max()], [row, row], color=INK, linewidth=1.1)
    last = -np.inf
    for place in np.argsort(places, kind="stable"):
        x = float(places[place])
        axes.plot([x, x], [row, row - 0.13], color=INK, linewidth=0.9)
        if x - last >= CLOSEST:
            axes.text(x, row - 0.2, words[place], ha="center", va="bottom", fontsize=8)
            last = x
