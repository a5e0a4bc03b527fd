"""Survival by predicted risk group, with the numbers at risk."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from radhabitat.evaluation.results import Prognosis
from radhabitat.report.wording import estimate, p_value

COLORS = ("#0072B2", "#D55E00")
TIMES = 6


def draw_kaplan_meier(figure: Figure, prognosis: Prognosis) -> None:
    """Draw both curves with limits; ticks are patients last seen without the event."""
    figure.set_size_inches(5.6, 4.8)
    axes, table = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    end = max(float(curve.times.max()) for curve in prognosis.curves)
    when = np.linspace(0, end, TIMES)
    for row, curve in enumerate(prognosis.curves):
        color = COLORS[row]
        x = np.append(0.0, curve.times)
        y = np.append(1.0, curve.survival)
        low, high = (np.append(1.0, c) for c in (curve.low, curve.high))
        axes.fill_between(x, low, high, step="post", color=color, alpha=0.14, lw=0)
        name = f"{prognosis.groups[row]} (n = {prognosis.sizes[row]})"
        axes.step(x, y, where="post", color=color, linewidth=2, label=name)
        before = np.append(curve.at_risk[1:], 0)
        lost = curve.at_risk - before - curve.events > 0
        axes.plot(curve.times[lost], curve.survival[lost], "|", color=color, ms=7)
        for at, number in zip(when, curve.at(when)[1], strict=True):
            table.text(at, row, f"{number}", ha="center", va="center", color=color)
    words = (
        f"Log-rank p {_sign(prognosis.log_rank.p)}\n"
        f"HR {estimate(prognosis.hazard_ratio, digits=2)}"
    )
    axes.text(0.03, 0.05, words, transform=axes.transAxes, fontsize=8.5)
    axes.set(ylim=(0, 1.03), xlim=(-0.03 * end, 1.03 * end), ylabel="Survival")
    axes.grid(visible=True)
    table.set(ylim=(1.6, -0.6), xlabel="Time")
    table.set_title("Patients at risk", fontsize=9)
    table.set_yticks([0, 1], ["Low", "High"])
    table.tick_params(axis="y", length=0)
    table.spines[:].set_visible(False)
    figure.legend(loc="outside upper center", ncols=1)


def _sign(p: float) -> str:
    return p_value(p) if p < 0.001 else f"= {p_value(p)}"
