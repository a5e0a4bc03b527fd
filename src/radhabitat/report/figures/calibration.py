"""Predicted against observed risk, with the histogram of the predictions."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from radhabitat.evaluation.results import Calibration, Evaluation
from radhabitat.report.palette import FAINT, model_color
from radhabitat.report.wording import number, short_title


def draw_calibration(figure: Figure, evaluation: Evaluation) -> None:
    """Draw one panel per model on out-of-bag risks."""
    models = len(evaluation.results)
    figure.set_size_inches(max(3.3 * models, 4.2), 4.5)
    panels = figure.subplots(
        2, models, squeeze=False, sharex=True, height_ratios=(3.2, 1)
    )
    for position, (name, result) in enumerate(evaluation.results.items()):
        upper, lower = panels[:, position]
        upper.set_title(short_title(name))
        _draw_curve(upper, result.calibration, model_color(position))
        _draw_histogram(lower, result.risk_out_of_bag, evaluation.outcome)
        lower.set_xlabel("Predicted risk")
    panels[0, 0].set_ylabel("Observed share of events")
    panels[1, 0].set_ylabel("Patients")
    handles, labels = panels[1, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)


def _draw_curve(axes: Axes, calibration: Calibration, color: str) -> None:
    axes.plot([0, 1], [0, 1], color=FAINT, linestyle=":", linewidth=1)
    observed = calibration.observed
    axes.errorbar(
        calibration.predicted,
        observed,
        # rounding may put a limit on the wrong side of a share of 0 or 1
        yerr=np.maximum([observed - calibration.low, calibration.high - observed], 0),
        color=color,
        marker="o",
        markersize=6,
        linewidth=1.6,
        elinewidth=1,
        capsize=3,
    )
    slope = number(calibration.slope.value, digits=2)
    words = f"slope {slope}\nBrier {number(calibration.brier)}"
    axes.text(0.04, 0.97, words, transform=axes.transAxes, va="top", fontsize=8.5)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.grid(visible=True)


def _draw_histogram(
    axes: Axes, risk: NDArray[np.float64], outcome: NDArray[np.int8]
) -> None:
    edges = np.linspace(0, 1, 21)
    for value, label, color in ((1, "event", "#D55E00"), (0, "no event", "#9aa4ae")):
        heights, _ = np.histogram(risk[(outcome == value) & np.isfinite(risk)], edges)
        signed = heights if value == 1 else -heights
        axes.bar(edges[:-1], signed, width=0.05, align="edge", color=color, label=label)
    axes.axhline(0, color=FAINT, linewidth=0.8)
    axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
