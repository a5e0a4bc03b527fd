"""Out-of-bag risk of every patient, by what happened."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from radhabitat.evaluation.results import Evaluation
from radhabitat.report.palette import INK, model_color
from radhabitat.report.wording import p_value, short_title

NO_EVENT_COLOR = "#b4bcc4"
GOLDEN_RATIO = 0.6180339887498949


def draw_risk_by_outcome(figure: Figure, evaluation: Evaluation) -> None:
    """Draw a dot per patient and a box per model and outcome."""
    figure.set_size_inches(5.2, 4.4)
    axes = figure.add_subplot()
    results = evaluation.results
    for position, result in enumerate(results.values()):
        risk, known = result.risk_out_of_bag, np.isfinite(result.risk_out_of_bag)
        for happened, color in ((0, NO_EVENT_COLOR), (1, model_color(position))):
            group = risk[(evaluation.outcome == happened) & known]
            if group.size:
                _draw_group(axes, position + 0.4 * happened - 0.2, group, color)
    places = [p + side for p in range(len(results)) for side in (-0.2, 0.2)]
    axes.set_xticks(places, ["no", "yes"] * len(results))
    for position, name in enumerate(results):
        axes.text(position, 1.09, short_title(name), ha="center", fontweight="bold")
        axes.text(position, 1.03, _tested(evaluation, name), ha="center", fontsize=8.5)
    axes.set(xlim=(-0.5, len(results) - 0.5), ylim=(-0.02, 1.16))
    axes.set(xlabel="Event happened", ylabel="Out-of-bag risk")
    axes.grid(visible=True, axis="y")


def _tested(evaluation: Evaluation, name: str) -> str:
    """Return the p-value of the Mann-Whitney test."""
    risk = evaluation.results[name].risk_out_of_bag
    groups = [risk[(evaluation.outcome == v) & np.isfinite(risk)] for v in (0, 1)]
    if min(map(len, groups)) == 0:
        return ""
    p = p_value(float(mannwhitneyu(*groups).pvalue))
    return f"p {p}" if p.startswith("<") else f"p = {p}"


def _draw_group(
    axes: Axes, place: float, risk: NDArray[np.float64], color: str
) -> None:
    # multiples of the golden ratio spread dots evenly, without a random draw
    spread = (np.arange(risk.size) * GOLDEN_RATIO) % 1 - 0.5
    x, y = place + 0.24 * spread, np.sort(risk)
    axes.scatter(x, y, s=14, color=color, alpha=0.65, linewidth=0)
    ink = {"color": INK}
    axes.boxplot(
        risk,
        positions=[place],
        widths=0.32,
        showfliers=False,
        medianprops={"color": INK, "linewidth": 1.8},
        boxprops=ink,
        whiskerprops=ink,
        capprops=ink,
    )
